"""A reader asks for an outline, takes it over or rejects it, and is shown where a lesion is expected."""

import pytest
from playwright.sync_api import Page, expect

from fixtures.dicom.phantom import SeriesPlan, StudyPlan
from tests.builders.browsing import picture, violations
from tests.builders.reading_desk import MouseHand, Place, open_baseline
from tests.imaging_service.viewer.conftest import Subject

pytestmark = [pytest.mark.peer("axe-core")]


def middle_of(subject: Subject, number: int = 0) -> tuple[float, float]:
    """Return the middle of T01 on its slice, (column, row)."""
    axis = subject.studies[number].truth.of("T01").long_axis
    (a, b), (c, d) = axis.start_pixel, axis.end_pixel
    return (a + c) / 2, (b + d) / 2


def point_at(desk: MouseHand, subject: Subject) -> None:
    desk.page.keyboard.press("Escape")  # the new lesion waits to be drawn by hand
    desk.show_slice(subject.studies[0].truth.of("T01").slice_index)
    desk.page.get_by_role("button", name="Propose an outline").click()
    desk.page.mouse.click(*desk.shown.place(desk.page, middle_of(subject)))
    expect(desk.page.locator(".suggestion")).to_contain_text("It is no measurement until you take it over.")


def test_a_proposal_is_taken_over_as_it_is(desk: MouseHand, imaged: Subject):
    desk.add("target", Place(location="liver"))
    point_at(desk, imaged)
    expect(desk.page.locator(".overlay .suggested")).not_to_have_count(0)
    assert violations(desk.page) == []
    picture(desk.page, "proposal")
    desk.page.get_by_role("button", name="Take over").click()
    desk.saved()
    assert float(desk.now("T01")) == pytest.approx(32, abs=2)
    expect(desk.page.locator(".overlay .suggested")).to_have_count(0)
    assert outcomes(imaged) == ["accepted"]


def test_a_proposal_is_rejected(desk: MouseHand, imaged: Subject):
    desk.add("target", Place(location="liver"))
    point_at(desk, imaged)
    desk.page.get_by_role("button", name="Reject").click()
    expect(desk.page.locator(".overlay .suggested")).to_have_count(0)
    expect(desk.page.get_by_role("button", name="Propose an outline")).to_be_visible()
    assert outcomes(imaged) == ["rejected"]


def test_by_keyboard_from_a_box(desk: MouseHand, imaged: Subject):
    page = desk.page
    desk.add("target", Place(location="liver"))
    page.keyboard.press("Escape")
    desk.show_slice(imaged.studies[0].truth.of("T01").slice_index)
    page.keyboard.press("Shift+A")
    column, row = middle_of(imaged)
    desk.drag_pixels((column - 14, row - 12), (column + 15, row + 11))
    expect(page.locator(".suggestion")).to_contain_text("mm")
    page.keyboard.press("Shift+Enter")
    desk.saved()
    assert float(desk.now("T01")) == pytest.approx(32, abs=2.5)


def test_nothing_is_made_up_where_there_is_nothing(page: Page, someone: Subject):
    someone.image(someone.plan(lesions=(), rows=96, columns=96))
    desk = open_baseline(page, someone.house, someone.reading_id, someone.studies[0].plan)
    desk.add("target", Place(location="liver"))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Propose an outline").click()
    page.mouse.click(*desk.shown.place(page, (48, 48)))
    expect(page.locator(".toast, .suggestion .doubtful").first).to_be_visible()


def test_a_known_lesion_is_shown_where_it_is_expected(page: Page, someone: Subject):
    plans = [plan_at(someone, 0), plan_at(someone, 1)]
    someone.image(*plans)
    desk = open_baseline(page, someone.house, someone.reading_id, plans[0])
    desk.add("target", Place(location="liver"))
    desk.draw(someone.studies[0].truth.of("T01"))
    desk.saved()
    desk.sign()
    with page.expect_response("**/expected-places"):  # asked for once the images are there
        desk.begin(someone.reading_id)
    expect(page.locator(".stage-note p")).to_have_count(0)
    someone.house.house.follow()
    show = page.get_by_role("button", name="Show where it is expected")
    expect(show).to_be_visible(timeout=20_000)
    show.click()
    ring = page.locator(".viewport").last.locator(".overlay .suggested circle")
    expect(ring).to_have_count(1)
    picture(page, "expected-place")
    box = ring.bounding_box()
    assert box is not None
    x, y = desk.shown.place(page, middle_of(someone, 1))
    scale = desk.shown.place(page, (1, 0))[0] - desk.shown.place(page, (0, 0))[0]
    away = ((box["x"] + box["width"] / 2 - x) ** 2 + (box["y"] + box["height"] / 2 - y) ** 2) ** 0.5
    assert away / scale * plans[1].reading_stack.column_spacing_mm <= 5


def test_tumour_volume_is_computed_beside_the_read(page: Page, someone: Subject):
    series = tuple(SeriesPlan(sequence_name=name) for name in ("DCE_PRE", "DCE_EARLY", "DCE_LATE"))
    someone.image(someone.plan(series=series))
    desk = open_baseline(page, someone.house, someone.reading_id, someone.studies[0].plan)
    desk.add("target", Place(location="liver"))
    page.keyboard.press("Escape")
    page.locator(".viewport").last.focus()
    page.keyboard.press("f")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("no response follows from it")
    assert violations(page) == []
    dialog.get_by_role("button", name="Compute").click()
    expect(dialog.get_by_role("status")).to_contain_text(" ml")
    picture(page, "tumour-volume")


def plan_at(subject: Subject, number: int) -> StudyPlan:
    """Return a study with enough anatomy to be recognised by."""
    return subject.plan(number, rows=128, columns=160, slices=8)


def outcomes(subject: Subject) -> list[str]:
    """Return what became of the proposals in the first reader's baseline read."""
    house = subject.house.house
    (timepoint,) = [
        each
        for each in house.get(f"/timepoints?subject={subject.subject_id}")["items"]
        if each["number"] == 0
    ]
    opened = house.service.post(f"/timepoints/{timepoint['timepoint_id']}/reads", "reader1").json()
    found = house.service.get(f"/reads/{opened['read_id']}/proposals", "reader1").json()
    return [each["outcome"] for each in found]
