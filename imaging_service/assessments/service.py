"""Sign a read and derive its assessment, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.accounts.principal import Principal
from imaging_service.assessments import repository
from imaging_service.assessments.derivation import Inputs, derive, digest, in_short, stored
from imaging_service.assessments.repository import Assessment
from imaging_service.assessments.signed import SIGNED
from imaging_service.database import new_id
from imaging_service.errors import NotFoundError
from imaging_service.notices.kinds import Kind
from imaging_service.notices.service import publish
from imaging_service.reads import repository as read_repository
from imaging_service.reads import service as reads
from imaging_service.reads.act import ReadAct
from imaging_service.reads.errors import NotSignedError
from imaging_service.reads.observing import observations
from imaging_service.reads.read import Read
from imaging_service.reads.service import Signing
from imaging_service.subjects import service as subjects
from imaging_service.timepoints.calendar import anchor_on
from imaging_service.timepoints.responses import RESPONSES
from imaging_service.trials import service as trials
from measurement.protocol.trial import TrialProtocol
from measurement.recist.observations import TimepointObservations
from measurement.recist.responses import BestResponse, OverallResponse

RESPONSES.answer_with(repository.timepoints_answered)


def sign(act: ReadAct, read_id: str, signing: Signing) -> tuple[Read, Assessment]:
    """Sign a read and store what follows from it.

    The answers about later reads of the same reader are derived anew, when this read is an amendment or
    its images came late; where they differ, a further edition is stored and the earlier one stays.

    Raises
    ------
    ServiceError
        As `imaging_service.reads.service.sign`.
    """
    read = reads.sign(act, read_id, signing)
    assessment: Assessment | None = None
    for inputs, of_read in _prefixes(act.session, act.principal, read):
        derived = _store(act, of_read, inputs, because_of=read)
        assessment = derived if of_read.read_id == read.read_id else assessment
    if assessment is None:
        message = f"Read {read_id} is signed and yet not among the signed reads."
        raise AssertionError(message)
    if assessment.overall_response == OverallResponse.PD:
        _tell_progression(act, read)
    elif assessment.responded_on is not None and assessment.confirmed_best_response not in _RESPONSES:
        _tell_confirmation_due(act, read)
    SIGNED.tell(act, read)
    return read, assessment


_RESPONSES = {BestResponse.CR.value, BestResponse.PR.value}


def _tell_confirmation_due(act: ReadAct, read: Read) -> None:
    """Tell once of each reader's first response that it waits for a second one."""
    publish(
        act.act,
        Kind.CONFIRMATION_DUE,
        read.trial_id,
        subject_id=read.subject_id,
        reference=f"reader {read.slot}",
        is_told_once=True,
    )


def _tell_progression(act: ReadAct, read: Read) -> None:
    publish(
        act.act,
        Kind.PROGRESSION,
        read.trial_id,
        subject_id=read.subject_id,
        timepoint_id=read.timepoint_id,
        reference=read.read_id,
    )


def _prefixes(session: Session, principal: Principal, read: Read) -> Sequence[tuple[Inputs, Read]]:
    """Return the inputs of a read and of every later one: what was seen until then, in reading order."""
    signed = read_repository.signed_reads(session, principal, read.trial_id, read.subject_id, read.slot)
    place = [each.read_id for each in signed].index(read.read_id)
    found: list[tuple[Inputs, Read]] = []
    for position in range(place, len(signed)):
        of_read = _under_its_version(session, principal, signed[position])
        ground = _ground(session, principal, of_read, signed)
        found.append((ground.inputs(signed[: position + 1]), of_read))
    return found


def _under_its_version(session: Session, principal: Principal, read: Read) -> Read:
    """Return a read under the protocol version that its answer was derived under last, else its own."""
    newest = repository.newest_of(session, principal, read)
    return read if newest is None else replace(read, protocol_version=newest.protocol_version)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What is the same for every answer about a subject."""

    protocol: TrialProtocol
    anchor_on: date | None
    not_done: Sequence[TimepointObservations]

    def inputs(self, signed: Sequence[Read]) -> Inputs:
        """Return the inputs of the last of some reads: all of them, and what was not done until then."""
        last = max((each.number for each in signed if each.number is not None), default=0)
        missing = [each for each in self.not_done if each.number is not None and each.number < last]
        return Inputs(
            timepoint_id=signed[-1].timepoint_id,
            observations=(*(observations(each) for each in signed), *missing),
            read_ids=tuple(each.read_id for each in signed),
            criteria=self.protocol.criteria,
            anchor_on=self.anchor_on,
        )


def _ground(session: Session, principal: Principal, read: Read, signed: Sequence[Read]) -> _Ground:
    """Gather it as it stands now, under the read's protocol version."""
    protocol = trials.protocol_version(session, principal.scope, read.trial_id, read.protocol_version)
    subject = subjects.find_subject(session, principal.scope, read.trial_id, read.subject_id)
    baseline = next((each.imaged_on for each in signed if each.is_baseline), None)
    return _Ground(
        protocol=protocol,
        anchor_on=anchor_on(subject, protocol.schedule, baseline),
        not_done=read_repository.not_done(session, read.trial_id, read.subject_id),
    )


def _store(act: ReadAct, read: Read, inputs: Inputs, *, because_of: Read) -> Assessment:
    """Keep the answer, unless the same one follows from the same inputs already."""
    newest = repository.newest_of(act.session, act.principal, read)
    if newest is not None and newest.inputs_sha256 == digest(stored(inputs)):
        return newest
    edition = 1 if newest is None else newest.edition + 1
    assessment = _assessment(act, read, inputs, because_of=because_of, edition=edition)
    repository.add(act.session, assessment)
    act.record(
        "derive assessment",
        read.read_id,
        after={
            "edition": assessment.edition,
            "overall_response": assessment.overall_response,
            "best_response": assessment.best_response,
            "confirmed_best_response": assessment.confirmed_best_response,
            "rules_version": assessment.rules_version,
            "inputs_sha256": assessment.inputs_sha256,
        },
    )
    return assessment


def rederive(act: ReadAct, newest: Assessment, inputs: Inputs, *, version: str, reason: str) -> Assessment:
    """Keep what follows about a signed read under another protocol version; the earlier answer stays.

    Parameters
    ----------
    act
        Who wants it.
    newest
        The answer that counts now.
    inputs
        The same observations under the other version.
    version
        The other version.
    reason
        Why.
    """
    read = reads.find_read(act.session, act.principal, newest.read_id)
    under = replace(read, protocol_version=version)
    again = _assessment(act, under, inputs, because_of=read, edition=newest.edition + 1)
    repository.add(act.session, again)
    act.record(
        "rederive assessment",
        read.read_id,
        before={"edition": newest.edition, "protocol_version": newest.protocol_version, **_said(newest)},
        after={"edition": again.edition, "protocol_version": version, **_said(again)},
        reason=reason,
    )
    return again


def _said(found: Assessment) -> Mapping[str, Any]:
    return {
        "overall_response": found.overall_response,
        "best_response": found.best_response,
        "confirmed_best_response": found.confirmed_best_response,
        "inputs_sha256": found.inputs_sha256,
    }


def _assessment(act: ReadAct, read: Read, inputs: Inputs, *, because_of: Read, edition: int) -> Assessment:
    values, answer = stored(inputs), derive(inputs)
    return Assessment(
        assessment_id=new_id(),
        read_id=read.read_id,
        edition=edition,
        because_of=because_of.read_id,
        derived_at=act.now,
        trial_id=read.trial_id,
        subject_id=read.subject_id,
        slot=read.slot,
        timepoint_id=read.timepoint_id,
        position=len(inputs.read_ids),
        **in_short(answer),
        rules_version=answer["rules_version"],
        protocol_version=read.protocol_version,
        inputs=values,
        inputs_sha256=digest(values),
        answer=answer,
    )


def find(session: Session, principal: Principal, read_id: str) -> Assessment:
    """Return the answer about a read that counts now.

    Raises
    ------
    NotFoundError
        There is no such read that the principal may see.
    NotSignedError
        The read is a draft.
    """
    read = reads.find_read(session, principal, read_id)
    found = repository.newest_of(session, principal, read)
    if found is not None:
        return found
    if not read.is_signed:
        raise NotSignedError
    message = f"The read {read_id!r} has no assessment."
    raise NotFoundError(message)


def preview(session: Session, principal: Principal, read_id: str) -> dict[str, Any]:
    """Return what would follow from a draft if it were signed as it is; nothing is stored.

    Raises
    ------
    NotFoundError
        There is no such read that the principal may see.
    """
    read = reads.shown(session, principal, reads.find_read(session, principal, read_id))
    seen = [*reads.earlier_reads(session, principal, read), read]
    return derive(_ground(session, principal, read, seen).inputs(seen))
