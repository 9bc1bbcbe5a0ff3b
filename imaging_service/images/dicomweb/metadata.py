"""Metadata of instances in the DICOM JSON model (PS3.18 10.4.1.1.2 and Annex F)."""

import json
import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from threading import Lock
from typing import Any

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement

from dicom_listener.archive.records import InstanceRecord
from imaging_service.images.dicomweb.attributes import Json
from imaging_service.images.dicomweb.blinding import (
    CODE_TAGS,
    Blinding,
    blinded_elements,
    is_identity_removed,
    replaced,
)
from imaging_service.images.dicomweb.kept import KeptInstance

_PIECE = 2**18
_SHORT = 256
_PLAIN = frozenset(
    {
        *("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO"),
        *("LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US"),
    }
)
"""Kinds of values that are written the same whatever stands beside them."""

_Key = tuple[int, str | None, Any]
"""Tag, value representation as read, and bytes."""


class Fragments:
    """Elements as JSON, by their bytes: the instances of a series say most things alike."""

    def __init__(self, *, contexts: int = 16, most: int = 4096) -> None:
        """Keep at most so many elements, in each of so many contexts."""
        self._contexts, self._most = contexts, most
        self._kept: OrderedDict[Hashable, dict[_Key, bytes]] = OrderedDict()
        self._lock = Lock()

    def under(self, context: Hashable) -> dict[_Key, bytes]:
        """Return what was written in a context: everything besides its bytes that an element depends on."""
        with self._lock:
            known = self._kept.setdefault(context, {})
            self._kept.move_to_end(context)
            if len(self._kept) > self._contexts:
                self._kept.popitem(last=False)
            if len(known) > self._most:
                known.clear()
            return known


def metadata_of(
    kept: KeptInstance, blinding: Blinding | None, address: str, fragments: Fragments | None = None
) -> bytes:
    """Return every attribute of an instance as JSON; the pixels by the address of their bulk data.

    Parameters
    ----------
    kept
        The instance.
    blinding
        How it is shown; None shows it as it came.
    address
        Web address of the instance.
    fragments
        Elements that were written before. An element that cannot be read is left out.
    """
    header, is_removed = kept.header, is_identity_removed(kept.header)
    charset = str(header.get("SpecificCharacterSet", ""))
    context = (kept.record.transfer_syntax_uid, blinding, is_removed, charset)
    known = (fragments or Fragments()).under(context)
    found: dict[int, bytes] = {}
    others: list[int] = []
    for tag, element in list(header.items()):
        if not _is_plain(element):
            others.append(tag)
            continue
        key = (tag, element.VR, element.value)
        if key not in known:
            known[key] = _joined(_elements(header, [tag], blinding, is_removed=is_removed))
        found[tag] = known[key]
    found |= _elements(header, others, blinding, is_removed=is_removed)
    if blinding is not None:
        found |= _written(replaced(blinding))
    found |= _written_json({"00083002": {"vr": "UI", "Value": [kept.record.transfer_syntax_uid]}})
    if kept.has_pixels:
        pixels = f"{kept.layout.tag:08X}"
        named = {"vr": kept.layout.vr, "BulkDataURI": f"{address}/bulkdata/{pixels}"}
        found |= _written_json({pixels: named})
    return b"{" + _joined(found) + b"}"


def _is_plain(element: DataElement | RawDataElement) -> bool:
    """Whether an element, as it was read, is written the same wherever it stands in the same context."""
    if not isinstance(element, RawDataElement) or element.tag.is_private or element.tag in CODE_TAGS:
        return False
    if not isinstance(element.value, bytes) or len(element.value) > _SHORT:
        return False
    try:
        return (element.VR or dictionary_VR(element.tag)) in _PLAIN
    except KeyError:
        return False


def _elements(
    header: Dataset, tags: Iterable[int], blinding: Blinding | None, *, is_removed: bool
) -> dict[int, bytes]:
    part = Dataset()
    for tag in tags:
        try:
            part.add(header[tag])
        except Exception:  # noqa: BLE001, S112  hostile bytes end a parser in many ways; what is unreadable is left out
            continue
    return _written(part if blinding is None else blinded_elements(part, blinding, is_removed=is_removed))


def _written(elements: Dataset) -> dict[int, bytes]:
    return _written_json(elements.to_json_dict(suppress_invalid_tags=True))


def _written_json(elements: Json) -> dict[int, bytes]:
    """Return each element but pixels as a member of a JSON object, by tag."""
    return {
        int(tag, 16): _text({tag: value})[1:-1]
        for tag, value in elements.items()
        if not tag.startswith("7FE0") or "BulkDataURI" in value
    }


def _joined(elements: dict[int, bytes]) -> bytes:
    return b",".join(elements[tag] for tag in sorted(elements) if elements[tag])


def as_array(items: Iterable[bytes]) -> Iterator[bytes]:
    """Give a JSON array of texts, some at a time."""
    held, between = bytearray(), b"["
    for item in items:
        held += between + item
        between = b","
        if len(held) > _PIECE:
            yield bytes(held)
            held.clear()
    yield bytes(held) + (b"[]" if between == b"[" else b"]")


class Texts:
    """Metadata of instances as they were written lately: an instance never changes."""

    def __init__(self, most_bytes: int = 32 * 2**20) -> None:
        """Keep at most so many bytes."""
        self._most = most_bytes
        self._kept: OrderedDict[tuple[str, str, Blinding | None, str], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        self._fragments = Fragments()

    def of(
        self,
        record: InstanceRecord,
        blinding: Blinding | None,
        address: str,
        opened: Callable[[InstanceRecord], KeptInstance],
    ) -> bytes:
        """Return the metadata of an instance as JSON, its bytes read only where they are not known."""
        key = (record.digest, record.transfer_syntax_uid, blinding, address)
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
                return known
        text = metadata_of(opened(record), blinding, address, self._fragments)
        with self._lock:
            self._bytes += len(text) - len(self._kept.pop(key, b""))
            self._kept[key] = text
            while self._bytes > self._most:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return text


def _text(item: Json) -> bytes:
    try:
        return json.dumps(item, allow_nan=False, separators=(",", ":")).encode()
    except ValueError:
        return json.dumps(_finite(item), separators=(",", ":")).encode()


def _finite(value: Any) -> Any:  # noqa: ANN401  any JSON value
    """Return a value in which every number that is none has become null, which JSON can say."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
