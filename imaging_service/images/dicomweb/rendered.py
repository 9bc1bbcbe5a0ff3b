"""A frame as a picture (PS3.18 section 8.3.5): JPEG or PNG, windowed, cut out and scaled as asked."""

import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imaging_service.errors import BadRequestError
from imaging_service.images.dicomweb.kept import KeptInstance
from imaging_service.images.dicomweb.pixels import decoded_frame
from imaging_service.images.rendering import Window, eight_bits, rescale, windowed

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}
_LARGEST = 8192


def render(kept: KeptInstance, frame: int, media_type: str, parameters: Mapping[str, str]) -> bytes:
    """Return a frame as a picture without any text in it.

    Parameters
    ----------
    kept
        The instance.
    frame
        Counted from 1.
    media_type
        One of `FORMATS`.
    parameters
        ``window``, ``viewport`` and ``quality`` as the standard writes them.

    Raises
    ------
    BadRequestError
        A parameter is not what the standard says.
    FrameUnreadableError
        The pixels cannot be decoded.
    """
    window = _window(parameters.get("window"))
    viewport = _viewport(parameters.get("viewport"))
    (quality,) = _numbers("quality", parameters.get("quality", "90"), (1,), 1, 100)
    image = Image.fromarray(_shown(kept, frame, window))
    if viewport:
        image = _seen_through(image, viewport)
    file = io.BytesIO()
    options = {"quality": int(quality)} if media_type == "image/jpeg" else {}
    image.save(file, FORMATS[media_type], **options)
    return file.getvalue()


def _shown(kept: KeptInstance, frame: int, window: Window | None) -> NDArray[np.uint8]:
    pixels = decoded_frame(kept, frame)
    if pixels.ndim == 3:
        return eight_bits(pixels)
    slope, intercept = rescale(kept.header, frame)
    shown = windowed(pixels.astype(np.float64) * slope + intercept, window or _own_window(kept))
    return 255 - shown if kept.header.get("PhotometricInterpretation") == "MONOCHROME1" else shown


def _own_window(kept: KeptInstance) -> Window | None:
    """Return the first window that the instance itself proposes."""
    try:
        element, width = kept.header["WindowCenter"], kept.header["WindowWidth"]
        centre = float(element.value[0] if element.VM > 1 else element.value)
        wide = float(width.value[0] if width.VM > 1 else width.value)
    except (KeyError, TypeError, ValueError):
        return None
    return Window(centre=centre, width=wide) if 1 <= wide <= 1e9 and abs(centre) <= 1e9 else None


def _window(text: str | None) -> Window | None:
    if text is None:
        return None
    levels, _, function = text.rpartition(",") if text.count(",") == 2 else (text, "", "linear")
    if function.lower() != "linear":
        message = f"The window's function is {function[:32]!r}; this service knows linear."
        raise BadRequestError(message, code="window_function")
    centre, width = _numbers("window", levels, (2,), -1e9, 1e9)
    if width < 1:
        message = f"The window is {width:g} wide; it must be 1 at least."
        raise BadRequestError(message, code="window_bad")
    return Window(centre=centre, width=width)


def _viewport(text: str | None) -> list[float]:
    if text is None:
        return []
    found = _numbers("viewport", text, (2, 6), -_LARGEST, _LARGEST)
    if min(found[:2]) < 1 or (found[2:] and 0 in found[4:]):
        message = f"The viewport is {text[:64]!r}; its width and height must be 1 at least."
        raise BadRequestError(message, code="viewport_bad")
    return found


def _numbers(name: str, text: str, counts: tuple[int, ...], low: float, high: float) -> list[float]:
    try:
        found = [float(each) for each in text.split(",")]
    except ValueError:
        found = []
    if len(found) not in counts or not all(low <= each <= high for each in found):
        wanted = " or ".join(map(str, counts))
        message = f"{name} is {text[:64]!r}; it must be {wanted} numbers from {low:g} to {high:g}."
        raise BadRequestError(message, code=f"{name}_bad")
    return found


def _seen_through(image: Image.Image, viewport: list[float]) -> Image.Image:
    """Cut out a region and scale it into the viewport, its proportions kept (PS3.18 8.3.5.1.3)."""
    if len(viewport) == 6:
        left, top, width, height = viewport[2:]
        region = (int(left), int(top), int(left + abs(width)), int(top + abs(height)))
        bounded = (
            *(max(0, min(region[0], image.width - 1)), max(0, min(region[1], image.height - 1))),
            *(max(1, min(region[2], image.width)), max(1, min(region[3], image.height))),
        )
        image = image.crop(
            (bounded[0], bounded[1], max(bounded[0] + 1, bounded[2]), max(bounded[1] + 1, bounded[3]))
        )
    scale = min(viewport[0] / image.width, viewport[1] / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BILINEAR)
