"""A tracked lesion and what a reader saw of it at one timepoint."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from measurement.errors import ObservationError
from measurement.units import ReportedMillimetres


class Role(StrEnum):
    """A lesion's part in RECIST (CDISC TRGRPID, TUSTRESC)."""

    TARGET = "target"
    NON_TARGET = "non_target"
    NEW = "new"


class TargetState(StrEnum):
    """How a target lesion was found at a timepoint (E09 4.3.2, Appendix II; FAQ).

    Attributes
    ----------
    MEASURED
        Measured; the diameter counts, even under 10 mm.
    TOO_SMALL
        Present but too small to measure; 5 mm, unless a diameter is given.
    ABSENT
        Gone; 0 mm.
    NOT_EVALUABLE
        Not imaged or not readable; neither 0 nor missing.
    SPLIT
        Broken into fragments; the sum of their diameters counts.
    MERGED
        Grown together with another target that carries the diameter of the mass; 0 mm here.
    """

    MEASURED = "measured"
    TOO_SMALL = "too_small"
    ABSENT = "absent"
    NOT_EVALUABLE = "not_evaluable"
    SPLIT = "split"
    MERGED = "merged"


class NonTargetState(StrEnum):
    """How a non-target lesion was found at a timepoint (E09 4.3.3)."""

    PRESENT = "present"
    ABSENT = "absent"
    PROGRESSED = "progressed"
    NOT_EVALUABLE = "not_evaluable"


class NewLesionState(StrEnum):
    """How sure the reader is of a new lesion (E09 4.3.5)."""

    EQUIVOCAL = "equivocal"
    UNEQUIVOCAL = "unequivocal"
    REFUTED = "refuted"


class Method(StrEnum):
    """How a lesion was measured (CDISC TRMETHOD)."""

    CT = "ct"
    MRI = "mri"
    PET_CT = "pet_ct"
    CALLIPER = "calliper"
    CHEST_X_RAY = "chest_x_ray"
    ULTRASOUND = "ultrasound"


class Nature(StrEnum):
    """What a lesion is made of, as far as measurability asks (E09 3.1, 3.2)."""

    SOFT_TISSUE = "soft_tissue"
    LYTIC_OR_MIXED_BONE = "lytic_or_mixed_bone"
    BLASTIC_BONE = "blastic_bone"
    SIMPLE_CYST = "simple_cyst"
    EFFUSION = "effusion"
    ASCITES = "ascites"
    LEPTOMENINGEAL = "leptomeningeal"
    LYMPHANGITIC = "lymphangitic"
    INFLAMMATORY_BREAST = "inflammatory_breast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """A lesion as the reader chose it at baseline, or first saw it later.

    Attributes
    ----------
    lesion_id
        Identifier within the subject: T01, NT01, NEW01.
    role
        Target, non-target or new.
    location
        Where it is, in the reader's words (CDISC TULOC).
    organ
        Organ that counts for the limit of targets; derived from `location` when empty.
    is_nodal
        Whether it is a lymph node, measured by its short axis.
    nature
        What it is made of.
    method
        How it was measured; `None` when unknown.
    slice_thickness_mm
        Thickness of the slices that it was measured on; `None` when unknown.
    is_irradiated
        Whether it lies in a previously irradiated area.
    progressed_since_irradiation
        Whether progression in it was shown after that irradiation.
    diameter
        Longest diameter in mm, or the short axis of a node; `None` when not measured.
    soft_tissue_part
        Longest diameter in mm of the soft-tissue part of a bone lesion.
    imaged_on
        Day of the scan that it was found on.
    record_id
        Record that these facts came from.
    """

    lesion_id: str
    role: Role
    location: str = ""
    organ: str = ""
    is_nodal: bool = False
    nature: Nature = Nature.SOFT_TISSUE
    method: Method | None = None
    slice_thickness_mm: Decimal | None = None
    is_irradiated: bool = False
    progressed_since_irradiation: bool = False
    diameter: ReportedMillimetres | None = None
    soft_tissue_part: ReportedMillimetres | None = None
    imaged_on: date | None = None
    record_id: str = ""

    def __post_init__(self) -> None:
        """Refuse lengths that are no lengths."""
        _require_length(self.lesion_id, "diameter", self.diameter)
        _require_length(self.lesion_id, "soft-tissue part", self.soft_tissue_part)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetObservation:
    """What a reader saw of one target lesion at one timepoint.

    Attributes
    ----------
    lesion_id
        The lesion.
    state
        How it was found.
    is_nodal
        Whether it is a lymph node; then `diameter` is its short axis.
    diameter
        Longest diameter or short axis in mm; given for `measured`, allowed for `too_small`.
    fragments
        Diameters in mm of the parts of a `split` lesion.
    merged_into
        The target that carries the diameter of the mass a `merged` lesion is part of.
    method
        How it was measured; `None` when unknown.
    imaged_on
        Day of the scan; `None` for the day of the timepoint.
    record_id
        Record that this came from.

    Raises
    ------
    ObservationError
        If state and values contradict each other.
    """

    lesion_id: str
    state: TargetState
    is_nodal: bool = False
    diameter: ReportedMillimetres | None = None
    fragments: tuple[ReportedMillimetres, ...] = ()
    merged_into: str | None = None
    method: Method | None = None
    imaged_on: date | None = None
    record_id: str = ""

    def __post_init__(self) -> None:
        """Refuse values that contradict the state."""
        state, lesion = self.state, self.lesion_id
        if self.diameter is not None:
            _require_length(lesion, "diameter", self.diameter)
            if state is not TargetState.MEASURED and state is not TargetState.TOO_SMALL:
                _refuse(lesion, f"is {state.value} and yet has a diameter of {self.diameter} mm")
        elif state is TargetState.MEASURED:
            _refuse(lesion, "is measured but has no diameter")
        if bool(self.fragments) is not (state is TargetState.SPLIT):
            _refuse(lesion, f"is {state.value} with {len(self.fragments)} fragments; a split lesion has some")
        for fragment in self.fragments:
            _require_length(lesion, "fragment", fragment)
        if (self.merged_into is not None) is not (state is TargetState.MERGED):
            _refuse(lesion, f"is {state.value} and names {self.merged_into!r} as the lesion it merged into")
        if self.merged_into == lesion:
            _refuse(lesion, "is said to have merged into itself")


@dataclass(frozen=True, slots=True, kw_only=True)
class NonTargetObservation:
    """What a reader saw of one non-target lesion at one timepoint.

    Attributes
    ----------
    lesion_id
        The lesion.
    state
        How it was found.
    is_nodal
        Whether it is a lymph node.
    short_axis
        Short axis in mm of a node, when measured.
    reason
        Why the reader calls progression unequivocal.
    imaged_on
        Day of the scan; `None` for the day of the timepoint.
    record_id
        Record that this came from.
    """

    lesion_id: str
    state: NonTargetState
    is_nodal: bool = False
    short_axis: ReportedMillimetres | None = None
    reason: str = ""
    imaged_on: date | None = None
    record_id: str = ""

    def __post_init__(self) -> None:
        """Refuse lengths that are no lengths, and short axes of what is no node."""
        if self.short_axis is not None:
            _require_length(self.lesion_id, "short axis", self.short_axis)
            if not self.is_nodal:
                _refuse(self.lesion_id, "is no lymph node and yet has a short axis")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLesionObservation:
    """What a reader saw of one new lesion at one timepoint.

    Attributes
    ----------
    lesion_id
        The lesion; the same at every timepoint, so that a doubt can be settled later.
    state
        Equivocal, unequivocal, or refuted.
    location
        Where it is.
    imaged_on
        Day of the scan that shows it; `None` for the day of the timepoint.
    record_id
        Record that this came from.
    """

    lesion_id: str
    state: NewLesionState
    location: str = ""
    imaged_on: date | None = None
    record_id: str = ""


def _require_length(lesion_id: str, what: str, length: object) -> None:
    if length is None:
        return
    if not isinstance(length, Decimal):
        _refuse(lesion_id, f"has a {what} of {length!r}; a reported length is a Decimal")
    elif not length.is_finite() or length < 0:
        _refuse(lesion_id, f"has a {what} of {length} mm; a length is finite and not negative")


def _refuse(lesion_id: str, why: str) -> None:
    message = f"Lesion {lesion_id} {why}."
    raise ObservationError(message)
