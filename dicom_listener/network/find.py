"""C-FIND: answer what the archive holds (PS3.4 C.4.1)."""

from collections.abc import Iterator, Mapping
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
from dicom_listener.network.identifiers import Identifier, for_find
from dicom_listener.network.statuses import QueryStatus, failure

_log = structlog.get_logger()

MAXIMUM_ANSWERS = 10_000
"""More are refused as out of resources."""
_PAGE = 500

Answer = tuple[Dataset, Dataset | None]


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
            asked = for_find(event.identifier, str(event.request.AffectedSOPClassUID))
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

    def _matches(self, event: Any, sender: Sender, asked: Identifier) -> Iterator[Answer]:  # noqa: ANN401
        search = Search(level=asked.level, keys=asked.keys, site_id=visible_site(sender))
        pending = Dataset()
        pending.Status = (
            QueryStatus.PENDING_WITH_WARNING if asked.has_unsupported_keys else QueryStatus.PENDING
        )
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
                yield pending, _identifier(asked, values, sender.called_ae)
            if len(page) < _PAGE:
                return


def visible_site(sender: Sender) -> str | None:
    """Return the only site whose studies a sender may see, or None where it may see all."""
    return None if sender.retrieves is Retrieval.ARCHIVE else sender.site_id


def _identifier(asked: Identifier, values: Mapping[str, Any], retrieve_ae: str) -> Dataset:
    texts = {keyword: _text(value) for keyword, value in values.items()}
    texts |= {
        "QueryRetrieveLevel": asked.level.value,
        "RetrieveAETitle": retrieve_ae,
        "InstanceAvailability": "ONLINE",
    }
    if not all(text.isascii() for text in texts.values()):
        texts["SpecificCharacterSet"] = "ISO_IR 192"
    identifier = Dataset()
    for keyword, text in texts.items():
        tag = tag_for_keyword(keyword)
        assert tag is not None  # noqa: S101 - every keyword is one of the dictionary's
        vr = dictionary_VR(tag)
        value = int(text) if vr == "US" and text else text or None
        identifier.add(DataElement(tag, vr, value, validation_mode=IGNORE))
    return identifier


def _text(value: Any) -> str:  # noqa: ANN401 - a column of any type
    if value is None:
        return ""
    if isinstance(value, date):
        return f"{value:%Y%m%d}"
    text = str(value)
    return "\\".join(dict.fromkeys(text.split("\\"))) if "\\" in text else text
