"""The port: associations over TCP, each in a thread of its own."""

import errno
import logging
import resource
import socket
import ssl
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from socketserver import BaseServer
from time import monotonic, sleep
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import pynetdicom
import structlog
from pynetdicom import AE, _config, evt
from pynetdicom.transport import ThreadedAssociationServer

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.file_meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicom_listener.archive.integrity import recover
from dicom_listener.errors import AddressTakenError, ArchiveError
from dicom_listener.intake.door import open_intake
from dicom_listener.intake.log_keeper import LogKeeper
from dicom_listener.intake.settle import Settler, close_all, close_ended
from dicom_listener.metrics import CLOCK_STEPS, LAST_SETTLED, SETTLED
from dicom_listener.network.association import AcceptedAssociation
from dicom_listener.network.connections import Associate, Connections
from dicom_listener.network.contexts import supported_contexts
from dicom_listener.network.crew import Crew
from dicom_listener.network.fast_association import FastAssociation, Service, Taken
from dicom_listener.network.fast_provider import TESTED_VERSIONS, FastProvider, is_tested
from dicom_listener.network.handlers import Handlers
from dicom_listener.network.handshake import Offer
from dicom_listener.network.limits import PDU_SECONDS, Limits
from dicom_listener.network.provider import Provider
from dicom_listener.network.timing import ClockWatch
from dicom_listener.network.tls import client_context, server_context
from dicom_listener.network.transport import Connection

if TYPE_CHECKING:
    from dicom_listener.settings import ListenerSettings

_log = structlog.get_logger()

_BACKLOG = 128
_NOTHING_LEFT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_ROOM_SECONDS = 0.05
_DESCRIPTORS_EACH = 3  # socket, bell, and a file for a large data set
_DESCRIPTORS_BESIDE = 128  # database, object store, logs
_IN_HAND_SECONDS = 2.5
_GOODBYE_SECONDS = 0.5  # for every association together, then for each thread: SIGTERM ends it within 5 s

# The library would write every message into its log, data set and all.
_config.LOG_HANDLER_LEVEL = "none"
logging.getLogger("pynetdicom").propagate = False


def places(wanted: int) -> int:
    """Return how many connections the system's limit of descriptors allows, at most `wanted`.

    The process's own limit is raised as far as it may.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most == resource.RLIM_INFINITY:
        return wanted
    allowed = max((most - _DESCRIPTORS_BESIDE) // _DESCRIPTORS_EACH, 1)
    if allowed < wanted:
        _log.warning("fewer_connections", wanted=wanted, allowed=allowed, descriptors=most)
    return min(allowed, wanted)


class _Server(ThreadedAssociationServer):
    """The library's server, with a longer queue and without a word on standard error."""

    request_queue_size = _BACKLOG
    daemon_threads = True
    block_on_close = False
    socket: Any
    limits: Limits
    provider: type[Provider]
    handlers: Handlers
    connections: Connections
    crew: Crew
    service: Service | None  # of associations without the library; None where the library serves all

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; TLS is agreed on in the association's own thread.

        Where the system has no descriptor left, another connection gives way, and the port waits for it.
        """
        try:
            connection, address = self.socket.accept()
        except OSError as error:
            if error.errno in _NOTHING_LEFT:
                _log.warning("no_descriptor_left", reason=error.strerror)
                self.connections.make_room()
                sleep(_ROOM_SECONDS)
            raise
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the library's
        """Begin an association, and come back for the next at once."""
        try:
            self._begin(Connection(request), client_address)
        except Exception:  # noqa: BLE001 - the next connection must not suffer
            self.handle_error(request, client_address)
            self.shutdown_request(request)

    def _begin(self, connection: Connection, origin: tuple[Any, ...]) -> None:
        """Let the peer in; whatever it does from here on costs others nothing."""
        if self.service is None:
            association = AcceptedAssociation(self, connection, origin, monotonic())
            self._started(association, association.start)
        else:
            guest = FastAssociation(self.service, connection, origin)
            self._started(guest, partial(self.crew.do, guest.run))

    def _started(self, association: Associate, start: Callable[[], None]) -> None:
        self.connections.enter(association)
        try:
            start()
        except RuntimeError:  # the system has no thread left
            self.connections.leave(association)
            association.close()
            raise

    def hand_over(self, guest: FastAssociation, taken: Taken | None) -> None:
        """Let the library go on with an association that is not, or no longer, of the usual kind."""
        association = AcceptedAssociation(self, guest.connection, guest.origin, guest.opened_at)
        if taken is not None:
            association.take_over(taken.request, taken.admission)
        may_stay = self.connections.inherit(guest, association) and not guest.is_to_end
        try:
            association.start()
        except RuntimeError:  # the system has no thread left
            self.connections.leave(association)
            association.close()
            raise
        if association.is_recognised and not may_stay:
            association.acse.send_abort(0x00)

    def service_actions(self) -> None:
        """Leave the collection of garbage to the interpreter."""

    def handle_error(self, _request: object, _address: object) -> None:
        """Say what failed, not with which values."""
        _log.warning("connection_failed")

    def shutdown(self) -> None:
        """Take no more connections, and close the port."""
        BaseServer.shutdown(self)
        self.server_close()


class Listener:
    """One listening port over one archive.

    It listens from `start` to `stop`, or inside a ``with`` block.
    """

    def __init__(self, settings: "ListenerSettings", archive: Archive) -> None:
        """Make ready to listen as `settings` say."""
        self._settings = settings
        self._archive = archive
        self._process = str(uuid.uuid4())
        self._keeper = LogKeeper(archive, settings)
        self._handlers = Handlers(
            replace(open_intake(settings, archive), log=self._keeper.log),
            self._process,
            client_context(settings),
        )
        self._settler = Settler(archive.database, settings.quiet_period_seconds, catch_up=archive.catch_up)
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._crew = Crew()
        self._server: _Server | None = None
        self._tls_server: _Server | None = None

    def __enter__(self) -> Self:
        """Start listening."""
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self.stop()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._server is None:
            return self._settings.port
        return int(self._server.server_address[1])

    @property
    def tls_port(self) -> int | None:
        """The port that speaks TLS, where there is one."""
        return (
            self._settings.tls_port if self._tls_server is None else int(self._tls_server.server_address[1])
        )

    def start(self) -> None:
        """Tidy up after an earlier run, then listen.

        Raises
        ------
        ConfigurationError
            When the port is taken, or the archive cannot be written to.
        """
        connections = Connections(
            total=places(self._settings.maximum_associations),
            each=self._settings.maximum_associations_each,
        )
        self._server = self._bound(self._settings.port, connections)
        try:
            if self._settings.tls_port is not None:
                context = server_context(self._settings)
                self._tls_server = self._bound(self._settings.tls_port, connections, context)
            self._archive.objects.prepare()
            close_all(self._archive.database)
            self._keeper.start()
            if count := recover(self._archive):
                _log.info("instances_recovered", count=count)
        except BaseException:
            self._keeper.stop()
            for server in self._servers():
                server.server_close()
            raise
        self._crew.muster()
        for server in self._servers():
            self._run(server.serve_forever, 0.1)
        self._run(self._settle_until_stopped, connections)
        self._handlers.services.start()
        _log.info(
            "ready",
            host=self._settings.host,
            port=self.port,
            tls_port=self.tls_port,
            ae_title=self._settings.ae_title,
        )

    def stop(self) -> None:
        """Take nothing new, finish what is in hand, and end every association."""
        if self._server is None:
            return
        for server in self._servers():
            server.shutdown()
        self._handlers.stop(_IN_HAND_SECONDS)
        farewells = [
            threading.Thread(target=association.abort, daemon=True)
            for association in self._server.connections.all()
        ]
        for farewell in farewells:
            farewell.start()
        for farewell in farewells:
            farewell.join(_GOODBYE_SECONDS / len(farewells))
        self._crew.dismiss()
        self._stopped.set()
        for thread in self._threads:
            thread.join(_GOODBYE_SECONDS)
        self._keeper.stop()
        self._server = self._tls_server = None
        _log.info("stopped")

    def _servers(self) -> list["_Server"]:
        return [server for server in (self._server, self._tls_server) if server is not None]

    def _bound(self, port: int, connections: Connections, context: ssl.SSLContext | None = None) -> _Server:
        settings = self._settings
        entity = AE(ae_title=settings.ae_title)
        entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        entity.maximum_pdu_size = settings.maximum_pdu_bytes
        entity.maximum_associations = 2**31  # places are counted by connections
        entity.acse_timeout = settings.association_seconds
        entity.dimse_timeout = settings.idle_seconds
        entity.network_timeout = settings.idle_seconds
        try:
            server = entity.make_server(
                (settings.host, port),
                ssl_context=context,
                contexts=supported_contexts(settings.accept_further),
                evt_handlers=[
                    (evt.EVT_REQUESTED, self._handlers.requested),
                    (evt.EVT_C_STORE, self._handlers.stored),
                ],
                server_class=_Server,
            )
        except OSError as error:
            reason = error.strerror or str(error)
            raise AddressTakenError(settings.host, port, reason) from error
        accepting = cast("_Server", server)
        accepting.limits = Limits(
            pdu=settings.maximum_pdu_bytes,
            data_set=settings.maximum_data_set_bytes,
            request_seconds=settings.association_seconds,
            idle_seconds=settings.idle_seconds,
            pdu_seconds=min(PDU_SECONDS, settings.idle_seconds),
        )
        accepting.handlers = self._handlers
        accepting.crew = self._crew
        accepting.connections = connections
        accepting.provider, accepting.service = Provider, None
        if self._is_fast():
            accepting.provider, accepting.service = FastProvider, self._service(accepting, context)
        return accepting

    def _service(self, server: _Server, context: ssl.SSLContext | None) -> Service:
        """Return what the associations of a port share that the library does not serve."""

        def secure(connection: Connection) -> None:
            if context is not None:
                connection.secure(context, server.limits.request_seconds)

        contexts = {
            str(each.abstract_syntax): tuple(map(str, each.transfer_syntax)) for each in server.contexts
        }
        return Service(
            limits=server.limits,
            handlers=self._handlers,
            connections=server.connections,
            offer=Offer(contexts, longest=server.limits.pdu),
            secure=secure,
            hand_over=server.hand_over,
        )

    def _is_fast(self) -> bool:
        """Tell whether the short ways past the library are open."""
        if not self._settings.fast_store:
            return False
        if not is_tested():
            _log.warning("fast_store_off", library=pynetdicom.__version__, tested=sorted(TESTED_VERSIONS))
            return False
        return True

    def _run(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _settle_until_stopped(self, connections: Connections) -> None:
        """Settle quiet studies; a database that is away is asked again."""
        pause, clock = min(1.0, self._settings.quiet_period_seconds / 4), ClockWatch()
        while not self._stopped.wait(pause):
            if seconds := clock.step():
                CLOCK_STEPS.inc()
                _log.warning("clock_stepped", seconds=round(seconds, 1))
            try:
                close_ended(self._archive.database, self._process, connections.active())
                if count := self._settler.settle():
                    SETTLED.inc(count)
                    LAST_SETTLED.set_to_current_time()
                    _log.info("studies_settled", count=count)
            except ArchiveError as error:
                _log.warning("settling_postponed", reason=str(error))
