"""Where an endpoint comes from: each record that it follows from, down to points, bytes and receipts.

Nothing is copied to be shown: the chain is walked anew from the signed reads whenever it is asked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from sqlalchemy.orm import Session

from dicom_listener.archive.records import FiledReceipt
from imaging_service.accounts.blinding import refuse_blinded
from imaging_service.accounts.principal import Principal
from imaging_service.adjudication import service as adjudication
from imaging_service.adjudication.repository import Wanted
from imaging_service.adjudication.review import Review
from imaging_service.assessments import repository as assessments
from imaging_service.assessments.derivation import restored
from imaging_service.assessments.repository import Assessment
from imaging_service.audit import receipts as entered_receipts
from imaging_service.audit import service as audit
from imaging_service.audit.repository import AuditEntry
from imaging_service.evaluations import repository as evaluations
from imaging_service.exports.site_course import SiteCourse, site_course
from imaging_service.outcomes import service as outcomes
from imaging_service.outcomes.courses import DataCut, ReaderCourse
from imaging_service.reads import repository as reads
from imaging_service.reads.read import Read
from imaging_service.subjects import service as subjects
from imaging_service.subjects.records import Subject, SubjectVersion
from imaging_service.timepoints import service as timepoints
from imaging_service.timepoints.records import Study, Timepoint
from measurement.endpoints.course import Course
from measurement.endpoints.time_to_event import Endpoint, TimeToEvent
from measurement.protocol.criteria import Criteria
from measurement.protocol.schedule import Anchor
from measurement.protocol.trial import TrialProtocol
from measurement.recist.assessment import TimepointAssessment
from measurement.recist.responses import OverallResponse


class Traced(StrEnum):
    """What can be followed down: a time to an event, or the best overall response."""

    PFS = "PFS"
    DOR = "DOR"
    TTR = "TTR"
    DSD = "DSD"
    OS = "OS"
    BOR = "BOR"


class Part(StrEnum):
    """What a timepoint does in an endpoint."""

    BASELINE = "baseline"
    NADIR = "nadir"
    """Has the smallest complete sum before the timepoint that ends the time, the first of equal ones."""
    STARTS = "starts"
    ENDS = "ends"
    DECLARES = "declares"
    """Settles what an earlier timepoint had shown in doubt."""
    BEST = "best"
    CONFIRMS = "confirms"


DATES = {
    Anchor.FIRST_DOSE: "first_dose_on",
    Anchor.RANDOMISATION: "randomised_on",
    Anchor.CONSENT: "consent_on",
}
"""Anchors that are a date of the subject's, and its name."""

_ENDS = {"death": "death_on", "last contact": "last_contact_on"}


class ReceiptSource(Protocol):
    """Where receipts are; `dicom_listener.archive.archive.Archive` is one."""

    def receipts_of(self, sop_instance_uids: Sequence[str]) -> Sequence[FiledReceipt]:
        """Return every receipt of some instances, oldest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """What a time starts or ends with: a timepoint, or a date of the subject's."""

    what: str
    """``timepoint``, or the name of the date."""
    on: date
    timepoint_id: str | None = None
    version: int | None = None
    """Of the subject's dates: the one that first held this day."""
    entry: AuditEntry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One timepoint that an endpoint follows from."""

    timepoint_id: str
    parts: Sequence[Part]
    verdict: TimepointAssessment | None
    """None at baseline."""
    read: Read | None
    """None where nothing was imaged."""
    assessment: Assessment | None
    """The stored answer about the read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """By what a reader's responses were judged: their own version of the protocol, not the endpoint's."""

    protocol_version: str
    criteria: Criteria


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderChain:
    """An endpoint by one reader, with the timepoints that it follows from."""

    found: ReaderCourse
    judged: Judged | None
    """None where the reader has signed nothing."""
    time: TimeToEvent | None
    starts: Dated | None
    ends: Dated | None
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteChain:
    """An endpoint by the site."""

    found: SiteCourse
    time: TimeToEvent | None
    starts: Dated | None
    ends: Dated | None
    parts: Mapping[str, Sequence[Part]]
    """Of the evaluated timepoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """An endpoint of a subject by the readers and by the site, and every record it follows from."""

    subject: Subject
    protocol: TrialProtocol
    endpoint: Traced
    cut: DataCut
    review: Review
    readers: Sequence[ReaderChain]
    site: SiteChain
    calendar: Mapping[str, Timepoint]
    studies: Mapping[str, Sequence[Study]]
    """By timepoint."""
    receipts: Mapping[str, Sequence[FiledReceipt]]
    """Of the bytes that something was measured on, by SOP Instance UID."""
    entries: "Entries"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """What the audit says about the records of a chain."""

    about: Mapping[tuple[str, str], Sequence[AuditEntry]]
    """By kind of thing and key, in the order of the chain."""
    covering: Mapping[int, AuditEntry]
    """By the sequence number of the receipt."""

    def last(self, entity: str, entity_id: str, *actions: str) -> AuditEntry | None:
        """Return the last entry of some kinds of act, or of any."""
        found = self.about.get((entity, entity_id), ())
        wanted = [each for each in found if not actions or each.action in actions]
        return wanted[-1] if wanted else None


def provenance(  # noqa: PLR0913, PLR0917  an endpoint is asked for by this much
    session: Session,
    principal: Principal,
    archive: ReceiptSource | None,
    trial_id: str,
    subject_id: str,
    endpoint: Traced,
    cut: DataCut,
) -> Provenance:
    """Return where an endpoint of a subject comes from.

    Raises
    ------
    NotFoundError
        There is no such subject in the scope.
    ForbiddenError
        The caller reads or adjudicates in the trial.
    """
    subject, protocol, courses = outcomes.of_subject(session, principal, trial_id, subject_id, cut)
    refuse_blinded(principal, trial_id)
    scope = principal.scope
    wanted = Wanted(trial_id=trial_id, subject_id=subject_id)
    review = next(adjudication.reviews(session, principal, protocol, wanted, cut.today))
    calendar = timepoints.calendar(session, scope, trial_id, subject_id)
    evaluated = evaluations.current(session, scope, trial_id, [subject_id]).get(subject_id, ())
    by_site = site_course(subject, evaluated, calendar, protocol, cut)
    steps = _Steps(session, principal, subject)
    said = _SaidDates(session, principal, subject, protocol)
    chains = [_reader_chain(each, endpoint, said, steps) for each in courses]
    studies = timepoints.studies_of(session, calendar)
    receipts = _receipts(archive, chains)
    about = {
        "read": {step.read.read_id for chain in chains for step in chain.steps if step.read is not None},
        "adjudication": {each.decision_id for each in review.decisions},
        "site_evaluation": {each.evaluation.evaluation_id for each in by_site.evaluations},
        "study": {each.study_instance_uid for found in studies.values() for each in found},
    }
    return Provenance(
        subject=subject,
        protocol=protocol,
        endpoint=endpoint,
        cut=cut,
        review=review,
        readers=chains,
        site=_site_chain(by_site, endpoint, said),
        calendar={each.timepoint_id: each for each in calendar},
        studies=studies,
        receipts=receipts,
        entries=Entries(
            about=_about(session, about),
            covering=entered_receipts.covering(
                session, (each.sequence for filed in receipts.values() for each in filed)
            ),
        ),
    )


def _about(
    session: Session, wanted: Mapping[str, Iterable[str]]
) -> Mapping[tuple[str, str], Sequence[AuditEntry]]:
    found: dict[tuple[str, str], list[AuditEntry]] = {}
    for entity, keys in wanted.items():
        for each in audit.entries_about(session, entity, sorted(keys)):
            found.setdefault((entity, each.entity_id), []).append(each)
    return found


class _SaidDates:
    """The subject's dates, each with the version and the audit entry that first held it."""

    def __init__(
        self, session: Session, principal: Principal, subject: Subject, protocol: TrialProtocol
    ) -> None:
        self._subject = subject
        self._anchor = protocol.endpoints.anchor
        self._versions = subjects.history(session, principal.scope, subject.trial_id, subject.subject_id)
        key = f"{subject.trial_id} {subject.subject_id}"
        self._entries = audit.entries_about(session, "subject", [key])

    def start(self, on: date, baseline_id: str | None) -> Dated:
        """Return what a time of the whole trial starts with."""
        if self._anchor is Anchor.BASELINE_IMAGING:
            return Dated(what="timepoint", on=on, timepoint_id=baseline_id)
        if self._anchor is Anchor.ENROLMENT:
            return self._of_version("enrolled_at", on, self._versions[0])
        return self.recorded(DATES[self._anchor], on)

    def recorded(self, name: str, on: date) -> Dated:
        """Return a date as the subject has it now."""
        now = getattr(self._subject.dates, name)
        first = self._versions[-1]
        for version in reversed(self._versions):
            if getattr(version.dates, name) != now:
                break
            first = version
        return self._of_version(name, on, first)

    def _of_version(self, name: str, on: date, version: SubjectVersion) -> Dated:
        acts = ("enrol subject", "correct subject")
        entered = [each for each in self._entries if each.action in acts and each.at == version.recorded_at]
        return Dated(what=name, on=on, version=version.version, entry=entered[-1] if entered else None)


class _Steps:
    """The signed reads that each reader's newest answer follows from."""

    def __init__(self, session: Session, principal: Principal, subject: Subject) -> None:
        trial_id, subject_id = subject.trial_id, subject.subject_id
        every = reads.reads_of_subject(session, principal, trial_id, subject_id)
        by_id = {each.read_id: each for each in every}
        self._answers = {
            each.read_id: each
            for each in assessments.newest(session, principal, trial_id, subject_id=subject_id)
        }
        newest = assessments.as_of_now(session, principal, trial_id, [subject_id])
        inputs = {each.slot: restored(each.inputs) for each in newest}
        self._reads = {
            (slot, by_id[read_id].timepoint_id): by_id[read_id]
            for slot, each in inputs.items()
            for read_id in each.read_ids
        }
        self.judged = {
            each.slot: Judged(protocol_version=each.protocol_version, criteria=inputs[each.slot].criteria)
            for each in newest
        }

    def step(
        self, slot: int, timepoint_id: str, parts: Sequence[Part], verdict: TimepointAssessment | None
    ) -> Step:
        """Return a timepoint with the reader's read of it."""
        read = self._reads.get((slot, timepoint_id))
        return Step(
            timepoint_id=timepoint_id,
            parts=parts,
            verdict=verdict,
            read=read,
            assessment=None if read is None else self._answers.get(read.read_id),
        )


def _reader_chain(found: ReaderCourse, endpoint: Traced, said: _SaidDates, steps: _Steps) -> ReaderChain:
    course = found.course
    time = None if endpoint is Traced.BOR else found.outcomes.times.get(Endpoint(endpoint.value))
    starts, ends = (None, None) if time is None else (_starts(time, course, said), _ends(time, course, said))
    parts = _parts(course, endpoint, starts, ends)
    baseline = course.assessment.baseline
    verdicts: list[tuple[str, TimepointAssessment | None]] = [
        (each.timepoint_id, each) for each in course.assessment.timepoints
    ]
    if baseline is not None:
        verdicts.insert(0, (baseline.timepoint_id, None))
    return ReaderChain(
        found=found,
        judged=steps.judged.get(found.slot),
        time=time,
        starts=starts,
        ends=ends,
        steps=[steps.step(found.slot, each, parts.get(each, ()), verdict) for each, verdict in verdicts],
    )


def _site_chain(found: SiteCourse, endpoint: Traced, said: _SaidDates) -> SiteChain:
    course, outcomes_of_site = found.course, found.outcomes
    if course is None or outcomes_of_site is None:
        return SiteChain(found=found, time=None, starts=None, ends=None, parts={})
    time = None if endpoint is Traced.BOR else outcomes_of_site.times.get(Endpoint(endpoint.value))
    starts, ends = (None, None) if time is None else (_starts(time, course, said), _ends(time, course, said))
    parts = _parts(course, endpoint, starts, ends)
    return SiteChain(found=found, time=time, starts=starts, ends=ends, parts=parts)


def _starts(time: TimeToEvent, course: Course, said: _SaidDates) -> Dated:
    if time.endpoint is Endpoint.DURATION_OF_RESPONSE:
        shows = {OverallResponse.CR, OverallResponse.PR}
        first = next(
            each.timepoint_id
            for each in course.assessment.timepoints
            if each.assessed_on == time.starts_on and each.overall_response in shows
        )
        return Dated(what="timepoint", on=time.starts_on, timepoint_id=first)
    baseline = course.assessment.baseline
    return said.start(time.starts_on, baseline.timepoint_id if baseline else None)


def _ends(time: TimeToEvent, course: Course, said: _SaidDates) -> Dated:
    if time.record_id == "start":
        return _starts(time, course, said)
    if time.record_id in _ENDS:
        return said.recorded(_ENDS[time.record_id], time.ends_on)
    return Dated(what="timepoint", on=time.ends_on, timepoint_id=time.record_id)


def _parts(
    course: Course, endpoint: Traced, starts: Dated | None, ends: Dated | None
) -> Mapping[str, Sequence[Part]]:
    found: dict[str, list[Part]] = {}

    def does(timepoint_id: str | None, part: Part) -> None:
        if timepoint_id is not None:
            found.setdefault(timepoint_id, []).append(part)

    assessment = course.assessment
    if assessment.baseline is not None:
        does(assessment.baseline.timepoint_id, Part.BASELINE)
    if endpoint is Traced.BOR:
        does(course.best_response.timepoint_id, Part.BEST)
        does(course.best_response.confirmed_by, Part.CONFIRMS)
        return found
    ends_at = None if ends is None else ends.timepoint_id
    does(_nadir(course, ends_at), Part.NADIR)
    does(None if starts is None else starts.timepoint_id, Part.STARTS)
    does(ends_at, Part.ENDS)
    progression = assessment.progression
    if progression is not None and progression.seen_at == ends_at != progression.declared_at:
        does(progression.declared_at, Part.DECLARES)
    return found


def _nadir(course: Course, timepoint_id: str | None) -> str | None:
    """Return the timepoint whose sum was the smallest before another one."""
    assessment = course.assessment
    verdict = next((each for each in assessment.timepoints if each.timepoint_id == timepoint_id), None)
    if verdict is None or verdict.nadir_mm is None or assessment.baseline is None:
        return None
    if verdict.nadir_mm == verdict.baseline_mm:
        return assessment.baseline.timepoint_id
    return next(each.timepoint_id for each in assessment.timepoints if each.sum_mm == verdict.nadir_mm)


def _receipts(
    archive: ReceiptSource | None, chains: Sequence[ReaderChain]
) -> Mapping[str, Sequence[FiledReceipt]]:
    """Return the receipts of the bytes that were measured on; other bytes under the same UID are not them."""
    digests = dict(_measured_on(chains))
    found: dict[str, list[FiledReceipt]] = {each: [] for each in digests}
    if archive is None:
        return found
    for each in archive.receipts_of(sorted(digests)):
        if each.receipt.digest == digests[each.receipt.sop_instance_uid]:
            found[each.receipt.sop_instance_uid].append(each)
    return found


def _measured_on(chains: Sequence[ReaderChain]) -> Iterator[tuple[str, str]]:
    for chain in chains:
        for step in chain.steps:
            for lesion in () if step.read is None else step.read.lesions:
                for axis in lesion.axes:
                    yield axis.sop_instance_uid, axis.object_sha256
