"""What a read refuses, in one tree under the service's.

* ReadRefusedError 422
  + LesionNameError, BaselineNewLesionError, LesionNotAtBaselineError, LesionFactsError
  + StateError, ReasonMissingError, MergeError, AxisMissingError, AxisUnwantedError
  + TooManyTargetsError, TooManyTargetsInOrganError
  + TimepointWithoutImagesError, InstanceElsewhereError, FrameUnknownError, FrameUnmeasurableError,
    AxesApartError, PointsRefusedError
* ReadConflictError 409
  + AlreadySignedError, ChangedMeanwhileError, VersionWantedError, IncompleteReadError,
    BaselineMissingError, TurnError, NothingToReadError, UnlockedAlreadyError, NotSignedError,
    ReviewOffError, ReviewTooEarlyError
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar

from imaging_service.errors import ConflictError, RefusedError
from measurement.errors import MeasurementError


class ReadRefusedError(RefusedError):
    """What was entered breaks a rule of reading."""


class LesionNameError(ReadRefusedError):
    """A lesion's name says no role."""

    general_code: ClassVar[str] = "lesion_name"

    def __init__(self, lesion_id: str) -> None:
        """Say what a name looks like."""
        super().__init__(f"A lesion is named T01, NT01 or NEW01, with two digits; found {lesion_id!r}.")


class BaselineNewLesionError(ReadRefusedError):
    """A new lesion at baseline."""

    general_code: ClassVar[str] = "new_at_baseline"

    def __init__(self, lesion_id: str) -> None:
        """Name it."""
        super().__init__(
            f"{lesion_id} is a new lesion at baseline, where nothing can be new; "
            "a target (T01) or a non-target (NT01) was wanted."
        )


class LesionNotAtBaselineError(ReadRefusedError):
    """A follow-up read names a target or non-target that baseline did not choose."""

    general_code: ClassVar[str] = "not_at_baseline"

    def __init__(self, lesion_id: str, known: Sequence[str]) -> None:
        """Name the lesions of the baseline."""
        chosen = ", ".join(known) or "no lesion"
        super().__init__(
            f"{lesion_id} was not chosen at baseline, which has {chosen}; "
            "what was not there before is entered as a new lesion (NEW01)."
        )


class LesionFactsError(ReadRefusedError):
    """A lesion's lasting facts are missing, or differ from those of an earlier read."""

    general_code: ClassVar[str] = "lesion_facts"


class StateError(ReadRefusedError):
    """A state that the lesion's role does not have here."""

    general_code: ClassVar[str] = "state"

    def __init__(self, lesion_id: str, found: str, wanted: Collection[str]) -> None:
        """Name the states."""
        super().__init__(f"{lesion_id} is said to be {found!r}; {_either(wanted)} was wanted.")


class ReasonMissingError(ReadRefusedError):
    """A state that needs a reason came without one."""

    general_code: ClassVar[str] = "reason_missing"

    def __init__(self, lesion_id: str, state: str) -> None:
        """Name the state."""
        super().__init__(f"{lesion_id} is said to be {state} without a reason; why was wanted.")


class MergeError(ReadRefusedError):
    """A merged lesion that does not say into which other target."""

    general_code: ClassVar[str] = "merge"


class AxisMissingError(ReadRefusedError):
    """A diameter that was not drawn."""

    general_code: ClassVar[str] = "axis_missing"

    def __init__(self, lesion_id: str, wanted: str, found: str) -> None:
        """Name the axis."""
        super().__init__(f"{lesion_id} needs {wanted}; found {found}.")


class AxisUnwantedError(ReadRefusedError):
    """An axis on a lesion that has none in this state."""

    general_code: ClassVar[str] = "axis_unwanted"

    def __init__(self, lesion_id: str, state: str, found: int) -> None:
        """Name the state."""
        super().__init__(
            f"{lesion_id} is said to be {state} and yet has {found} drawn axes; none was wanted."
        )


class TooManyTargetsError(ReadRefusedError):
    """More targets than the protocol follows (E09 4.2)."""

    general_code: ClassVar[str] = "too_many_targets"

    def __init__(self, lesion_id: str, chosen: Sequence[str], most: int) -> None:
        """Name those chosen."""
        super().__init__(
            f"{lesion_id} would be target {len(chosen) + 1}; at most {most} are wanted, "
            f"and {', '.join(chosen)} are chosen already. It can be a non-target."
        )


class TooManyTargetsInOrganError(ReadRefusedError):
    """More targets in one organ than the protocol follows (E09 4.2)."""

    general_code: ClassVar[str] = "too_many_targets_in_organ"

    def __init__(self, lesion_id: str, organ: str, chosen: Sequence[str], most: int) -> None:
        """Name the organ and those chosen in it."""
        super().__init__(
            f"{lesion_id} would be target {len(chosen) + 1} in {organ.replace('_', ' ')}; at most {most} "
            f"are wanted in one organ, and {', '.join(chosen)} are chosen already. It can be a non-target."
        )


class TimepointWithoutImagesError(ReadRefusedError):
    """A measurement for a timepoint that has no image."""

    general_code: ClassVar[str] = "timepoint_without_images"

    def __init__(self) -> None:
        """Say how many were found."""
        super().__init__("The timepoint has 0 images; a measurement is drawn on one of its images.")


class InstanceElsewhereError(ReadRefusedError):
    """A measurement on an instance that is not the timepoint's."""

    general_code: ClassVar[str] = "instance_elsewhere"

    def __init__(self, sop_instance_uid: str) -> None:
        """Name the instance as it was given."""
        super().__init__(
            f"The instance {sop_instance_uid} is not one of this timepoint; one of its own images was wanted."
        )


class FrameUnknownError(ReadRefusedError):
    """A frame that the instance does not have."""

    general_code: ClassVar[str] = "frame_unknown"

    def __init__(self, sop_instance_uid: str, frame: int, frames: int) -> None:
        """Say how many there are."""
        wanted = f"1 to {frames} was wanted" if frames else "it has no frames"
        super().__init__(f"Frame {frame} was named of the instance {sop_instance_uid}; {wanted}.")


class FrameUnmeasurableError(ReadRefusedError):
    """A frame without calibrated geometry."""

    general_code: ClassVar[str] = "frame_unmeasurable"

    def __init__(self, sop_instance_uid: str, frame: int, why: str) -> None:
        """Say why nothing can be measured on it."""
        super().__init__(
            f"Nothing can be measured on frame {frame} of the instance {sop_instance_uid}: {why} "
            "A frame with calibrated geometry was wanted."
        )


class AxesApartError(ReadRefusedError):
    """The two axes of a lesion lie on different frames."""

    general_code: ClassVar[str] = "axes_on_different_frames"

    def __init__(self, frames: Collection[tuple[str, int]]) -> None:
        """Name the frames."""
        found = " and ".join(f"frame {frame} of {uid}" for uid, frame in sorted(frames))
        super().__init__(f"The axes lie on {found}; both were wanted on one frame of one instance.")


class PointsRefusedError(ReadRefusedError):
    """Points from which no length follows; the ruler says why."""

    general_code: ClassVar[str] = "points"

    def __init__(self, error: MeasurementError) -> None:
        """Say it in the ruler's words."""
        super().__init__(str(error), code=_code_of(error))


class ReadConflictError(ConflictError):
    """The request contradicts the read as it stands."""


class AlreadySignedError(ReadConflictError):
    """The read is signed: nothing in it changes, and nobody signs it again."""

    general_code: ClassVar[str] = "already_signed"

    def __init__(self, signed_at: datetime) -> None:
        """Say since when."""
        super().__init__(
            f"The read was signed at {signed_at.isoformat(timespec='seconds')} and does not change any more; "
            "a draft was wanted. A coordinator can unlock it with a reason."
        )


class ChangedMeanwhileError(ReadConflictError):
    """Somebody else wrote after the caller had looked."""

    general_code: ClassVar[str] = "changed_meanwhile"

    def __init__(self, what: str, stored: int, given: int) -> None:
        """Give both versions."""
        super().__init__(
            f"{what} was changed meanwhile: it is at version {stored}, and the request is about "
            f"version {given}. Nothing was overwritten; read it again."
        )


class VersionWantedError(ReadConflictError):
    """A lesion would be overwritten by somebody who does not say which version they saw."""

    general_code: ClassVar[str] = "version_wanted"

    def __init__(self, lesion_id: str, stored: int) -> None:
        """Say what to send."""
        super().__init__(
            f"{lesion_id} is entered already, with other content; If-Match was wanted with the version "
            f'to replace, which is "{stored}".'
        )


class IncompleteReadError(ReadConflictError):
    """A read with gaps cannot be signed."""

    general_code: ClassVar[str] = "incomplete"

    def __init__(self, gaps: Sequence[Mapping[str, Any]]) -> None:
        """List every gap."""
        sentences = " ".join(str(gap["sentence"]) for gap in gaps)
        super().__init__(
            f"The read cannot be signed; found {len(gaps)} gaps, wanted none. {sentences}", findings=gaps
        )


class BaselineMissingError(ReadConflictError):
    """A follow-up without a signed baseline has nothing to follow."""

    general_code: ClassVar[str] = "baseline_missing"

    def __init__(self) -> None:
        """Say what is wanted first."""
        super().__init__(
            "The subject has no baseline images; the baseline is wanted before any other timepoint."
        )


class TurnError(ReadConflictError):
    """An earlier timepoint waits for the reader."""

    general_code: ClassVar[str] = "earlier_timepoint_waits"

    def __init__(self, imaged_on: date) -> None:
        """Say which."""
        super().__init__(
            f"The timepoint imaged on {imaged_on.isoformat()} comes first and is not signed; "
            "timepoints are signed in the order of their imaging."
        )


class NothingToReadError(ReadConflictError):
    """A timepoint without images cannot be read."""

    general_code: ClassVar[str] = "timepoint_without_images"

    def __init__(self, progress: str) -> None:
        """Say how the timepoint stands."""
        super().__init__(
            f"The timepoint is {progress.replace('_', ' ')} and has 0 images; "
            "a read was wanted of a timepoint with images."
        )


class NotSignedError(ReadConflictError):
    """A draft where a signed read was wanted."""

    general_code: ClassVar[str] = "not_signed"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("The read is a draft; a signed one was wanted.")


class UnlockedAlreadyError(ReadConflictError):
    """A read that has a newer revision already."""

    general_code: ClassVar[str] = "unlocked_already"

    def __init__(self, revision: int) -> None:
        """Name the newest revision."""
        super().__init__(f"The read has been unlocked already; revision {revision} is the newest one.")


class ReviewOffError(ReadConflictError):
    """A protocol without a global review."""

    general_code: ClassVar[str] = "review_off"

    def __init__(self, version: str) -> None:
        """Name the parameter."""
        super().__init__(
            f"Version {version!r} of the protocol has readers.global_review off; "
            "a signed read is opened again only by a coordinator who unlocks it."
        )


class ReviewTooEarlyError(ReadConflictError):
    """A global review before the last timepoint is read."""

    general_code: ClassVar[str] = "review_too_early"

    def __init__(self, what: str) -> None:
        """Say what the review waits for."""
        super().__init__(f"The global review begins after the last timepoint; {what}.")


def _code_of(error: MeasurementError) -> str:
    """Turn the class's name into a code: PointOutsideImageError → point_outside_image."""
    name = type(error).__name__.removesuffix("Error")
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _either(words: Collection[str]) -> str:
    ordered = sorted(words)
    return ordered[0] if len(ordered) == 1 else f"{', '.join(ordered[:-1])} or {ordered[-1]}"
