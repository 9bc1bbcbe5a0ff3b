"""A reading room with a browser in it: phantom studies behind the real service, and Chromium before it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, ViewportSize, sync_playwright
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicom_listener.archive.provenance import Provenance
from dicom_listener.intake.checks import Arrival
from dicom_listener.intake.receive import Intake
from fixtures.dicom.phantom import PhantomStudy, StudyPlan, build_study
from tests.builders.arrivals import TRIAL, TrialHouse, trial_house
from tests.builders.peers import NPM_MODULES
from tests.builders.service import PASSWORD, on_loopback

CHROMIUM = "/usr/bin/chromium"
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
DESK: ViewportSize = {"width": 1280, "height": 800}
AXE = NPM_MODULES / "axe-core" / "axe.min.js"


@dataclass(kw_only=True)
class BrowsedHouse:
    """A trial with phantom subjects, served on this machine."""

    house: TrialHouse
    address: str

    def subject(self, subject_id: str, patient_id: str, **dates: Any) -> str:
        """Enrol a subject and return the blinded name."""
        enrolled = self.house.enrol(subject_id, patient_ids=[patient_id], **dates)
        return str(enrolled["reading_id"])

    def receive(self, study: PhantomStudy | StudyPlan) -> PhantomStudy:
        """Let a phantom study arrive and be matched."""
        built = build_study(study) if isinstance(study, StudyPlan) else study
        self.receive_instances(built.datasets)
        return built

    def receive_instances(self, datasets: Sequence[Dataset]) -> None:
        """Let instances arrive in the transfer syntax that each names."""
        intake = Intake(archive=self.house.archive)
        for dataset in datasets:
            reception = intake.receive(_arrival(dataset))
            assert not reception.sentence, reception
        self.house.settle()
        self.house.follow()

    def end_sessions(self) -> None:
        """Let every session that is open now have ended, as after a night."""
        self.house.service.clock.advance(timedelta(days=1))
        self.house.service.forget_tokens()


def _arrival(dataset: Dataset) -> Arrival:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, dataset)
    return Arrival(
        sop_class_uid=dataset.SOPClassUID,
        sop_instance_uid=dataset.SOPInstanceUID,
        transfer_syntax_uid=dataset.file_meta.TransferSyntaxUID,
        data_set=buffer.getvalue(),
        provenance=Provenance(
            calling_ae="PACS_01",
            called_ae="IMAGING",
            peer_address="127.0.0.1",
            site_id="01",
            received_at=datetime.now(UTC),
        ),
    )


@contextmanager
def browsed_house(folder: Path, **settings: Any) -> Iterator[BrowsedHouse]:
    """Serve the reference trial with both readers seated."""
    with trial_house(f"sqlite:///{folder}/service.sqlite", folder, **settings) as house:
        house.service.grant("reader1", TRIAL, reader_slot=1)
        house.service.grant("reader2", TRIAL, reader_slot=2)
        with on_loopback(house.service) as address:
            yield BrowsedHouse(house=house, address=address)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium without a graphics processor."""
    with sync_playwright() as playwright, started(playwright) as browser:
        yield browser


@contextmanager
def started(playwright: Playwright) -> Iterator[Browser]:
    """Start Chromium under a Playwright that runs already."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
    try:
        yield browser
    finally:
        browser.close()


def sign_in(page: Page, address: str, account: str = "reader1") -> None:
    """Open the pages and sign in, as a person does."""
    page.goto(f"{address}/viewer/")
    page.get_by_label("Account").fill(account)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def violations(page: Page, within: str | None = None) -> list[str]:
    """Return what axe finds by WCAG 2.2 A and AA, and by its best practices."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("within => axe.run(within ?? document, {preload: false})", within)
    return [
        f"{each['id']} ({each['impact']}): {each['help']}: {node['html'][:200]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def picture(page: Page, name: str) -> Path:
    """Keep a screenshot beside the build's other artefacts."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    place = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=place)
    return place


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How a stack is shown in a viewport, worked out apart from the page.

    The image is as large as it fits, zoomed about the middle of the stage; pixel (0, 0) is the centre of the
    first pixel, so the image begins half a pixel before it.
    """

    columns: int
    rows: int
    column_spacing: float
    row_spacing: float
    zoom: float = 1.0

    def place(self, page: Page, pixel: tuple[float, float], viewport: int = -1) -> tuple[float, float]:
        """Return where a pixel (column, row) is on the screen, in CSS pixels."""
        stage = page.locator(".stage").all()[viewport].bounding_box()
        assert stage is not None
        fit = min(
            stage["width"] / (self.columns * self.column_spacing),
            stage["height"] / (self.rows * self.row_spacing),
        )
        per_mm = fit * self.zoom
        column, row = pixel
        across = (column - (self.columns - 1) / 2) * self.column_spacing * per_mm
        down = (row - (self.rows - 1) / 2) * self.row_spacing * per_mm
        return stage["x"] + stage["width"] / 2 + across, stage["y"] + stage["height"] / 2 + down
