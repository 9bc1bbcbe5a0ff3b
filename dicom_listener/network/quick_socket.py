"""A connection as the library's state machine wants to have it."""

from typing import Any

from pynetdicom.transport import AssociationSocket

from dicom_listener.network.transport import Connection

_SEND_SECONDS = 15.0


class QuickSocket(AssociationSocket):
    """The library's socket over a connection of ours."""

    def __init__(self, assoc: Any, connection: Connection) -> None:  # noqa: ANN401 - the library's
        """Serve `connection` for an association."""
        self.connection = connection
        super().__init__(assoc, client_socket=connection.socket)

    @property
    def socket(self) -> Any:  # noqa: ANN401 - plain or TLS; None once closed
        """The connection's socket, under the name by which the library asks for it."""
        return self.connection.socket

    @socket.setter
    def socket(self, value: Any) -> None:  # noqa: ANN401 - as above
        self.connection.socket = value

    @property
    def ready(self) -> bool:
        """Whether there is something to read."""
        return self._is_connected and self.connection.ready

    def send(self, bytestream: bytes) -> None:
        """Send what the library wants sent; a peer that does not read loses the connection."""
        try:
            self.connection.deliver(bytestream, seconds=_SEND_SECONDS)
        except (OSError, AttributeError):
            self.event_queue.put("Evt17")  # transport connection closed (PS3.8 section 9.2.1)

    def _shutdown_socket(self) -> None:
        """Close the socket, also where the peer was faster."""
        self.connection.close()
