"""Storage commitment, push model (PS3.4 Annex J): promise in writing to keep what was sent.

N-ACTION asks for it; N-EVENT-REPORT answers, over the association that asked while it stays open, and
otherwise over a new one to the destination of the requester's AE title, tried again until it is taken.
"""

import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import structlog
from pydicom import Dataset
from pynetdicom import build_context, build_role
from pynetdicom.dimse_primitives import N_ACTION, N_EVENT_REPORT
from pynetdicom.dsutils import decode, encode
from pynetdicom.pdu_primitives import A_RELEASE

from dicom_listener.archive import commitments, destinations, receipts, search, senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.commitments import Commitment, Reference
from dicom_listener.archive.records import InstanceRecord
from dicom_listener.archive.senders import Sender
from dicom_listener.archive.uids import is_uid
from dicom_listener.deidentification import filing
from dicom_listener.deidentification.filing import Original, OriginalState
from dicom_listener.errors import (
    ArchiveError,
    CommitmentRequestError,
    DestinationError,
    DestinationUnknownError,
    ObjectMissingError,
    OutOfResourcesError,
)
from dicom_listener.network.send import associated
from dicom_listener.network.statuses import CommitmentStatus, FailureReason

_log = structlog.get_logger()

PUSH_MODEL = "1.2.840.10008.1.20.1"
_WITHOUT_COPY = frozenset({OriginalState.HELD, OriginalState.KEPT_BACK})
PUSH_MODEL_INSTANCE = "1.2.840.10008.1.20.1.1"  # well-known (PS3.4 J.3.5)

_REQUEST = 1  # Action Type ID (PS3.4 Table J.3-1)
_ALL_COMMITTED, _SOME_FAILED = 1, 2  # Event Type IDs (PS3.4 Table J.3-2)
_GRACE_SECONDS = 0.3
"""A requester that does not want the report over its own association releases it at once."""
_ANSWER_SECONDS = 10.0
_ROUND_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Which of the references are kept, and why the others are not."""

    commitment: Commitment
    committed: tuple[Reference, ...]
    failed: Mapping[Reference, FailureReason]
    studies: tuple[str, ...]  # those of what is committed

    @property
    def event_type(self) -> int:
        """Whether something failed."""
        return _SOME_FAILED if self.failed else _ALL_COMMITTED

    def information(self) -> Dataset:
        """Return the event information (PS3.4 Table J.3-2)."""
        information = Dataset()
        information.RetrieveAETitle = self.commitment.called_ae
        information.TransactionUID = self.commitment.transaction_uid
        if self.committed:
            information.ReferencedSOPSequence = [_item(each) for each in self.committed]
        if self.failed:
            information.FailedSOPSequence = [_item(each, reason) for each, reason in self.failed.items()]
        return information


_DECODING = threading.Lock()  # thousands of references take a kilobyte or two each, once at a time


class CommitmentService:
    """The answers to storage commitment requests over one archive."""

    def __init__(self, archive: Archive, tls: ssl.SSLContext | None = None) -> None:
        """Promise what `archive` keeps."""
        self._archive = archive
        self._tls = tls
        self._is_stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Deliver reports that are due, those of earlier runs too, until `stop`."""
        self._is_stopped.clear()
        self._thread = threading.Thread(target=self._deliver_until_stopped, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Deliver no more; what is due stays due."""
        self._is_stopped.set()
        if self._thread is not None:
            self._thread.join(0.5)

    def serve(self, association: Any, request: N_ACTION, context: Any, sender: Sender) -> None:  # noqa: ANN401 - the library's
        """Answer one request, in the association's own thread, and report if the peer waits for it."""
        try:
            commitment = _commitment(request, context, sender)
            report = self._report(commitment)
            with self._archive.database.write() as connection:
                commitments.add(connection, commitment)
                commitments.settle(connection, report.studies)
        except CommitmentRequestError as error:
            _respond(association, request, context, CommitmentStatus(error.status), str(error))
            return
        except ArchiveError as error:
            _log.warning("commitment_postponed", reason=str(error))
            _respond(association, request, context, CommitmentStatus.RESOURCE_LIMITATION)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the peer gets an answer
            _log.error("commitment_failed", kind=type(error).__name__, calling_ae=sender.calling_ae)
            _respond(association, request, context, CommitmentStatus.PROCESSING_FAILURE)
            return
        _respond(association, request, context, CommitmentStatus.SUCCESS)
        self._settle_account(report, is_taken=_is_taken_here(association, context, report))

    def _report(self, commitment: Commitment) -> Report:
        """Look for each reference in the index and in the object store; others' instances are not told of."""
        if not self._archive.catch_up():
            raise OutOfResourcesError(what="The index", reason="it does not know yet what was acknowledged")
        committed: list[Reference] = []
        failed: dict[Reference, FailureReason] = {}
        studies: dict[str, None] = {}
        site_id = self._site_of(commitment)
        for reference in commitment.references:
            copies = self._copies(reference.sop_instance_uid, site_id)
            uid = copies[0].sop_instance_uid if copies else reference.sop_instance_uid
            record = self._archive.instance(uid)
            if record is not None and not copies and not self._came_from(site_id, record):
                record = None
            if record is None and any(each.state in _WITHOUT_COPY for each in copies):
                committed.append(reference)  # its original is kept, and a person decides of it
            elif record is None:
                failed[reference] = FailureReason.NO_SUCH_OBJECT
            elif record.sop_class_uid != reference.sop_class_uid:
                failed[reference] = FailureReason.CLASS_INSTANCE_CONFLICT
            elif not self._is_in_store(record.digest):
                failed[reference] = FailureReason.PROCESSING_FAILURE
            else:
                committed.append(reference)
                studies[record.study_instance_uid] = None
        return Report(
            commitment=commitment, committed=tuple(committed), failed=failed, studies=tuple(studies)
        )

    def _site_of(self, commitment: Commitment) -> str | None:
        """Return the requester's site; None where it is registered no longer, and nothing is promised."""
        with self._archive.database.read() as connection:
            registered = senders.of_calling_ae(connection, commitment.calling_ae)
        return next((each.site_id for each in registered if each.called_ae == commitment.called_ae), None)

    def _copies(self, sop_instance_uid: str, site_id: str | None) -> Sequence[Original]:
        """Return what came from a site under a UID and was de-identified: its copy has another."""
        with self._archive.database.read() as connection:
            return [
                each
                for each in filing.copy_of(connection, sop_instance_uid)
                if each.site_id == site_id or site_id in receipts.sites_of(connection, each.sop_instance_uid)
            ]

    def _came_from(self, site_id: str | None, record: InstanceRecord) -> bool:
        """Tell whether a site has sent an instance, by its study where the receipts were lost."""
        with self._archive.database.read() as connection:
            sites = receipts.sites_of(connection, record.sop_instance_uid)
            if sites:
                return site_id in sites
            study = search.study(connection, record.study_instance_uid)
        return study is not None and any(source.site_id == site_id for source in study.sources)

    def _is_in_store(self, digest: Any) -> bool:  # noqa: ANN401 - a Digest
        try:
            return bool(self._archive.objects.get_range(digest, 0, 1))
        except ObjectMissingError:
            return False

    def _settle_account(self, report: Report, *, is_taken: bool) -> None:
        """Note that the report was taken, or let it go out by itself."""
        try:
            with self._archive.database.write() as connection:
                if is_taken:
                    commitments.mark_reported(connection, report.commitment)
                else:
                    commitments.release(connection, report.commitment)
        except ArchiveError as error:
            _log.warning("commitment_postponed", reason=str(error))

    def _deliver_until_stopped(self) -> None:
        while not self._is_stopped.wait(_ROUND_SECONDS):
            try:
                with self._archive.database.read() as connection:
                    waiting = commitments.due(connection)
                for commitment in waiting:
                    if self._is_stopped.is_set():
                        return
                    self._deliver(commitment)
            except ArchiveError as error:
                _log.warning("commitment_postponed", reason=str(error))
            except Exception as error:  # noqa: BLE001 - the next round may go better
                _log.error("commitment_failed", kind=type(error).__name__)

    def _deliver(self, commitment: Commitment) -> None:
        """Report over an association of our own."""
        with self._archive.database.write() as connection:
            if not commitments.postpone(connection, commitment):
                return
        report = self._report(commitment)
        try:
            is_taken = self._is_taken_there(report)
        except DestinationError as error:
            _log.warning("commitment_unreported", reason=str(error), attempts=commitment.attempts + 1)
            return
        if is_taken:
            with self._archive.database.write() as connection:
                commitments.mark_reported(connection, commitment)

    def _is_taken_there(self, report: Report) -> bool:
        title = report.commitment.calling_ae
        with self._archive.database.read() as connection:
            destination = destinations.named(connection, title)
        if destination is None:
            raise DestinationUnknownError(title)
        roles = [build_role(PUSH_MODEL, scu_role=False, scp_role=True)]
        contexts = [build_context(PUSH_MODEL)]
        with associated(
            destination, report.commitment.called_ae, contexts, tls=self._tls, roles=roles
        ) as association:
            if not association.accepted_contexts:
                raise DestinationError(title, "it takes no storage commitment reports")
            message_id = _send_report(association, association.accepted_contexts[0], report)
            _, answer = association.dimse.get_msg(block=True)
            return _is_answer(answer, message_id)


def _commitment(request: N_ACTION, context: Any, sender: Sender) -> Commitment:  # noqa: ANN401 - the library's
    """Read a request (PS3.4 Table J.3-1)."""
    if request.RequestedSOPInstanceUID != PUSH_MODEL_INSTANCE:
        raise CommitmentRequestError(CommitmentStatus.NO_SUCH_INSTANCE, "the well-known instance")
    if request.ActionTypeID != _REQUEST:
        raise CommitmentRequestError(CommitmentStatus.NO_SUCH_ACTION, "action type 1")
    try:
        with _DECODING:
            transaction_uid, references = _asked(request, context.transfer_syntax[0])
    except Exception as error:
        raise CommitmentRequestError(CommitmentStatus.INVALID_ARGUMENT, "UIDs of instances") from error
    uids = [transaction_uid, *(each.sop_instance_uid for each in references)]
    if not references or not all(map(is_uid, uids)):
        raise CommitmentRequestError(CommitmentStatus.INVALID_ARGUMENT, "UIDs of instances")
    return Commitment(
        transaction_uid=transaction_uid,
        calling_ae=sender.calling_ae,
        called_ae=sender.called_ae,
        references=references,
    )


def _asked(request: N_ACTION, syntax: Any) -> tuple[str, tuple[Reference, ...]]:  # noqa: ANN401 - the library's
    """Decode the action information: the transaction UID, and what is referred to."""
    asked = decode(
        request.ActionInformation or BytesIO(),
        syntax.is_implicit_VR,
        syntax.is_little_endian,
        syntax.is_deflated,
    )
    references = tuple(
        Reference(
            sop_class_uid=str(item.ReferencedSOPClassUID), sop_instance_uid=str(item.ReferencedSOPInstanceUID)
        )
        for item in asked.ReferencedSOPSequence
    )
    return str(asked.TransactionUID), references


def _respond(
    association: Any,  # noqa: ANN401 - the library's
    request: N_ACTION,
    context: Any,  # noqa: ANN401 - the library's
    status: CommitmentStatus,
    comment: str = "",
) -> None:
    response: Any = N_ACTION()
    response.MessageIDBeingRespondedTo = request.MessageID
    response.AffectedSOPClassUID = request.RequestedSOPClassUID
    response.AffectedSOPInstanceUID = request.RequestedSOPInstanceUID
    response.ActionTypeID = request.ActionTypeID
    response.Status = int(status)
    if comment:
        response.ErrorComment = comment[:64]
    association.dimse.send_msg(response, context.context_id)


def _is_taken_here(association: Any, context: Any, report: Report) -> bool:  # noqa: ANN401 - the library's
    """Report over the requester's own association, unless it ends that first."""
    if not _waits(association, _GRACE_SECONDS, None):
        return False
    message_id = _send_report(association, context, report)
    return _waits(association, _ANSWER_SECONDS, message_id) is True


def _waits(association: Any, seconds: float, message_id: int | None) -> bool:  # noqa: ANN401 - the library's
    """Serve what else the peer asks for, until it answers the message, goes, or the time is over.

    Returns
    -------
    bool
        Whether the message was answered; without one to wait for, whether the peer is still there.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        context_id, message = association.dimse.get_msg(block=False)
        if message_id is not None and isinstance(message, N_EVENT_REPORT):
            return _is_answer(message, message_id)
        if message is not None:
            association._serve_request(message, context_id)  # noqa: SLF001 - what its reactor does
            continue
        is_leaving = isinstance(association.dul.peek_next_pdu(), A_RELEASE)
        if is_leaving or association.acse.is_aborted() or not association.is_established:
            return False
        time.sleep(0.005)
    return message_id is None


def _send_report(association: Any, context: Any, report: Report) -> int:  # noqa: ANN401 - the library's
    """Send the report and return its message's number."""
    message_id = 1
    syntax = context.transfer_syntax[0]
    encoded = encode(report.information(), syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
    event = N_EVENT_REPORT()
    event.MessageID = message_id
    event.AffectedSOPClassUID = PUSH_MODEL
    event.AffectedSOPInstanceUID = PUSH_MODEL_INSTANCE
    event.EventTypeID = report.event_type
    event.EventInformation = BytesIO(encoded or b"")
    association.dimse.send_msg(event, context.context_id)
    return message_id


def _is_answer(answer: Any, message_id: int) -> bool:  # noqa: ANN401 - the library's
    return (
        isinstance(answer, N_EVENT_REPORT)
        and answer.MessageIDBeingRespondedTo == message_id
        and answer.Status == CommitmentStatus.SUCCESS
    )


def _item(reference: Reference, reason: FailureReason | None = None) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = reference.sop_class_uid
    item.ReferencedSOPInstanceUID = reference.sop_instance_uid
    if reason is not None:
        item.FailureReason = int(reason)
    return item
