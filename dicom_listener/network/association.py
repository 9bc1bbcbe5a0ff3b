"""One association that a peer asked for."""

import threading
from time import monotonic
from typing import Any

import structlog
from pynetdicom import evt
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.transport import AddressInformation

from dicom_listener.archive.provenance import Provenance
from dicom_listener.metrics import ENDINGS, REQUESTS
from dicom_listener.network.find import Few
from dicom_listener.network.handlers import Admission, Handlers
from dicom_listener.network.handshake import APPLICATION_CONTEXT_NAME
from dicom_listener.network.known_requests import decoded_request
from dicom_listener.network.messages import LimitedMessages
from dicom_listener.network.provider import Provider
from dicom_listener.network.quick_socket import QuickSocket
from dicom_listener.network.transport import Connection

_log = structlog.get_logger()

_APPLICATION_CONTEXT_UNKNOWN = (0x01, 0x01, 0x02)  # PS3.8 Table 9-21
_ENDING_SECONDS = 0.2  # between looks at an end that does not come by itself


class AcceptedAssociation(Association):
    """The library's association, asleep while there is nothing to serve."""

    dul: Provider
    dimse: LimitedMessages
    provenance: Provenance | None = None
    """Whom it is with; set once the sender is known."""
    few: Few
    """Answers a search where there is little to answer; set with the provenance."""
    _server: Any

    def __init__(
        self,
        server: Any,  # noqa: ANN401 - the library's
        connection: Connection,
        address: tuple[Any, ...],
        opened_at: float,
    ) -> None:
        """Belong to `server`, over a `connection` with a peer at `address` since `opened_at`.

        What never changes is shared with every other association.
        """
        self._activity = threading.Event()
        super().__init__(server.ae, MODE_ACCEPTOR)
        self._server = server
        self._limits = server.limits
        self.handlers: Handlers = server.handlers
        self.dul = server.provider(self, self._limits)
        self.dul.opened_at = opened_at
        self.dimse = LimitedMessages(self, self._limits)
        self.acse_timeout = self._limits.request_seconds
        self.network_timeout = self._limits.idle_seconds
        self.is_recognised = False
        self.name = "AcceptorThread"
        self.set_socket(QuickSocket(self, connection))
        self.acceptor.maximum_length = server.ae.maximum_pdu_size
        self.acceptor.ae_title = server.ae_title
        self.acceptor.address_info = server.address_info
        self.acceptor.implementation_version_name = server.ae.implementation_version_name
        self.acceptor.supported_contexts = server.contexts
        self.requestor.address_info = AddressInformation.from_tuple(address)
        for event in server.get_events():
            bound: Any = server.get_handlers(event)
            for handler, arguments in [bound] if event.is_intervention else bound:
                self.bind(event, handler, arguments)

    @property
    def address(self) -> str:
        """Where the peer is."""
        return self.requestor.address

    @property
    def association_id(self) -> str:
        """Its identifier in receipts; empty before the sender is known."""
        return "" if self.provenance is None else self.provenance.association_id

    @property
    def opened_at(self) -> float:
        """When the connection was made, on the monotonic clock."""
        return self.dul.opened_at

    @property
    def heard_at(self) -> float:
        """When the peer was last heard."""
        return self.dul.heard_at

    def take_over(self, pdu: bytes, admission: Admission) -> None:
        """Go on with what was agreed on without the library, in answer to the request in `pdu`."""
        self.provenance = admission.provenance
        self.handlers.services.offer(self, admission.sender)
        self.requestor.primitive = decoded_request(pdu).to_primitive()
        self.acse.send_accept = lambda: None  # type: ignore[method-assign] # the peer has it
        self.acse.negotiate_association()
        self.is_recognised = True
        self.dul.take_over()

    def close(self) -> None:
        """Give back what it holds, where it cannot begin."""
        self.dul.close()

    def notice(self) -> None:
        """Look again at what there is to serve."""
        self._activity.set()

    def give_way(self) -> None:
        """End, so that another may be served; called from any thread."""
        ENDINGS.labels("gave_way").inc()
        _log.warning("association_gave_way", peer=self.address, silent=not self.is_recognised)
        if self.is_recognised:
            self.acse.send_abort(0x00)
        elif self.dul.socket is not None:
            self.dul.connection.hang_up()

    def kill(self) -> None:
        """End it: when the peer has been told, or when that takes longer than any PDU."""
        self._reactor_checkpoint.set()
        self._kill, self._is_paused, self.is_established = True, True, False
        deadline = monotonic() + self._limits.pdu_seconds + self._limits.linger_seconds
        while self.dul.is_alive() and not self.dul.stop_dul():
            if monotonic() > deadline:
                self.dul.cut_off()
                return
            self.dul.join(_ENDING_SECONDS)

    def run_reactor(self) -> None:
        """Serve the association from its request to its end."""
        try:
            self._serve()
        except Exception as error:  # noqa: BLE001 - whatever the peer asked for, it ends this association alone
            ENDINGS.labels("failed").inc()
            _log.warning("association_failed", kind=type(error).__name__, peer=self.address)
            self.acse.send_abort(0x02)
        finally:
            self.kill()
            self.dimse.discard()
            if not self.dul.is_alive():
                self.dul.close()
            self._server.connections.leave(self)

    def _serve(self) -> None:
        is_taken_over = self.is_established
        if not is_taken_over and not self._is_secured():
            return
        self._started_dul = True
        self.dul.start()
        if not is_taken_over:
            self._negotiate()
        if self.is_established:
            self._run_reactor()

    def _is_secured(self) -> bool:
        """Agree on TLS where that is spoken; tell whether the peer did."""
        connection = self.dul.connection
        if self._server.ssl_context is None or connection.is_secure:
            return True
        try:
            connection.secure(self._server.ssl_context, self._limits.request_seconds)
        except (OSError, ValueError):
            ENDINGS.labels("tls").inc()
            _log.warning("tls_failed", peer=self.address)
            return False
        return True

    def _negotiate(self) -> None:
        """Wait for the request, and answer it."""
        request = self.dul.receive_pdu(wait=True, timeout=self._limits.request_seconds + 1)
        if not isinstance(request, A_ASSOCIATE):
            ENDINGS.labels("no_request").inc()
            _log.info("connection_without_request", peer=self.address)
            return
        self.requestor.primitive = request
        if request.application_context_name != APPLICATION_CONTEXT_NAME:
            REQUESTS.labels("refused_application_context").inc()
            self.acse.send_reject(*_APPLICATION_CONTEXT_UNKNOWN)
            return
        evt.trigger(self, evt.EVT_REQUESTED, {})
        if not self.is_aborted and not self.is_rejected and not self._kill:
            self.is_recognised = True
            REQUESTS.labels("accepted").inc()
            self._server.connections.recognise(self, str(request.calling_ae_title))
            self.acse.negotiate_association()

    def _run_reactor(self) -> None:
        """Serve one message after the other, until the peer or we have had enough.

        While it sleeps the association counts as paused, so that another thread may send on it.
        """
        while not self._kill:
            self._is_paused = True
            self._activity.wait(max(self._limits.idle_seconds - self.dul.idle_seconds, 0.001))
            self._reactor_checkpoint.wait()
            self._is_paused = False
            self._activity.clear()
            if self._has_ended():
                return

    def _has_ended(self) -> bool:
        """Serve what waits; tell whether that was the last."""
        while not self._kill:
            context_id, message = self.dimse.get_msg(block=False)
            if not message:
                break
            self._serve_request(message, context_id or 0)
            self.dimse.msg_queue.task_done()
            self.dul.touch()
        if self.is_established and self.acse.is_release_requested():
            self.acse.send_release(is_response=True)
            self.is_released, self.is_established = True, False
            evt.trigger(self, evt.EVT_RELEASED, {})
            return True
        if self.acse.is_aborted() or self.is_aborted:
            self.is_aborted, self.is_established = True, False
            evt.trigger(self, evt.EVT_ABORTED, {})
            return True
        if not self.dul.is_alive():
            return True
        if self.dul.idle_seconds >= self._limits.idle_seconds:
            ENDINGS.labels("idle").inc()
            _log.info("association_idle", peer=self.address)
            self.abort()
            return True
        return False
