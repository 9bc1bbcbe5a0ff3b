"""What the canvas shows of colours, windows and look-up tables (PS3.3 C.7.6.3.1, C.11), square by square."""

import io
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless, generate_uid

from fixtures.dicom.phantom import build_study
from tests.builders.browsing import picture, sign_in
from tests.builders.reading_desk import MouseHand, shown_of

SIDE = 8
"""Pixels of a square; its middle is shown as it is, whatever smooths its edges."""
COLOURS = np.array(
    [
        *((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)),
        *((0, 0, 0), (200, 120, 40), (30, 90, 160), (128, 128, 128)),
    ],
    np.uint8,
)
CHESS = np.add.outer(np.arange(64) // SIDE, np.arange(64) // SIDE) % len(COLOURS)
"""Which colour each pixel has, shape (64, 64)."""
STORED = (np.add.outer(np.arange(64) // SIDE * 8, np.arange(64) // SIDE) * 16 - 200).astype(np.int16)
"""Sixty-four values from -200 to 808, shape (64, 64)."""
LEVELS_WRONG = 1
LOSSY = 3


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One way of keeping pixels, and what is to be seen."""

    dress: Callable[[Dataset], None]
    wanted: Callable[[Dataset], NDArray[np.float64]]
    tolerance: int = LEVELS_WRONG


def painted(_: Dataset) -> NDArray[np.float64]:
    colours: NDArray[np.float64] = COLOURS[CHESS].astype(np.float64)
    return colours


def luminance(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return YBR_FULL by the equations of PS3.3 C.7.6.3.1.2."""
    red, green, blue = (colours[..., sample].astype(float) for sample in range(3))
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    cb = -0.168736 * red - 0.331264 * green + 0.5 * blue + 128
    cr = 0.5 * red - 0.418688 * green - 0.081312 * blue + 128
    return np.clip(np.rint(np.stack([y, cb, cr], -1)), 0, 255).astype(np.uint8)


def colour(dataset: Dataset, photometric: str, content: bytes, *, planar: int = 0) -> None:
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, photometric
    dataset.PlanarConfiguration = planar
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = content
    dataset["PixelData"].VR = "OB"


def compressed(dataset: Dataset, photometric: str, frame: bytes, syntax: UID) -> None:
    colour(dataset, photometric, encapsulate([frame]))
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax


def rgb(dataset: Dataset) -> None:
    colour(dataset, "RGB", COLOURS[CHESS].tobytes())


def planar(dataset: Dataset) -> None:
    colour(dataset, "RGB", COLOURS[CHESS].transpose(2, 0, 1).tobytes(), planar=1)


def ybr_full(dataset: Dataset) -> None:
    colour(dataset, "YBR_FULL", luminance(COLOURS[CHESS]).tobytes())


def ybr_422(dataset: Dataset) -> None:
    y, cb, cr = np.moveaxis(luminance(COLOURS[CHESS]), -1, 0)
    pairs = np.stack([y[:, ::2], y[:, 1::2], cb[:, ::2], cr[:, ::2]], -1)
    colour(dataset, "YBR_FULL_422", pairs.tobytes())


def jpeg(dataset: Dataset) -> None:
    file = io.BytesIO()
    Image.fromarray(COLOURS[CHESS]).save(file, "JPEG", quality=95, subsampling="4:2:2")
    compressed(dataset, "YBR_FULL_422", file.getvalue(), JPEGBaseline8Bit)


def run_length(dataset: Dataset) -> None:
    rgb(dataset)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.compress(RLELossless)
    dataset.PlanarConfiguration = 1  # as it is kept within RLE (PS3.5 G.2); it comes out pixel by pixel


def palette(dataset: Dataset) -> None:
    colour(dataset, "PALETTE COLOR", (CHESS + 3).astype(np.uint8).tobytes())
    dataset.SamplesPerPixel = 1
    del dataset.PlanarConfiguration
    for sample, name in enumerate(("Red", "Green", "Blue")):
        entries = COLOURS[:, sample].astype("<u2") * 257
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [len(COLOURS), 3, 16])
        setattr(dataset, f"{name}PaletteColorLookupTableData", entries.tobytes())


def grey(dataset: Dataset) -> None:
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 1
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, 10
    dataset.PixelData = STORED.astype("<i2").tobytes()
    dataset["PixelData"].VR = "OW"


def window(shape: str, *, slope: float = 2) -> Callable[[Dataset], None]:
    def dress(dataset: Dataset) -> None:
        grey(dataset)
        dataset.RescaleSlope = slope
        dataset.WindowCenter, dataset.WindowWidth = 600 * slope / 2, 900 * slope / 2
        dataset.VOILUTFunction = shape

    return dress


def table(first: int, entries: NDArray[np.float64], bits: int, *, is_word: bool = False) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries), first, bits])
    values = np.rint(entries * (2**bits - 1)).astype("<u2")
    item.add_new("LUTData", "OW" if is_word else "US", values.tobytes() if is_word else values.tolist())
    return item


def voi_table(dataset: Dataset) -> None:
    grey(dataset)
    item = table(-390, np.linspace(0, 1, 1500) ** 2, 12, is_word=True)
    dataset.VOILUTSequence = [item]
    dataset.WindowCenter, dataset.WindowWidth = 40, 400


def modality_table(dataset: Dataset) -> None:
    grey(dataset)
    del dataset.RescaleSlope, dataset.RescaleIntercept
    item = table(-100, np.sqrt(np.linspace(0, 1, 700)), 16)
    item.ModalityLUTType = "US"
    dataset.ModalityLUTSequence = [item]
    dataset.WindowCenter, dataset.WindowWidth = 30000, 50000


def by_pydicom(dataset: Dataset) -> NDArray[np.float64]:
    """Return the grey levels that pydicom makes, scaled from its own range to 0 … 255."""
    values = apply_modality_lut(STORED, dataset)
    if "VOILUTSequence" in dataset:
        values = values.astype(np.int32)  # whole numbers already
    shown = apply_voi_lut(values, dataset).astype(float)
    low, high = range_of(dataset)
    level = np.rint(np.clip((shown - low) / (high - low), 0, 1) * 255)
    return np.repeat(level[..., None], 3, axis=2)


def range_of(dataset: Dataset) -> tuple[float, float]:
    """Return what pydicom calls black and white."""
    for sequence in ("VOILUTSequence", "ModalityLUTSequence"):
        if sequence in dataset:
            return 0.0, 2.0 ** dataset[sequence][0].LUTDescriptor[2] - 1
    low, high = (edge * dataset.RescaleSlope + dataset.RescaleIntercept for edge in (-(2**15), 2**15 - 1))
    return float(low), float(high)


KINDS = {
    "RGB": Kind(dress=rgb, wanted=painted),
    "RGB, a plane for each colour": Kind(dress=planar, wanted=painted),
    "YBR_FULL": Kind(dress=ybr_full, wanted=painted, tolerance=LOSSY),
    "YBR_FULL_422": Kind(dress=ybr_422, wanted=painted, tolerance=LOSSY),
    "JPEG": Kind(dress=jpeg, wanted=painted, tolerance=LOSSY),
    "RLE": Kind(dress=run_length, wanted=painted),
    "palette": Kind(dress=palette, wanted=painted),
    "LINEAR": Kind(dress=window("LINEAR"), wanted=by_pydicom),
    "LINEAR_EXACT": Kind(dress=window("LINEAR_EXACT"), wanted=by_pydicom),
    "LINEAR_EXACT narrower than 1": Kind(dress=window("LINEAR_EXACT", slope=0.002), wanted=by_pydicom),
    "SIGMOID": Kind(dress=window("SIGMOID"), wanted=by_pydicom),
    "VOI LUT": Kind(dress=voi_table, wanted=by_pydicom),
    "Modality LUT": Kind(dress=modality_table, wanted=by_pydicom),
}


def test_pixels_are_shown_as_the_standard_says(page: Page, someone):
    study = build_study(someone.plan(slices=1))
    dressed = []
    for number, kind in enumerate(KINDS.values(), start=1):
        dataset = deepcopy(study.datasets[0])
        dataset.SeriesInstanceUID, dataset.SOPInstanceUID = generate_uid(), generate_uid()
        dataset.SeriesNumber = number
        for keyword in ("WindowCenter", "WindowWidth"):
            dataset.pop(keyword, None)
        kind.dress(dataset)
        dressed.append(dataset)
    someone.house.receive_instances(dressed)
    someone.accept_images()
    sign_in(page, someone.house.address)
    desk = MouseHand(page=page, shown=shown_of(study.plan))
    desk.begin(someone.reading_id)
    wrong = []
    for (name, kind), dataset in zip(KINDS.items(), dressed, strict=True):
        choose(page, dataset, str(dataset.SeriesNumber))
        found = squares_on(page, desk)
        off = np.abs(found - kind.wanted(dataset)[SIDE // 2 :: SIDE, SIDE // 2 :: SIDE])
        if off.max() > kind.tolerance:
            wrong.append(f"{name}: {off.max():.0f} levels off at {np.unravel_index(off.argmax(), off.shape)}")
    assert wrong == []
    picture(page, "pixels")


def choose(page: Page, dataset: Dataset, title: str) -> None:
    """Show a series, and wait until it is on the canvas."""
    page.get_by_label("Series, First viewport").select_option(value=f"{dataset.SeriesInstanceUID}/0")
    expect(page.locator("canvas")).to_have_attribute("aria-label", re.compile(rf"^{title}\."))
    page.wait_for_function("() => document.querySelector('.stage-note p') === null")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def squares_on(page: Page, desk: MouseHand) -> NDArray[np.float64]:
    """Return what the canvas has in the middle of each square, shape (8, 8, 3)."""
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    middles = [SIDE * number + SIDE / 2 - 0.5 for number in range(8)]
    places = [desk.shown.place(page, (column, row)) for row in middles for column in middles]
    found = page.evaluate(
        """places => {
          const context = document.querySelector('canvas').getContext('2d');
          return places.map(([x, y]) => [...context.getImageData(Math.round(x), Math.round(y), 1, 1).data]);
        }""",
        [[x - stage["x"], y - stage["y"]] for x, y in places],
    )
    return np.array(found, float).reshape(8, 8, 4)[..., :3]
