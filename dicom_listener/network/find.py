"""C-FIND: answer what the archive holds (PS3.4 C.4.1)."""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import structlog
from pydicom import Dataset
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement

from dicom_listener.archive import matching
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.matching import Search
from dicom_listener.archive.senders import Retrieval, Sender
from dicom_listener.errors import ArchiveError, IdentifierError, SearchKeyError
from dicom_listener.network.identifiers import Identifier, for_find, plain_values, values_of
from dicom_listener.network.statuses import QueryStatus, failure

_log = structlog.get_logger()

MAXIMUM_ANSWERS = 10_000
"""More are refused as out of resources."""
_PAGE = 500
_FEW = 50
"""Answers that are sent together, with nothing to cancel in between."""
_EXPLICIT, _IMPLICIT = struct.Struct("<HH2sH"), struct.Struct("<HHL")

Answer = tuple[Dataset, Dataset | None]
Few = Callable[..., tuple[QueryStatus, Sequence[bytes]] | None]
"""`FindService.few` for one sender."""


class FindService:
    """The answers to C-FIND requests over one archive."""

    def __init__(self, archive: Archive) -> None:
        """Search `archive`."""
        self._archive = archive

    def answer(self, event: Any, sender: Sender) -> Iterator[Answer]:  # noqa: ANN401 - the library's event
        """Yield a status and an identifier for each match; the library ends it with Success."""
        if sender.retrieves is Retrieval.NOTHING:
            yield failure(QueryStatus.NOT_AUTHORISED, "This AE may not search."), None
            return
        try:
            asked = for_find(values_of(event.identifier), str(event.request.AffectedSOPClassUID))
            yield from self._matches(event, sender, asked)
        except IdentifierError as error:
            yield failure(QueryStatus.IDENTIFIER_MISMATCH, str(error)), None
        except SearchKeyError as error:
            yield failure(QueryStatus.UNABLE_TO_PROCESS, str(error)), None
        except ArchiveError as error:
            _log.warning("search_postponed", reason=str(error))
            yield failure(QueryStatus.OUT_OF_RESOURCES, "The archive cannot be searched now."), None
        except Exception as error:  # noqa: BLE001 - whatever it is, the peer gets an answer
            _log.error("search_failed", kind=type(error).__name__, calling_ae=sender.calling_ae)
            yield failure(QueryStatus.UNABLE_TO_PROCESS, "The identifier cannot be read."), None

    def few(
        self, identifier: memoryview, model: str, sender: Sender, *, is_explicit: bool
    ) -> tuple[QueryStatus, Sequence[bytes]] | None:
        """Return the status and the identifier of each match, encoded as the request's identifier is.

        Returns
        -------
        tuple[QueryStatus, Sequence[bytes]] | None
            None where there are many, or there is anything to refuse or to say: then `answer` has to.
        """
        values = plain_values(identifier, is_explicit=is_explicit)
        if values is None or sender.retrieves is Retrieval.NOTHING:
            return None
        most = min(_FEW, MAXIMUM_ANSWERS)
        try:
            asked = for_find(values, model)
            search = Search(level=asked.level, keys=asked.keys, site_id=visible_site(sender))
            with self._archive.reading() as connection:
                page = matching.answers(connection, search, limit=most + 1)
        except (IdentifierError, SearchKeyError, ArchiveError):
            return None
        if len(page) > most:
            return None
        texts = (_texts(asked, values, sender.called_ae) for _, values in page)
        return _pending(asked), [_encoded(each, is_explicit=is_explicit) for each in texts]

    def _matches(self, event: Any, sender: Sender, asked: Identifier) -> Iterator[Answer]:  # noqa: ANN401
        search = Search(level=asked.level, keys=asked.keys, site_id=visible_site(sender))
        pending = Dataset()
        pending.Status = _pending(asked)
        sent, after = 0, ""
        while True:
            with self._archive.reading() as connection:
                page = matching.answers(connection, search, after=after, limit=_PAGE)
            for uid, values in page:
                if event.is_cancelled:
                    yield failure(QueryStatus.CANCELLED), None
                    return
                if sent == MAXIMUM_ANSWERS:
                    comment = f"There are more than {MAXIMUM_ANSWERS} matches."
                    yield failure(QueryStatus.OUT_OF_RESOURCES, comment), None
                    return
                sent, after = sent + 1, uid
                yield pending, _identifier(_texts(asked, values, sender.called_ae))
            if len(page) < _PAGE:
                return


def visible_site(sender: Sender) -> str | None:
    """Return the only site whose studies a sender may see, or None where it may see all."""
    return None if sender.retrieves is Retrieval.ARCHIVE else sender.site_id


def _pending(asked: Identifier) -> QueryStatus:
    return QueryStatus.PENDING_WITH_WARNING if asked.has_unsupported_keys else QueryStatus.PENDING


def _texts(asked: Identifier, values: Mapping[str, Any], retrieve_ae: str) -> Mapping[str, str]:
    """Return what an answer says, by keyword."""
    texts = {keyword: _text(value) for keyword, value in values.items()}
    texts |= {
        "QueryRetrieveLevel": asked.level.value,
        "RetrieveAETitle": retrieve_ae,
        "InstanceAvailability": "ONLINE",
    }
    if not all(text.isascii() for text in texts.values()):
        texts["SpecificCharacterSet"] = "ISO_IR 192"
    return texts


def _identifier(texts: Mapping[str, str]) -> Dataset:
    identifier = Dataset()
    for keyword, text in texts.items():
        tag, vr = _TAGS[keyword]
        value = int(text) if vr == "US" and text else text or None
        identifier.add(DataElement(tag, vr, value, validation_mode=IGNORE))
    return identifier


def _encoded(texts: Mapping[str, str], *, is_explicit: bool) -> bytes:
    """Write an identifier, little endian; every value is a short one (PS3.5 section 7.1)."""
    written = []
    for (tag, vr), text in sorted((_TAGS[keyword], text) for keyword, text in texts.items()):
        value = struct.pack("<H", int(text)) if vr == "US" and text else text.encode()
        value += (b"\0" if vr == "UI" else b" ") * (len(value) % 2)
        group, element = tag >> 16, tag & 0xFFFF
        if is_explicit:
            written.append(_EXPLICIT.pack(group, element, vr.encode(), len(value)) + value)
        else:
            written.append(_IMPLICIT.pack(group, element, len(value)) + value)
    return b"".join(written)


def _tag_of(keyword: str) -> tuple[int, str]:
    tag = tag_for_keyword(keyword)
    assert tag is not None  # noqa: S101 - every keyword is one of the dictionary's
    return tag, dictionary_VR(tag)


_TAGS = {
    keyword: _tag_of(keyword)
    for keyword in (
        *matching.ATTRIBUTES,
        "QueryRetrieveLevel",
        "RetrieveAETitle",
        "InstanceAvailability",
        "SpecificCharacterSet",
    )
}
"""Tag and value representation of what an answer may hold."""


def _text(value: Any) -> str:  # noqa: ANN401 - a column of any type
    if value is None:
        return ""
    if isinstance(value, date):
        return f"{value:%Y%m%d}"
    text = str(value)
    return "\\".join(dict.fromkeys(text.split("\\"))) if "\\" in text else text
