"""What is offered to a recognised sender beside storage: each association is bound to its own sender."""

import ssl
from functools import partial
from typing import Any

import structlog
from pynetdicom import evt
from pynetdicom.dimse_primitives import C_FIND, C_GET, C_MOVE, C_STORE, N_ACTION

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.scan import scan
from dicom_listener.archive.senders import Sender
from dicom_listener.archive.syntaxes import TRANSFER_SYNTAXES
from dicom_listener.errors import DataSetError
from dicom_listener.metrics import SERVICES
from dicom_listener.network.commitment import PUSH_MODEL, CommitmentService
from dicom_listener.network.find import Few, FindService
from dicom_listener.network.retrieve import RetrieveService
from dicom_listener.network.statuses import CommitmentStatus, QueryStatus

_log = structlog.get_logger()

_DATA_SETS = ("Identifier", "ActionInformation", "EventInformation", "AttributeList", "ModificationList")
_MAXIMUM_ELEMENTS = 10_000
_MAXIMUM_ACTION_ELEMENTS = 60_000  # references to 20,000 instances, which take 50 MB to decode


class Services:
    """The services of one process over one archive."""

    def __init__(self, archive: Archive, tls: ssl.SSLContext | None = None) -> None:
        """Serve `archive`, and speak `tls` to destinations with it."""
        self._find = FindService(archive)
        self._retrieve = RetrieveService(archive, tls)
        self._commitment = CommitmentService(archive, tls)

    def start(self) -> None:
        """Begin with what goes on beside the associations."""
        self._commitment.start()

    def stop(self) -> None:
        """End it."""
        self._commitment.stop()

    def few(self, sender: Sender) -> Few:
        """Return what answers a recognised sender's search where there is little to answer."""
        return partial(self._find.few, sender=sender)

    def offer(self, association: Any, sender: Sender) -> None:  # noqa: ANN401 - the library's association
        """Let a recognised sender's association use the services."""
        association.bind(evt.EVT_C_FIND, self._find.answer, [sender])
        association.few = self.few(sender)
        others = association._serve_request  # noqa: SLF001 - the library has no event that leaves the bytes alone

        def serve(message: Any, context_id: int) -> None:  # noqa: ANN401 - the library's
            if not isinstance(message, C_STORE):
                SERVICES.labels(type(message).__name__.lower()).inc()
            context = association._accepted_cx.get(context_id)  # noqa: SLF001 - as above
            if context is None or message.is_valid_response:
                others(message, context_id)
            elif not message.is_valid_request:
                _log.warning("request_incomplete", calling_ae=sender.calling_ae)
                association.abort()
            elif not _is_bounded(message, context):
                _log.warning("identifier_refused", calling_ae=sender.calling_ae)
                _refuse(association, message, context)
            elif isinstance(message, (C_GET, C_MOVE)):
                self._retrieve.serve(association, message, context, sender)
            elif isinstance(message, N_ACTION) and message.RequestedSOPClassUID == PUSH_MODEL:
                self._commitment.serve(association, message, context, sender)
            else:
                others(message, context_id)

        association._serve_request = serve  # noqa: SLF001 - as above


def _is_bounded(message: Any, context: Any) -> bool:  # noqa: ANN401 - the library's
    """Tell whether the data set of a message can be followed and is small enough to decode.

    A C-STORE's is not looked at here: it is never decoded.
    """
    syntax = TRANSFER_SYNTAXES[str(context.transfer_syntax[0])]
    maximum = _MAXIMUM_ACTION_ELEMENTS if isinstance(message, N_ACTION) else _MAXIMUM_ELEMENTS
    for name in _DATA_SETS:
        data = getattr(message, name, None)
        if data is not None:
            try:
                if scan(data.getbuffer(), syntax, ()).elements > maximum:
                    return False
            except DataSetError:
                return False
    return True


def _refuse(association: Any, message: Any, context: Any) -> None:  # noqa: ANN401 - the library's
    """Answer that the data set of a message cannot be followed."""
    if not isinstance(message, (C_FIND, C_GET, C_MOVE, N_ACTION)):
        association.abort()
        return
    response = type(message)()
    response.MessageIDBeingRespondedTo = message.MessageID
    if isinstance(message, N_ACTION):
        response.Status = int(CommitmentStatus.INVALID_ARGUMENT)
    else:
        response.AffectedSOPClassUID = message.AffectedSOPClassUID
        response.Status = int(QueryStatus.UNABLE_TO_PROCESS)
    association.dimse.send_msg(response, context.context_id)
