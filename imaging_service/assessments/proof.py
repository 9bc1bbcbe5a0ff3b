"""Prove that every stored answer follows from stored inputs, and these from signed reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from imaging_service.accounts.principal import Principal
from imaging_service.assessments import repository
from imaging_service.assessments.derivation import Inputs, derive, digest, restored
from imaging_service.assessments.repository import Assessment
from imaging_service.reads import repository as read_repository
from imaging_service.reads.observing import observations
from imaging_service.reads.read import Read
from imaging_service.reads.record import record_hash
from imaging_service.trials import service as trials
from measurement.recist.assess import RULES_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One way in which a stored answer does not follow from what is stored."""

    code: str
    read_id: str
    assessment_id: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputation:
    """What came out when stored answers were derived anew."""

    checked: int
    differences: Sequence[Difference]


def recompute(
    session: Session, principal: Principal, trial_id: str, *, subject_id: str | None = None
) -> Recomputation:
    """Derive the newest answer about every read of a trial anew, and name each that differs.

    Three things are proven: the signed reads are as their signatures say, the stored inputs are what the
    signed reads say, and the stored answer is what the rules say about the stored inputs.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    trials.find_trial(session, principal.scope, trial_id)
    found = repository.newest(session, principal, trial_id, subject_id=subject_id)
    known: dict[str, Mapping[str, Read]] = {}
    differences: list[Difference] = []
    for each in found:
        if each.subject_id not in known:
            every = read_repository.reads_of_subject(session, principal, trial_id, each.subject_id)
            known[each.subject_id] = {read.read_id: read for read in every}
        differences += _differences(each, known[each.subject_id])
    return Recomputation(checked=len(found), differences=tuple(differences))


def _differences(found: Assessment, of_subject: Mapping[str, Read]) -> Iterator[Difference]:
    inputs = restored(found.inputs)
    said = [of_subject[read_id] for read_id in inputs.read_ids]
    for code, sentence in (
        *_broken_signatures(said),
        *_other_inputs(found, inputs, said),
        *_other_answer(found, inputs),
    ):
        yield Difference(
            code=code, read_id=found.read_id, assessment_id=found.assessment_id, sentence=sentence
        )


def _broken_signatures(said: Sequence[Read]) -> Iterator[tuple[str, str]]:
    for read in said:
        signed = None if read.signature is None else read.signature.record_hash
        if signed != record_hash(read):
            yield (
                "signature_broken",
                f"Read {read.read_id} has the record hash {record_hash(read)}; {signed} was signed.",
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
    if derive(inputs) != found.answer:
        yield (
            "answer_differs",
            f"The rules {RULES_VERSION} answer otherwise than the rules {found.rules_version} did.",
        )
