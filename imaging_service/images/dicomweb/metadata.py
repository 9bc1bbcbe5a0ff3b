"""Metadata of instances in the DICOM JSON model (PS3.18 10.4.1.1.2 and Annex F)."""

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

from imaging_service.images.dicomweb.attributes import Json
from imaging_service.images.dicomweb.blinding import Blinding, blinded
from imaging_service.images.dicomweb.kept import KeptInstance


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


def as_array(items: Iterable[Json]) -> Iterator[bytes]:
    """Give a JSON array, one item at a time."""
    between = b"["
    for item in items:
        yield between + _text(item)
        between = b","
    yield b"[]" if between == b"[" else b"]"


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
