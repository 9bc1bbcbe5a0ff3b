"""A subject's course: the days and verdicts that every endpoint is derived from."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

from measurement.errors import MeasurementError
from measurement.protocol.trial import TrialProtocol
from measurement.recist.assessment import BestOverallResponse, SubjectAssessment
from measurement.recist.responses import OverallResponse


class Milestone(NamedTuple):
    """Something that happened on a day, and the record that says so."""

    on: date
    record_id: str


class DateOrderError(MeasurementError):
    """A date of a subject lies before the day that its time is counted from."""

    def __init__(self, *, what: str, found: date, starts_on: date) -> None:
        """Name the date and the start."""
        super().__init__(f"The {what} must not lie before the start on {starts_on}; found {found}.")
        self.what = what


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectDates:
    """The days of a subject's life in the trial.

    Attributes
    ----------
    starts_on
        The protocol's anchor: first dose, randomisation or whatever it says; ``None`` while it has not come.
    death_on, new_therapy_on
        Death from any cause; first dose of another anticancer therapy.
    last_alive_on
        Last day on which the subject was known to be alive.

    Raises
    ------
    DateOrderError
        When the death lies before the start.
    """

    starts_on: date | None
    death_on: date | None = None
    new_therapy_on: date | None = None
    last_alive_on: date | None = None

    def __post_init__(self) -> None:
        """Refuse a death before the start."""
        if self.starts_on and self.death_on and self.death_on < self.starts_on:
            raise DateOrderError(what="death", found=self.death_on, starts_on=self.starts_on)

    def as_of(self, day: date) -> "SubjectDates":
        """Return what had happened by `day`; later dates are left out."""
        return SubjectDates(
            starts_on=_happened(self.starts_on, day),
            death_on=_happened(self.death_on, day),
            new_therapy_on=_happened(self.new_therapy_on, day),
            last_alive_on=min(self.last_alive_on, day) if self.last_alive_on else None,
        )


def _happened(value: date | None, day: date) -> date | None:
    return value if value is not None and value <= day else None


@dataclass(frozen=True, kw_only=True)
class Course:
    """Responses, dates and the protocol that they are judged by, as of one data cut.

    Raises
    ------
    DateOrderError
        When progression lies before the start.
    """

    assessment: SubjectAssessment
    dates: SubjectDates
    protocol: TrialProtocol

    def __post_init__(self) -> None:
        """Refuse a progression before the start: no time can be counted to it."""
        progression, starts_on = self.assessment.progression, self.dates.starts_on
        if progression and starts_on and progression.progressed_on < starts_on:
            raise DateOrderError(what="progression", found=progression.progressed_on, starts_on=starts_on)

    @property
    def best_response(self) -> BestOverallResponse:
        """Return the best overall response of record: the confirmed one where the trial asks for that."""
        if self.protocol.criteria.confirmation.required:
            return self.assessment.confirmed_best_overall
        return self.assessment.best_overall

    @cached_property
    def adequate(self) -> tuple[tuple[date, str], ...]:
        """Return day and record of the adequate assessments in order of time; NE is one only by choice."""
        ne_is_adequate = self.protocol.endpoints.ne_is_adequate
        found = [
            (timepoint.assessed_on, timepoint.timepoint_id)
            for timepoint in self.assessment.timepoints
            if timepoint.assessed_on is not None
            and (ne_is_adequate or timepoint.overall_response is not OverallResponse.NE)
        ]
        return tuple(sorted(found))
