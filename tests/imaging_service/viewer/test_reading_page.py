"""The reading page piece by piece: states, comparison, display, signing; axe finds nothing on any of it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fixtures.dicom.phantom import LesionPlan, SeriesPlan
from tests.builders.browsing import picture, sign_in, violations
from tests.builders.reading_desk import MouseHand, Place, shown_of
from tests.builders.service import PASSWORD

TWO = (
    LesionPlan(
        lesion_id="T01",
        slice_index=2,
        right_mm=-12,
        down_mm=-16,
        longest_diameter_mm=24,
        short_axis_mm=16,
        depth_mm=12,
    ),
    LesionPlan(
        lesion_id="T02",
        slice_index=1,
        right_mm=10,
        down_mm=18,
        longest_diameter_mm=20,
        short_axis_mm=14,
        depth_mm=12,
    ),
)
SUBTRACTION = "Phase 2 \N{MINUS SIGN} phase 1"
DYNAMIC = tuple(SeriesPlan(sequence_name=name) for name in ("DCE_PRE", "DCE_EARLY", "DCE_LATE"))


def axis(truth: Any, which: str) -> dict[str, Any]:
    drawn = getattr(truth, which)
    points = [list(drawn.start_pixel), list(drawn.end_pixel)]
    return {"sop_instance_uid": str(truth.sop_instance_uid), "points": points}


@pytest.fixture
def follow_up(page: Page, someone) -> MouseHand:
    """Sit the first reader before a follow-up; its baseline of two targets is signed."""
    someone.image(*(someone.plan(number, lesions=TWO, series=DYNAMIC) for number in (0, 1)))
    service = someone.house.house.service
    items = service.get("/worklist?limit=500", "reader1").json()["items"]
    entry = next(each for each in items if each["reading_id"] == someone.reading_id)
    opened = service.post(f"/timepoints/{entry['timepoint_id']}/reads", "reader1").json()
    address = f"/reads/{opened['read_id']}"
    for lesion_id, place in (("T01", "Liver segment VIII"), ("T02", "Liver segment IV")):
        truth = someone.studies[0].truth.of(lesion_id)
        body = {
            "state": "measured",
            "location": place,
            "long_axis": axis(truth, "long_axis"),
            "short_axis": axis(truth, "short_axis"),
        }
        assert service.put(f"{address}/lesions/{lesion_id}", "reader1", json=body).status_code == 201
    words = {"password": PASSWORD, "meaning": "I confirm this read."}
    assert service.post(f"{address}/signature", "reader1", json=words).status_code == 201
    sign_in(page, someone.house.address)
    desk = MouseHand(page=page, shown=shown_of(someone.studies[0].plan))
    desk.begin(someone.reading_id)
    expect(page.locator(".viewport")).to_have_count(2)
    expect(page.locator(".stage-note p")).to_have_count(0)
    return desk


def slices(page: Page) -> list[str]:
    return [text.split(" /")[0] for text in page.locator(".lower-left").all_inner_texts()]


def test_the_prior_stands_beside_with_its_measurement_locked(follow_up: MouseHand):
    page = follow_up.page
    prior, now = page.locator(".viewport").all()
    expect(prior.locator("header select").first).to_have_value(re.compile("."))
    expect(prior.locator("g.axis.locked")).to_have_count(2)
    expect(prior.locator("g.handle")).to_have_count(0)
    expect(now.locator("g.axis")).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="T01")).to_contain_text("24.0")


def test_viewports_scroll_together_until_they_are_unlinked(follow_up: MouseHand):
    page = follow_up.page
    page.locator(".viewport").last.focus()
    assert slices(page) == ["3", "3"]  # both at the first lesion's slice
    page.keyboard.press("ArrowDown")
    expect(page.locator(".lower-left").first).to_contain_text("4 /")
    page.keyboard.press("l")
    page.keyboard.press("Home")
    expect(page.locator(".lower-left").last).to_contain_text("1 /")
    assert slices(page) == ["4", "1"]


def test_a_split_target_is_measured_by_its_fragments_and_added_up(follow_up: MouseHand, someone):
    page = follow_up.page
    follow_up.state("split")
    expect(page.locator(".card .note")).to_contain_text("0 of 2 fragments are measured")
    truth = someone.studies[1].truth.of("T01")
    for fragment in (1, 2):
        page.locator(f'[data-focus="draw {fragment} one"]').click()
        follow_up.show_slice(truth.slice_index)
        follow_up.drag_pixels(truth.short_axis.start_pixel, truth.short_axis.end_pixel)
    follow_up.saved()
    assert follow_up.now("T01") == "32.0"
    picture(page, "split")


def test_a_state_that_needs_a_reason_waits_for_it(follow_up: MouseHand):
    page = follow_up.page
    follow_up.state("not evaluable")
    expect(page.locator(".saving")).to_have_text("1 not finished")
    assert violations(page) == []
    page.get_by_label("Reason").fill("Motion hides the lesion.")
    page.keyboard.press("Control+Enter")
    follow_up.saved()
    assert follow_up.now("T01") == "not evaluable"


def test_a_merged_target_names_the_other(follow_up: MouseHand):
    follow_up.choose("T02")
    follow_up.state("merged")
    follow_up.page.get_by_label("Merged into").select_option("T01")
    follow_up.saved()
    assert follow_up.now("T02") == "merged"


def test_a_new_lesion_that_is_certain_is_progression(follow_up: MouseHand):
    page = follow_up.page
    follow_up.state("absent")
    follow_up.choose("T02")
    follow_up.state("absent")
    page.get_by_role("button", name="Add new lesion").click()
    page.get_by_label("Where it is").fill("Brain")
    page.get_by_label("How certain").select_option("unequivocal")
    assert violations(page) == []
    page.get_by_role("button", name="Add", exact=True).click()
    follow_up.saved()
    expect(page.locator(".overall strong")).to_have_text("PD")
    follow_up.expect_figure("New lesion", "yes")


def test_gaps_are_listed_and_keep_the_read_from_being_signed(follow_up: MouseHand):
    page = follow_up.page
    page.keyboard.press("Control+Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("li")).to_have_count(2)
    expect(dialog.get_by_role("button", name="Sign", exact=True)).to_have_count(0)
    assert violations(page) == []
    picture(page, "gaps")


def test_phases_are_stepped_through_and_subtracted(follow_up: MouseHand):
    page = follow_up.page
    follow_up.show_slice(2)
    series = page.locator(".viewport").last.locator("header select").last
    expect(series.locator("option:checked")).to_contain_text("phase 2")
    page.keyboard.press(".")
    expect(series.locator("option:checked")).to_contain_text("phase 3")
    series.select_option(label=SUBTRACTION)
    expect(page.locator(".viewport").last.locator("canvas")).to_have_attribute(
        "aria-label", f"{SUBTRACTION}, slice 3 of 4"
    )
    expect(page.locator(".stage-note p")).to_have_count(0)
    picture(page, "subtraction")


def test_window_zoom_inversion_and_reset_work_by_key(follow_up: MouseHand):
    page = follow_up.page
    page.locator(".viewport").last.focus()
    shown = page.locator(".lower-right").last
    first = shown.inner_text()
    for key in ("Shift+ArrowRight", "Shift+ArrowUp", "+", "i", "Control+ArrowLeft"):
        page.keyboard.press(key)
    expect(shown).to_contain_text("125 % · inverted")
    assert shown.inner_text().split("·")[0] != first.split("·")[0]
    page.keyboard.press("r")
    expect(shown).to_have_text(first)
    page.keyboard.press("2")
    expect(shown).not_to_have_text(first)
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Cine")).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("() => document.querySelectorAll('.lower-left')[1].textContent.startsWith('1 /')")
    page.keyboard.press("c")


@pytest.mark.peer("axe-core")
def test_axe_finds_nothing_in_any_layout_nor_in_the_key_map(follow_up: MouseHand):
    page = follow_up.page
    for layout, count in (("1x1", 1), ("1x3", 3), ("2x2", 4), ("1x2", 2)):
        page.get_by_label("Layout").select_option(layout)
        expect(page.locator(".viewport")).to_have_count(count)
        expect(page.locator(".stage-note p")).to_have_count(0)
        assert violations(page) == [], layout
        picture(page, f"layout-{layout}")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys on this page").wait_for()
    assert violations(page) == []
    picture(page, "key-map")


@pytest.mark.peer("axe-core")
def test_axe_finds_nothing_on_the_way_in_and_out(page: Page, house):
    page.goto(f"{house.address}/viewer/")
    page.get_by_role("heading", name="Sign in").wait_for()
    assert violations(page) == []
    page.get_by_label("Account").fill("reader1")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").first).to_contain_text("password")
    assert violations(page) == []
    sign_in(page, house.address)
    page.get_by_role("heading", name="Worklist").wait_for()
    assert violations(page) == []
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()


def test_single_keys_can_be_switched_off(follow_up: MouseHand):
    page = follow_up.page
    page.keyboard.press("?")
    page.get_by_label("Single keys do something").uncheck()
    page.get_by_role("button", name="Close").click()
    page.locator(".viewport").last.focus()
    page.keyboard.press("i")
    expect(page.locator(".lower-right").last).not_to_contain_text("inverted")


def test_a_baseline_without_disease_is_signed_by_saying_so(page: Page, imaged):
    sign_in(page, imaged.house.address)
    desk = MouseHand(page=page, shown=shown_of(imaged.studies[0].plan))
    desk.begin(imaged.reading_id)
    page.get_by_role("button", name="Sign …").click()
    page.get_by_label("There was no disease at baseline").check()
    page.get_by_label("Your password, again").fill("wrong")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("password")
    page.get_by_label("Your password, again").fill(PASSWORD)
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.locator(".saving")).to_have_text("Signed and locked")
    assert violations(page) == []


def test_what_the_rules_of_eligibility_find_stands_beside_the_lesion(desk: MouseHand, imaged):
    truth = imaged.studies[0].truth.of("T01")
    desk.add("target", Place(location="Liver segment VIII"))
    desk.show_slice(truth.slice_index)
    centre = [
        sum(pair) / 2 for pair in zip(truth.long_axis.start_pixel, truth.long_axis.end_pixel, strict=True)
    ]
    desk.drag_pixels((centre[0] - 2, centre[1]), (centre[0] + 2, centre[1]))
    desk.page.keyboard.press("Escape")
    desk.saved()
    expect(desk.page.locator(".card .findings")).to_contain_text("10")


def test_a_second_window_shows_what_is_chosen_and_measured_in_the_first(follow_up: MouseHand, someone):
    with follow_up.page.expect_popup() as opened:
        follow_up.page.keyboard.press("o")
    second = opened.value
    expect(second.locator(".viewport")).to_have_count(2)
    expect(second.locator(".stage-note p")).to_have_count(0)
    follow_up.choose("T02")
    expect(second.locator(".lower-left").last).to_contain_text("2 /")
    follow_up.begin_drawing()
    follow_up.draw(someone.studies[1].truth.of("T02"))
    follow_up.saved()
    expect(second.locator(".viewport").last.locator("g.axis")).to_have_count(2)
    assert violations(second) == []
    second.close()


@pytest.mark.parametrize(
    "size", [(1280, 800), (3840, 2160), (7680, 2160)], ids=["1280 x 800", "4K", "two 4K side by side"]
)
def test_the_page_fits_the_screen(follow_up: MouseHand, size: tuple[int, int]):
    page = follow_up.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_function("width => innerWidth === width", arg=size[0])
    overflow = page.evaluate(
        """() => {
          const { scrollWidth, scrollHeight } = document.documentElement;
          return [scrollWidth - innerWidth, scrollHeight - innerHeight];
        }"""
    )
    assert overflow == [0, 0]
    tools = page.get_by_role("toolbar", name="Image tools").locator("button, select")
    edges = tools.evaluate_all("all => all.map((each) => each.getBoundingClientRect().bottom)")
    assert max(edges) - min(edges) < 2  # one row
    corner = page.evaluate(  # in one glance: the button is made anew with each answer
        """() => {
          const { right, bottom } = document.querySelector('[data-focus="sign"]').getBoundingClientRect();
          return [right, bottom];
        }"""
    )
    assert 0 < corner[0] <= size[0]
    assert 0 < corner[1] <= size[1]
    picture(page, f"screen-{size[0]}x{size[1]}")
