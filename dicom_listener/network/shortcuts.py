"""Messages that are served without the library: C-STORE, C-ECHO, and a C-FIND with few matches.

A C-STORE's data set goes straight from the connection into one buffer. All other messages, and whatever is
out of the ordinary, are left to the library.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from dicom_listener.archive.provenance import Provenance
from dicom_listener.archive.syntaxes import TRANSFER_SYNTAXES
from dicom_listener.archive.uids import is_uid
from dicom_listener.metrics import SERVICES, STAGES
from dicom_listener.network.command_set import FRAMING, data_set_pdu, whole_fragment
from dicom_listener.network.contexts import VERIFICATION
from dicom_listener.network.find import Few
from dicom_listener.network.handlers import Handlers
from dicom_listener.network.handshake import AgreedContext
from dicom_listener.network.identifiers import PATIENT_ROOT, STUDY_ROOT
from dicom_listener.network.incoming import Incoming, Place
from dicom_listener.network.limits import Limits
from dicom_listener.network.pdus import DATA, HEAD
from dicom_listener.network.short_message import ShortRequest, read_short_request
from dicom_listener.network.store_message import StoreRequest, read_request, write_response
from dicom_listener.network.transport import Connection

_FRAGMENT = struct.Struct(">LBB")
_LAST_COMMAND, _LAST_DATA, _IS_COMMAND = 0x03, 0x02, 0x01
_RECEIVE = STAGES.labels("receive")
_ANSWER_SECONDS = 15.0
_LONGEST_ANSWER = 512
_SUCCESS = 0x0000
_ECHOES = frozenset({VERIFICATION})
_FINDS = frozenset({PATIENT_ROOT + "1", STUDY_ROOT + "1"})


class BrokenMessageError(Exception):
    """The fragments of a message are not as PS3.8 Annex E wants them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Whom an association is with, and what was agreed on."""

    provenance: Provenance
    context: Callable[[int], AgreedContext | None]  # by its number
    longest: int  # P-DATA-TF that the peer takes, in bytes; 0 where it takes any
    few: Few


class Shortcuts:
    """The short ways of one association."""

    def __init__(self, limits: Limits, handlers: Handlers) -> None:
        """Serve within `limits`."""
        self._limits = limits
        self._handlers = handlers
        self._place = Place()

    def free(self) -> None:
        """Give its memory back."""
        self._place.free()

    def serve(
        self, content: bytearray, connection: Connection, peer: Peer, *, is_idle: bool = True
    ) -> Sequence[bytearray]:
        """Serve the message that a P-DATA-TF begins, if there is a short way.

        Parameters
        ----------
        content
            The whole PDU.
        connection
            Where the rest of the message comes from, and the answer goes to.
        peer
            Who has sent it.
        is_idle
            Whether nothing else is being answered.

        Returns
        -------
        Sequence[bytearray]
            The PDUs that were read and are for the library to serve; none where the message was answered,
            or was left for something else that came instead, which is still to be read.

        Raises
        ------
        BrokenMessageError
            When it is no message.
        OSError
            When the peer is gone, or too slow.
        """
        command = whole_fragment(content, _LAST_COMMAND)
        if command is None:
            return [content]
        store = read_request(*command)
        if store is not None and _is_plain(store, peer):
            self._store(store, connection, peer)
            return ()
        short = read_short_request(*command) if is_idle else None
        if short is None or not _is_served(short, peer):
            return [content]
        if not short.is_find:
            SERVICES.labels("c_echo").inc()
            connection.deliver(short.answer(_SUCCESS), seconds=_ANSWER_SECONDS)
            return ()
        following = self._following(connection)
        answer = _found(short, following, peer)
        if answer is None or connection.ready:  # the peer may have cancelled it
            return content, following
        SERVICES.labels("c_find").inc()
        connection.deliver(answer, seconds=_ANSWER_SECONDS)
        return ()

    def _following(self, connection: Connection) -> bytearray:
        """Read the PDU after a command."""
        deadline, head = monotonic() + self._limits.pdu_seconds, bytearray(HEAD.size)
        connection.receive(memoryview(head), deadline)
        kind, length = HEAD.unpack(head)
        if not self._limits.allow(kind, length):
            raise BrokenMessageError
        content = head + bytes(length)
        connection.receive(memoryview(content)[HEAD.size :], deadline)
        return content

    def _store(self, request: StoreRequest, connection: Connection, peer: Peer) -> None:
        """Receive the data set and answer; what came instead of it is left to be read."""
        context = peer.context(request.context_id)
        assert context is not None  # noqa: S101 - the request is plain
        arrival = self._handlers.announced(
            peer.provenance, request.sop_class_uid, request.sop_instance_uid, context.transfer_syntax
        )
        with Incoming(lambda: self._handlers.draft(arrival), self._place) as incoming:
            is_last, began_at = False, monotonic()
            while not is_last:
                if self._limits.is_too_slow(incoming.length, monotonic() - began_at):
                    raise BrokenMessageError
                deadline, head = monotonic() + self._limits.pdu_seconds, bytearray(HEAD.size)
                connection.receive(memoryview(head), deadline)
                kind, length = HEAD.unpack(head)
                if kind != DATA:
                    connection.unread(head)
                    return
                if not self._limits.allow(kind, length):
                    raise BrokenMessageError
                is_last = self._receive_fragments(connection, incoming, request.context_id, length, deadline)
            _RECEIVE.observe(monotonic() - began_at)
            status, comment = self._handlers.arrived(arrival, incoming)
        connection.deliver(write_response(request, status, comment), seconds=_ANSWER_SECONDS)

    def _receive_fragments(
        self, connection: Connection, incoming: Incoming, context_id: int, length: int, deadline: float
    ) -> bool:
        """Receive the fragments of one PDU; tell whether the last was among them."""
        is_last, head = False, bytearray(_FRAGMENT.size)
        while length:
            if is_last or length < _FRAGMENT.size:
                raise BrokenMessageError
            connection.receive(memoryview(head), deadline)
            size, context, control = _FRAGMENT.unpack(head)
            if not 2 <= size <= length - 4 or context != context_id or control & _IS_COMMAND:
                raise BrokenMessageError
            is_last = bool(control & _LAST_DATA)
            if (size == 2 and not is_last) or incoming.length + size - 2 > self._limits.data_set:
                raise BrokenMessageError
            if size > 2:
                place = incoming.room(size - 2)
                connection.receive(place, deadline)
                incoming.took(place)
            length -= 4 + size
        return is_last


def _is_plain(request: StoreRequest, peer: Peer) -> bool:
    """Tell whether nothing about a C-STORE request needs the library's judgement."""
    context = peer.context(request.context_id)
    return (
        context is not None
        and context.abstract_syntax == request.sop_class_uid
        and context.is_scp
        and is_uid(request.sop_class_uid)
        and is_uid(request.sop_instance_uid)
        and not 0 < peer.longest < _LONGEST_ANSWER
    )


def _is_served(request: ShortRequest, peer: Peer) -> bool:
    """Tell whether a request is for a class that is served here, and agreed on."""
    context = peer.context(request.context_id)
    is_served = request.sop_class_uid in (_FINDS if request.is_find else _ECHOES)
    return is_served and context is not None and context.abstract_syntax == request.sop_class_uid


def _found(request: ShortRequest, following: bytearray, peer: Peer) -> bytes | None:
    """Return the whole answer to a C-FIND; None where it is not for here."""
    identifier, context = whole_fragment(following, _LAST_DATA), peer.context(request.context_id)
    if context is None or identifier is None or identifier[0] != request.context_id:
        return None
    is_explicit = TRANSFER_SYNTAXES[context.transfer_syntax].is_explicit
    found = peer.few(identifier[1], request.sop_class_uid, is_explicit=is_explicit)
    if found is None:
        return None
    status, matches = found
    if peer.longest and any(len(each) + FRAMING > peer.longest for each in matches):
        return None
    pending = request.answer(status, with_data_set=True)
    answers = (pending + data_set_pdu(request.context_id, each) for each in matches)
    return b"".join((*answers, request.answer(_SUCCESS)))
