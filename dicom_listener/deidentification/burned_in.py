"""May somebody's name stand in the pixels? What the header says, and a look at the pixels themselves."""

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_CAPTURES = "1.2.840.10008.5.1.4.1.1.7"
_SOP_CLASS, _IMAGE_TYPE, _CONVERSION, _BURNED_IN = 0x00080016, 0x00080008, 0x00080064, 0x00280301
_ULTRASOUND = ("1.2.840.10008.5.1.4.1.1.6.", "1.2.840.10008.5.1.4.1.1.3.")
_SCREEN = re.compile(r"SCREEN|CAPTURE|SECONDARY.*(?:FILM|PRINT)|PHOTO", re.IGNORECASE)
_NOT_CLEANED = {
    "1.2.840.10008.5.1.4.1.1.104.": "an encapsulated document",
    "1.2.840.10008.5.1.4.1.1.66": "raw data",
}
_KEPT_UNDER_66 = frozenset({f"1.2.840.10008.5.1.4.1.1.66.{number}" for number in range(1, 8)})

_LEAST_ROWS, _MOST_ROWS = 5, 64
"""Heights of a line of text, pixels."""
_LEAST_STROKES = 8
"""Strokes that a line of text has on its busiest rows, at least."""
_LEVELS = (1.0, 0.93, 0.8, 0.65)
"""Parts of the brightest value from which on a pixel may belong to a letter."""


def said_by(values: Mapping[int, str]) -> str:
    """Return why the header makes one suspect writing in the pixels, or what no profile cleans; or nothing.

    Parameters
    ----------
    values
        Texts of the outermost level, by tag.
    """
    sop_class = values.get(_SOP_CLASS, "")
    for root, what in _NOT_CLEANED.items():
        if sop_class.startswith(root) and sop_class not in _KEPT_UNDER_66:
            return f"It is {what}, which no profile cleans."
    stated = values.get(_BURNED_IN, "").strip().upper()
    if stated == "YES":
        return "It says that identifying annotation is burned in (0028,0301)."
    if stated == "NO":
        return ""
    if sop_class == _CAPTURES or sop_class.startswith((f"{_CAPTURES}.", *_ULTRASOUND)):
        return "It is a capture or an ultrasound image that does not say whether writing is burned in."
    if values.get(_CONVERSION, "").strip() or _SCREEN.search(values.get(_IMAGE_TYPE, "")):
        return "It was converted or captured, and does not say whether writing is burned in."
    return ""


def looks_written_on(pixels: NDArray[np.generic]) -> bool:
    """Tell whether a frame looks as if text stood in it.

    Letters are drawn in one brightness with sharp edges and stand in lines: rows with many short strokes
    of nearly the frame's greatest (or, on a light ground, least) value, with quiet rows above and below.

    Parameters
    ----------
    pixels
        Shape (rows, columns), or (rows, columns, 3) for colour.
    """
    grey = pixels.astype(np.float32)
    if grey.ndim == 3:
        grey = grey.max(axis=2)
    low, high = float(grey.min()), float(grey.max())
    if high <= low or min(grey.shape) < _LEAST_ROWS:
        return False
    return any(
        _has_lines(mask)
        for level in _LEVELS
        for mask in (grey >= low + level * (high - low), grey <= high - level * (high - low))
        if 0 < mask.mean() < 0.3
    )


def _has_lines(mask: NDArray[np.bool_]) -> bool:
    """Tell whether a band of rows holds many short strokes, between rows that hold none."""
    begins = mask.copy()
    begins[:, 1:] &= ~mask[:, :-1]
    strokes = begins.sum(axis=1)
    lengths = mask.sum(axis=1)
    for first, last in _bands(strokes > 0):
        height = last - first
        if not _LEAST_ROWS <= height <= _MOST_ROWS:
            continue
        busy = np.sort(strokes[first:last])[-max(3, height // 2) :]
        mean_length = lengths[first:last].sum() / strokes[first:last].sum()
        if busy.min() >= _LEAST_STROKES and mean_length <= height and _is_dense(mask[first:last]):
            return True
    return False


def _bands(is_busy: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first row and row behind the last of every stretch of busy rows."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], is_busy.astype(np.int8), [0]))))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _is_dense(band: NDArray[np.bool_]) -> bool:
    """Tell whether the strokes of a band stand side by side, as letters do, and not strewn about."""
    columns = np.flatnonzero(band.any(axis=0))
    first, last = int(columns[0]), int(columns[-1]) + 1
    share = float(band[:, first:last].mean())
    return last - first >= band.shape[0] and 0.12 <= share <= 0.75
