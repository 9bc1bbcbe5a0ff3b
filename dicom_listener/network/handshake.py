"""Association requests of the usual kind, answered by hand (PS3.8 sections 9.3.2 and 9.3.3).

Usual is a request that proposes presentation contexts and says who it is. Whatever negotiates more, such as
roles, or is written in another way than everybody's, is left to the library.
"""

import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dicom_listener.archive.file_meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicom_listener.archive.senders import is_ae_title
from dicom_listener.archive.uids import is_uid
from dicom_listener.network.pdus import ASSOCIATE_AC, HEAD
from dicom_listener.network.requests import (
    ABSTRACT_SYNTAX,
    APPLICATION_CONTEXT,
    FIXED,
    IMPLEMENTATION_UID,
    IMPLEMENTATION_VERSION,
    MAXIMUM_LENGTH,
    PRESENTATION_CONTEXT,
    TRANSFER_SYNTAX,
    USER_INFORMATION,
    InvalidRequestError,
    items,
    well_formed,
    written,
)

APPLICATION_CONTEXT_NAME = "1.2.840.10008.3.1.1.1"
"""DICOM's own (PS3.7 Annex A.2.1)."""

_TITLE = 16
_TITLES = slice(10, 10 + 2 * _TITLE)  # called, then calling
_PROTOCOL = struct.Struct(">6xH")
_FIRST_PROTOCOL = 1
_LONG = struct.Struct(">L")
_RESULT_ITEM = 0x21
_ACCEPTED, _ABSTRACT_SYNTAX_UNKNOWN, _TRANSFER_SYNTAXES_UNKNOWN = 0, 3, 4  # PS3.8 Table 9-18
_PARTS = frozenset({MAXIMUM_LENGTH, IMPLEMENTATION_UID})
_REMEMBERED = 16
_LONGEST_REMEMBERED = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A presentation context as a peer proposes it."""

    context_id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationRequest:
    """What an A-ASSOCIATE-RQ of the usual kind says."""

    calling_ae: str
    called_ae: str
    longest: int  # P-DATA-TF that the peer takes, in bytes; 0 where it takes any
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedContext:
    """A presentation context that both sides have agreed on."""

    context_id: int
    abstract_syntax: str
    transfer_syntax: str
    is_scp: bool = True  # it is for the peer to ask and for us to serve, as long as no roles are negotiated


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A request and its answer."""

    request: AssociationRequest
    contexts: Mapping[int, AgreedContext]
    acceptance: bytes  # the A-ASSOCIATE-AC


class Offer:
    """What a listener offers to every sender; the answer to a request is worked out once."""

    def __init__(self, contexts: Mapping[str, Sequence[str]], *, longest: int) -> None:
        """Offer transfer syntaxes, best first, by abstract syntax, and take PDUs of `longest` bytes."""
        self._contexts = dict(contexts)
        own = (
            (MAXIMUM_LENGTH, _LONG.pack(longest)),
            (IMPLEMENTATION_UID, IMPLEMENTATION_CLASS_UID.encode("ascii")),
            (IMPLEMENTATION_VERSION, IMPLEMENTATION_VERSION_NAME.encode("ascii")),
        )
        self._user_information = written(USER_INFORMATION, b"".join(written(*part) for part in own))
        self._remembered = lru_cache(_REMEMBERED)(self._agreement)

    def agreement(self, pdu: bytes) -> Agreement | None:
        """Return what a request leads to; None where it is not of the usual kind."""
        return self._remembered(pdu) if len(pdu) <= _LONGEST_REMEMBERED else self._agreement(pdu)

    def _agreement(self, pdu: bytes) -> Agreement | None:
        request = read_association_request(pdu)
        if request is None:
            return None
        results = sorted(map(self._result, request.proposals), key=lambda each: (each[0] != 0, each[1]))
        accepted = {each.context_id: each for result, _, each in results if result == _ACCEPTED}
        return Agreement(
            request=request, contexts=accepted, acceptance=self._acceptance(pdu[_TITLES], results)
        )

    def _result(self, proposal: Proposal) -> tuple[int, int, AgreedContext]:
        """Return the result for a proposal, its number, and what is agreed on if the result is acceptance."""
        offered: Collection[str] = self._contexts.get(proposal.abstract_syntax, ())
        common = [each for each in offered if each in proposal.transfer_syntaxes]
        result = _ACCEPTED
        if not common:
            result = _TRANSFER_SYNTAXES_UNKNOWN if offered else _ABSTRACT_SYNTAX_UNKNOWN
        context = AgreedContext(
            context_id=proposal.context_id,
            abstract_syntax=proposal.abstract_syntax,
            transfer_syntax=common[0] if common else proposal.transfer_syntaxes[0],
        )
        return result, proposal.context_id, context

    def _acceptance(self, titles: bytes, results: Sequence[tuple[int, int, AgreedContext]]) -> bytes:
        """Return the A-ASSOCIATE-AC; the transfer syntax of a context that is refused means nothing."""
        content = b"".join(
            (
                struct.pack(">H2x", _FIRST_PROTOCOL),
                titles,
                bytes(32),
                written(APPLICATION_CONTEXT, APPLICATION_CONTEXT_NAME.encode("ascii")),
                *(_written_result(result, context) for result, _, context in results),
                self._user_information,
            )
        )
        return HEAD.pack(ASSOCIATE_AC, len(content)) + content


def read_association_request(pdu: bytes) -> AssociationRequest | None:
    """Return what a whole A-ASSOCIATE-RQ says; None where it is not of the usual kind."""
    try:
        if well_formed(pdu) != pdu:  # there is something in it that nobody knows
            return None
    except InvalidRequestError:
        return None
    content = list(items(pdu[FIXED:]))
    of_kind = {kind: value for kind, value in content if kind != PRESENTATION_CONTEXT}
    called, calling = map(_title, (pdu[10 : 10 + _TITLE], pdu[10 + _TITLE : 10 + 2 * _TITLE]))
    longest = _longest(of_kind[USER_INFORMATION])
    proposals = tuple(_proposal(value) for kind, value in content if kind == PRESENTATION_CONTEXT)
    syntaxes = (each for one in proposals for each in (one.abstract_syntax, *one.transfer_syntaxes))
    is_usual = (
        _PROTOCOL.unpack_from(pdu)[0] == _FIRST_PROTOCOL
        and of_kind[APPLICATION_CONTEXT] == APPLICATION_CONTEXT_NAME.encode("ascii")
        and is_ae_title(called)
        and is_ae_title(calling)
        and all(map(is_uid, syntaxes))
    )
    if longest is None or not is_usual:
        return None
    return AssociationRequest(calling_ae=calling, called_ae=called, longest=longest, proposals=proposals)


def _title(field: bytes) -> str:
    """Return the AE title in a field of its own length; what is no title stays none."""
    return field.rstrip(b" ").decode("latin-1")


def _proposal(content: bytes) -> Proposal:
    syntaxes = [(kind, uid.decode("latin-1")) for kind, uid in items(content[4:])]
    (abstract,) = (uid for kind, uid in syntaxes if kind == ABSTRACT_SYNTAX)
    transfer = tuple(uid for kind, uid in syntaxes if kind == TRANSFER_SYNTAX)
    return Proposal(context_id=content[0], abstract_syntax=abstract, transfer_syntaxes=transfer)


def _longest(user_information: bytes) -> int | None:
    """Return the longest PDU that a peer takes; None where it negotiates more (PS3.7 Annex D.3.3)."""
    parts = dict(items(user_information))
    is_usual = parts.keys() - {IMPLEMENTATION_VERSION} == _PARTS
    if not is_usual or not is_uid(parts[IMPLEMENTATION_UID].decode("latin-1")):
        return None
    version = parts.get(IMPLEMENTATION_VERSION, b"-")
    if not version.isascii() or not version.decode("ascii").isprintable():
        return None
    return int(_LONG.unpack(parts[MAXIMUM_LENGTH])[0])


def _written_result(result: int, context: AgreedContext) -> bytes:
    syntax = written(TRANSFER_SYNTAX, context.transfer_syntax.encode("ascii"))
    return written(_RESULT_ITEM, bytes([context.context_id, 0, result, 0]) + syntax)
