"""A reader before the page: what a hand on the mouse, or on the keyboard alone, does there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from playwright.sync_api import Locator, Page, expect

from fixtures.dicom.lesions import AxisTruth, LesionTruth
from fixtures.dicom.plan import StudyPlan
from tests.builders.browsing import BrowsedHouse, Shown, sign_in
from tests.builders.service import PASSWORD

Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is typed about a lesion when it is first entered."""

    location: str
    is_nodal: bool = False


class Hand(Protocol):
    """The same acts by mouse or by keyboard."""

    def begin(self, reading_id: str) -> None:
        """Open the subject's timepoint from the worklist."""

    def add(self, role: str, place: Place) -> None:
        """Enter a lesion for the first time."""

    def draw(self, truth: LesionTruth) -> None:
        """Draw both axes of the lesion that is being drawn."""

    def choose(self, lesion_id: str) -> None:
        """Choose a lesion in the table."""

    def begin_drawing(self) -> None:
        """Take up the calipers for the chosen lesion."""

    def state(self, name: str) -> None:
        """Say in which state the chosen lesion is."""

    def sign(self) -> None:
        """Sign, and go back to the worklist."""


@dataclass(kw_only=True)
class Desk:
    """One reader's page."""

    page: Page
    shown: Shown

    def expect_figure(self, name: str, value: str) -> None:
        """Wait until the response on the page has a figure."""
        figures = self.page.locator(".verdict dl > div")
        named = figures.filter(has=self.page.locator("dt", has_text=re.compile(f"^{name}$")))
        expect(named.locator("dd")).to_have_text(value)

    def saved(self) -> None:
        """Wait until the service has everything."""
        expect(self.page.locator(".saving")).to_have_text("All saved")

    def now(self, lesion_id: str) -> str:
        """Return what the table says of a lesion now, once it is saved."""
        name = self.page.locator(f'[data-focus="row {lesion_id}"]')
        row = self.page.locator(".lesion-table tr").filter(has=name)
        expect(row.locator(".standing")).to_have_class("standing saved")
        return row.locator(".now").inner_text()

    def show_slice(self, index: int) -> None:
        """Scroll the viewport of this timepoint to a slice, counted from 0."""
        viewport = self.page.locator(".viewport").last
        viewport.focus()
        self.page.keyboard.press("Home")
        for _ in range(index):
            self.page.keyboard.press("PageDown")
        expect(viewport.locator(".lower-left")).to_contain_text(f"{index + 1} /")
        expect(viewport.locator(".stage-note")).to_be_empty()

    def drag(self, start: Point, end: Point) -> None:
        """Draw with the mouse from one place of the screen to another."""
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        self.page.mouse.move(*end)
        self.page.mouse.up()

    def drag_pixels(self, start: Point, end: Point) -> None:
        """Draw with the mouse from pixel to pixel."""
        self.drag(self.shown.place(self.page, start), self.shown.place(self.page, end))


@dataclass(kw_only=True)
class MouseHand(Desk):
    """A reader who uses the mouse, and the keyboard for words only."""

    def begin(self, reading_id: str) -> None:
        row = self.page.get_by_role("row").filter(has=self.page.get_by_role("rowheader", name=reading_id))
        row.get_by_role("link").click()
        self.page.locator(".viewport").last.wait_for()

    def add(self, role: str, place: Place) -> None:
        self.page.get_by_role("button", name=f"Add {role}", exact=True).click()
        self.page.get_by_label("Where it is").fill(place.location)
        if place.is_nodal:
            self.page.get_by_label("It is a lymph node").check()
        self.page.get_by_role("dialog").locator("button.primary").click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def draw(self, truth: LesionTruth) -> None:
        self.show_slice(truth.slice_index)
        for axis in (truth.long_axis, truth.short_axis):
            self.drag_pixels(axis.start_pixel, axis.end_pixel)

    def choose(self, lesion_id: str) -> None:
        self.page.locator(f'[data-focus="row {lesion_id}"]').click()

    def begin_drawing(self) -> None:
        self.page.locator(".card").get_by_role("button", name="Draw both").click()

    def state(self, name: str) -> None:
        self.page.locator(".card").get_by_role("button", name=name, exact=True).click()

    def sign(self) -> None:
        self.page.get_by_role("button", name="Sign …").click()
        self.page.get_by_label("Your password, again").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign", exact=True).click()
        self.page.get_by_role("link", name="Back to the worklist").click()
        self.page.get_by_role("heading", name="Worklist").wait_for()


@dataclass(kw_only=True)
class KeyboardHand(Desk):
    """A reader who touches nothing but the keyboard."""

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def begin(self, reading_id: str) -> None:
        expect(self.page.locator("tbody a").first).to_be_focused()
        for name in self.page.locator("tbody th").all_inner_texts():
            if name == reading_id:
                break
            self.press("j")
        self.press("Enter")
        self.page.locator(".viewport").last.wait_for()
        expect(self.page.locator(".stage-note p")).to_have_count(0)

    def add(self, role: str, place: Place) -> None:
        self.press({"target": "n", "non-target": "m", "new lesion": "n"}[role])
        expect(self.page.get_by_label("Where it is")).to_be_focused()
        self.page.keyboard.type(place.location)
        if place.is_nodal:
            self.press("Tab", "Space")
            expect(self.page.get_by_label("It is a lymph node")).to_be_checked()
        self.press("Enter")
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def draw(self, truth: LesionTruth) -> None:
        self.press("Home", *(["PageDown"] * truth.slice_index))
        viewport = self.page.locator(".viewport").last
        expect(viewport.locator(".lower-left")).to_contain_text(f"{truth.slice_index + 1} /")
        expect(viewport.locator(".stage-note")).to_be_empty()
        for axis in (truth.long_axis, truth.short_axis):
            self._point(axis, "start_pixel")
            self._point(axis, "end_pixel")

    def _point(self, axis: AxisTruth, end: str) -> None:
        wanted: Point = getattr(axis, end)
        self.press("ArrowRight", "ArrowLeft")  # shows where the cross is
        cross = self.page.locator(".upper-left").last
        expect(cross).to_contain_text("column")
        column, row = (float(part.split()[-1]) for part in cross.inner_text().split(","))
        self._walk(wanted[0] - column, "ArrowRight", "ArrowLeft")
        self._walk(wanted[1] - row, "ArrowDown", "ArrowUp")
        self.press("Enter")

    def _walk(self, by: float, forth: str, back: str) -> None:
        """Go some pixels in steps of ten, one and a tenth; the nearest tenth is as fine as keys go."""
        tenths = round(by * 10)
        key, left = (forth, tenths) if tenths > 0 else (back, -tenths)
        for size, modifier in ((100, "Control+"), (10, ""), (1, "Shift+")):
            self.press(*([modifier + key] * (left // size)))
            left %= size

    def choose(self, lesion_id: str) -> None:
        chosen = self.page.locator('.lesion-name[aria-pressed="true"] .id')
        for _ in range(self.page.locator(".lesion-name").count()):
            before = chosen.inner_text()
            if before == lesion_id:
                break
            self.press("j")
            expect(chosen).not_to_have_text(before)
        expect(self.page.locator(".card h2")).to_contain_text(f"{lesion_id} ·")

    def begin_drawing(self) -> None:
        self.press("b")

    def state(self, name: str) -> None:
        self.press("x")
        for _ in range(8):
            if self._is_on_state(name):
                break
            self.press("Tab")
        assert self._is_on_state(name), f"The keyboard did not reach the state {name!r}."
        self.press("Space")
        self.press("v")

    def _is_on_state(self, name: str) -> bool:
        """Look where the focus is, at once: a card drawn anew keeps the focus in another element."""
        return bool(
            self.page.evaluate(
                """name => document.activeElement.closest('.card .states') !== null
                    && document.activeElement.textContent === name""",
                name,
            )
        )

    def sign(self) -> None:
        self.press("Control+Enter")
        expect(self.page.get_by_label("Your password, again")).to_be_focused()
        self.page.keyboard.type(PASSWORD)
        self.press("Enter")
        expect(self.page.get_by_role("link", name="Back to the worklist")).to_be_focused()
        self.press("Enter")
        self.page.get_by_role("heading", name="Worklist").wait_for()


def shown_of(plan: StudyPlan) -> Shown:
    """Return how the reading series of a study is shown when nothing is zoomed."""
    stack = plan.reading_stack
    return Shown(
        columns=stack.columns,
        rows=stack.rows,
        column_spacing=stack.column_spacing_mm,
        row_spacing=stack.row_spacing_mm,
    )


def open_baseline(page: Page, house: BrowsedHouse, reading_id: str, plan: StudyPlan) -> MouseHand:
    """Sign in as the first reader and open a subject's timepoint."""
    sign_in(page, house.address)
    desk = MouseHand(page=page, shown=shown_of(plan))
    desk.begin(reading_id)
    expect(page.locator(".stage-note p")).to_have_count(0)
    return desk


def rows_of(page: Page) -> Sequence[Locator]:
    """Return the rows of the lesion tables."""
    return page.locator(".lesion-table tbody tr").all()
