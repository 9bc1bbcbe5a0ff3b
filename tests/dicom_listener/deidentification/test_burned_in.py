"""Writing in the pixels is seen, and images without writing are let pass."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dicom_listener.deidentification.burned_in import looks_written_on, said_by

SOP_CLASS, IMAGE_TYPE, CONVERSION, BURNED_IN = 0x00080016, 0x00080008, 0x00080064, 0x00280301
MR, CAPTURE = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.7"


def breast(seed: int, side: int = 256, *, top: int = 900) -> NDArray[np.int16]:
    """Return something like a T1 image: smooth tissue, bright rim, vessels, Rician-like noise."""
    noise = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:side, 0:side] / side
    image = np.zeros((side, side))
    for centre in (0.3, 0.7):
        distance = np.hypot((columns - centre) / 0.18, (rows - 0.55) / 0.3)
        image += top * 0.5 * (distance < 1) * (1.2 - distance) + top * 0.4 * (np.abs(distance - 1) < 0.05)
    for _ in range(25):
        row, column, size = noise.uniform((0.2, 0.2, 0.004), (0.8, 0.8, 0.02))
        image += top * noise.uniform(0.2, 0.9) * (np.hypot(rows - row, columns - column) < size)
    return np.abs(image + noise.normal(0, top * 0.02, image.shape)).astype(np.int16)


def written(
    image: NDArray[np.int16], text: str, *, size: int, at: tuple[int, int], value: int | None = None
) -> NDArray[np.int16]:
    """Return an image with text in it, drawn as a console draws it."""
    letters = Image.new("L", (image.shape[1], image.shape[0]))
    ImageDraw.Draw(letters).text(at, text, fill=255, font=ImageFont.load_default(size))
    shade = np.asarray(letters, np.float64) / 255
    level = int(image.max()) if value is None else value
    return (image * (1 - shade) + level * shade).astype(np.int16)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("side", [128, 256, 512])
def test_an_image_without_writing_passes(seed: int, side: int):
    assert not looks_written_on(breast(seed, side))


def test_noise_saturation_and_shapes_are_no_writing():
    noise = np.random.default_rng(3)
    assert not looks_written_on(noise.integers(0, 1200, (256, 256)))
    assert not looks_written_on(np.minimum(breast(1), 300))
    assert not looks_written_on(np.zeros((64, 64), np.uint16))
    grid = np.zeros((128, 128), np.uint8)
    grid[::16], grid[:, ::16] = 255, 255
    assert not looks_written_on(grid)


@pytest.mark.parametrize("size", [10, 12, 16, 24])
@pytest.mark.parametrize("text", ["ZIMMERLUND OTTILIE", "Okonjowska, T. 1963-02-28", "MRN 48120011  F 072Y"])
@pytest.mark.parametrize("side", [256, 512])
def test_a_name_in_the_corner_is_seen(size: int, text: str, side: int):
    assert looks_written_on(written(breast(2, side), text, size=size, at=(6, 6)))


def test_a_name_across_the_tissue_is_seen():
    assert looks_written_on(written(breast(4), "PETROSYANTS MARGUERIDA", size=14, at=(30, 120)))


def test_dark_letters_on_a_light_ground_are_seen():
    page = np.full((200, 300), 1000, np.int16)
    assert looks_written_on(written(page, "Zimmerlund Ottilie", size=18, at=(20, 40), value=0))


def test_letters_in_colour_are_seen():
    grey = breast(5).astype(np.float64)
    shown = (grey / grey.max() * 200).astype(np.uint8)
    picture = Image.fromarray(np.repeat(shown[..., None], 3, axis=2))
    ImageDraw.Draw(picture).text(
        (8, 8), "Zimmerlund 48120011", fill=(255, 255, 0), font=ImageFont.load_default(14)
    )
    assert looks_written_on(np.asarray(picture))


@pytest.mark.parametrize(
    ("values", "is_suspected"),
    [
        ({SOP_CLASS: MR}, False),
        ({SOP_CLASS: MR, BURNED_IN: "YES"}, True),
        ({SOP_CLASS: MR, IMAGE_TYPE: "DERIVED\\SECONDARY\\SCREEN SAVE"}, True),
        ({SOP_CLASS: MR, IMAGE_TYPE: "DERIVED\\PRIMARY\\ADC"}, False),
        ({SOP_CLASS: MR, CONVERSION: "WSD"}, True),
        ({SOP_CLASS: CAPTURE}, True),
        ({SOP_CLASS: f"{CAPTURE}.4"}, True),
        ({SOP_CLASS: CAPTURE, BURNED_IN: "NO"}, False),
        ({SOP_CLASS: "1.2.840.10008.5.1.4.1.1.6.1"}, True),
        ({SOP_CLASS: "1.2.840.10008.5.1.4.1.1.104.1", BURNED_IN: "NO"}, True),
        ({SOP_CLASS: "1.2.840.10008.5.1.4.1.1.66"}, True),
        ({SOP_CLASS: "1.2.840.10008.5.1.4.1.1.66.4"}, False),
    ],
)
def test_what_the_header_says_is_heeded(values: dict[int, str], is_suspected: object):
    assert bool(said_by(values)) is is_suspected
