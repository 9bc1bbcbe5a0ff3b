"""Prove that every stored answer follows from stored inputs, and these from signed reads."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.accounts.principal import Principal
from imaging_service.assessments import repository
from imaging_service.assessments.derivation import Inputs, derive, digest, in_short, restored
from imaging_service.assessments.repository import Assessment
from imaging_service.audit import service as audit
from imaging_service.derived import service as derived
from imaging_service.http.pages import MAX_LIMIT, PageRequest, decode_cursor
from imaging_service.reads import repository as read_repository
from imaging_service.reads.observing import observations
from imaging_service.reads.read import Read
from imaging_service.reads.record import record_hash
from imaging_service.subjects import service as subjects
from imaging_service.trials import service as trials
from measurement.recist.assess import RULES_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One way in which a stored answer does not follow from what is stored."""

    code: str
    read_id: str | None
    """The read whose answer differs; None of what is kept about a subject as a whole."""
    assessment_id: str | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputation:
    """What came out when stored answers were derived anew."""

    checked: int
    differences: Sequence[Difference]


def recompute(
    session: Session, principal: Principal, trial_id: str, *, on: date, subject_id: str | None = None
) -> Recomputation:
    """Derive the newest answer about every read of a trial anew, and name each that differs.

    Four things are proven: the signed reads are as their signatures say, the stored inputs are what the
    signed reads say, the stored answer is what the rules say about the stored inputs, and what is kept of
    each subject for the answers about the whole trial is what follows anew.

    Parameters
    ----------
    session, principal
        Who asks, in which transaction.
    trial_id, subject_id
        The trial, or one subject of it.
    on
        The day whose protocol version judges what is kept.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    trials.find_trial(session, principal.scope, trial_id)
    checked = 0
    differences: list[Difference] = []
    for name in _names(session, principal, trial_id, subject_id):
        try:
            found = repository.newest(session, principal, trial_id, subject_id=name)
            differences += _of_subject(session, principal, trial_id, name, found)
            checked += len(found)
            if read_repository.sees_every_read(principal, trial_id):
                differences += _of_kept(derived.untrue(session, trial_id, [name], on))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            differences.append(_unreadable(name, error))
    return Recomputation(checked=checked, differences=tuple(differences))


def _names(session: Session, principal: Principal, trial_id: str, subject_id: str | None) -> Iterator[str]:
    """Yield the subjects in the scope: the one that is asked for, or all."""
    if subject_id is not None:
        for some in subjects.some_subjects(session, principal.scope, trial_id, [subject_id]):
            yield from (each.subject_id for each in some)
        return
    after: tuple[str | int, ...] | None = None
    while True:
        page = subjects.subjects(session, principal.scope, trial_id, PageRequest(MAX_LIMIT, after))
        yield from (each.subject_id for each in page.items)
        if page.next_cursor is None:
            return
        after = decode_cursor(page.next_cursor)


def _of_kept(sentences: Iterable[str]) -> Iterator[Difference]:
    for each in sentences:
        yield Difference(code="kept_differs", read_id=None, assessment_id=None, sentence=each)


def _unreadable(subject_id: str, error: Exception) -> Difference:
    """Name a subject of whom something stored has not even its form any more."""
    sentence = f"What is stored about subject {subject_id!r} cannot be read: {type(error).__name__}."
    return Difference(code="unreadable", read_id=None, assessment_id=None, sentence=sentence)


def _of_subject(
    session: Session, principal: Principal, trial_id: str, subject_id: str, found: Sequence[Assessment]
) -> Sequence[Difference]:
    every = read_repository.reads_of_subject(session, principal, trial_id, subject_id)
    entered = _entered(session, [read.read_id for read in every])
    reads = {read.read_id: read for read in every}
    return list(_compared(found, reads, entered))


def _entered(session: Session, read_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Return what the audit says about each signature, by read."""
    return {
        entry.entity_id: {
            **json.loads(entry.after or "{}"),
            "account_id": entry.account_id,
            "signed_at": entry.at,
        }
        for entry in audit.entries_about(session, "read", read_ids, action="sign read")
    }


def _compared(
    found: Sequence[Assessment], reads: Mapping[str, Read], entered: Mapping[str, Mapping[str, Any]]
) -> Iterator[Difference]:
    answered = {each.read_id: each.assessment_id for each in found}
    for read in reads.values():
        for code, sentence in (
            *_broken_signature(read),
            *_other_entry(read, entered.get(read.read_id)),
            *_unanswered(read, answered),
        ):
            yield Difference(
                code=code,
                read_id=read.read_id,
                assessment_id=answered.get(read.read_id),
                sentence=sentence,
            )
    for each in found:
        for code, sentence in _differences(each, reads):
            yield Difference(
                code=code, read_id=each.read_id, assessment_id=each.assessment_id, sentence=sentence
            )


def _differences(found: Assessment, reads: Mapping[str, Read]) -> Iterator[tuple[str, str]]:
    inputs = restored(found.inputs)
    said = [reads[read_id] for read_id in inputs.read_ids if read_id in reads]
    yield from (
        ("read_missing", f"The answer follows from read {read_id}, which is not there.")
        for read_id in inputs.read_ids
        if read_id not in reads
    )
    yield from _other_place(found, inputs, reads.get(found.read_id))
    yield from _other_inputs(found, inputs, said)
    yield from _other_answer(found, inputs)


def _other_place(found: Assessment, inputs: Inputs, read: Read | None) -> Iterator[tuple[str, str]]:
    """Hold what an answer says it is about against its read and its inputs.

    A later edition may have been derived anew under an amendment; the first is under the read's version.
    """
    if read is None:
        return
    wanted = {
        "slot": read.slot,
        "timepoint_id": read.timepoint_id,
        "protocol_version": read.protocol_version if found.edition == 1 else found.protocol_version,
        "position": len(inputs.read_ids),
        "rules_version": found.answer["rules_version"],
    }
    for name, value in wanted.items():
        if getattr(found, name) != value:
            yield (
                "answer_misplaced",
                f"The assessment of read {read.read_id} has {name} {getattr(found, name)}; {value} follows.",
            )


def _unanswered(read: Read, answered: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if read.is_signed and read.read_id not in answered:
        yield "answer_missing", f"Read {read.read_id} is signed and has no answer."


def _broken_signature(read: Read) -> Iterator[tuple[str, str]]:
    """Hold a read against its signature; a draft has neither signature nor day of signing."""
    signature = read.signature
    if signature is None and not read.is_signed:
        return
    signed = None if signature is None else signature.record_hash
    if signed != record_hash(read):
        yield (
            "signature_broken",
            f"Read {read.read_id} has the record hash {record_hash(read)}; {signed} was signed.",
        )
    if signature is not None and signature.signed_at != read.signed_at:
        when = f"signed at {read.signed_at}; its signature says {signature.signed_at}"
        yield "signature_broken", f"Read {read.read_id} says that it was {when}."


def _other_entry(read: Read, entry: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Hold a signature against the audit's entry about it, which is chained."""
    signature = read.signature
    if signature is None:
        return
    if entry is None:
        yield "signature_unentered", f"The audit has no entry about the signature of read {read.read_id}."
        return
    said = {
        "account_id": signature.account_id,
        "name": signature.printed_name,
        "role": signature.role,
        "meaning": signature.meaning,
        "signed_at": signature.signed_at,
        "authenticated_at": signature.authenticated_at.isoformat(),
        "record_hash": signature.record_hash,
    }
    for name, value in said.items():
        if entry.get(name) != value:
            yield (
                "signature_contradicts",
                f"The signature of read {read.read_id} has {name} {value}; the audit has {entry.get(name)}.",
            )


def _other_inputs(found: Assessment, inputs: Inputs, said: Sequence[Read]) -> Iterator[tuple[str, str]]:
    if digest(found.inputs) != found.inputs_sha256:
        yield (
            "inputs_digest",
            f"The stored inputs have the digest {digest(found.inputs)}; {found.inputs_sha256} was stored.",
        )
    kept = {each.timepoint_id: each for each in inputs.observations}
    for read in said:
        if kept.get(read.timepoint_id) != observations(read):
            yield (
                "inputs_changed",
                f"What is stored about timepoint {read.timepoint_id} is not what read {read.read_id} says.",
            )


def _other_answer(found: Assessment, inputs: Inputs) -> Iterator[tuple[str, str]]:
    answer = derive(inputs)
    if answer != found.answer:
        yield (
            "answer_differs",
            f"The rules {RULES_VERSION} answer otherwise than the rules {found.rules_version} did.",
        )
    for name, value in in_short(found.answer).items():
        if getattr(found, name) != value:
            yield (
                "answer_contradicts",
                f"The assessment has {name} {getattr(found, name)}; its own answer has {value}.",
            )
