"""What scoring gives of one subject: the input of everything that writes CDISC data sets.

Nothing here says where the observations came from, so that a service which keeps them in a database can
write the same data sets.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property

from imaging_service.cdisc.evaluator import Evaluator
from imaging_service.cdisc.subject_dates import DateSource, SubjectCalendar
from measurement.endpoints.course import Course
from measurement.endpoints.outcomes import SubjectOutcomes, subject_outcomes
from measurement.recist.assessment import BestOverallResponse
from measurement.recist.observations import TimepointObservations

START, DEATH, LAST_CONTACT = "start", "death", "last contact"
"""What endpoints call the days of a subject that are not timepoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitFacts:
    """What SDTM says of a timepoint.

    Attributes
    ----------
    name, number
        VISIT and VISITNUM.
    is_accepted
        Whether this evaluator's assessment of it is the accepted one (--ACPTFL).
    """

    name: str = ""
    number: Decimal | None = None
    is_accepted: bool = False


@dataclass(frozen=True, kw_only=True)
class ScoredReading:
    """One evaluator's assessments of one subject, and what follows from them.

    Attributes
    ----------
    evaluator
        Who assessed.
    observations
        What was seen, baseline included.
    course
        What the rules make of it, with the subject's days and the protocol.
    visits
        By the identifier of the timepoint.
    locations
        Where each lesion is, by its identifier.
    sources
        Where the start, the death and the last contact are recorded.
    is_assessed
        Whether this evaluator assessed the subject at all.
    """

    evaluator: Evaluator
    observations: tuple[TimepointObservations, ...]
    course: Course
    visits: Mapping[str, VisitFacts] = field(default_factory=dict)
    locations: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, DateSource] = field(default_factory=dict)
    is_assessed: bool = True

    @cached_property
    def outcomes(self) -> SubjectOutcomes:
        """The endpoints, by the best response of record."""
        return subject_outcomes(self.course)

    def with_confirmation(self, *, required: bool) -> Course:
        """Return the same course as a protocol would have it that does, or does not, ask for confirmation."""
        protocol = self.course.protocol
        criteria = protocol.criteria
        rules = replace(criteria.confirmation, required=required)
        return replace(
            self.course, protocol=replace(protocol, criteria=replace(criteria, confirmation=rules))
        )

    @property
    def best(self) -> BestOverallResponse:
        """The best overall response of record."""
        return self.course.best_response


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredSubject:
    """One subject.

    Attributes
    ----------
    study_id, subject_id
        STUDYID and USUBJID.
    calendar
        The subject's days.
    readings
        One an evaluator, in their order.
    as_of
        The data cut; ``None`` for everything known.
    last_sequence
        Greatest TRSEQ that the subject has: rows of sums are numbered after it.
    submitted_as_accepted
        Whose submitted responses carry the accepted flag (RSACPTFL).
    """

    study_id: str
    subject_id: str
    calendar: SubjectCalendar
    readings: tuple[ScoredReading, ...]
    as_of: date | None = None
    last_sequence: int = 0
    submitted_as_accepted: frozenset[Evaluator] = frozenset()

    @property
    def accepted(self) -> Evaluator | None:
        """The evaluator whose assessments count; ``None`` where the data flag nobody's, or several's.

        A flag on one record of TU, TR or RS is a flag on the evaluator: readers are chosen by subject.
        """
        flagged = {
            each.evaluator
            for each in self.readings
            if each.evaluator in self.submitted_as_accepted
            or any(visit.is_accepted for visit in each.visits.values())
        }
        return next(iter(flagged)) if len(flagged) == 1 else None

    @property
    def died_on(self) -> date | None:
        """Day of death, as far as known at the cut."""
        death = self.calendar.death
        if death is None or (self.as_of is not None and death.on > self.as_of):
            return None
        return death.on

    def study_day(self, on: date | None) -> int | None:
        """Return the study day (--DY) of a day: 1 on the reference day, -1 the day before."""
        reference = self.calendar.reference_on
        if on is None or reference is None:
            return None
        days = (on - reference).days
        return days + 1 if days >= 0 else days
