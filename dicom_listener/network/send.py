"""C-STORE as a user of the service: carry instances to a destination (PS3.4 Annex B)."""

import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pynetdicom import AE, build_context
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.presentation import PresentationContext

from dicom_listener.archive.contents import Content, FileContent
from dicom_listener.archive.destinations import Destination
from dicom_listener.archive.file_meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicom_listener.archive.objects import ObjectStore
from dicom_listener.archive.records import InstanceRecord
from dicom_listener.archive.syntaxes import TRANSFER_SYNTAXES
from dicom_listener.errors import DestinationError, FileUnreadableError, TranscodingError
from dicom_listener.network.outgoing import NotSentError, send_with_data_set
from dicom_listener.network.transcoder import TARGETS, TRANSCODER, can_transcode

_ASSOCIATION_SECONDS = 10
_ANSWER_SECONDS = 60
_MAXIMUM_PDU = 128 * 1024
_MAXIMUM_CONTEXTS = 128  # PS3.8 Table 9-18: odd identifiers below 256
_TRIES = 3
_FILE_META = slice(140, 144)  # value of FileMetaInformationGroupLength (PS3.10 Table 7.1-1)

Kind = tuple[str, str]
"""SOP class UID and transfer syntax UID of an instance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """An instance on its way, as a DICOM file (PS3.10)."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    opened: Callable[[], AbstractContextManager[Content]]  # may be asked for again
    offset: int  # of the data set

    @classmethod
    def kept(cls, record: InstanceRecord, objects: ObjectStore) -> "Outgoing":
        """Send an instance of the archive."""
        return cls(
            sop_class_uid=record.sop_class_uid,
            sop_instance_uid=record.sop_instance_uid,
            transfer_syntax_uid=record.transfer_syntax_uid,
            opened=partial(objects.opened, record.digest),
            offset=record.header_length,
        )

    @classmethod
    def file(cls, path: Path) -> "Outgoing":
        """Send a file.

        Raises
        ------
        FileUnreadableError
            When it cannot be read or is no DICOM file.
        """
        try:
            meta = read_file_meta_info(path)
            with path.open("rb") as file:
                beginning = file.read(_FILE_META.stop)
            found = cls(
                sop_class_uid=str(meta.MediaStorageSOPClassUID),
                sop_instance_uid=str(meta.MediaStorageSOPInstanceUID),
                transfer_syntax_uid=str(meta.TransferSyntaxUID),
                opened=partial(_opened, path),
                offset=_FILE_META.stop + int.from_bytes(beginning[_FILE_META], "little"),
            )
        except (OSError, InvalidDicomError, AttributeError, ValueError) as error:
            raise FileUnreadableError(
                path, getattr(error, "strerror", None) or "it is no DICOM file"
            ) from error
        if found.transfer_syntax_uid not in TRANSFER_SYNTAXES:
            raise FileUnreadableError(path, f"its transfer syntax {found.transfer_syntax_uid!r} is not sent")
        return found

    @property
    def kind(self) -> Kind:
        """What must be negotiated for it."""
        return self.sop_class_uid, self.transfer_syntax_uid


@dataclass(frozen=True, slots=True, kw_only=True)
class Originator:
    """The C-MOVE request that a C-STORE serves (PS3.7 9.1.1.1)."""

    ae_title: str
    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of an instance on its way."""

    status: int | None  # None where no answer came
    reason: str = ""

    @property
    def is_success(self) -> bool:
        """Whether it is kept there, as it was sent."""
        return self.status == 0x0000

    @property
    def is_warning(self) -> bool:
        """Whether it is kept there, though changed (PS3.7 Annex C.4)."""
        return self.status is not None and (
            self.status in {0x0001, 0x0107, 0x0116} or self.status >> 12 == 0xB
        )

    @property
    def is_worth_another_try(self) -> bool:
        """Whether nothing but the moment was wrong: no answer, or out of resources."""
        return self.status is None or self.status >> 8 == 0xA7


_NO_ANSWER = Delivery(status=None, reason="no answer came")


def store(
    association: Any,  # noqa: ANN401 - the library's
    outgoing: Outgoing,
    message_id: int,
    originator: Originator | None = None,
) -> Delivery:
    """Send one instance over an open association, in the association's own thread or with its own asleep.

    The kept bytes go out as they are where the peer accepts their transfer syntax.
    """
    context = _context(association, outgoing.kind)
    if context is None:
        return Delivery(status=0x0122, reason="the peer accepts no transfer syntax that it can be sent in")
    request = C_STORE()
    request.MessageID = message_id
    request.AffectedSOPClassUID = outgoing.sop_class_uid
    request.AffectedSOPInstanceUID = outgoing.sop_instance_uid
    request.Priority = 0x0000
    if originator is not None:
        request.MoveOriginatorApplicationEntityTitle = originator.ae_title
        request.MoveOriginatorMessageID = originator.message_id
    try:
        with _encoded(outgoing, str(context.transfer_syntax[0])) as (encoded, start):
            if encoded.length <= start:
                return Delivery(status=0xC000, reason="its file ends before its data set")
            send_with_data_set(association, request, context.context_id, encoded, start)
    except TranscodingError as error:
        return Delivery(status=0xC000, reason=str(error))
    except NotSentError:
        association.abort()
        return _NO_ANSWER
    _, answer = association.dimse.get_msg(block=True)
    if not isinstance(answer, C_STORE) or answer.MessageIDBeingRespondedTo != message_id:
        return _NO_ANSWER
    return Delivery(status=answer.Status, reason=str(getattr(answer, "ErrorComment", None) or ""))


@contextmanager
def _encoded(outgoing: Outgoing, transfer_syntax_uid: str) -> Iterator[tuple[Content, int]]:
    """Lend what holds the data set in a transfer syntax, and say where it begins there."""
    with outgoing.opened() as content:
        if transfer_syntax_uid == outgoing.transfer_syntax_uid:
            yield content, outgoing.offset
        else:
            with TRANSCODER.transcoded(content, transfer_syntax_uid) as written:
                yield written, 0


@contextmanager
def _opened(path: Path) -> Iterator[Content]:
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise FileUnreadableError(path, error.strerror or "it cannot be opened") from error
    with file:
        yield FileContent(file)


def _context(association: Any, kind: Kind) -> PresentationContext | None:  # noqa: ANN401 - the library's
    sop_class, syntax = kind
    accepted = {
        str(context.transfer_syntax[0]): context
        for context in association.accepted_contexts
        if context.abstract_syntax == sop_class and context.as_scu
    }
    usable = (syntax, *TARGETS) if can_transcode(syntax) else (syntax,)
    return next((accepted[each] for each in usable if each in accepted), None)


def contexts_for(kinds: Iterable[Kind]) -> list[PresentationContext]:
    """Offer every instance's own transfer syntax, each alone, and an uncompressed one beside it."""
    wanted = sorted(set(kinds))
    own = [build_context(sop_class, [syntax]) for sop_class, syntax in wanted]
    classes = dict.fromkeys(sop_class for sop_class, _ in wanted)
    return (own + [build_context(sop_class, list(TARGETS)) for sop_class in classes])[:_MAXIMUM_CONTEXTS]


@contextmanager
def associated(
    destination: Destination,
    calling_ae: str,
    contexts: Sequence[PresentationContext],
    *,
    tls: ssl.SSLContext | None = None,
    roles: Sequence[Any] = (),
) -> Iterator[Any]:
    """Yield an association whose own thread sleeps, so that every answer reaches the caller.

    Raises
    ------
    DestinationError
        When the destination cannot be reached, or does not accept.
    """
    if destination.is_tls and tls is None:
        raise DestinationError(destination.ae_title, "it wants TLS, for which no certificate is set")
    entity = AE(ae_title=calling_ae)
    entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    entity.connection_timeout = entity.acse_timeout = _ASSOCIATION_SECONDS
    entity.dimse_timeout = entity.network_timeout = _ANSWER_SECONDS
    association = entity.associate(
        destination.host,
        destination.port,
        contexts=list(contexts),
        ae_title=destination.ae_title,
        max_pdu=_MAXIMUM_PDU,
        ext_neg=list(roles),
        tls_args=(tls, destination.host) if tls is not None and destination.is_tls else None,
    )
    if not association.is_established:
        if association.dul.socket is not None:
            association.dul.socket.close()
        reason = "it rejected the association" if association.is_rejected else "it cannot be reached"
        raise DestinationError(destination.ae_title, reason)
    _send_at_once(association)
    _put_to_sleep(association)
    try:
        yield association
    finally:
        association._reactor_checkpoint.set()  # noqa: SLF001 - see _put_to_sleep
        if association.is_established:
            association.release()


def _send_at_once(association: Any) -> None:  # noqa: ANN401 - the library's
    """Let no packet wait for the acknowledgement of the one before, nor for ever for a peer that is deaf."""
    transport = association.dul.socket.socket
    transport.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", _ANSWER_SECONDS, 0))


def _put_to_sleep(association: Any) -> None:  # noqa: ANN401 - the library's
    """Let the library's thread rest; awake, it takes an answer now and then that is meant for us."""
    association._reactor_checkpoint.clear()  # noqa: SLF001 - the library has no public way
    for _ in range(2):  # it may have been between its rest and its round
        while not association._is_paused and association.is_alive():  # noqa: SLF001 - as above
            time.sleep(0.001)
        time.sleep(0.002)


class Courier:
    """Carry instances to one destination; an association that is lost is asked for again.

    Use it inside a ``with`` block.
    """

    def __init__(
        self,
        destination: Destination,
        calling_ae: str,
        kinds: Iterable[Kind],
        *,
        tls: ssl.SSLContext | None = None,
        pause: float = 1.0,
    ) -> None:
        """Offer what `kinds` need; between tries wait `pause` seconds, then twice as long."""
        self._destination = destination
        self._calling_ae = calling_ae
        self._contexts = contexts_for(kinds)
        self._tls = tls
        self._pause = pause
        self._message_ids = count(1)
        self._opened: Any = None
        self._association: Any = None

    def __enter__(self) -> Self:
        """Open the association.

        Raises
        ------
        DestinationError
            When the destination cannot be reached, or does not accept.
        """
        self._open()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Release it."""
        self._close()

    def deliver(self, outgoing: Outgoing, originator: Originator | None = None) -> Delivery:
        """Send one instance, at most three times."""
        delivery = _NO_ANSWER
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(self._pause * 2 ** (attempt - 1))
            delivery = self._try(outgoing, originator)
            if not delivery.is_worth_another_try:
                break
        return delivery

    def _try(self, outgoing: Outgoing, originator: Originator | None) -> Delivery:
        try:
            if self._association is None or not self._association.is_established:
                self._close()
                self._open()
        except DestinationError as error:
            return Delivery(status=None, reason=str(error))
        message_id = next(self._message_ids) % 0xFFFF + 1
        delivery = store(self._association, outgoing, message_id, originator)
        if delivery.status is None:
            self._association.abort()
            self._close()
        return delivery

    def _open(self) -> None:
        opened = associated(self._destination, self._calling_ae, self._contexts, tls=self._tls)
        self._association = opened.__enter__()
        self._opened = opened

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.__exit__(None, None, None)
        self._opened = self._association = None
