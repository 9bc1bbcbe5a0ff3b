"""Metadata of instances in the DICOM JSON model (PS3.18 10.4.1.1.2 and Annex F)."""

import json
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from typing import Any

from dicom_listener.archive.records import InstanceRecord
from imaging_service.images.dicomweb.attributes import Json
from imaging_service.images.dicomweb.blinding import Blinding, blinded
from imaging_service.images.dicomweb.kept import KeptInstance

_PIECE = 2**18


def metadata_of(kept: KeptInstance, blinding: Blinding | None, address: str) -> Json:
    """Return every attribute of an instance; the pixels by the address of their bulk data.

    Parameters
    ----------
    kept
        The instance.
    blinding
        How it is shown; None shows it as it came.
    address
        Web address of the instance.
    """
    header = kept.header if blinding is None else blinded(kept.header, blinding)
    found: Json = header.to_json_dict(suppress_invalid_tags=True)
    found = {tag: value for tag, value in found.items() if not tag.startswith("7FE0")}
    found["00083002"] = {"vr": "UI", "Value": [kept.record.transfer_syntax_uid]}
    if kept.has_pixels:
        tag = f"{kept.layout.tag:08X}"
        found[tag] = {"vr": kept.layout.vr, "BulkDataURI": f"{address}/bulkdata/{tag}"}
    return dict(sorted(found.items()))


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
        text = _text(metadata_of(opened(record), blinding, address))
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
