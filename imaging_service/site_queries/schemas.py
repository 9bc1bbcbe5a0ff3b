"""Payloads and answers about questions to sites."""

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, Field

from imaging_service.http.models import Day, Identifier, Instant, Reason, RowId, StrictModel, Uid
from imaging_service.site_queries.records import About, Entry, SiteQuery, Word
from imaging_service.site_queries.states import Deed, QueryCode, QueryState


class SiteQueryAnswer(BaseModel):
    """A question to a site, as it stands."""

    query_id: str
    number: int = Field(description="Within the trial, from 1.")
    trial_id: str
    site_id: str
    subject_id: str | None
    timepoint_id: str | None
    study_instance_uid: str | None
    code: QueryCode
    text: str
    state: QueryState
    due_on: date
    days_overdue: int | None = Field(description="Days since the site should have answered.")
    asked_at: Instant
    version: int = Field(description="Counts the entries.")


class EntryAnswer(BaseModel):
    """One thing that was said about a question."""

    version: int
    deed: Deed
    state: QueryState = Field(description="Of the question from then on.")
    text: str
    due_on: date
    said_by: str
    said_by_name: str
    said_at: Instant


class WholeQueryAnswer(SiteQueryAnswer):
    """A question to a site with everything that was said about it."""

    entries: list[EntryAnswer]


class AskPayload(StrictModel):
    """A question to a site about itself, a subject, a timepoint or a study; what follows is filled in."""

    site_id: Identifier | None = None
    subject_id: Identifier | None = None
    timepoint_id: RowId | None = None
    study_instance_uid: Uid | None = None
    code: QueryCode
    text: Reason = Field(examples=["The early dynamic phase is missing; please send it."])
    due_on: Day | None = Field(None, description="Day to answer by; else as the protocol says.")

    def about(self) -> About:
        """Return what it is about."""
        return About(
            site_id=self.site_id,
            subject_id=self.subject_id,
            timepoint_id=self.timepoint_id,
            study_instance_uid=self.study_instance_uid,
        )


class WordPayload(StrictModel):
    """What there is to say about a question."""

    text: Reason = Field(examples=["The series was sent today."])
    version: int | None = Field(
        None, ge=0, le=1_000_000, description="The entries that were seen; another number is refused."
    )

    def word(self, deed: Deed) -> Word:
        """Return it as the service takes it."""
        return Word(deed=deed, text=self.text, seen_version=self.version)


class DuePayload(WordPayload):
    """What there is to say about a question that the site is to answer."""

    due_on: Day | None = Field(None, description="New day to answer by.")

    def word(self, deed: Deed) -> Word:
        """Return it as the service takes it."""
        return Word(deed=deed, text=self.text, due_on=self.due_on, seen_version=self.version)


def query_answer(query: SiteQuery, today: date) -> SiteQueryAnswer:
    """Return a question as it is answered."""
    return SiteQueryAnswer(
        **{name: getattr(query, name) for name in query.__slots__}, days_overdue=query.days_overdue(today)
    )


def whole_answer(query: SiteQuery, entries: Sequence[Entry], today: date) -> WholeQueryAnswer:
    """Return a question with everything that was said about it."""
    said = [EntryAnswer(**{name: getattr(each, name) for name in each.__slots__}) for each in entries]
    return WholeQueryAnswer(**query_answer(query, today).model_dump(), entries=said)
