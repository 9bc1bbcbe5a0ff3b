"""The sponsor's page draws what the routes answer, tells it to everybody, and lets it leave as files."""

import csv
import io
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.builders.browsing import picture, sign_in, violations
from tests.builders.reading import ReadingRoom, measured, reading_room
from tests.builders.service import on_loopback, running_service
from tests.imaging_service.outcomes.test_outcomes import read_lengths

pytestmark = [pytest.mark.peer("chromium"), pytest.mark.peer("axe-core")]

MINUS = "\u2212"
COURSES = [
    [50.0, 30.0, 25.0, 24.0],
    [40.0, 36.0, 38.0, 60.0],
    [60.0, 20.0, 18.0],
    [35.0, 34.0, 36.0, 35.0],
    [80.0, 100.0],
]
"""Sums in mm; best changes -52, -10, -70, -2.9 and +25 %."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a cohort of five read subjects, one of whom reader 2 saw otherwise, and one unread subject."""
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('cohort')}/room.sqlite") as running:
        room = reading_room(running)
        for lengths in COURSES[:-1]:
            read_lengths(room, room.someone(), lengths)
        _read_differently(room)
        room.someone()
        with on_loopback(running) as served:
            yield served


def _read_differently(room: ReadingRoom) -> None:
    images = [room.image(room.someone(), 0)]
    subject_images = [*images]
    for account, mm in (("reader1", 80.0), ("reader2", 78.0)):
        room.course(account, subject_images, [{"T01": measured(images[0], mm, "liver")}])


@pytest.fixture(scope="module")
def opened(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    sign_in(page, address, "sponsor")
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def page(opened: Page, address: str) -> Page:
    """Give the page as it first opens."""
    opened.goto(f"{address}/viewer/#/home")
    opened.goto(f"{address}/viewer/#/cohort")
    expect(opened.get_by_role("heading", name="Cohort")).to_be_visible()
    return opened


def tab(page: Page, name: str):
    page.get_by_role("tab", name=name, exact=True).click()
    panel = page.get_by_role("tabpanel", name=name)
    expect(panel).to_be_visible()
    expect(panel.get_by_text("Loading …")).to_have_count(0)
    return panel


def saved(page: Page, panel, kind: str, tmp_path: Path) -> bytes:
    with page.expect_download() as download:
        panel.get_by_role("button", name=kind, exact=True).first.click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    return file.read_bytes()


def test_every_bar_of_the_waterfall_is_a_subject_in_order(page: Page):
    panel = tab(page, "Waterfall")
    told = [each.get_attribute("aria-label") for each in panel.locator("g.item").all()]
    changes = [re.search(r": (\S+ %)", each or "").group(1) for each in told]  # type: ignore[union-attr]
    assert changes == [f"{MINUS}2.9 %", f"{MINUS}10.0 %", f"{MINUS}52.0 %", f"{MINUS}70.0 %"]
    heights = [float(each.get_attribute("height") or 0) for each in panel.locator("g.item rect").all()]
    assert heights[3] / heights[2] == pytest.approx(70 / 52, rel=0.01)
    picture(page, "cohort-waterfall")


def test_a_drawing_is_read_by_keyboard(page: Page):
    panel = tab(page, "Waterfall")
    panel.locator("g.item").first.focus()
    expect(panel.locator(".readout")).to_contain_text(f"{MINUS}2.9 %")
    page.keyboard.press("ArrowRight")
    expect(panel.locator(".readout")).to_contain_text(f"{MINUS}10.0 %")
    page.keyboard.press("End")
    expect(panel.locator(".readout")).to_contain_text(f"{MINUS}10.0 %")


def test_the_spider_has_a_line_of_each_measured_subject(page: Page):
    panel = tab(page, "Spider")
    expect(panel.locator("g.item")).to_have_count(4)
    expect(panel.locator("g.item").first).to_have_attribute(
        "aria-label", re.compile(rf"day 42 {MINUS}40\.0 %")
    )
    picture(page, "cohort-spider")


def test_the_swimmer_tells_how_each_course_ended(page: Page):
    panel = tab(page, "Swimmer")
    told = [each.get_attribute("aria-label") or "" for each in panel.locator("g.item").all()]
    assert len(told) == 6
    assert sum("Documented progression" in each for each in told) == 1
    picture(page, "cohort-swimmer")


def test_survival_shows_the_numbers_at_risk(page: Page):
    panel = tab(page, "Survival")
    figure = panel.get_by_role("figure").first
    expect(figure).to_contain_text("Kaplan-Meier estimate, PFS")
    expect(figure).to_contain_text("6 subjects, 1 events")
    row = figure.locator("svg > text").all_text_contents()
    assert row[row.index("Of record") + 1] == "6"
    picture(page, "cohort-survival")


def test_a_drawing_leaves_as_svg_png_and_csv(page: Page, tmp_path: Path):
    panel = tab(page, "Waterfall")
    drawing = ET.fromstring(saved(page, panel, "SVG", tmp_path))  # noqa: S314  made by this page
    assert drawing.tag.endswith("svg")
    assert len(drawing.findall(".//{http://www.w3.org/2000/svg}g")) == 4
    png = saved(page, panel, "PNG", tmp_path)
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == (1920, 920)
    rows = list(csv.DictReader(io.StringIO(saved(page, panel, "CSV", tmp_path).decode())))
    assert {row["best_change_percent"] for row in rows} >= {"-52", "-70"}


def test_the_table_has_rates_with_exact_intervals(page: Page):
    """2 of 6 respond; Clopper-Pearson, R: binom.test(2, 6) gives 0.0433 to 0.7772."""
    panel = tab(page, "Table")
    row = panel.get_by_role("row", name="Objective response, confirmed")
    expect(row).to_contain_text("33.3 % (2 of 6)")
    expect(row).to_contain_text("4.3 % to 77.7 %")
    picture(page, "cohort-table")


def test_readers_and_sites_have_their_tables(page: Page):
    readers = tab(page, "Readers")
    expect(readers.get_by_role("table", name="Agreement of the readers")).to_contain_text("adjudication rate")
    expect(readers.get_by_role("table", name="Single diameters of the same lesions")).to_be_visible()
    expect(tab(page, "Site and central")).to_contain_text("No site has entered an evaluation yet.")


def test_each_reader_can_be_looked_at_apart(page: Page):
    page.get_by_label("Reads").select_option("readers")
    expect(page.get_by_role("heading", name="Reader 2").first).to_be_visible()
    expect(page).to_have_url(re.compile("view=readers"))


def test_a_data_cut_is_kept_in_the_address(page: Page):
    page.get_by_label("Data cut").fill("2024-03-31")
    page.get_by_label("Data cut").press("Tab")
    expect(page.get_by_text("nothing after 2024-03-31 counts")).to_be_visible()
    labels = [each.get_attribute("aria-label") or "" for each in tab(page, "Spider").locator("g.item").all()]
    assert all("day 84" not in each for each in labels)


@pytest.mark.parametrize(
    "name", ["Waterfall", "Spider", "Swimmer", "Survival", "Table", "Site and central", "Readers"]
)
def test_axe_finds_nothing(page: Page, name: str):
    tab(page, name)
    assert violations(page) == []
