"""Questions to sites as the other chapters and the routes know them."""

from dataclasses import dataclass
from datetime import date, datetime

from imaging_service.site_queries.states import Deed, QueryCode, QueryState


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteQuery:
    """A question to a site, as it stands."""

    query_id: str
    number: int  # within the trial, from 1: what people call it
    trial_id: str
    site_id: str
    subject_id: str | None
    timepoint_id: str | None
    study_instance_uid: str | None
    code: QueryCode
    text: str
    state: QueryState
    due_on: date
    version: int
    asked_at: datetime

    def days_overdue(self, today: date) -> int | None:
        """Return the days since the site should have answered, when it has not."""
        is_overdue = self.state is QueryState.OPEN and self.due_on < today
        return (today - self.due_on).days if is_overdue else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that was said about a question."""

    version: int
    deed: Deed
    state: QueryState
    text: str
    due_on: date
    said_by: str
    said_by_name: str
    said_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a new question is about: a site, one of its subjects, a timepoint or a study of theirs."""

    site_id: str | None = None
    subject_id: str | None = None
    timepoint_id: str | None = None
    study_instance_uid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What somebody has to say about a question."""

    deed: Deed
    text: str
    due_on: date | None = None  # a new day to answer by, of a follow-up or a reopening
    seen_version: int | None = None  # what was looked at; None: whatever counts now
