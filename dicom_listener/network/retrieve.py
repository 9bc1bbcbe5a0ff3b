"""C-GET and C-MOVE: send what the archive holds (PS3.4 C.4.2, C.4.3).

The library's own answers re-encode every data set; these send the kept bytes.
"""

import ssl
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import structlog
from pydicom import Dataset
from pynetdicom.dimse_primitives import C_GET, C_MOVE
from pynetdicom.dsutils import decode, encode

from dicom_listener.archive import destinations, matching
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.matching import Search
from dicom_listener.archive.records import InstanceRecord
from dicom_listener.archive.senders import Retrieval, Sender
from dicom_listener.errors import (
    ArchiveError,
    DestinationError,
    DestinationUnknownError,
    IdentifierError,
    TooManyMatchesError,
)
from dicom_listener.network.find import visible_site
from dicom_listener.network.identifiers import for_retrieval, values_of
from dicom_listener.network.send import Courier, Delivery, Originator, Outgoing, store
from dicom_listener.network.statuses import RetrieveStatus

_log = structlog.get_logger()

MAXIMUM_SUBOPERATIONS = 0xFFFF  # their numbers are US (PS3.7 Annex E)

_Carry = Callable[[Outgoing], Delivery]


@dataclass(slots=True, kw_only=True)
class _Progress:
    """The numbers of sub-operations."""

    remaining: int
    completed: int = 0
    warning: int = 0
    failed: list[str] = field(default_factory=list)  # SOP Instance UIDs

    def count(self, delivery: Delivery, sop_instance_uid: str) -> None:
        self.remaining -= 1
        if delivery.is_success:
            self.completed += 1
        elif delivery.is_warning:
            self.warning += 1
        else:
            self.failed.append(sop_instance_uid)

    @property
    def final_status(self) -> RetrieveStatus:
        if not self.failed and not self.warning:
            return RetrieveStatus.SUCCESS
        if not self.completed and not self.warning:
            return RetrieveStatus.UNABLE_TO_PERFORM
        return RetrieveStatus.SOME_FAILED


class RetrieveService:
    """The answers to C-GET and C-MOVE requests over one archive."""

    def __init__(self, archive: Archive, tls: ssl.SSLContext | None = None) -> None:
        """Send from `archive`, with `tls` to destinations that want it."""
        self._archive = archive
        self._tls = tls

    def serve(self, association: Any, request: Any, context: Any, sender: Sender) -> None:  # noqa: ANN401 - the library's
        """Answer one request in the association's own thread."""
        conversation = _Conversation(association, request, context)
        try:
            self._serve(conversation, sender)
        except IdentifierError as error:
            conversation.end(RetrieveStatus.IDENTIFIER_MISMATCH, str(error))
        except DestinationUnknownError as error:
            conversation.end(RetrieveStatus.DESTINATION_UNKNOWN, str(error))
        except TooManyMatchesError as error:
            conversation.end(RetrieveStatus.TOO_MANY_MATCHES, str(error))
        except DestinationError as error:
            _log.warning("destination_failed", reason=str(error))
            conversation.end(RetrieveStatus.UNABLE_TO_PERFORM, str(error))
        except ArchiveError as error:
            _log.warning("retrieval_postponed", reason=str(error))
            conversation.end(RetrieveStatus.UNABLE_TO_PERFORM, "The archive cannot be read now.")
        except Exception as error:  # noqa: BLE001 - whatever it is, the peer gets an answer
            _log.error("retrieval_failed", kind=type(error).__name__, calling_ae=sender.calling_ae)
            conversation.end(RetrieveStatus.UNABLE_TO_PROCESS, "The request cannot be served.")

    def _serve(self, conversation: "_Conversation", sender: Sender) -> None:
        if sender.retrieves is Retrieval.NOTHING:
            conversation.end(RetrieveStatus.NOT_AUTHORISED, "This AE may not retrieve.")
            return
        records = self._records(conversation, sender)
        with ExitStack() as stack:
            carry = self._carrier(conversation, sender, records, stack)
            self._carry_all(conversation, records, carry, sender)

    def _records(self, conversation: "_Conversation", sender: Sender) -> Sequence[InstanceRecord]:
        asked = for_retrieval(values_of(conversation.identifier()), conversation.model)
        search = Search(level=asked.level, keys=asked.keys, site_id=visible_site(sender))
        with self._archive.reading() as connection:
            records = matching.instances(connection, search, limit=MAXIMUM_SUBOPERATIONS + 1)
        if len(records) > MAXIMUM_SUBOPERATIONS:
            raise TooManyMatchesError(MAXIMUM_SUBOPERATIONS)
        return records

    def _carrier(
        self,
        conversation: "_Conversation",
        sender: Sender,
        records: Sequence[InstanceRecord],
        stack: ExitStack,
    ) -> _Carry:
        """Say how an instance goes out: over this association, or over one to the destination."""
        title = conversation.destination
        if title is None:
            return lambda outgoing: store(conversation.association, outgoing, conversation.next_message_id())
        with self._archive.database.read() as connection:
            destination = destinations.named(connection, title)
        if destination is None:
            raise DestinationUnknownError(title)
        if not records:
            return lambda _: Delivery(status=None)
        kinds = {(record.sop_class_uid, record.transfer_syntax_uid) for record in records}
        courier = stack.enter_context(Courier(destination, sender.called_ae, kinds, tls=self._tls))
        originator = Originator(ae_title=sender.calling_ae, message_id=conversation.message_id)
        return lambda outgoing: courier.deliver(outgoing, originator)

    def _carry_all(
        self,
        conversation: "_Conversation",
        records: Sequence[InstanceRecord],
        carry: _Carry,
        sender: Sender,
    ) -> None:
        progress = _Progress(remaining=len(records))
        for record in records:
            if conversation.is_cancelled():
                conversation.respond(RetrieveStatus.CANCELLED, progress)
                return
            delivery = self._carry(record, carry)
            if not conversation.association.is_established:
                return
            progress.count(delivery, record.sop_instance_uid)
            if not delivery.is_success:
                _log.warning(
                    "suboperation_failed",
                    status=delivery.status,
                    reason=delivery.reason,
                    calling_ae=sender.calling_ae,
                )
            if progress.remaining:
                conversation.respond(RetrieveStatus.PENDING, progress)
        conversation.respond(progress.final_status, progress)

    def _carry(self, record: InstanceRecord, carry: _Carry) -> Delivery:
        try:
            return carry(Outgoing.kept(record, self._archive.objects))
        except ArchiveError as error:
            return Delivery(status=None, reason=str(error))


class _Conversation:
    """One request, and the responses to it."""

    def __init__(self, association: Any, request: Any, context: Any) -> None:  # noqa: ANN401 - the library's
        self.association = association
        self._request = request
        self._context = context
        self._sent = 0
        self.model = str(request.AffectedSOPClassUID)
        self.message_id = int(request.MessageID)
        association.dimse.cancel_req = {}

    @property
    def destination(self) -> str | None:
        """Where a C-MOVE asks to send to; None for a C-GET."""
        if isinstance(self._request, C_GET):
            return None
        return str(self._request.MoveDestination or "").strip()

    def identifier(self) -> Dataset:
        return decode(self._request.Identifier, *self._encoding())

    def next_message_id(self) -> int:
        """Give each sub-operation of a C-GET its own."""
        self._sent += 1
        return (self.message_id + self._sent) % 0xFFFF + 1

    def is_cancelled(self) -> bool:
        return self.message_id in self.association.dimse.cancel_req

    def end(self, status: RetrieveStatus, comment: str) -> None:
        """Refuse the request."""
        if self.association.is_established:
            self._send(self._response(status, comment))

    def respond(self, status: RetrieveStatus, progress: _Progress) -> None:
        """Tell how far it is; the last of them names what failed."""
        response = self._response(status)
        response.NumberOfCompletedSuboperations = progress.completed
        response.NumberOfWarningSuboperations = progress.warning
        response.NumberOfFailedSuboperations = len(progress.failed)
        if status in {RetrieveStatus.PENDING, RetrieveStatus.CANCELLED}:
            response.NumberOfRemainingSuboperations = progress.remaining
        if status not in {RetrieveStatus.PENDING, RetrieveStatus.SUCCESS}:
            failed = Dataset()
            failed.FailedSOPInstanceUIDList = progress.failed
            response.Identifier = BytesIO(encode(failed, *self._encoding()) or b"")
        self._send(response)

    def _response(self, status: RetrieveStatus, comment: str = "") -> Any:  # noqa: ANN401 - the library's
        response: Any = C_MOVE() if isinstance(self._request, C_MOVE) else C_GET()
        response.MessageIDBeingRespondedTo = self.message_id
        response.AffectedSOPClassUID = self._request.AffectedSOPClassUID
        response.Status = int(status)
        if comment:
            response.ErrorComment = comment[:64]
        return response

    def _send(self, response: Any) -> None:  # noqa: ANN401 - the library's
        self.association.dimse.send_msg(response, self._context.context_id)

    def _encoding(self) -> tuple[bool, bool, bool]:
        syntax = self._context.transfer_syntax[0]
        return syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated
