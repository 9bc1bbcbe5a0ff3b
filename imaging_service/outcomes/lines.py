"""A reader's course of a subject as one line, and what lines add up to."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from imaging_service.outcomes.courses import ReaderCourse
from measurement.endpoints.kaplan_meier import Observation, kaplan_meier
from measurement.endpoints.outcomes import CohortOutcomes
from measurement.endpoints.proportion import Proportion
from measurement.endpoints.time_to_event import Endpoint, TimeToEvent
from measurement.protocol.trial import TrialProtocol

Times = Mapping[Endpoint, Observation]


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseLine:
    """A subject's line of a listing, with what it adds to the cohort's figures."""

    subject_id: str
    slot: int
    site_id: str
    is_responder: bool
    has_clinical_benefit: bool
    is_controlled: bool
    times: Times
    """An endpoint that does not apply is not there."""
    best_response: str
    confirmed_best_response: str
    pfs_starts_on: date | None
    pfs_ends_on: date | None
    pfs_ending: str | None
    pfs_record_id: str | None
    doubt: str | None


def line_of(found: ReaderCourse) -> CourseLine:
    """Return the line of a reader's course."""
    outcomes, assessment = found.outcomes, found.course.assessment
    time: TimeToEvent | None = outcomes.times.get(Endpoint.PROGRESSION_FREE_SURVIVAL)
    return CourseLine(
        subject_id=found.subject.subject_id,
        slot=found.slot,
        site_id=found.subject.site_id,
        is_responder=outcomes.is_responder,
        has_clinical_benefit=outcomes.has_clinical_benefit,
        is_controlled=outcomes.is_controlled,
        times={endpoint: each.observation for endpoint, each in outcomes.times.items()},
        best_response=assessment.best_overall.response.value,
        confirmed_best_response=assessment.confirmed_best_overall.response.value,
        pfs_starts_on=None if time is None else time.starts_on,
        pfs_ends_on=None if time is None else time.ends_on,
        pfs_ending=None if time is None else time.ending.value,
        pfs_record_id=None if time is None else time.record_id,
        doubt=found.doubt,
    )


@dataclass(slots=True, kw_only=True)
class Tally:
    """What the lines of a cohort add up to."""

    subjects: int = 0
    responders: int = 0
    benefits: int = 0
    controlled: int = 0
    times: dict[Endpoint, Counter[Observation]] = field(
        default_factory=lambda: {each: Counter() for each in Endpoint}
    )

    def add(self, lines: Iterable[CourseLine]) -> None:
        """Add lines one by one."""
        for each in lines:
            self.subjects += 1
            self.responders += each.is_responder
            self.benefits += each.has_clinical_benefit
            self.controlled += each.is_controlled
            for endpoint, observation in each.times.items():
                self.times[endpoint][observation] += 1

    def include(self, other: "Tally") -> None:
        """Add what others add up to."""
        self.subjects += other.subjects
        self.responders += other.responders
        self.benefits += other.benefits
        self.controlled += other.controlled
        for endpoint, counted in other.times.items():
            self.times[endpoint].update(counted)

    def outcomes(self, protocol: TrialProtocol) -> CohortOutcomes:
        """Return the cohort's endpoints."""
        level = float(protocol.endpoints.confidence_level)
        transform = protocol.endpoints.interval_transform

        def share(count: int) -> Proportion:
            return Proportion(count=count, of=self.subjects, level=level)

        return CohortOutcomes(
            subjects=self.subjects,
            response=share(self.responders),
            clinical_benefit=share(self.benefits),
            disease_control=share(self.controlled),
            curves=MappingProxyType(
                {
                    endpoint: kaplan_meier(list(counted.elements()), level=level, transform=transform)
                    for endpoint, counted in self.times.items()
                    if counted
                }
            ),
        )


def tallies(lines: Sequence[CourseLine], slots: Iterable[int]) -> dict[int, Tally]:
    """Return what lines add up to for each reader's slot."""
    found = {slot: Tally() for slot in slots}
    for slot, tally in found.items():
        tally.add(each for each in lines if each.slot == slot)
    return found
