"""Open the reading page in Chromium without a graphics processor, and print how fast it is.

``python -m benchmarks.viewer --rounds 3 --images 600``

Nothing is asserted. Each round opens the page anew in a fresh profile, so that nothing comes from a cache:
two 256 x 256 series side by side (a follow-up beside its prior), the first image of a study of many images
with what the browser's memory grew to, and scrolling through loaded series of 512 x 512 and 1024 x 1024.
With ``--ohif`` the stock OHIF viewer, fetched from npm, opens one of the two series in the same round, until
its first image is on the screen; WebGL is computed in software, as where there is no graphics processor.
"""

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Browser, Page, ViewportSize
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from tests.builders.browsing import CHROMIUM, SWITCHES, BrowsedHouse, browsed_house, chromium, sign_in
from tests.builders.ohif import SOFTWARE_GL, fetch_ohif, ohif
from tests.builders.service import PASSWORD

DESK: ViewportSize = {"width": 1920, "height": 1080}
SHOWN = """count => {
  const slices = [...document.querySelectorAll('.viewport')];
  const isShown = (each) => each.querySelector('.stage-note p') === null
    && each.querySelector('.lower-left').textContent !== ''
    && each.querySelector('svg').childElementCount > 0;
  return slices.length === count && slices.every(isShown);
}"""
PAINTED = """() => {
  const canvas = document.querySelector('.cornerstone-canvas') ?? document.querySelector('canvas');
  const context = canvas?.width ? canvas.getContext('2d') : null;
  if (!context) return false;
  const { data } = context.getImageData(canvas.width >> 1, canvas.height >> 1, 8, 8);
  return data.some((value, index) => index % 4 < 3 && value > 0);
}"""
SCROLL = """async count => {
  const stage = document.querySelector('.viewport:last-child .stage');
  const picture = () => new Promise((resolve) => requestAnimationFrame(resolve));
  await picture();
  const begin = performance.now();
  for (let index = 0; index < count; index += 1) {
    const direction = Math.floor(index / 20) % 2 ? -1 : 1;
    const turned = { deltaY: 100 * direction, bubbles: true, cancelable: true };
    stage.dispatchEvent(new WheelEvent('wheel', turned));
    await picture();
  }
  return (performance.now() - begin) / count;
}"""


def series_of(patient_id: str, day: date, count: int, size: int) -> Iterator[Dataset]:
    """Make a series of noise over a bright disc."""
    uid = f"2.25.{abs(hash((patient_id, day, count, size))) % 10**30}"
    random = np.random.default_rng(1)
    down, across = np.mgrid[:size, :size] - size / 2
    disc = (np.hypot(down, across) < size / 3) * 600
    pixels = [(disc + random.integers(0, 200, (size, size))).astype(np.uint16).tobytes() for _ in range(8)]
    for number in range(1, count + 1):
        dataset = Dataset()
        dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, f"{uid}.1.{number}"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid, f"{uid}.1"
        dataset.FrameOfReferenceUID = f"{uid}.9"
        dataset.StudyDate, dataset.Modality, dataset.PatientID = f"{day:%Y%m%d}", "MR", patient_id
        dataset.SeriesNumber, dataset.InstanceNumber = 1, number
        dataset.ContrastBolusAgent = "Gadolinium chelate"
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.Rows = dataset.Columns = size
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.PixelRepresentation = 0
        dataset.PixelSpacing = [0.7, 0.7]
        dataset.SliceThickness = 2
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.ImagePositionPatient = [0, 0, number * 2]
        dataset.WindowCenter, dataset.WindowWidth = 400, 800
        dataset.PixelData = pixels[number % len(pixels)]
        dataset["PixelData"].VR = "OW"
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        yield dataset


def subject(house: BrowsedHouse, name: str, timepoints: Sequence[tuple[int, int]]) -> str:
    """Enrol a subject with a study of (images, size) at each timepoint, accepted by quality control."""
    reading_id = house.subject(name, f"P-{name}")
    for number, (count, size) in enumerate(timepoints):
        day = date(2024, 12, 25) if number == 0 else date(2025, 1, 1) + timedelta(days=42 * number)
        house.receive_instances(list(series_of(f"P-{name}", day, count, size)))
    place = house.house.path("/timepoints")
    for timepoint in house.house.get(f"/timepoints?subject={name}&limit=100")["items"]:
        if timepoint["imaged_on"] is not None:
            address = f"{place}/{timepoint['timepoint_id']}/quality/acceptance"
            house.house.service.post(address, "coordinator", json={"reason": "For the benchmark."})
    return reading_id


def address_of(house: BrowsedHouse, reading_id: str) -> str:
    """Return the address of the timepoint that is in turn."""
    items = house.house.service.get("/worklist?limit=500", "reader1").json()["items"]
    entry = next(each for each in items if each["reading_id"] == reading_id)
    return f"{house.address}/viewer/#/timepoints/{entry['timepoint_id']}/read"


def sign_baseline(house: BrowsedHouse, reading_id: str) -> None:
    """Sign a baseline without disease, so that the follow-up opens beside it."""
    timepoint_id = address_of(house, reading_id).split("/")[-2]
    service = house.house.service
    read = service.post(f"/timepoints/{timepoint_id}/reads", "reader1").json()
    words = {"password": PASSWORD, "meaning": "I confirm this read.", "confirms_no_disease": True}
    service.post(f"/reads/{read['read_id']}/signature", "reader1", json=words)


class Room:
    """A fresh browser profile that is signed in."""

    def __init__(self, browser: Browser, house: BrowsedHouse) -> None:
        self.context = browser.new_context(viewport=DESK)
        self.page: Page = self.context.new_page()
        sign_in(self.page, house.address)

    def open(self, address: str, viewports: int) -> float:
        """Open a timepoint from nothing, and return the seconds until every viewport shows an image."""
        self.page.goto("about:blank")
        begin = time.perf_counter()
        self.page.goto(address, wait_until="commit")
        self.page.wait_for_function(SHOWN, arg=viewports, polling=10)
        return time.perf_counter() - begin

    def scroll(self, count: int) -> tuple[float, float]:
        """Return milliseconds a picture when all is loaded, by the clock and of the browser's processors."""
        self.page.wait_for_timeout(6000)
        self.page.evaluate(SCROLL, count)  # once to warm up
        before = processor_seconds()
        elapsed_ms = float(self.page.evaluate(SCROLL, count))
        return elapsed_ms, (processor_seconds() - before) * 1000 / count

    def close(self) -> None:
        """Forget the profile."""
        self.context.close()


def processor_seconds() -> float:
    """Return what all processes of the browser have used of the processors; other load does not add to it."""
    times = [each.cpu_times() for each in psutil.Process().children(recursive=True)]
    return float(sum(each.user + each.system for each in times))


def renderer_mib() -> float:
    """Return the memory of the largest renderer of this process's browsers, in MiB."""
    sizes = [
        process.memory_info().rss
        for process in psutil.Process().children(recursive=True)
        if "--type=renderer" in " ".join(process.cmdline())
    ]
    return max(sizes, default=0) / 2**20


def one_round(browser: Browser, house: BrowsedHouse, ids: dict[str, str], images: int) -> dict[str, float]:
    """Measure everything once."""
    figures: dict[str, float] = {}
    room = Room(browser, house)
    figures["two 256² series side by side, s"] = room.open(address_of(house, ids["pair"]), 2)
    room.close()
    room = Room(browser, house)
    figures[f"first image of {images}, s"] = room.open(address_of(house, ids["long"]), 1)
    room.page.wait_for_timeout(15_000)
    figures[f"renderer after 15 s of {images} of 512², MiB"] = renderer_mib()
    room.close()
    for size in (512, 1024):
        room = Room(browser, house)
        room.open(address_of(house, ids[str(size)]), 1)
        picture_ms, work_ms = room.scroll(80)
        figures[f"scrolling {size}², pictures/s"] = 1000 / picture_ms
        figures[f"scrolling {size}², processor ms a picture"] = work_ms
        room.close()
    return figures


class StockViewer:
    """OHIF before the same service, for a coordinator of the whole trial."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser, self._address = browser, address

    def first_image(self, study: str) -> float:
        """Open a study from nothing, and return the seconds until its first image is on the screen."""
        context = self._browser.new_context(viewport=DESK)
        page = context.new_page()
        page.set_default_timeout(180_000)
        begin = time.perf_counter()
        page.goto(f"{self._address}/viewer?StudyInstanceUIDs={study}", wait_until="commit")
        page.wait_for_function(PAINTED, polling=10)
        elapsed = time.perf_counter() - begin
        context.close()
        return elapsed


@contextmanager
def stock_viewer(beside: Browser, house: BrowsedHouse, folder: Path) -> Iterator[StockViewer]:
    """Fetch OHIF, serve it, and start a browser that computes WebGL beside the one there is."""
    files = fetch_ohif(folder)
    switches = [each for each in SWITCHES if each != "--disable-gpu"] + SOFTWARE_GL
    token = house.house.service.token("coordinator")
    with (
        ohif(files, house.address, token) as address,
        beside.browser_type.launch(executable_path=CHROMIUM, args=switches) as browser,
    ):
        yield StockViewer(browser, address)


def study_of(house: BrowsedHouse, reading_id: str) -> str:
    """Return the study of the timepoint that is in turn."""
    timepoint_id = address_of(house, reading_id).split("/")[-2]
    found = house.house.get(f"/timepoints/{timepoint_id}")["study_instance_uids"]
    return str(found[0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--ohif", action="store_true", help="beside the stock viewer, fetched from npm")
    asked = parser.parse_args()
    gathered: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, browsed_house(Path(folder)) as house, chromium() as browser:
        ids = {
            "pair": subject(house, "01-1", [(24, 256), (24, 256)]),
            "long": subject(house, "01-2", [(asked.images, 512)]),
            "512": subject(house, "01-3", [(40, 512)]),
            "1024": subject(house, "01-4", [(40, 1024)]),
        }
        sign_baseline(house, ids["pair"])
        study = study_of(house, ids["pair"])
        with stock_viewer(browser, house, Path(folder)) if asked.ohif else nullcontext() as stock:
            for _ in range(asked.rounds):
                for name, figure in one_round(browser, house, ids, asked.images).items():
                    gathered[name].append(figure)
                if stock is not None:
                    gathered["OHIF's first image of one of the two, s"].append(stock.first_image(study))
    width = max(map(len, gathered))
    for name, found in gathered.items():
        spread = f"{min(found):.2f} to {max(found):.2f}"
        print(f"{name:<{width}}  {statistics.median(found):8.2f}  ({spread})")


if __name__ == "__main__":
    main()
