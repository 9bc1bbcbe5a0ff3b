"""A browser and a house of phantom subjects for the tests of the pages; each test has its own subject."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from fixtures.dicom.phantom import LesionPlan, PhantomStudy, SeriesPlan, StudyPlan, build_study
from tests.builders.browsing import DESK, BrowsedHouse, browsed_house, chromium
from tests.builders.reading_desk import MouseHand, open_baseline

HERE = Path(__file__).parent
NUMBERS = count(1)
LESIONS = (
    LesionPlan(
        lesion_id="T01",
        slice_index=2,
        right_mm=-12,
        down_mm=-6,
        longest_diameter_mm=32,
        short_axis_mm=20,
        depth_mm=12,
    ),
)
SERIES = (SeriesPlan(sequence_name="DCE_EARLY"),)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and item.path.name not in {"test_files.py", "test_types.py"}:
            item.add_marker(pytest.mark.peer("chromium"))


@pytest.fixture(scope="module")  # while a browser is open, no other test of the process may run an event loop
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowsedHouse]:
    with browsed_house(tmp_path_factory.mktemp("pages")) as served:
        yield served


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Give a browser profile of this test's own."""
    opened = browser.new_context(viewport=DESK)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    assert faults == []


@dataclass(kw_only=True)
class Subject:
    """A subject with studies in the house."""

    house: BrowsedHouse
    subject_id: str
    patient_id: str
    reading_id: str = ""
    studies: list[PhantomStudy] = field(default_factory=list)

    def plan(self, number: int = 0, **more: object) -> StudyPlan:
        """Return the plan of a timepoint's study: 64 x 64 pixels, 4 slices, one series."""
        day = date(2024, 12, 25) if number == 0 else date(2025, 1, 1) + timedelta(days=42 * number)
        known: dict[str, object] = {
            "lesions": LESIONS,
            "series": SERIES,
            "rows": 64,
            "columns": 64,
            "slices": 4,
            "noise_sigma": 0.0,
            "bias_strength": 0.0,
        }
        return StudyPlan(
            subject_id=self.subject_id,
            patient_id=self.patient_id,
            study_on=day,
            **{**known, **more},  # type: ignore[arg-type]  # each name is one of the plan's
        )

    def image(self, *plans: StudyPlan) -> Sequence[PhantomStudy]:
        """Let studies arrive."""
        built = [build_study(plan) for plan in plans]
        for study in built:
            self.house.receive(study)
        self.studies += built
        return built

    def accept_images(self) -> None:
        """Let a coordinator accept images that quality control has findings about."""
        house = self.house.house
        (timepoint,) = house.get(f"/timepoints?subject={self.subject_id}&status=received")["items"]
        path = house.path(f"/timepoints/{timepoint['timepoint_id']}/quality/acceptance")
        body = {"reason": "Read as it is, without measurements."}
        answer = house.service.post(path, "coordinator", json=body)
        assert answer.status_code < 300, answer.text


@pytest.fixture
def someone(house: BrowsedHouse) -> Subject:
    """Enrol a subject without images."""
    number = next(NUMBERS)
    subject = Subject(house=house, subject_id=f"01-{number:04}", patient_id=f"PID-{number:04}")
    subject.reading_id = house.subject(subject.subject_id, subject.patient_id)
    return subject


@pytest.fixture
def imaged(someone: Subject) -> Subject:
    """Give that subject baseline images."""
    someone.image(someone.plan())
    return someone


@pytest.fixture
def desk(page: Page, imaged: Subject) -> MouseHand:
    """Sit the first reader before that subject's baseline."""
    return open_baseline(page, imaged.house, imaged.reading_id, imaged.studies[0].plan)
