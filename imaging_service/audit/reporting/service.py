"""Tell the collector what has been entered in the chain; a step of the worker.

The chain is the spool: while the collector is away, entries wait where they are. How far it was told is kept
once it has taken everything in, so nothing is lost. A worker that dies between the two tells the last batch
again, word for word; the number of the entry in each message tells a double.
"""

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from dicom_listener.archive.records import FiledReceipt
from imaging_service.audit.chain import Head
from imaging_service.audit.receipts import ENTITY as RECEIPTS
from imaging_service.audit.receipts import Receipts
from imaging_service.audit.reporting import acts, intake, repository
from imaging_service.audit.reporting.message import AuditMessage, Success, as_xml
from imaging_service.audit.reporting.syslog import Collector, Line
from imaging_service.audit.tables import AuditEntry
from imaging_service.clock import Clock
from imaging_service.database import Database, new_id
from imaging_service.settings import ServiceSettings

AT_ONCE = 100
"""Entries in a batch: what a worker that dies may tell again."""
_HELD_FOR = timedelta(minutes=1)


class Receiver(Protocol):
    """Who takes audit messages in; `Collector` is one."""

    def send(self, lines: Sequence[Line]) -> None:
        """Return once all were taken in."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Tells one collector."""

    database: Database
    archive: Receipts
    clock: Clock
    address: str
    receiver: Receiver

    def tell(self) -> bool:
        """Tell what follows the last entry that was taken in; True when there may be more.

        Raises
        ------
        CollectorAwayError
            The collector did not take everything in; the entries wait.
        """
        with self.database.read() as session:
            if not repository.following(session, repository.position(session, self.address), 1):
                return False
        with self._held() as holder:
            if holder is None:
                return False
            with self.database.read() as session:
                after = repository.position(session, self.address)
                entries = repository.following(session, after, AT_ONCE)
                lines = [line for each in entries for line in self._lines(each)]
            if not entries:
                return False
            if lines:
                self.receiver.send(lines)
            with self.database.write() as session:
                is_ours = repository.advance(session, self.address, holder, entries[-1].sequence)
        return is_ours and len(entries) == AT_ONCE

    @contextmanager
    def _held(self) -> Iterator[str | None]:
        """Be the only one that tells the collector; give None where another is."""
        holder, now = new_id(), self.clock.now()
        with self.database.write() as session:
            is_held = repository.hold(session, self.address, holder, now, now + _HELD_FOR)
        try:
            yield holder if is_held else None
        finally:
            if is_held:
                with self.database.write() as session:
                    repository.let_go(session, self.address, holder)

    def _lines(self, entry: AuditEntry) -> Iterator[Line]:
        source = f"imaging-service@{socket.gethostname()}"
        for message in self._messages(entry):
            is_failure = message.success is not Success.WHOLE
            yield Line(at=message.at, xml=as_xml(message, source), is_failure=is_failure)

    def _messages(self, entry: AuditEntry) -> Iterator[AuditMessage]:
        if entry.entity == RECEIPTS:
            head = Head(sequence=entry.sequence, hash=entry.hash)
            yield from intake.messages_of(self._covered(entry), head)
            return
        told = acts.message_of(entry)
        if told is not None:
            yield told

    def _covered(self, entry: AuditEntry) -> Sequence[FiledReceipt]:
        """Return the receipts that an entry covers."""
        said = json.loads(entry.after or "{}")
        first, last = int(said["first"]), int(said["last"])
        found = self.archive.receipts_after(first - 1, last - first + 1)
        return [each for each in found if each.sequence <= last]


def reporter(
    settings: ServiceSettings, database: Database, archive: Receipts, clock: Clock
) -> Reporter | None:
    """Return who tells the collector that the settings name; None where they name none."""
    address = settings.audit_collector
    if address is None:
        return None
    host, _, port = address.rpartition(":")
    return Reporter(
        database=database,
        archive=archive,
        clock=clock,
        address=address,
        receiver=Collector(
            host=host.strip("[]"),
            port=int(port),
            authorities=settings.audit_collector_authorities,
            certificate=settings.audit_collector_certificate,
            key=settings.audit_collector_key,
            deadline_seconds=settings.audit_collector_seconds,
        ),
    )
