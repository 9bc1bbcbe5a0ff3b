"""What the service answered, as the demo prints and judges it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TimepointResult:
    """One reader's answer at one timepoint."""

    sum_mm: Decimal | None  # None when there is no complete sum
    from_baseline: Decimal | None  # percent; None at baseline and without a complete sum
    from_nadir: Decimal | None  # percent
    target: str | None  # None at baseline
    non_target: str | None
    new: bool
    overall: str | None
    diameters_mm: Mapping[tuple[str, int], Decimal]  # (lesion, fragment or 0) -> as the server computed it


@dataclass(frozen=True, slots=True, kw_only=True)
class OccasionResult:
    """One timepoint of one subject: where its study fell, and what each reader's read came to."""

    imaged_on: date
    placement: str
    by_reader: Mapping[str, TimepointResult]  # slot -> answer


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingResult:
    """A subject's outcome by one reader."""

    best_response: str
    is_event: bool
    progression_free_on: date
    progression_free_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectResult:
    """Everything that was answered about one subject."""

    subject_id: str
    site_id: str
    occasions: Sequence[OccasionResult]  # in the order of imaging
    endings: Mapping[str, EndingResult]  # slot -> outcome
    is_discordant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayResult:
    """A study that belongs to no subject, or never came in."""

    what: str
    reason: str
    code: str  # of an unmatched study; empty when the sender was refused
