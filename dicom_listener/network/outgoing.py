"""A data set on its way out: read as the peer takes it, never in memory as a whole."""

from time import monotonic
from typing import Any

from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu_primitives import P_DATA

from dicom_listener.archive.contents import Content

_LONGEST = 128 * 1024
"""Longest PDU that is sent, in bytes, to peers that take longer ones or name no limit."""

_FRAMING = 6  # bytes of a PDU beside its fragment, as the limit counts them (PS3.8 Table 9-23, Annex D.1)
_AHEAD = 8  # fragments that are read before the first of them is sent
_SECONDS = 60.0  # for a peer to take the next fragment
_LOOK_SECONDS = 0.5
_ESTABLISHED = "Sta6"
_HAS_DATA_SET = 0x0001
_MORE, _LAST = b"\x00", b"\x02"  # message control headers of data set fragments (PS3.8 E.2)


class NotSentError(Exception):
    """The association ended, the peer reads no more, or the data set cannot be read."""


def send_with_data_set(
    association: Any,  # noqa: ANN401 - the library's
    request: C_STORE,
    context_id: int | None,
    content: Content,
    start: int,
) -> None:
    """Send a request and its data set, as the peer takes it.

    Parameters
    ----------
    association
        An open association.
    request
        What comes before the data set.
    context_id
        The presentation context of both.
    content
        What the data set is read from.
    start
        Where in `content` it begins, with at least one byte; it ends where that does.

    Raises
    ------
    NotSentError
        The message is not whole, so that nothing else can be sent over the association.
    """
    limit = min(association.dimse.maximum_pdu_size or _LONGEST, _LONGEST)
    message: Any = C_STORE_RQ()
    message.primitive_to_message(request)
    message.command_set.CommandDataSetType = _HAS_DATA_SET
    for command in message.encode_msg(context_id, limit):
        _send(association, command)
    left = content.length - start
    try:
        for piece in content.pieces(start, limit - _FRAMING):
            left -= len(piece)
            fragment: Any = P_DATA()
            control = _MORE if left else _LAST
            fragment.presentation_data_value_list.append((context_id, control + piece))
            _send(association, fragment)
    except OSError as error:
        raise NotSentError from error
    if left:
        raise NotSentError


def _send(association: Any, primitive: Any) -> None:  # noqa: ANN401 - the library's
    """Have a fragment sent, once few others wait for that."""
    waiting = association.dul.to_provider_queue
    deadline = monotonic() + _SECONDS
    with waiting.not_full:  # whoever takes one out says so
        while len(waiting.queue) >= _AHEAD:
            if not _is_open(association) or monotonic() > deadline:
                raise NotSentError
            waiting.not_full.wait(_LOOK_SECONDS)
    if not _is_open(association):
        raise NotSentError
    association.dul.send_pdu(primitive)


def _is_open(association: Any) -> bool:  # noqa: ANN401 - the library's
    return bool(association.dul.state_machine.current_state == _ESTABLISHED)
