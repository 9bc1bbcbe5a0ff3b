"""A coordinator runs the trial in the browser; what is decided there is on the record."""

from collections.abc import Iterator
from datetime import date
from functools import partial

import pytest
from playwright.sync_api import Browser, Page, expect

from fixtures.dicom.phantom import StudyPlan
from tests.builders.arrivals import TRIAL
from tests.builders.browsing import BrowsedHouse, browsed_house, picture, sign_in, violations

pytestmark = [pytest.mark.peer("chromium"), pytest.mark.peer("axe-core")]

small_study = partial(StudyPlan, rows=32, columns=40, slices=3)
STRANGER = small_study(subject_id="?", patient_id="P-404", study_on=date(2025, 2, 12))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowsedHouse]:
    """Give a subject with a baseline, one without any images, and a study of nobody's."""
    with browsed_house(tmp_path_factory.mktemp("office")) as served:
        served.subject("01-001", "P-1")
        served.subject("01-002", "P-2", first_dose_on="2025-03-01")
        served.house.service.grant("administrator", TRIAL)
        served.house.service.grant("site", TRIAL, site_id="01")
        served.receive(small_study(subject_id="01-001", patient_id="P-1", study_on=date(2024, 12, 20)))
        served.receive(
            small_study(
                subject_id="01-002", patient_id="P-2", study_on=date(2025, 2, 20), slice_thickness_mm=8.0
            )
        )
        served.receive(STRANGER)
        yield served


@pytest.fixture(scope="module")
def desks(browser: Browser, house: BrowsedHouse) -> Iterator[dict[str, Page]]:
    """Seat the coordinator, the administrator and the site, each before a page of their own."""
    pages: dict[str, Page] = {}
    faults: list[str] = []
    for account in ("coordinator", "administrator", "site"):
        context = browser.new_context(viewport={"width": 1360, "height": 900})
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        sign_in(page, house.address, account)
        pages[account] = page
    yield pages
    for page in pages.values():
        page.context.close()
    assert faults == []


def at(desks: dict[str, Page], house: BrowsedHouse, path: str, heading: str, account: str = "coordinator"):
    page = desks[account]
    page.goto(f"{house.address}/viewer/#/home")
    page.goto(f"{house.address}/viewer/#{path}")
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    return page


def give_reason(page: Page, words: str, submit: str, label: str = "Reason") -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(label).fill(words)
    dialog.get_by_role("button", name=submit, exact=True).click()
    expect(dialog).to_be_hidden()


def test_the_calendar_shows_every_subject_with_every_timepoint(desks, house):
    page = at(desks, house, "/calendar", "Calendar")
    row = page.get_by_role("row").filter(has_text="01-001")
    expect(row.locator("ol.strip li")).to_have_count(18)
    expect(row.locator("ol.strip li").first).to_contain_text("Baseline, received")
    expect(page.get_by_role("link", name="unmatched studies")).to_contain_text("1")
    assert violations(page) == []
    picture(page, "office-calendar")


def test_the_calendar_is_narrowed_to_what_is_overdue(desks, house):
    page = at(desks, house, "/calendar?status=in_reading", "Calendar")
    expect(page.get_by_text("No subject is like this.")).to_be_visible()


def test_a_study_of_nobodys_is_seen_and_assigned(desks, house):
    page = at(desks, house, "/studies", "Studies")
    row = page.get_by_role("row").filter(has_text="P-404")
    expect(row.get_by_role("img")).to_have_js_property("naturalWidth", 128)
    assert violations(page) == []
    picture(page, "office-studies")
    row.get_by_role("button", name="Assign").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Assign").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Reason is missing")
    assert violations(page) == []
    dialog.get_by_label("Subject").fill("01-001")
    dialog.get_by_label("Timepoint", exact=True).fill("1")
    give_reason(page, "The site confirmed the mistyped number.", "Assign")
    expect(page.get_by_text("No study waits")).to_be_visible()
    matched = (
        at(desks, house, "/studies?state=matched", "Studies").get_by_role("row").filter(has_text="P-404")
    )
    expect(matched).to_contain_text("The site confirmed the mistyped number.")
    matched.get_by_role("button", name="History").click()
    expect(page.get_by_role("dialog").locator("ol.history > li")).to_have_count(2)


def test_a_conflict_is_told_and_nothing_is_overwritten(desks, house):
    """Somebody else decides while the dialog is open."""
    page = at(desks, house, "/studies?state=matched", "Studies")
    row = page.get_by_role("row").filter(has_text="P-404")
    row.get_by_role("button", name="Reject").click()
    uid = STRANGER.study_instance_uid
    body = {"subject_id": "01-001", "timepoint": 2, "reason": "Nearer to the second one."}
    other = house.house.service.post(
        f"/trials/{TRIAL}/studies/{uid}/assignment", "coordinator", json=body | {"joins_other_study": True}
    )
    assert other.status_code == 200, other.text
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Not ours.")
    dialog.get_by_role("button", name="Reject", exact=True).click()
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    assert house.house.study(uid)["state"] == "matched"


def test_quality_control_is_decided_with_a_reason(desks, house):
    page = at(desks, house, "/quality", "Quality control")
    row = page.get_by_role("row").filter(has_text="01-002")
    expect(row).to_contain_text("warns")
    assert violations(page) == []
    picture(page, "office-quality")
    row.get_by_role("button", name="Ask the site").click()
    give_reason(page, "The dynamic phases are missing; please send them.", "Ask", "Question")
    expect(row).to_contain_text("query open")
    row.get_by_role("button", name="Reject").click()
    give_reason(page, "Nothing to measure on.", "Reject")
    expect(row).to_contain_text("rejected")
    row.get_by_role("button", name="History").click()
    expect(page.get_by_role("dialog")).to_contain_text("Nothing to measure on.")


def test_a_site_answers_and_the_coordinator_closes(desks, house):
    asked = house.house.service.post(
        f"/trials/{TRIAL}/site_queries",
        "coordinator",
        json={"subject_id": "01-001", "code": "clinical", "text": "Was contrast given?"},
    )
    assert asked.status_code == 201, asked.text
    page = at(desks, house, "/queries", "Site queries", "site")
    row = page.get_by_role("row").filter(has_text="Was contrast given?")
    assert violations(page) == []
    row.get_by_role("button", name="Answer").click()
    give_reason(page, "Yes, at 9:44.", "Answer", "Answer")
    expect(row).to_contain_text("answered")
    page = at(desks, house, "/queries?state=answered", "Site queries")
    row = page.get_by_role("row").filter(has_text="Was contrast given?")
    row.get_by_role("button", name="Close").click()
    give_reason(page, "Thank you.", "Close", "What there is to say")
    page = at(desks, house, "/queries?state=closed", "Site queries")
    page.get_by_role("row").filter(has_text="Was contrast given?").get_by_role(
        "button", name="History"
    ).click()
    expect(page.get_by_role("dialog").locator("ol.history > li")).to_have_count(3)
    picture(page, "office-queries")


def test_an_administrator_creates_grants_ends_and_closes(desks, house):
    page = at(desks, house, "/people", "People", "administrator")
    page.get_by_role("button", name="New account").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Account").fill("dr.new")
    dialog.get_by_label("Printed name").fill("Dr New")
    dialog.get_by_label("Password").fill("correct horse battery staple")
    dialog.get_by_label("reader").check()
    assert violations(page) == []
    dialog.get_by_role("button", name="Create").click()
    row = page.get_by_role("row").filter(has_text="dr.new")
    row.get_by_role("button", name="Grant").click()
    page.get_by_role("dialog").get_by_label("Trial").fill(TRIAL)
    page.get_by_role("dialog").get_by_role("button", name="Grant").click()
    expect(row).to_contain_text(TRIAL)
    picture(page, "office-people")
    row.get_by_role("button", name="End: ").click()
    give_reason(page, "Granted by mistake.", "End")
    expect(row).not_to_contain_text(TRIAL)
    row.get_by_role("button", name="Close").click()
    give_reason(page, "Has left the reading centre.", "Close for good")
    expect(row).to_contain_text("closed")


def test_the_audit_is_searched_and_verified(desks, house):
    page = at(desks, house, "/audit", "Audit", "administrator")
    page.get_by_label("Did").fill("create account")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("create account")
    page.get_by_role("row").nth(1).get_by_role("button", name="Show the content").click()
    expect(page.get_by_role("dialog")).to_contain_text("SHA-256")
    assert violations(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Verify the chain").click()
    expect(page.get_by_role("status").filter(has_text="is whole")).to_be_visible()
    assert violations(page) == []
    picture(page, "office-audit")


def test_a_coordinator_sees_the_trials_own_audit(desks, house):
    page = at(desks, house, "/audit", "Audit")
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    expect(page.get_by_role("button", name="Verify the chain")).to_have_count(0)


def test_a_reader_has_none_of_these_pages(browser: Browser, house: BrowsedHouse):
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, house.address, "reader1")
    for path in ("calendar", "studies", "quality", "queries", "people", "audit", "cohort"):
        page.goto(f"{house.address}/viewer/#/{path}")
        expect(page.get_by_role("heading", name="Worklist")).to_be_visible()
    names = page.get_by_role("navigation", name="Pages").get_by_role("link").all_inner_texts()
    assert names == ["Worklist"]
    context.close()
