"""A site's evaluation of a timepoint, as a value apart from the database."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the site says about a timepoint."""

    overall_response: str
    has_progressed: bool
    """By imaging or clinically: a site may call progression that its images do not show."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What the site says, who entered it, and when."""

    evaluation_id: str
    trial_id: str
    subject_id: str
    timepoint_id: str
    edition: int
    overall_response: str
    has_progressed: bool
    reason: str
    entered_by: str
    entered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An evaluation with the site, and the timepoint's place in the calendar."""

    evaluation: Evaluation
    site_id: str
    number: int | None
    imaged_on: date | None
    is_current: bool
    """Whether no later edition corrects it."""
