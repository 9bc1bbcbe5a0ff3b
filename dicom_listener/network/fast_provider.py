"""A C-STORE's data set straight from the socket into one buffer, and short answers without a detour.

C-ECHO, and a C-FIND with few matches, are answered by the thread that reads them. The library serves all
other messages, and whatever is out of the ordinary.

This leans on the library's internals, so it serves only with the versions it was tested with.
"""

import struct
from time import monotonic
from typing import Any, cast

import pynetdicom

from dicom_listener.archive.syntaxes import TRANSFER_SYNTAXES
from dicom_listener.archive.uids import is_uid
from dicom_listener.metrics import SERVICES, STAGES
from dicom_listener.network.command_set import FRAMING, data_set_pdu, whole_fragment
from dicom_listener.network.contexts import VERIFICATION
from dicom_listener.network.identifiers import PATIENT_ROOT, STUDY_ROOT
from dicom_listener.network.incoming import Incoming, Place
from dicom_listener.network.limits import Limits
from dicom_listener.network.provider import INVALID, Provider
from dicom_listener.network.short_message import ShortRequest, read_short_request
from dicom_listener.network.store_message import StoreRequest, read_request, write_response

TESTED_VERSIONS = frozenset({"3.0.4"})
"""Versions of pynetdicom whose internals are as this module takes them."""

_HEAD = struct.Struct(">BxL")
_FRAGMENT = struct.Struct(">LBB")
_DATA = 0x04
_ESTABLISHED = "Sta6"
_LAST_COMMAND, _LAST_DATA, _IS_COMMAND = 0x03, 0x02, 0x01
_RECEIVE = STAGES.labels("receive")
_ANSWER_SECONDS = 15.0
_LONGEST_ANSWER = 512
_SUCCESS = 0x0000
_ECHOES = frozenset({VERIFICATION})
_FINDS = frozenset({PATIENT_ROOT + "1", STUDY_ROOT + "1"})


def is_tested() -> bool:
    """Tell whether the library is one that the fast path was tested with."""
    return pynetdicom.__version__ in TESTED_VERSIONS


class _BrokenError(Exception):
    """The fragments of a message are not as PS3.8 Annex E wants them."""


class FastProvider(Provider):
    """The upper layer, with a way of its own for C-STORE."""

    def __init__(self, assoc: Any, limits: Limits) -> None:  # noqa: ANN401 - the library's
        """Provide for one association within `limits`."""
        super().__init__(assoc, limits)
        self._place = Place()

    def close(self) -> None:
        """Give back what the association holds."""
        super().close()
        self._place.free()

    def _data(self, head: bytearray, length: int, deadline: float) -> str | None:
        content = self._whole(head, length, deadline)
        request = self._store_request(content)
        if request is None:
            short = self._short_request(content)
            return self._decoded(content) if short is None else self._answer(short, content)
        # From here on the message is a C-STORE's, and the library does not see it.
        try:
            return self._store(request)
        except _BrokenError:
            return INVALID

    def _store_request(self, content: bytearray) -> StoreRequest | None:
        """Return the C-STORE request that a P-DATA-TF consists of; None where it is the library's."""
        dimse = self._association.dimse
        command = whole_fragment(content, _LAST_COMMAND)
        if command is None or not self._is_at_rest() or dimse.msg_queue.qsize():
            return None
        request = read_request(*command)
        return request if request is not None and self._is_plain(request) else None

    def _is_at_rest(self) -> bool:
        """Tell whether no message is on its way in, and the association goes on."""
        association = self._association
        return (
            self.state_machine.current_state == _ESTABLISHED
            and self.event_queue.empty()
            and association.dimse.message is None
            and association.is_established
        )

    def _short_request(self, content: bytearray) -> ShortRequest | None:
        """Return the request that may be answered here, while nothing else is being answered."""
        command = whole_fragment(content, _LAST_COMMAND)
        if command is None or not self._is_at_rest() or self._association.dimse.msg_queue.unfinished_tasks:
            return None
        request = read_short_request(*command)
        if request is None:
            return None
        context = self._association._accepted_cx.get(request.context_id)  # noqa: SLF001 - the library's name
        is_served = request.sop_class_uid in (_FINDS if request.is_find else _ECHOES)
        is_own = context is not None and str(context.abstract_syntax) == request.sop_class_uid
        return request if is_served and is_own else None

    def _answer(self, request: ShortRequest, content: bytearray) -> str | None:
        """Answer a short request; where that is not possible, let the library do so."""
        if not request.is_find:
            SERVICES.labels("c_echo").inc()
            self.socket.deliver(request.answer(_SUCCESS), seconds=_ANSWER_SECONDS)
            return None
        deadline = monotonic() + self._limits.pdu_seconds
        head = bytearray(_HEAD.size)
        self.socket.receive(memoryview(head), deadline)
        kind, length = _HEAD.unpack(head)
        if not self._is_acceptable(kind, length):
            return INVALID
        following = self._whole(head, length, deadline)
        answer = self._found(request, following)
        if answer is None or self.socket.ready:  # the peer may have cancelled it
            self.event_queue.put(self._decoded(content))
            return self._decoded(following)
        SERVICES.labels("c_find").inc()
        self.socket.deliver(answer, seconds=_ANSWER_SECONDS)
        return None

    def _found(self, request: ShortRequest, following: bytearray) -> bytes | None:
        """Return the whole answer to a C-FIND; None where it is not for here."""
        association = self._association
        identifier = whole_fragment(following, _LAST_DATA)
        if identifier is None or identifier[0] != request.context_id:
            return None
        syntax = str(association._accepted_cx[request.context_id].transfer_syntax[0])  # noqa: SLF001 - as above
        is_explicit = TRANSFER_SYNTAXES[syntax].is_explicit
        found = association.few(identifier[1], request.sop_class_uid, is_explicit=is_explicit)
        if found is None:
            return None
        status, matches = found
        longest = cast("int", association.requestor.maximum_length)
        if longest and any(len(each) + FRAMING > longest for each in matches):
            return None
        pending = request.answer(status, with_data_set=True)
        answers = (pending + data_set_pdu(request.context_id, each) for each in matches)
        return b"".join((*answers, request.answer(_SUCCESS)))

    def _is_plain(self, request: StoreRequest) -> bool:
        """Tell whether nothing about a request needs the library's judgement."""
        association = self._association
        context = association._accepted_cx.get(request.context_id)  # noqa: SLF001 - the library's name for it
        return (
            context is not None
            and str(context.abstract_syntax) == request.sop_class_uid
            and bool(context.as_scp)
            and is_uid(request.sop_class_uid)
            and is_uid(request.sop_instance_uid)
            and not 0 < cast("int", association.requestor.maximum_length) < _LONGEST_ANSWER
        )

    def _store(self, request: StoreRequest) -> str | None:
        """Receive the data set and answer; return an event where something else came instead."""
        association = self._association
        handlers = association._server.handlers  # noqa: SLF001 - set by our own server
        context = association._accepted_cx[request.context_id]  # noqa: SLF001 - the library's name for it
        syntax = str(context.transfer_syntax[0])
        arrival = handlers.announced(association, request.sop_class_uid, request.sop_instance_uid, syntax)
        with Incoming(lambda: handlers.draft(arrival), self._place) as incoming:
            is_last, began_at = False, monotonic()
            while not is_last:
                if self._limits.is_too_slow(incoming.length, monotonic() - began_at):
                    raise _BrokenError
                deadline = monotonic() + self._limits.pdu_seconds
                head = bytearray(_HEAD.size)
                self.socket.receive(memoryview(head), deadline)
                kind, length = _HEAD.unpack(head)
                if kind != _DATA:
                    return self._other(head, deadline)
                if not self._is_acceptable(kind, length):
                    raise _BrokenError
                is_last = self._receive_fragments(incoming, request.context_id, length, deadline)
            _RECEIVE.observe(monotonic() - began_at)
            status, comment = handlers.arrived(association, arrival, incoming)
        self.socket.deliver(write_response(request, status, comment), seconds=_ANSWER_SECONDS)
        return None

    def _receive_fragments(self, incoming: Incoming, context_id: int, length: int, deadline: float) -> bool:
        """Receive the fragments of one PDU; tell whether the last was among them."""
        is_last, head = False, bytearray(_FRAGMENT.size)
        while length:
            if is_last or length < _FRAGMENT.size:
                raise _BrokenError
            self.socket.receive(memoryview(head), deadline)
            size, context, control = _FRAGMENT.unpack(head)
            if not 2 <= size <= length - 4 or context != context_id or control & _IS_COMMAND:
                raise _BrokenError
            is_last = bool(control & _LAST_DATA)
            if (size == 2 and not is_last) or incoming.length + size - 2 > self._limits.data_set:
                raise _BrokenError
            if size > 2:
                place = incoming.room(size - 2)
                self.socket.receive(place, deadline)
                incoming.took(place)
            length -= 4 + size
        return is_last

    def _other(self, head: bytearray, deadline: float) -> str:
        """Read what came instead of the rest of a data set: the end of the association, or nonsense."""
        kind, length = _HEAD.unpack(head)
        if not self._is_acceptable(kind, length):
            return INVALID
        return self._decoded(self._whole(head, length, deadline))
