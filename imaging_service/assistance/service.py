"""Propose an outline in a draft, reject one, and tell where lesions are expected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from imaging_service.accounts.principal import Principal
from imaging_service.assistance import carrying, repository
from imaging_service.assistance.errors import (
    FramesApartError,
    ProposalMissingError,
    ProposalRefusedError,
    RejectedAlreadyError,
)
from imaging_service.assistance.pixels import InstanceSource, values_of
from imaging_service.assistance.proposal import FrameOf, Outcome, Point, StoredProposal, outcome_of
from imaging_service.assistance.same_place import show_the_same
from imaging_service.database import Database, new_id
from imaging_service.reads import service as reads
from imaging_service.reads.act import ReadAct
from imaging_service.reads.entry import role_of
from imaging_service.reads.read import Read
from measurement.assist.proposal import Proposal, propose_outline
from measurement.assist.seed import Box, Click, Seed
from measurement.errors import MeasurementError
from measurement.geometry.plane import ImagePlane


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Where a reader wants an outline."""

    lesion_id: str
    on: FrameOf
    subtracted: FrameOf | None
    points: tuple[Point, ...]  # one of a click, two of a box

    @property
    def seed(self) -> Seed:
        """What the reader points at."""
        if len(self.points) == 1:
            return Click(point=self.points[0])
        first, second = self.points
        return Box(first=first, second=second)


def compute(
    database: Database, archive: InstanceSource, principal: Principal, read_id: str, question: Question
) -> Proposal:
    """Compute a proposal for the caller's draft; nothing is kept, and no transaction is held meanwhile.

    Raises
    ------
    NotFoundError, ForbiddenError, AlreadySignedError
        The draft is not there, or not the caller's, or signed.
    ReadRefusedError
        A frame is not the timepoint's, or has no calibrated spacing.
    FramesApartError
        The frame to subtract shows another place.
    ProposalRefusedError
        Nothing stands out at the seed, or the seed lies outside the frame.
    """
    with database.read() as session:
        plane = _plane(session, principal, read_id, question)
    wanted = [question.on, *([question.subtracted] if question.subtracted else [])]
    values = values_of(archive, wanted)
    image = values[question.on].astype(np.float64)
    if question.subtracted is not None:
        image = image - values[question.subtracted]
    try:
        return propose_outline(image, plane, question.seed)
    except MeasurementError as error:
        raise ProposalRefusedError(error) from error


def _plane(session: Session, principal: Principal, read_id: str, question: Question) -> ImagePlane:
    read = reads.find_read(session, principal, read_id)
    reads.require_own_draft(principal, read)
    role_of(question.lesion_id)
    plane = _plane_of(session, read, question.on)
    if question.subtracted is not None:
        before = _plane_of(session, read, question.subtracted)
        if not show_the_same(plane, before):
            raise FramesApartError
    return plane


def _plane_of(session: Session, read: Read, frame: FrameOf) -> ImagePlane:
    return reads.plane_of_frame(session, read, frame.sop_instance_uid, frame.frame)


def keep(
    act: ReadAct, read_id: str, question: Question, proposal: Proposal
) -> tuple[StoredProposal, Outcome]:
    """Keep a proposal beside the draft that it was made for.

    Raises
    ------
    NotFoundError, ForbiddenError, AlreadySignedError
        The draft is not there any more, or was signed meanwhile.
    """
    read = reads.find_read(act.session, act.principal, read_id, lock=True)
    reads.require_own_draft(act.principal, read)
    diameters = proposal.diameters
    stored = StoredProposal(
        proposal_id=new_id(),
        read_id=read_id,
        lesion_id=question.lesion_id,
        on=question.on,
        subtracted=question.subtracted,
        seed=question.points,
        outline=proposal.outline,
        long_axis=diameters.longest_diameter.points,
        short_axis=diameters.short_axis.points,
        long_mm=diameters.longest_diameter.length_mm,
        short_mm=diameters.short_axis.length_mm,
        confidence=proposal.confidence,
        doubts=proposal.doubts,
        proposed_at=act.now,
    )
    repository.add(act.session, stored)
    act.record(
        "propose outline",
        read_id,
        after={
            "proposal_id": stored.proposal_id,
            "lesion_id": stored.lesion_id,
            "long_mm": stored.long_mm,
            "confidence": stored.confidence.value,
        },
    )
    return stored, outcome_of(stored, read, ())


def proposals(
    session: Session, principal: Principal, read_id: str
) -> Sequence[tuple[StoredProposal, Outcome]]:
    """Return the proposals of a read with what became of each.

    Raises
    ------
    NotFoundError
        There is no such read that the principal may see.
    """
    read = reads.find_read(session, principal, read_id)
    found = repository.proposals(session, read)
    return [
        (
            each,
            outcome_of(each, read, [late for late in found[place + 1 :] if late.lesion_id == each.lesion_id]),
        )
        for place, each in enumerate(found)
    ]


def reject(act: ReadAct, read_id: str, proposal_id: str) -> tuple[StoredProposal, Outcome]:
    """Keep that the caller wants nothing of a proposal.

    Raises
    ------
    NotFoundError, ForbiddenError, AlreadySignedError
        The draft is not there, or not the caller's, or signed.
    ProposalMissingError, RejectedAlreadyError
        The read has no such proposal, or it is rejected.
    """
    read = reads.find_read(act.session, act.principal, read_id, lock=True)
    reads.require_own_draft(act.principal, read)
    known = {each.proposal_id: each for each in repository.proposals(act.session, read)}
    if proposal_id not in known:
        raise ProposalMissingError(proposal_id)
    if known[proposal_id].is_rejected:
        raise RejectedAlreadyError
    repository.reject(act.session, proposal_id, act.now)
    act.record("reject proposal", read_id, after={"proposal_id": proposal_id})
    return next(
        pair for pair in proposals(act.session, act.principal, read_id) if pair[0].proposal_id == proposal_id
    )


def ask_for_places(act: ReadAct, read_id: str) -> Sequence[Mapping[str, Any]] | None:
    """Have it computed where the lesions of earlier reads are expected, unless that is known.

    Raises
    ------
    NotFoundError, ForbiddenError, AlreadySignedError
        The draft is not there, or not the caller's, or signed.
    """
    read = reads.find_read(act.session, act.principal, read_id)
    reads.require_own_draft(act.principal, read)
    known = repository.places(act.session, read)
    if known is None:
        act.act.queue.enqueue(act.session, carrying.job_for(read_id))
    return known


def places(session: Session, principal: Principal, read_id: str) -> Sequence[Mapping[str, Any]] | None:
    """Return where the lesions of earlier reads are expected, or None while it is not known.

    Raises
    ------
    NotFoundError
        There is no such read that the principal may see.
    """
    return repository.places(session, reads.find_read(session, principal, read_id))
