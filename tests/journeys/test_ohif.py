"""The field's stock viewer lists our studies, shows them, measures, and stores its report with us."""

from collections.abc import Iterator
from datetime import date
from io import BytesIO

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from pydicom import dcmread

from fixtures.dicom.phantom import LesionPlan, PhantomStudy, StudyPlan
from imaging_service.accounts.principal import Role
from tests.builders.arrivals import TRIAL
from tests.builders.browsing import CHROMIUM, SWITCHES, BrowsedHouse, browsed_house, picture
from tests.builders.ohif import SOFTWARE_GL, fetch_ohif, ohif

pytestmark = [pytest.mark.campaign, pytest.mark.peer("chromium"), pytest.mark.timeout(600)]

PATIENCE_MS = 120_000
COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowsedHouse]:
    """Serve a trial whose site has a coordinator of its own."""
    with browsed_house(tmp_path_factory.mktemp("house")) as served:
        service = served.house.service
        service.add_account("site-coordinator", Role.COORDINATOR)
        service.grant("site-coordinator", TRIAL, site_id="01")
        served.subject("01-001", "P-1")
        yield served


@pytest.fixture(scope="module")
def study(house: BrowsedHouse) -> PhantomStudy:
    lesion = LesionPlan(
        lesion_id="T01", slice_index=4, right_mm=10, down_mm=-5, longest_diameter_mm=32, short_axis_mm=20
    )
    plan = StudyPlan(subject_id="01-001", patient_id="P-1", study_on=date(2024, 12, 20), lesions=(lesion,))
    return house.receive(plan)


@pytest.fixture(scope="module")
def viewer(house: BrowsedHouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    files = fetch_ohif(tmp_path_factory.mktemp("ohif"))
    with ohif(files, house.address, house.house.service.token("site-coordinator")) as address:
        yield address


@pytest.fixture
def page() -> Iterator[Page]:
    switches = [each for each in SWITCHES if each != "--disable-gpu"] + SOFTWARE_GL
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=switches)
        opened = browser.new_page(viewport={"width": 1280, "height": 800})
        opened.set_default_timeout(PATIENCE_MS)
        yield opened
        browser.close()


def test_the_study_list_has_the_study(page: Page, viewer: str, study: PhantomStudy):
    page.goto(viewer, wait_until="domcontentloaded")
    row = page.get_by_text("MR liver").first
    expect(row).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text(str(len(study.datasets)), exact=True).first).to_be_visible()


def test_a_measurement_is_stored_as_a_report(
    page: Page, viewer: str, house: BrowsedHouse, study: PhantomStudy
):
    uid = study.plan.study_instance_uid
    page.goto(f"{viewer}/viewer?StudyInstanceUIDs={uid}", wait_until="domcontentloaded")
    page.get_by_text("Skip all").click()
    expect(page.locator("[data-cy=study-browser-thumbnail]")).to_have_count(5)
    page.locator("[data-cy=MeasurementTools-split-button-primary]").click()
    stage = page.locator("canvas").first.bounding_box()
    assert stage is not None
    middle = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    page.mouse.move(middle[0] - 80, middle[1])
    page.mouse.down()
    page.mouse.move(middle[0] + 80, middle[1] + 20, steps=10)
    page.mouse.up()
    page.locator("[data-cy=prompt-begin-tracking-yes-btn]").click()
    page.locator("[data-cy=trackedMeasurements-btn]").click()
    expect(page.locator("[data-cy=data-row]")).to_have_count(1)
    picture(page, "ohif-measured")
    page.get_by_role("button", name="Create SR").click()
    with page.expect_response(lambda answer: answer.request.method == "POST") as stored:
        page.get_by_role("button", name="Save", exact=True).click()
    assert stored.value.status == 200, stored.value.text()

    archive = house.house.archive
    reports = [
        instance
        for series in archive.series_of(uid)
        for instance in archive.instances_of(series.series_instance_uid)
        if instance.sop_class_uid.startswith(COMPREHENSIVE_SR)
    ]
    assert len(reports) == 1
    report = dcmread(BytesIO(archive.read(reports[0].sop_instance_uid)))
    assert report.StudyInstanceUID == uid
    assert "Length" in str(report)
