"""Try an amendment before it is filed, file what was tried, and derive answers anew under it."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act
from imaging_service.accounts.blinding import refuse_blinded
from imaging_service.accounts.principal import Principal
from imaging_service.accounts.scope import Scope
from imaging_service.adjudication import service as adjudication
from imaging_service.adjudication.repository import Wanted
from imaging_service.adjudication.review import Review
from imaging_service.amendments import calendar, eligibility, endpoints, repository, responses
from imaging_service.amendments.change import Amendment, Change, ChangeKind, Parameter
from imaging_service.amendments.contradictions import Done, contradictions
from imaging_service.amendments.responses import Course
from imaging_service.assessments import repository as assessments
from imaging_service.assessments import service as deriving
from imaging_service.assessments.repository import Response
from imaging_service.canonical import canonical_json
from imaging_service.errors import ConflictError, RefusedError
from imaging_service.http.pages import PageRequest, decode_cursor
from imaging_service.reads import repository as reads
from imaging_service.reads.act import ReadAct
from imaging_service.subjects import service as subjects
from imaging_service.subjects.records import Subject
from imaging_service.timepoints import repository as timepoints
from imaging_service.trials import service as trials
from imaging_service.trials.protocols import ProtocolText
from imaging_service.trials.records import FiledProtocol
from measurement.protocol.trial import TrialProtocol

_SUBJECTS_AT_ONCE = 100
_RESPONSES = (
    ChangeKind.RESPONSE,
    ChangeKind.BEST_RESPONSE,
    ChangeKind.CONFIRMED_BEST_RESPONSE,
    ChangeKind.PROGRESSION,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What an amendment would change; `changes` are derived as they are asked for, subject by subject."""

    digest: str  # of the amendment and the ground that the changes follow from
    trial_id: str
    amendment: Amendment
    changes: Iterator[Change]

    @property
    def parameters(self) -> Sequence[Parameter]:
        """The parameters that the amendment changes."""
        return self.amendment.parameters


def dry_run(session: Session, principal: Principal, trial_id: str, writing: ProtocolText) -> DryRun:
    """Say what filing an amendment would change; nothing is stored.

    Parameters
    ----------
    session, principal
        Who asks, in which transaction. Only what is in the scope is looked at.
    trial_id
        The trial.
    writing
        The protocol's new version.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    ForbiddenError
        The caller reads or adjudicates in the trial.
    RefusedError
        The text is no protocol, belongs to another trial, or contradicts itself or what is done already.
    ConflictError
        The version is filed already.
    """
    refuse_blinded(principal, trial_id)
    amendment = _amendment(session, principal.scope, trial_id, writing)
    return DryRun(
        digest=digest(session, trial_id, writing),
        trial_id=trial_id,
        amendment=amendment,
        changes=_changes(session, principal, trial_id, amendment),
    )


def _amendment(session: Session, scope: Scope, trial_id: str, writing: ProtocolText) -> Amendment:
    protocol = writing.protocol()
    filed = trials.filed_protocols(session, scope, trial_id)
    if protocol.trial_id != trial_id:
        message = f"The protocol is of trial {protocol.trial_id!r}; trial {trial_id!r} is amended here."
        raise RefusedError(message, code="other_trial")
    if any(each.version == protocol.version for each in filed):
        message = f"Version {protocol.version!r} of the protocol of trial {trial_id!r} is filed already."
        raise ConflictError(message, code="protocol_version_exists")
    trials.check_amendment(protocol, filed[-1])
    refuse_contradictions(session, protocol)
    before = trials.protocol_version(session, scope, trial_id, filed[-1].version)
    return Amendment.of(before, protocol)


def refuse_contradictions(session: Session, protocol: TrialProtocol) -> None:
    """Refuse an amendment that contradicts itself, or what the trial has done already.

    Raises
    ------
    RefusedError
        It does; every contradiction is named.
    """
    done = Done(
        readers=assessments.extent(session, protocol.trial_id)[1],
        last_number=repository.numbers_with_images(session, protocol.trial_id) or 0,
    )
    found = list(contradictions(protocol, done))
    if found:
        findings = [{"code": "contradiction", "sentence": each} for each in found]
        raise RefusedError(" ".join(found), code="amendment_contradicts", findings=findings)


def digest(session: Session, trial_id: str, writing: ProtocolText) -> str:
    """Return what stands for a dry run: SHA-256 over the amendment and the ground of its answer."""
    ground = {
        "text": writing.sha256,
        "versions": [each.sha256 for each in trials.filed_protocols(session, Scope.all(), trial_id)],
        "ground": list(repository.ground(session, trial_id)),
    }
    return hashlib.sha256(canonical_json(ground).encode()).hexdigest()


def _changes(session: Session, principal: Principal, trial_id: str, amendment: Amendment) -> Iterator[Change]:
    after: tuple[str | int, ...] | None = None
    while True:
        page = subjects.subjects(session, principal.scope, trial_id, PageRequest(_SUBJECTS_AT_ONCE, after))
        yield from _changes_of_some(session, principal, amendment, page.items)
        session.expunge_all()  # a cohort of any size needs little memory
        if page.next_cursor is None:
            return
        after = decode_cursor(page.next_cursor)


def _changes_of_some(
    session: Session, principal: Principal, amendment: Amendment, some: Sequence[Subject]
) -> Iterator[Change]:
    ground = _ground_of(session, principal, amendment, some)
    for subject in some:
        if amendment.touches(ChangeKind.WINDOW):
            known = timepoints.of_subject(session, principal.scope, subject.trial_id, subject.subject_id)
            yield from calendar.changes_of(amendment, subject, known)
        if amendment.touches(ChangeKind.ELIGIBILITY):
            signed = reads.signed_reads(session, principal, subject.trial_id, subject.subject_id)
            yield from eligibility.changes_of(amendment, subject, signed)
        yield from _of_courses(amendment, subject, ground)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What some subjects' answers follow from, gathered at once."""

    courses: Mapping[str, Sequence[Course]]
    last: Mapping[str, Mapping[int, Response]]
    reviews: Mapping[str, Review]


def _ground_of(
    session: Session, principal: Principal, amendment: Amendment, some: Sequence[Subject]
) -> _Ground:
    kinds = (*_RESPONSES, ChangeKind.PROGRESSION_FREE_SURVIVAL, ChangeKind.ADJUDICATION)
    if not some or not amendment.touches(*kinds):
        return _Ground(courses={}, last={}, reviews={})
    trial_id, ids = some[0].trial_id, [each.subject_id for each in some]
    answers: dict[str, list[assessments.Assessment]] = {}
    for each in assessments.newest_of_some(session, principal, trial_id, ids):
        answers.setdefault(each.subject_id, []).append(each)
    courses = {each.subject_id: responses.courses_of(each, answers.get(each.subject_id, ())) for each in some}
    if not amendment.touches(ChangeKind.ADJUDICATION):
        return _Ground(courses=courses, last={}, reviews={})
    last: dict[str, dict[int, Response]] = {}
    for response in assessments.responses_of_some(session, principal, trial_id, ids):
        last.setdefault(response.subject_id, {})[response.slot] = response
    wanted = Wanted(trial_id=trial_id, subject_ids=ids)
    today = amendment.after.effective_on
    assert today is not None  # noqa: S101  an amendment has its day
    found = adjudication.reviews(session, principal, amendment.before, wanted, today)
    return _Ground(courses=courses, last=last, reviews={each.subject_id: each for each in found})


def _of_courses(amendment: Amendment, subject: Subject, ground: _Ground) -> Iterator[Change]:
    derived = {}
    for course in ground.courses.get(subject.subject_id, ()):
        is_derived = amendment.touches(*_RESPONSES)
        derived[course.slot] = responses.amended(amendment, course) if is_derived else ()
        yield from responses.changes_of(amendment, course, derived[course.slot])
        if amendment.touches(ChangeKind.PROGRESSION_FREE_SURVIVAL):
            yield from endpoints.survival_changes(amendment, course, derived[course.slot])
    yield from endpoints.adjudication_changes(
        amendment,
        subject,
        ground.reviews.get(subject.subject_id),
        ground.last.get(subject.subject_id, {}),
        derived,
    )


def counts(changes: Iterable[Change]) -> Mapping[ChangeKind, int]:
    """Count changes by their kind, every kind with its number."""
    found = dict.fromkeys(ChangeKind, 0)
    for each in changes:
        found[each.kind] += 1
    return found


def file(act: Act, trial_id: str, writing: ProtocolText, seen_digest: str) -> FiledProtocol:
    """File the amendment whose dry run the caller has seen; stored answers stay as they are.

    Raises
    ------
    ServiceError
        As `dry_run`.
    ConflictError
        Something has changed since the dry run, so that it might answer otherwise now.
    """
    _amendment(act.session, act.scope, trial_id, writing)
    now = digest(act.session, trial_id, writing)
    if now != seen_digest:
        message = (
            f"The dry run that was seen has the digest {seen_digest[:12]}…, the present one {now[:12]}…: "
            "the trial or the text has changed meanwhile; look at the dry run again."
        )
        raise ConflictError(message, code="dry_run_outdated")
    filed, _ = trials.file_protocol(act, writing, is_tried=True)
    return filed


def refuse_untried(act: Act, protocol: TrialProtocol) -> None:
    """Refuse an amendment that nobody has tried on answers that are there.

    Raises
    ------
    ConflictError
        The trial has stored answers.
    """
    refuse_contradictions(act.session, protocol)
    if assessments.extent(act.session, protocol.trial_id)[0]:
        message = (
            f"Trial {protocol.trial_id!r} has signed reads; an amendment is filed with the digest of its "
            f"dry run: POST /trials/{protocol.trial_id}/protocols/dry-run first."
        )
        raise ConflictError(message, code="dry_run_wanted")


def rederive(act: ReadAct, trial_id: str, subject_id: str, version: str, reason: str) -> int:
    """Derive a subject's answers anew under a version that applies to them; the earlier ones stay.

    Returns
    -------
    int
        How many answers have a new edition.

    Raises
    ------
    NotFoundError
        There is no such subject or version in the scope.
    ForbiddenError
        The caller reads or adjudicates in the trial.
    """
    refuse_blinded(act.principal, trial_id)
    subject = subjects.find_subject(act.session, act.principal.scope, trial_id, subject_id)
    after = trials.protocol_version(act.session, act.principal.scope, trial_id, version)
    answers = assessments.newest_of_some(act.session, act.principal, trial_id, [subject_id])
    count = 0
    for course in responses.courses_of(subject, answers):
        for answer in course.answers:
            before = trials.protocol_version(act.session, Scope.all(), trial_id, answer.protocol_version)
            inputs = responses.amended_inputs(Amendment.of(before, after), subject, answer)
            if inputs is not None and answer.protocol_version != version:
                deriving.rederive(act, answer, inputs, version=version, reason=reason)
                count += 1
    return count


trials.AMENDED.check_with(refuse_untried)
