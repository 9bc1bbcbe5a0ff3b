"""The listener's receipts in the chain: what came in is covered by the same hashes as what was done with it.

The listener files a receipt for everything that came in, in its own database. The worker enters the
fingerprints here, a batch an entry; the last such entry says how far it came. So one chain covers both,
and a receipt that is changed, removed or put between others later is found, and named.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from dicom_listener.archive.records import FiledReceipt
from imaging_service.audit import repository, service
from imaging_service.audit.actor import WORKER
from imaging_service.audit.chain import ChainFinding, Damage
from imaging_service.clock import Clock
from imaging_service.database import Database

ENTITY = "receipts"
ARCHIVE = "archive"
_AT_ONCE = 500
_SHOWN_DIGITS = 16
"""Of a receipt's own fingerprint, enough to name one that differs; the batch's digest covers them whole."""


class Receipts(Protocol):
    """The part of the archive that is read here."""

    def receipts_after(self, sequence: int, limit: int = 100) -> Sequence[FiledReceipt]:
        """Return at most `limit` receipts that follow `sequence`, oldest first."""
        ...


def enter(database: Database, archive: Receipts, clock: Clock) -> bool:
    """Enter the receipts that follow the last one entered; True when there may be more.

    Two workers cannot enter one receipt twice: whoever comes second finds the place taken.
    """
    with database.read() as session:
        position = last_entered(session)
    found = archive.receipts_after(position, _AT_ONCE)
    if not found:
        return False
    with database.write() as session:
        repository.lock(session)
        if last_entered(session) == position:
            _enter(session, found, clock.now())
    return len(found) == _AT_ONCE


def last_entered(session: Session) -> int:
    """Return the sequence number of the last receipt in the chain; 0 when there is none."""
    row = repository.last_said_about(session, ENTITY, ARCHIVE)
    return 0 if row is None else int(json.loads(row)["last"])


def covering(session: Session, sequences: Iterable[int]) -> Mapping[int, repository.AuditEntry]:
    """Return the entry that covers each receipt; one that is not entered yet has none.

    Entries cover receipts in their order, so that halving the chain finds one among any number.
    """
    found: dict[int, repository.AuditEntry] = {}
    entry: repository.AuditEntry | None = None
    for sequence in sorted(set(sequences)):
        if entry is None or not _covers(entry, sequence):
            entry = _covering(session, sequence)
        if entry is not None:
            found[sequence] = entry
    return found


def _covering(session: Session, sequence: int) -> repository.AuditEntry | None:
    before, until = 0, service.head(session).sequence
    while before < until:
        middle = (before + until) // 2
        entry = repository.next_about(session, ENTITY, ARCHIVE, after=middle)
        if entry is None or _said(entry)["last"] >= sequence:
            until = middle
        else:
            before = entry.sequence
    entry = repository.next_about(session, ENTITY, ARCHIVE, after=before)
    return entry if entry is not None and _covers(entry, sequence) else None


def _covers(entry: repository.AuditEntry, sequence: int) -> bool:
    said = _said(entry)
    return bool(said["first"] <= sequence <= said["last"])


def _said(entry: repository.AuditEntry) -> Mapping[str, int]:
    said: Mapping[str, int] = json.loads(entry.after or "{}")
    return said


def _enter(session: Session, found: Sequence[FiledReceipt], now: datetime) -> None:
    service.record(
        session,
        WORKER,
        action="enter receipts",
        entity=ENTITY,
        entity_id=ARCHIVE,
        after={
            "first": found[0].sequence,
            "last": found[-1].sequence,
            "digest": _digest(found),
            "receipts": [[each.sequence, each.receipt.fingerprint()[:_SHOWN_DIGITS]] for each in found],
        },
        at=now,
    )


def _digest(found: Iterable[FiledReceipt]) -> str:
    digest = hashlib.sha256()
    for each in found:
        digest.update(f"{each.sequence}:{each.receipt.fingerprint()}\n".encode())
    return digest.hexdigest()


def verify(session: Session, archive: Receipts) -> list[ChainFinding]:
    """Return every receipt that is not what the chain says: changed, removed, or added between others."""
    findings: list[ChainFinding] = []
    last = 0
    for sequence, after in repository.said_about(session, ENTITY, ARCHIVE):
        said = json.loads(after)
        stored = list(_stored(archive, last, said["last"]))
        differences = list(_differences(sequence, dict(said["receipts"]), stored))
        if not differences and _digest(stored) != said["digest"]:
            sentence = f"The receipts {said['first']} to {said['last']} are not those of entry {sequence}."
            differences = [ChainFinding(damage=Damage.CHANGED, sequence=sequence, sentence=sentence)]
        findings += differences
        last = said["last"]
    return findings


def _stored(archive: Receipts, after: int, last: int) -> Iterator[FiledReceipt]:
    position = after
    while position < last:
        found = archive.receipts_after(position, _AT_ONCE)
        yield from (each for each in found if each.sequence <= last)
        if not found:
            return
        position = found[-1].sequence


def _differences(entry: int, said: dict[int, str], stored: Sequence[FiledReceipt]) -> Iterator[ChainFinding]:
    present = {each.sequence: each.receipt.fingerprint()[:_SHOWN_DIGITS] for each in stored}
    for number in sorted(said.keys() | present.keys()):
        if number not in present:
            damage, what = Damage.REMOVED, "is missing"
        elif number not in said:
            damage, what = Damage.REWRITTEN, "was not there"
        elif said[number] != present[number]:
            damage, what = Damage.CHANGED, "is not what it was"
        else:
            continue
        sentence = f"Receipt {number} {what} when entry {entry} was written."
        if damage is Damage.REMOVED:
            sentence = f"Receipt {number} is missing; entry {entry} covers it."
        yield ChainFinding(damage=damage, sequence=entry, sentence=sentence)
