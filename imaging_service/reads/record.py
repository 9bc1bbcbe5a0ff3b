"""A read as it is signed: values rounded once, and one hash over everything it says."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from imaging_service.canonical import canonical_json
from imaging_service.reads.read import DrawnAxis, LesionRecord, Read
from measurement.units import round_reported


def rounded(read: Read, precision: Decimal) -> Read:
    """Round every length, once, to the protocol's precision.

    Parameters
    ----------
    read
        The draft that is about to be signed.
    precision
        Step of a reported length, in mm.
    """
    return replace(read, lesions=tuple(rounded_lesion(each, precision) for each in read.lesions))


def rounded_lesion(lesion: LesionRecord, precision: Decimal) -> LesionRecord:
    """Round one lesion's lengths; the diameter is that of the axis that counts."""
    axes = tuple(_rounded_axis(each, precision) for each in lesion.axes)
    counted = replace(lesion, axes=axes).counted()
    return replace(lesion, axes=axes, diameter=None if counted is None else counted.reported)


def _rounded_axis(axis: DrawnAxis, precision: Decimal) -> DrawnAxis:
    return replace(axis, reported=round_reported(axis.length_mm, precision))


def content(read: Read) -> Mapping[str, Any]:
    """Return everything that a signature covers, as JSON values."""
    signed = asdict(replace(read, signature=None, signed_at=None, version=0))
    del signed["closed_at"]  # only of drafts, which nobody signs
    signed["lesions"] = sorted(signed["lesions"], key=lambda each: str(each["lesion_id"]))
    for lesion in signed["lesions"]:
        lesion["axes"] = sorted(lesion["axes"], key=lambda each: (each["fragment"], each["axis"]))
    return signed


def record_hash(read: Read) -> str:
    """Return the SHA-256 over a read's content, in lower-case hex.

    The version counts edits of the draft and is no part of what was said.
    """
    return hashlib.sha256(canonical_json(content(read)).encode()).hexdigest()
