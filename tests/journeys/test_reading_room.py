"""A reader reads a baseline and three follow-ups in the browser, by mouse and by keyboard alone.

The subject is the demo's, whose sums and responses were worked out by hand.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from fixtures.demo.readers import readings_of
from fixtures.demo.story import Timepoint, load_story
from fixtures.demo.studies import painted_id, study_of
from fixtures.dicom.phantom import StudyPlan, truth_of_study
from tests.builders.browsing import DESK, BrowsedHouse, browsed_house, chromium, picture, sign_in, violations
from tests.builders.reading_desk import Hand, KeyboardHand, MouseHand, Place, shown_of
from tests.builders.service import PASSWORD

pytestmark = [pytest.mark.peer("chromium"), pytest.mark.peer("axe-core")]

STORY = load_story()
SUBJECT = next(each for each in STORY.subjects if each.subject_id == "HER2-01-001")
STATES = {"too_small": "too small to measure"}
TENTH_OF_A_PIXEL_MM = 0.15
"""Keys set a point to a tenth of a pixel of 1.5 mm."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowsedHouse]:
    with browsed_house(tmp_path_factory.mktemp("reading-room")) as served:
        yield served


@pytest.fixture(scope="module")
def reading_id(house: BrowsedHouse) -> str:
    """Let every timepoint of the subject arrive; the readers still meet them one after the other."""
    name = house.subject(
        SUBJECT.subject_id,
        SUBJECT.patient_id,
        consent_on=SUBJECT.consent_on.isoformat(),
        first_dose_on=SUBJECT.first_dose_on.isoformat(),
    )
    for timepoint in SUBJECT.timepoints:
        house.receive(plan_of(timepoint))
    return name


def plan_of(timepoint: Timepoint) -> StudyPlan:
    """Return the dynamic series of a study, which are what is read."""
    plan = study_of(STORY, SUBJECT, timepoint)
    return replace(plan, series=tuple(each for each in plan.series if "DCE" in each.sequence_name))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=DESK)
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    context.close()
    assert faults == []


def test_a_reader_reads_by_mouse(page: Page, house: BrowsedHouse, reading_id: str):
    sign_in(page, house.address, "reader1")
    hand = MouseHand(page=page, shown=shown_of(plan_of(SUBJECT.timepoints[0])))
    read_all(hand, page, reading_id, "mouse")
    assert_as_worked_out_by_hand(house, 1)


def test_a_reader_reads_by_keyboard_alone(page: Page, house: BrowsedHouse, reading_id: str):
    page.goto(f"{house.address}/viewer/")
    expect(page.get_by_label("Account")).to_be_focused()
    page.keyboard.type("reader2")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Worklist").wait_for()
    hand = KeyboardHand(page=page, shown=shown_of(plan_of(SUBJECT.timepoints[0])))
    read_all(hand, page, reading_id, "keyboard")
    assert_as_worked_out_by_hand(house, 2)


def read_all(hand: MouseHand | KeyboardHand, page: Page, reading_id: str, name: str) -> None:
    for number, timepoint in enumerate(SUBJECT.timepoints):
        hand.begin(reading_id)
        expect(page.locator(".stage-note p")).to_have_count(0)
        enter(hand, timepoint)
        hand.saved()
        assert_shown(hand, timepoint)
        assert violations(page) == []
        picture(page, f"reading-{name}-{number}")
        hand.sign()


def enter(hand: Hand, timepoint: Timepoint) -> None:
    """Enter what the images truly show, lesion by lesion."""
    truth = truth_of_study(plan_of(timepoint))
    is_baseline = timepoint is SUBJECT.timepoints[0]
    for reading in readings_of(STORY, SUBJECT, timepoint, "1"):
        if is_baseline:
            role = {"target": "target", "non_target": "non-target"}[reading.role]
            hand.add(role, Place(location=reading.location, is_nodal=reading.is_nodal))
        else:
            hand.choose(reading.lesion_id)
        if reading.state == "measured":
            if not is_baseline:
                hand.begin_drawing()
            hand.draw(truth.of(painted_id(reading.lesion_id)))
        elif not is_baseline:
            hand.state(STATES.get(reading.state, reading.state))


def assert_shown(hand: MouseHand | KeyboardHand, timepoint: Timepoint) -> None:
    """Look at the sum and the response on the page while nothing is signed yet."""
    assert timepoint.sum is not None
    measured = sum(isinstance(seen, float) for seen in timepoint.sees.values())
    expect(hand.page.locator(".brief")).to_contain_text("mm")
    hand.page.wait_for_function(
        """([sum, near]) =>
            Math.abs(parseFloat(document.querySelector('.figures dd').textContent) - sum) <= near""",
        arg=[timepoint.sum, 2 * TENTH_OF_A_PIXEL_MM * measured],
    )
    if timepoint.answer is not None:
        expect(hand.page.locator(".overall strong")).to_have_text(timepoint.answer.overall)
        hand.expect_figure("Targets", timepoint.answer.target)
        hand.expect_figure("Non-targets", timepoint.answer.non_target)


def assert_as_worked_out_by_hand(house: BrowsedHouse, slot: int) -> None:
    """Hold what the service has stored against the phantom's truth and the story's answers."""
    address = f"/subjects/{SUBJECT.subject_id}"
    history = house.house.get(f"{address}/history")["timepoints"]
    readers = {each["slot"]: each for each in house.house.get(f"{address}/outcomes")["readers"]}
    verdicts = {each["timepoint_id"]: each for each in readers[slot]["timepoints"]}
    assert len(verdicts) == len(SUBJECT.timepoints) - 1
    for timepoint in SUBJECT.timepoints:
        stored = next(each for each in history if each["imaged_on"] == str(timepoint.imaged_on))
        read = next(each for each in stored["reads"] if each["slot"] == slot and each["status"] == "signed")
        assert_lengths(read["lesions"], timepoint)
        if timepoint.answer is not None:
            verdict = verdicts[stored["timepoint_id"]]
            assert verdict["target_response"] == timepoint.answer.target
            assert verdict["non_target_response"] == timepoint.answer.non_target
            assert verdict["overall_response"] == timepoint.answer.overall


def assert_lengths(lesions: list[dict[str, Any]], timepoint: Timepoint) -> None:
    for lesion in lesions:
        seen = timepoint.sees[lesion["lesion_id"]]
        counted = "short" if lesion["is_nodal"] else "long"
        lengths = [float(axis["reported_mm"]) for axis in lesion["axes"] if axis["axis"] == counted]
        assert lengths == ([pytest.approx(seen, abs=TENTH_OF_A_PIXEL_MM)] if isinstance(seen, float) else [])
        if not isinstance(seen, float):
            assert lesion["state"] == seen
