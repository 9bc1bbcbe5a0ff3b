"""Millimetres in the page: lines of every angle and zoom, on frames of every geometry, and where things lie.

What a line measures is worked out from the screen alone: the distance of its ends in CSS pixels, and how many
of them the image gives a millimetre. What the service stores is compared with that.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from math import cos, hypot, radians, sin

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from pydicom import Dataset

from fixtures.dicom.phantom import SeriesPlan, StudyPlan, build_study
from fixtures.dicom.stack import Stack
from tests.builders.browsing import Shown, picture, sign_in
from tests.builders.reading_desk import MouseHand, Place

TOLERANCE_MM = 0.1
ZOOM_STEPS = (0, 2, 4, 7)
"""Presses of the + key, each of which makes the image 1.25 times as large."""
ANGLES = tuple(22.5 * number for number in range(8))
LINE_CSS_PIXELS = 120
EVERY_PAIR = [(angle, zoom) for zoom in ZOOM_STEPS for angle in ANGLES]
EACH_ONCE = [(angle, ZOOM_STEPS[number % 4]) for number, angle in enumerate(ANGLES)]


AXIAL = SeriesPlan(sequence_name="DCE_EARLY")
SAGITTAL = replace(AXIAL, is_sagittal=True)
ENHANCED = replace(AXIAL, is_enhanced=True)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of frame."""

    series: SeriesPlan = AXIAL
    tilt_degrees: tuple[float, float] = (0.0, 0.0)
    spacing: tuple[float, float] | None = None  # row, column; None leaves the phantom's 1.5 and 1.2 mm

    def shown(self, stack: Stack) -> Shown:
        row, column = self.spacing or (stack.row_spacing_mm, stack.column_spacing_mm)
        return Shown(columns=stack.columns, rows=stack.rows, column_spacing=column, row_spacing=row)


KINDS = {
    "axial": Kind(spacing=(0.9, 0.9)),
    "sagittal": Kind(series=SAGITTAL),
    "double-oblique": Kind(tilt_degrees=(23.0, -17.0)),
    "anisotropic": Kind(spacing=(0.5, 1.75)),
    "enhanced": Kind(series=ENHANCED, tilt_degrees=(6.0, -4.0)),
}


def pairs_of(name: str) -> Sequence[tuple[float, int]]:
    """Return the angles and zooms of a kind: every pair on axial frames, and on all frames in a campaign."""
    return EVERY_PAIR if name == "axial" or os.environ.get("CAMPAIGN") == "1" else EACH_ONCE


@pytest.mark.parametrize("name", KINDS)
def test_a_line_measures_what_was_drawn(page: Page, someone, name: str):
    desk, shown = opened(page, someone, KINDS[name])
    desk.add("target", Place(location="Liver"))
    wrong = []
    zoomed = 0
    for angle, steps in pairs_of(name):
        for _ in range(abs(steps - zoomed)):
            page.keyboard.press("+" if steps > zoomed else "-")
        zoomed = steps
        wanted = draw_line(desk, replace(shown, zoom=1.25**steps), angle)
        found = stored_mm(someone)
        on_page = float(page.locator(".lengths").inner_text().split()[1])
        if abs(found - wanted) > TOLERANCE_MM or abs(on_page - found) > 0.051:
            wrong.append(
                f"{angle} degrees, zoom {steps}: drawn {wanted:.3f}, stored {found:.3f}, shown {on_page}"
            )
    assert wrong == []
    picture(page, f"lines-{name}")


def opened(page: Page, someone, kind: Kind) -> tuple[MouseHand, Shown]:
    plan = someone.plan(series=(kind.series,), tilt_degrees=kind.tilt_degrees, rows=72, columns=90)
    study = build_study(plan)
    if kind.spacing is not None:
        for dataset in study.datasets:
            dataset.PixelSpacing = list(kind.spacing)
    someone.house.receive(study)
    shown = kind.shown(plan.stack_of(kind.series))
    sign_in(page, someone.house.address)
    desk = MouseHand(page=page, shown=shown)
    desk.begin(someone.reading_id)
    expect(page.locator(".stage-note p")).to_have_count(0)
    return desk, shown


def draw_line(desk: MouseHand, shown: Shown, angle: float) -> float:
    """Draw about the middle of the image, and return the length in mm that follows from the screen."""
    page = desk.page
    middle = shown.place(page, ((shown.columns - 1) / 2, (shown.rows - 1) / 2))
    half = (LINE_CSS_PIXELS / 2 * cos(radians(angle)), LINE_CSS_PIXELS / 2 * sin(radians(angle)))
    start, end = ((round(middle[0] + sign * half[0]), round(middle[1] + sign * half[1])) for sign in (-1, 1))
    page.keyboard.press("d")
    with page.expect_response(lambda answer: answer.request.method == "PUT" and answer.ok):
        desk.drag(start, end)
    desk.saved()
    stage = page.locator(".stage").last.bounding_box()
    assert stage is not None
    fit = min(
        stage["width"] / (shown.columns * shown.column_spacing),
        stage["height"] / (shown.rows * shown.row_spacing),
    )
    return hypot(end[0] - start[0], end[1] - start[1]) / (fit * shown.zoom)


def stored_mm(someone) -> float:
    service = someone.house.house.service
    items = service.get("/worklist?limit=500", "reader1").json()["items"]
    entry = next(each for each in items if each["reading_id"] == someone.reading_id)
    (lesion,) = service.get(f"/reads/{entry['read_id']}", "reader1").json()["lesions"]
    assert [finding["code"] for finding in lesion["findings"] if "claim" in finding["code"]] == []
    return float(lesion["axes"][0]["length_mm"])


SEEN = {
    "axial": AXIAL,
    "compressed": replace(AXIAL, is_compressed=True),
    "sagittal": SAGITTAL,
    "enhanced": ENHANCED,
}


@pytest.mark.parametrize("name", SEEN)
def test_the_lesion_on_the_screen_lies_where_the_service_says(page: Page, someone, name: str):
    """Find the bright lesion in a screenshot; hold its middle against the geometry that the service tells."""
    series = SEEN[name]
    plan: StudyPlan = someone.plan(series=(series,), rows=72, columns=90, tilt_degrees=(9.0, -7.0))
    (study,) = someone.image(plan)
    truth = study.truth.of("T01")
    sign_in(page, someone.house.address)
    stack = plan.stack_of(series)
    shown = Shown(
        columns=90, rows=72, column_spacing=stack.column_spacing_mm, row_spacing=stack.row_spacing_mm
    )
    desk = MouseHand(page=page, shown=shown)
    desk.begin(someone.reading_id)
    desk.show_slice(truth.slice_index)
    middle_mm = np.add(truth.long_axis.start_mm, truth.long_axis.end_mm) / 2
    pixel = pixel_told_by_service(someone, truth.sop_instance_uid, truth.frame_number, middle_mm)
    found, wanted = middle_of_lesion(page), shown.place(page, pixel)
    css_pixels_of_one = shown.place(page, (1, 0))[0] - shown.place(page, (0, 0))[0]
    assert hypot(found[0] - wanted[0], found[1] - wanted[1]) < css_pixels_of_one / 2
    picture(page, f"lesion-{name}")


def pixel_told_by_service(someone, instance: str, frame: int, point) -> tuple[float, float]:
    service = someone.house.house.service
    items = service.get("/worklist?limit=500", "reader1").json()["items"]
    entry = next(each for each in items if each["reading_id"] == someone.reading_id)
    images = service.get(f"/timepoints/{entry['timepoint_id']}/series", "reader1").json()
    told = next(
        each["frames"][frame - 1]
        for series in images["series"]
        for each in series["instances"]
        if each["sop_instance_uid"] == instance
    )
    from_first = np.subtract(point, told["position"])
    column = float(from_first @ told["row_direction"]) / told["column_spacing"]
    row = float(from_first @ told["column_direction"]) / told["row_spacing"]
    return column, row


def middle_of_lesion(page: Page) -> tuple[float, float]:
    """Return the middle of what is nearly white on the stage, in CSS pixels of the page."""
    stage = page.locator(".stage").last
    box = stage.bounding_box()
    assert box is not None
    page.locator(".overlay").last.evaluate("each => { each.style.visibility = 'hidden'; }")
    grey = np.asarray(Image.open(BytesIO(stage.screenshot())).convert("L"))
    page.locator(".overlay").last.evaluate("each => { each.style.visibility = ''; }")
    rows, columns = np.nonzero(grey[: int(grey.shape[0] * 0.9)] > 235)
    assert len(rows) > 100
    return box["x"] + columns.mean() + 0.5, box["y"] + rows.mean() + 0.5


def without_spacing(dataset: Dataset) -> Dataset:
    del dataset.PixelSpacing
    return dataset


def test_a_frame_without_spacing_is_shown_and_refused_with_its_reason(page: Page, someone):
    study = build_study(someone.plan())
    someone.house.receive_instances([without_spacing(each) for each in study.datasets])
    someone.accept_images()
    writes: list[str] = []
    page.on("request", lambda request: writes.append(request.url) if request.method == "PUT" else None)
    sign_in(page, someone.house.address)
    stack = study.plan.reading_stack
    desk = MouseHand(
        page=page, shown=Shown(columns=stack.columns, rows=stack.rows, column_spacing=1, row_spacing=1)
    )
    desk.begin(someone.reading_id)
    note = page.locator(".stage-note p")
    expect(note).to_contain_text("Nothing can be measured on this frame")
    expect(note).to_contain_text("found no PixelSpacing")
    desk.add("target", Place(location="Liver"))
    desk.drag_pixels((10, 10), (30, 30))
    expect(page.locator(".toast").last).to_contain_text("Nothing can be measured on this frame")
    expect(page.locator(".saving")).to_have_text("1 not finished")
    assert writes == []
    picture(page, "no-spacing")
