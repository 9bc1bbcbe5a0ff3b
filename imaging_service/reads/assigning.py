"""The rule by which a subject gets its readers out of a trial's pool; it knows no database.

Each account of the pool has a *lot* for a slot of a subject: the SHA-256, in lower-case hexadecimal, of
the trial's seed, the trial, the subject, the slot and the account's key, in UTF-8 with one line feed
between each two. Nobody can choose a lot, and whoever knows the seed can compute it again.

``random``
    The account with the lowest lot reads the slot.
``balanced``
    The account with the fewest subjects reads the slot; of several, the one with the lowest lot.

Slots are drawn one after the other, the first one first. Whoever reads or has read another slot of the
subject is left out, so that the readers of a subject are always two people.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from measurement.protocol.trial import ReaderAssignment


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An account of the pool."""

    account_id: str
    subjects: int
    """Of how many subjects of the trial it is a reader at the time of the draw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What is drawn: a reader for one slot of one subject."""

    assignment: ReaderAssignment
    seed: str
    trial_id: str
    subject_id: str
    slot: int


def lot(draw: Draw, account_id: str) -> str:
    """Return an account's lot: 64 hexadecimal digits.

    Examples
    --------
    >>> draw = Draw(
    ...     assignment=ReaderAssignment.RANDOM, seed="00", trial_id="T1", subject_id="S1", slot=1
    ... )
    >>> lot(draw, "a")[:8]
    '41653dd2'
    """
    parts = (draw.seed, draw.trial_id, draw.subject_id, str(draw.slot), account_id)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def choose(draw: Draw, candidates: Sequence[Candidate], taken: Collection[str]) -> str | None:
    """Return the key of the account that reads the slot, or None when nobody is left.

    Parameters
    ----------
    draw
        The slot and the seed.
    candidates
        The pool, in any order.
    taken
        Accounts that read, or have read, another slot of the subject.

    Raises
    ------
    ValueError
        Nothing is drawn where readers are fixed.
    """
    if draw.assignment is ReaderAssignment.FIXED:
        message = "Where readers are fixed, nobody is drawn; balanced or random was wanted."
        raise ValueError(message)
    free = [each for each in candidates if each.account_id not in taken]
    if draw.assignment is ReaderAssignment.BALANCED:
        fewest = min((each.subjects for each in free), default=0)
        free = [each for each in free if each.subjects == fewest]
    return min((each.account_id for each in free), key=lambda each: lot(draw, each), default=None)


def reason_of(draw: Draw, candidates: Sequence[Candidate], chosen: str) -> str:
    """Return the sentence that says why an account reads a slot."""
    subjects = next(each.subjects for each in candidates if each.account_id == chosen)
    among = f"among the {len(candidates)} readers of the pool"
    if draw.assignment is ReaderAssignment.BALANCED:
        return f"It had {subjects} subjects, none free had fewer, {among}; the lot decides between equals."
    return f"It had the lowest lot of those free {among}."
