"""What happens when an association is asked for, and when an instance arrives."""

import ssl
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import structlog
from pydicom.dataset import Dataset

from dicom_listener.archive import receipts
from dicom_listener.archive.objects import Draft
from dicom_listener.archive.provenance import Provenance
from dicom_listener.archive.records import Outcome
from dicom_listener.archive.senders import Sender
from dicom_listener.errors import ArchiveError
from dicom_listener.intake.checks import Arrival
from dicom_listener.intake.receive import Intake, Reception
from dicom_listener.metrics import BYTES, INSTANCES, REFUSALS, REQUESTS, STAGES
from dicom_listener.network.incoming import Incoming
from dicom_listener.network.messages import StoredData
from dicom_listener.network.rejections import Rejections
from dicom_listener.network.senders import printable, recognise
from dicom_listener.network.services import Services
from dicom_listener.network.statuses import ASSOCIATION_REJECTION, C_STORE_STATUS
from dicom_listener.network.tls import shown_over
from dicom_listener.network.transport import Connection

_log = structlog.get_logger()

_MAXIMUM_COMMENT = 64  # ErrorComment is LO (PS3.7 Annex C.4)
_STOPPING = Reception(
    outcome=Outcome.REFUSED_OUT_OF_RESOURCES, reason="stopping", sentence="The listener is stopping."
)
_KEEP = STAGES.labels("keep")
_UNEXPECTED = 0x0110  # processing failure (PS3.7 Annex C.5.12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A sender whose association is accepted."""

    provenance: Provenance
    sender: Sender


class Handlers:
    """The listener's answers; one object for every association of a process.

    The library's events and associations are untyped.
    """

    def __init__(self, intake: Intake, process: str, tls: ssl.SSLContext | None = None) -> None:
        """Give what arrives to `intake`, as received by `process`; speak `tls` to destinations with it."""
        self._intake = intake
        self._process = process
        self.services = Services(intake.archive, tls)
        self._rejections = Rejections()
        self._in_hand = 0
        self._is_stopping = False
        self._changed = threading.Condition()

    def stop(self, seconds: float) -> None:
        """Take nothing new, and wait at most `seconds` for what is in hand."""
        with self._changed:
            self._is_stopping = True
            self._changed.wait_for(lambda: self._in_hand == 0, timeout=seconds)
        self.services.stop()

    def requested(self, event: Any) -> None:  # noqa: ANN401 - the library's event
        """Recognise the sender, or reject the association."""
        association = event.assoc
        request = association.requestor.primitive
        found = self.admit(
            request.calling_ae_title,
            request.called_ae_title,
            association.requestor.address,
            association.dul.connection,
        )
        if isinstance(found, Outcome):
            association.acse.send_reject(*ASSOCIATION_REJECTION[found])
            association.kill()
            return
        association.provenance = found.provenance
        self.services.offer(association, found.sender)

    def admit(
        self, calling_ae: str, called_ae: str, address: str, connection: Connection
    ) -> Admission | Outcome:
        """Recognise the sender that asks for an association, or tell why it is rejected.

        Parameters
        ----------
        calling_ae, called_ae
            The AE titles as they came.
        address
            Where the peer is.
        connection
            What it has shown its certificate over, if any.
        """
        peer = Provenance(
            calling_ae=printable(calling_ae.strip()),
            called_ae=printable(called_ae.strip()),
            peer_address=address,
            site_id="",
            received_at=datetime.now(UTC),
            association_id=str(uuid.uuid4()),
            process=self._process,
        )
        found = self._recognise(peer, connection)
        if isinstance(found, Sender):
            return Admission(provenance=replace(peer, site_id=found.site_id), sender=found)
        _log.info(
            "association_rejected", reason=found.value, calling_ae=peer.calling_ae, peer=peer.peer_address
        )
        REQUESTS.labels(found.value).inc()
        return found

    def _recognise(self, peer: Provenance, connection: Connection) -> Sender | Outcome:
        """Return a known sender; file the receipt of another's rejection."""
        database = self._intake.archive.database
        try:
            shown = shown_over(connection)
            found = recognise(database, peer.calling_ae, peer.called_ae, peer.peer_address, shown)
            if isinstance(found, Outcome) and self._rejections.are_worth_a_receipt():
                with database.write() as transaction:
                    receipts.append(transaction, peer.receipt(outcome=found, reason=found.value))
        except ArchiveError as error:
            _log.error("archive_unavailable", reason=str(error))
            return Outcome.REFUSED_OUT_OF_RESOURCES
        except Exception as error:  # noqa: BLE001 - whatever it is, the association must not be accepted
            _log.error("request_failed", kind=type(error).__name__)
            return Outcome.REFUSED_OUT_OF_RESOURCES
        return found

    def stored(self, event: Any) -> Dataset:  # noqa: ANN401 - the library's event
        """Answer a C-STORE request that the library has received."""
        request, data_set = event.request, event.request.DataSet
        announced = self.announced(
            event.assoc.provenance,
            str(request.AffectedSOPClassUID or ""),
            str(request.AffectedSOPInstanceUID or ""),
            str(event.context.transfer_syntax),
        )
        response = Dataset()
        if isinstance(data_set, StoredData):
            try:
                response.Status, comment = self.arrived(announced, data_set.incoming)
            finally:
                data_set.discard()
        else:
            response.Status, comment = self._answer(announced)
        if comment:
            response.ErrorComment = comment
        return response

    def incoming(self, association: Any, context_id: int, command: Dataset) -> StoredData:  # noqa: ANN401 - the library's
        """Make room for the data set that a C-STORE request announces to the library."""
        context = association._accepted_cx[context_id]  # noqa: SLF001 - the library's name for it
        arrival = self.announced(
            association.provenance,
            str(command.get("AffectedSOPClassUID") or ""),
            str(command.get("AffectedSOPInstanceUID") or ""),
            str(context.transfer_syntax[0]),
        )
        return StoredData(Incoming(lambda: self.draft(arrival)))

    def announced(
        self, peer: Provenance, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str
    ) -> Arrival:
        """Return what a peer's C-STORE request announces, its data set still to come."""
        return Arrival(
            sop_class_uid=sop_class_uid,
            sop_instance_uid=sop_instance_uid,
            transfer_syntax_uid=transfer_syntax_uid,
            data_set=b"",
            provenance=replace(peer, received_at=datetime.now(UTC)),
        )

    def draft(self, arrival: Arrival) -> Draft | None:
        """Begin a place on disk for a data set that is too large for memory."""
        return self._intake.archive.objects.draft(arrival.file_meta())

    def arrived(self, arrival: Arrival, incoming: Incoming) -> tuple[int, str]:
        """Take in an announced instance that the fast path has received; return status and comment."""
        if incoming.refusal is not None:
            reason, sentence = "out_of_resources", str(incoming.refusal)
            reception = Reception(outcome=Outcome.REFUSED_OUT_OF_RESOURCES, reason=reason, sentence=sentence)
            _report(reception, arrival.provenance)
            return _answer_of(reception)
        whole = replace(arrival, data_set=incoming.data_set(), digest=incoming.digest, draft=incoming.draft)
        return self._answer(whole)

    def _answer(self, arrival: Arrival) -> tuple[int, str]:
        """Take in an instance; return the status and the comment that its sender is told."""
        with self._taken() as is_open:
            if not is_open:
                return _answer_of(_STOPPING)
            BYTES.inc(len(arrival.data_set))
            try:
                with _KEEP.time():
                    reception = self._intake.receive(arrival)
            except Exception as error:  # noqa: BLE001 - whatever it is, the sender gets an answer
                _log.error("store_failed", kind=type(error).__name__)
                return _UNEXPECTED, ""
        _report(reception, arrival.provenance)
        return _answer_of(reception)

    @contextmanager
    def _taken(self) -> Iterator[bool]:
        """Count what is in hand, so that a stop can wait for it."""
        with self._changed:
            is_open = not self._is_stopping
            self._in_hand += 1
        try:
            yield is_open
        finally:
            with self._changed:
                self._in_hand -= 1
                self._changed.notify_all()


def _report(reception: Reception, peer: Provenance) -> None:
    INSTANCES.labels(reception.outcome.value).inc()
    if C_STORE_STATUS[reception.outcome]:
        REFUSALS.labels(reception.reason).inc()
        _log.warning(
            "instance_refused",
            outcome=reception.outcome.value,
            reason=reception.reason,
            sentence=reception.sentence,
            calling_ae=peer.calling_ae,
            association=peer.association_id,
        )


def _answer_of(reception: Reception) -> tuple[int, str]:
    return C_STORE_STATUS[reception.outcome], reception.sentence[:_MAXIMUM_COMMENT]
