"""How far the review of a subject has come, and whose reads count: derived anew whenever it is asked.

Accepted reads (ACPTFL) are, once the readers have finished the subject: the only reader's in a trial with
one; reader 1's when both agree in every adjudication variable, which is the rule of the charter; else those
that the adjudicator has chosen. A decision stands for exactly the reads that the adjudicator has seen: when
one of them is unlocked or amended, or another joins them, the case is open again and the decision stays as
history. Until reads are accepted, reader 1's are given as provisional.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from imaging_service.adjudication.differences import Difference
from imaging_service.adjudication.finishing import ReaderCourse
from imaging_service.canonical import canonical_json

FIRST, SECOND = 1, 2


class Standing(StrEnum):
    """How far the review of a subject has come."""

    READING = "reading"
    SINGLE_READER = "single_reader"
    AGREED = "agreed"
    TO_ADJUDICATE = "to_adjudicate"
    ADJUDICATED = "adjudicated"


ACCEPTED = frozenset({Standing.SINGLE_READER, Standing.AGREED, Standing.ADJUDICATED})
"""Standings in which a reader's reads carry the accepted flag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Whose reads count for a subject."""

    slot: int
    standing: Standing

    @property
    def is_accepted(self) -> bool:
        """Whether they are final, as far as things are known; else they are provisional."""
        return self.standing in ACCEPTED

    def accepts(self, slot: int) -> bool:
        """Whether the reads of a reader carry the accepted flag (--ACPTFL)."""
        return self.is_accepted and slot == self.slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """An adjudicator's signed choice between two readers. It never changes."""

    decision_id: str
    trial_id: str
    subject_id: str
    edition: int
    """1 for the first decision about the subject; higher when the case was opened again."""
    read_ids: Sequence[Sequence[str]]
    """The reads of reader 1 and of reader 2 that the adjudicator has seen."""
    differences: Sequence[Mapping[str, Any]]
    evidence_sha256: str
    protocol_version: str
    chosen_slot: int
    reason: str
    account_id: str
    printed_name: str
    role: str
    meaning: str
    signed_at: datetime
    authenticated_at: datetime
    record_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The review of one subject."""

    trial_id: str
    subject_id: str
    site_id: str
    reading_id: str
    protocol_version: str
    courses: Mapping[int, ReaderCourse]
    """By reader slot."""
    finished_from: date | None
    """The first day on which every reader has finished, as things are now; None while something lacks."""
    is_finished: bool
    differences: Sequence[Difference]
    """Where finished readers differ; empty before."""
    decisions: Sequence[Decision]
    """Every one ever signed, the first one first."""

    @property
    def read_ids(self) -> list[list[str]]:
        """The reads that count now, of reader 1 and of reader 2."""
        return [list(self.courses[slot].read_ids) for slot in sorted(self.courses)]

    @property
    def evidence_sha256(self) -> str:
        """What a decision is about: SHA-256 over the reads and their differences, in lower-case hex."""
        found = [[each.variable, each.reader_1, each.reader_2] for each in self.differences]
        text = canonical_json({"reads": self.read_ids, "differences": found})
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def decision(self) -> Decision | None:
        """The decision about the reads as they are now."""
        if not self.is_finished:
            return None
        now = self.read_ids
        return next((each for each in reversed(self.decisions) if each.read_ids == now), None)

    @property
    def standing(self) -> Standing:
        """How far it has come."""
        if not self.is_finished:
            return Standing.READING
        if len(self.courses) == 1:
            return Standing.SINGLE_READER
        if self.decision is not None:
            return Standing.ADJUDICATED
        return Standing.TO_ADJUDICATE if self.differences else Standing.AGREED

    @property
    def acceptance(self) -> Acceptance:
        """Whose reads count."""
        chosen = self.decision
        return Acceptance(slot=FIRST if chosen is None else chosen.chosen_slot, standing=self.standing)


def record_hash(decision: Decision) -> str:
    """Return the SHA-256 over everything that a decision's signature covers, in lower-case hex."""
    names = [name for name in Decision.__slots__ if name not in {"record_hash", "authenticated_at"}]
    content = {name: getattr(decision, name) for name in names}
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()
