"""A proposal as it is kept, and what the reader made of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from imaging_service.reads.read import Axis, DrawnAxis, LesionRecord, Read
from measurement.assist.confidence import Confidence

Point: TypeAlias = tuple[float, float]
"""(column, row), pixels, (0, 0) at the centre of the first pixel."""

SAME_POINT = 0.01
"""Points that differ by less are the same, in pixels: a page rounds what it sends back."""


class Outcome(StrEnum):
    """What became of a proposal."""

    OPEN = "open"  # the draft does not say yet
    ACCEPTED = "accepted"  # the drawn axes are the proposed ones
    EDITED = "edited"  # drawn on the proposed frame, with other ends
    REJECTED = "rejected"  # said so, drawn elsewhere, or not drawn by the time of signing


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameOf:
    """One frame of one instance; frames count from 1."""

    sop_instance_uid: str
    frame: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProposal:
    """An outline with its axes, as it was proposed."""

    proposal_id: str
    read_id: str
    lesion_id: str
    on: FrameOf
    subtracted: FrameOf | None
    seed: Sequence[Point]
    outline: Sequence[Point]
    long_axis: tuple[Point, Point]
    short_axis: tuple[Point, Point]
    long_mm: float
    short_mm: float
    confidence: Confidence
    doubts: Sequence[str]
    proposed_at: datetime
    is_rejected: bool = False


def outcome_of(proposal: StoredProposal, read: Read, later: Sequence[StoredProposal]) -> Outcome:
    """Return what became of a proposal, as its read says.

    Parameters
    ----------
    proposal
        The proposal.
    read
        Its read.
    later
        Proposals for the same lesion that came after it.
    """
    lesion = read.lesion(proposal.lesion_id)
    if proposal.is_rejected or any(not each.is_rejected for each in later):
        return Outcome.REJECTED
    if lesion is None or not lesion.axes:
        return Outcome.REJECTED if read.is_signed or lesion is not None else Outcome.OPEN
    return _drawn_outcome(proposal, lesion)


def _drawn_outcome(proposal: StoredProposal, lesion: LesionRecord) -> Outcome:
    drawn = [each for each in lesion.axes if _frame_of(each) == proposal.on]
    if not drawn:
        return Outcome.REJECTED
    proposed = {Axis.LONG: proposal.long_axis, Axis.SHORT: proposal.short_axis}
    if all(_are_same((each.start, each.end), proposed[each.axis]) for each in drawn):
        return Outcome.ACCEPTED
    return Outcome.EDITED


def _frame_of(axis: DrawnAxis) -> FrameOf:
    return FrameOf(sop_instance_uid=axis.sop_instance_uid, frame=axis.frame)


def _are_same(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Whether two axes have the same ends, in either order."""
    return any(
        all(math.dist(a, b) <= SAME_POINT for a, b in zip(one, ends, strict=True))
        for ends in (other, other[::-1])
    )
