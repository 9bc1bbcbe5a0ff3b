"""One association that a peer asked for."""

import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

import structlog
from pynetdicom import evt
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE

from dicom_listener.metrics import ENDINGS, REQUESTS
from dicom_listener.network.limits import Limits
from dicom_listener.network.messages import LimitedMessages
from dicom_listener.network.provider import Provider
from dicom_listener.network.statuses import QueryStatus

_log = structlog.get_logger()

_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"  # PS3.7 Annex A.2.1
_APPLICATION_CONTEXT_UNKNOWN = (0x01, 0x01, 0x02)  # PS3.8 Table 9-21
_ENDING_SECONDS = 0.2  # between looks at an end that does not come by itself


class AcceptedAssociation(Association):
    """The library's association, asleep while there is nothing to serve."""

    dul: Provider
    dimse: LimitedMessages
    few: Callable[..., tuple[QueryStatus, Sequence[bytes]] | None]
    """Answers a search where there is little to answer; set once the sender is known."""
    _server: Any

    def __init__(self, server: Any, limits: Limits) -> None:  # noqa: ANN401 - the library's
        """Belong to `server`, within `limits`."""
        self._activity = threading.Event()
        super().__init__(server.ae, MODE_ACCEPTOR)
        self._server = server
        self._limits = limits
        self.dul = server.provider(self, limits)
        self.dimse = LimitedMessages(self, limits)
        self.acse_timeout = limits.request_seconds
        self.network_timeout = limits.idle_seconds
        self.is_recognised = False

    def notice(self) -> None:
        """Look again at what there is to serve."""
        self._activity.set()

    def give_way(self) -> None:
        """End, so that another may be served; called from any thread."""
        ENDINGS.labels("gave_way").inc()
        _log.warning("association_gave_way", peer=self.requestor.address, silent=not self.is_recognised)
        if self.is_recognised:
            self.acse.send_abort(0x00)
        elif self.dul.socket is not None:
            self.dul.socket.hang_up()

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
            _log.warning("association_failed", kind=type(error).__name__, peer=self.requestor.address)
            self.acse.send_abort(0x02)
        finally:
            self.kill()
            self.dimse.discard()
            if not self.dul.is_alive():
                self.dul.close()
            self._server.connections.leave(self)

    def _serve(self) -> None:
        if self._server.ssl_context is not None:
            try:
                self.dul.socket.secure(self._server.ssl_context, self._limits.request_seconds)
            except (OSError, ValueError):
                ENDINGS.labels("tls").inc()
                _log.warning("tls_failed", peer=self.requestor.address)
                return
        self._started_dul = True
        self.dul.start()
        request = self.dul.receive_pdu(wait=True, timeout=self._limits.request_seconds + 1)
        if not isinstance(request, A_ASSOCIATE):
            ENDINGS.labels("no_request").inc()
            _log.info("connection_without_request", peer=self.requestor.address)
            return
        self.requestor.primitive = request
        if request.application_context_name != _APPLICATION_CONTEXT:
            REQUESTS.labels("refused_application_context").inc()
            self.acse.send_reject(*_APPLICATION_CONTEXT_UNKNOWN)
            return
        evt.trigger(self, evt.EVT_REQUESTED, {})
        if not self.is_aborted and not self.is_rejected and not self._kill:
            self.is_recognised = True
            REQUESTS.labels("accepted").inc()
            self._server.connections.recognise(self, str(request.calling_ae_title))
            self.acse.negotiate_association()
        if self.is_established:
            self._run_reactor()

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
            _log.info("association_idle", peer=self.requestor.address)
            self.abort()
            return True
        return False
