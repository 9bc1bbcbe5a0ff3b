"""What happens when an association is asked for, and when an instance arrives."""

import ssl
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog
from pydicom.dataset import Dataset

from dicom_listener.archive import receipts
from dicom_listener.archive.objects import Draft
from dicom_listener.archive.provenance import Provenance
from dicom_listener.archive.records import Outcome
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
from dicom_listener.network.tls import shown_by

_log = structlog.get_logger()

_MAXIMUM_COMMENT = 64  # ErrorComment is LO (PS3.7 Annex C.4)
_STOPPING = Reception(
    outcome=Outcome.REFUSED_OUT_OF_RESOURCES, reason="stopping", sentence="The listener is stopping."
)
_KEEP = STAGES.labels("keep")
_UNEXPECTED = 0x0110  # processing failure (PS3.7 Annex C.5.12)


class Handlers:
    """The listener's answers; one object for every association of a process.

    The library's events and associations are untyped.
    """

    def __init__(self, intake: Intake, process: str, tls: ssl.SSLContext | None = None) -> None:
        """Give what arrives to `intake`, as received by `process`; speak `tls` to destinations with it."""
        self._intake = intake
        self._process = process
        self.services = Services(intake.archive, tls)
        self._peers: dict[Any, Provenance] = {}
        self._rejections = Rejections()
        self._in_hand = 0
        self._is_stopping = False
        self._changed = threading.Condition()

    def active(self) -> frozenset[str]:
        """Name the associations that may still send."""
        with self._changed:
            self._peers = {key: peer for key, peer in self._peers.items() if key.is_alive()}
            return frozenset(peer.association_id for peer in self._peers.values())

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
        peer = Provenance(
            calling_ae=printable(request.calling_ae_title.strip()),
            called_ae=printable(request.called_ae_title.strip()),
            peer_address=association.requestor.address,
            site_id="",
            received_at=datetime.now(UTC),
            association_id=str(uuid.uuid4()),
            process=self._process,
        )
        outcome = self._recognise(peer, association)
        if outcome is None:
            return
        _log.info(
            "association_rejected", reason=outcome.value, calling_ae=peer.calling_ae, peer=peer.peer_address
        )
        REQUESTS.labels(outcome.value).inc()
        association.acse.send_reject(*ASSOCIATION_REJECTION[outcome])
        association.kill()

    def _recognise(self, peer: Provenance, association: Any) -> Outcome | None:  # noqa: ANN401 - the library's
        """Enter a known sender's association; file the receipt of another's rejection."""
        database = self._intake.archive.database
        try:
            shown = shown_by(association)
            found = recognise(database, peer.calling_ae, peer.called_ae, peer.peer_address, shown)
            if isinstance(found, Outcome):
                if not self._rejections.are_worth_a_receipt():
                    return found
                with database.write() as connection:
                    receipts.append(connection, peer.receipt(outcome=found, reason=found.value))
                return found
        except ArchiveError as error:
            _log.error("archive_unavailable", reason=str(error))
            return Outcome.REFUSED_OUT_OF_RESOURCES
        except Exception as error:  # noqa: BLE001 - the library would go on to accept the association
            _log.error("request_failed", kind=type(error).__name__)
            return Outcome.REFUSED_OUT_OF_RESOURCES
        with self._changed:
            self._peers[association] = replace(peer, site_id=found.site_id)
        self.services.offer(association, found)
        return None

    def stored(self, event: Any) -> Dataset:  # noqa: ANN401 - the library's event
        """Answer a C-STORE request that the library has received."""
        request, data_set = event.request, event.request.DataSet
        announced = self.announced(
            event.assoc,
            str(request.AffectedSOPClassUID or ""),
            str(request.AffectedSOPInstanceUID or ""),
            str(event.context.transfer_syntax),
        )
        response = Dataset()
        if isinstance(data_set, StoredData):
            try:
                response.Status, comment = self.arrived(event.assoc, announced, data_set.incoming)
            finally:
                data_set.discard()
        else:
            response.Status, comment = self._answer(event.assoc, announced)
        if comment:
            response.ErrorComment = comment
        return response

    def incoming(self, association: Any, context_id: int, command: Dataset) -> StoredData:  # noqa: ANN401 - the library's
        """Make room for the data set that a C-STORE request announces to the library."""
        context = association._accepted_cx[context_id]  # noqa: SLF001 - the library's name for it
        arrival = self.announced(
            association,
            str(command.get("AffectedSOPClassUID") or ""),
            str(command.get("AffectedSOPInstanceUID") or ""),
            str(context.transfer_syntax[0]),
        )
        return StoredData(Incoming(lambda: self.draft(arrival)))

    def announced(
        self,
        association: Any,  # noqa: ANN401 - the library's
        sop_class_uid: str,
        sop_instance_uid: str,
        transfer_syntax_uid: str,
    ) -> Arrival:
        """Return what an association's C-STORE request announces, its data set still to come."""
        return Arrival(
            sop_class_uid=sop_class_uid,
            sop_instance_uid=sop_instance_uid,
            transfer_syntax_uid=transfer_syntax_uid,
            data_set=b"",
            provenance=replace(self._peers[association], received_at=datetime.now(UTC)),
        )

    def draft(self, arrival: Arrival) -> Draft | None:
        """Begin a place on disk for a data set that is too large for memory."""
        return self._intake.archive.objects.draft(arrival.file_meta())

    def arrived(self, association: Any, arrival: Arrival, incoming: Incoming) -> tuple[int, str]:  # noqa: ANN401 - the library's
        """Take in an announced instance that the fast path has received; return status and comment."""
        if incoming.refusal is not None:
            reason, sentence = "out_of_resources", str(incoming.refusal)
            reception = Reception(outcome=Outcome.REFUSED_OUT_OF_RESOURCES, reason=reason, sentence=sentence)
            _report(reception, self._peers.get(association))
            return _answer_of(reception)
        whole = replace(arrival, data_set=incoming.data_set(), digest=incoming.digest, draft=incoming.draft)
        return self._answer(association, whole)

    def _answer(self, association: Any, arrival: Arrival) -> tuple[int, str]:  # noqa: ANN401 - the library's
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
        _report(reception, self._peers.get(association))
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


def _report(reception: Reception, peer: Provenance | None) -> None:
    INSTANCES.labels(reception.outcome.value).inc()
    if C_STORE_STATUS[reception.outcome]:
        REFUSALS.labels(reception.reason).inc()
        _log.warning(
            "instance_refused",
            outcome=reception.outcome.value,
            reason=reception.reason,
            sentence=reception.sentence,
            calling_ae=peer and peer.calling_ae,
            association=peer and peer.association_id,
        )


def _answer_of(reception: Reception) -> tuple[int, str]:
    return C_STORE_STATUS[reception.outcome], reception.sentence[:_MAXIMUM_COMMENT]
