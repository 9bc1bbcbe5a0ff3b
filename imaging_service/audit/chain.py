"""The hash chain, as pure rules: how an entry is hashed, and what a broken chain says."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from imaging_service.canonical import canonical_json

GENESIS = "0" * 64
"""The hash before the first entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last entry's place and hash; kept outside, it proves later that nothing was cut off."""

    sequence: int
    hash: str


EMPTY = Head(sequence=0, hash=GENESIS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One entry as it is stored."""

    sequence: int
    content: Mapping[str, Any]
    """Everything but the two hashes; the sequence is part of it."""
    previous_hash: str
    hash: str


class Damage(StrEnum):
    """What can have happened to a chain."""

    CHANGED = "changed"
    REMOVED = "removed"
    SWAPPED = "swapped"
    REWRITTEN = "rewritten"
    CUT_OFF = "cut_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFinding:
    """One damaged place."""

    damage: Damage
    sequence: int
    sentence: str


def entry_hash(content: Mapping[str, Any], previous_hash: str) -> str:
    """Return the SHA-256 of an entry's content after `previous_hash`, in lower-case hex."""
    text = canonical_json({**content, "previous_hash": previous_hash})
    return hashlib.sha256(text.encode()).hexdigest()


def verify(links: Iterable[Link], witnesses: Iterable[Head] = ()) -> list[ChainFinding]:
    """Return every damaged place of a chain; none when it is whole.

    Parameters
    ----------
    links
        The stored entries, by sequence.
    witnesses
        Heads that were kept outside. Without one a cut tail cannot be seen.

    Returns
    -------
    list of ChainFinding
        ``changed``: an entry's hash is not its content's. ``swapped``: its content stood at another place.
        ``removed``: a sequence number is missing. ``rewritten``: an entry is sound in itself but is not the
        one that its successor, or a witness, saw. ``cut_off``: a witness saw an entry after the last one.
    """
    findings: list[ChainFinding] = []
    unsound: list[Link] = []
    seen = {witness.sequence: witness for witness in witnesses if witness.sequence > 0}
    last, is_sound = EMPTY, True
    for link in links:
        findings += _removed(last.sequence + 1, link.sequence - 1)
        was_sound, is_sound = is_sound, entry_hash(link.content, link.previous_hash) == link.hash
        if not is_sound:
            unsound.append(link)
        elif was_sound and link.sequence == last.sequence + 1 and link.previous_hash != last.hash:
            findings.append(_rewritten(link.sequence - 1, link.sequence))
        witness = seen.pop(link.sequence, None)
        if witness is not None and witness.hash != link.hash:
            findings.append(_unlike_witness(link.sequence))
        last = Head(sequence=link.sequence, hash=link.hash)
    findings += [_unsound(link, unsound) for link in unsound]
    findings += [
        _cut_off(last.sequence, witness) for witness in seen.values() if witness.sequence > last.sequence
    ]
    return sorted(findings, key=lambda finding: finding.sequence)


def _removed(first: int, last: int) -> Iterator[ChainFinding]:
    if first == last:
        yield ChainFinding(damage=Damage.REMOVED, sequence=first, sentence=f"Entry {first} is missing.")
    elif first < last:
        sentence = f"Entries {first} to {last} are missing."
        yield ChainFinding(damage=Damage.REMOVED, sequence=first, sentence=sentence)


def _unsound(link: Link, unsound: Iterable[Link]) -> ChainFinding:
    """Tell an entry that stood elsewhere from one that was edited."""
    for other in unsound:
        content = {**link.content, "sequence": other.sequence}
        if other.sequence != link.sequence and entry_hash(content, link.previous_hash) == link.hash:
            sentence = f"Entry {link.sequence} is the one that was written as entry {other.sequence}."
            return ChainFinding(damage=Damage.SWAPPED, sequence=link.sequence, sentence=sentence)
    sentence = f"Entry {link.sequence} is not what it was when it was written."
    return ChainFinding(damage=Damage.CHANGED, sequence=link.sequence, sentence=sentence)


def _rewritten(sequence: int, after: int) -> ChainFinding:
    if sequence == 0:
        sentence = "Entry 1 does not begin the chain: another entry stood before it."
        return ChainFinding(damage=Damage.REWRITTEN, sequence=1, sentence=sentence)
    sentence = f"Entry {sequence} is not the one that entry {after} was chained to."
    return ChainFinding(damage=Damage.REWRITTEN, sequence=sequence, sentence=sentence)


def _unlike_witness(sequence: int) -> ChainFinding:
    sentence = f"Entry {sequence} is not the one that the witness saw."
    return ChainFinding(damage=Damage.REWRITTEN, sequence=sequence, sentence=sentence)


def _cut_off(last: int, witness: Head) -> ChainFinding:
    sentence = f"The chain ends at entry {last}; the witness saw entry {witness.sequence}."
    return ChainFinding(damage=Damage.CUT_OFF, sequence=last + 1, sentence=sentence)
