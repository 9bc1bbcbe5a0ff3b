"""A reader who signs in, and signs, at a real identity provider, without leaving the page that is read."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from imaging_service.accounts.cookie import PLAIN_NAME
from imaging_service.audit.tables import AuditEntry
from tests.builders.browsing import BrowsedHouse, browsed_house, picture, violations
from tests.builders.identity_provider import CLIENT_SECRET, identity_provider
from tests.builders.peers import free_port
from tests.imaging_service.viewer.conftest import Subject

pytestmark = [pytest.mark.peer("oidc-provider"), pytest.mark.peer("axe-core")]

PERSON = "ada@hospital"
BUTTON = "Sign in at the identity provider"


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowsedHouse]:
    """Serve a house whose first reader is known to an identity provider beside it."""
    folder = tmp_path_factory.mktemp("provider")
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    settings = {"oidc_issuer": issuer, "oidc_client_secret": CLIENT_SECRET, "now": datetime.now(UTC)}
    with (
        browsed_house(folder, **settings) as house,
        identity_provider(folder, f"{house.address}/api/v1/openid/callback", port=port),
    ):
        service = house.house.service
        path = f"/accounts/{service.account_id('reader1')}/identities"
        body = {"issuer": issuer, "subject": PERSON}
        assert service.post(path, "administrator", json=body).status_code == 201
        yield house


def let_in(page: Page, house: BrowsedHouse) -> None:
    """Type name and password at the provider; the service's clock shows the same time as the provider's."""
    page.locator("input[name=login]").fill(PERSON)
    page.locator("input[name=password]").fill("whatever")
    house.house.service.clock.set(datetime.now(UTC))
    page.locator("button[type=submit]").click()


def imaged(house: BrowsedHouse, number: int) -> Subject:
    """Enrol a subject with baseline images."""
    subject = Subject(house=house, subject_id=f"01-{number:04}", patient_id=f"PID-{number:04}")
    subject.reading_id = house.subject(subject.subject_id, subject.patient_id)
    subject.image(subject.plan())
    return subject


def enter(page: Page, house: BrowsedHouse) -> None:
    """Sign in at the provider."""
    page.goto(f"{house.address}/viewer/")
    page.get_by_role("link", name=BUTTON).click()
    let_in(page, house)
    page.get_by_role("heading", name="Worklist").wait_for()


def begin(page: Page, subject: Subject) -> None:
    """Open the subject's baseline."""
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=subject.reading_id))
    row.get_by_role("link").click()


def test_a_reader_signs_in_and_signs_at_the_identity_provider(page: Page, linked: BrowsedHouse):
    subject = imaged(linked, 1)
    page.goto(f"{linked.address}/viewer/")
    page.get_by_role("link", name=BUTTON).wait_for()
    assert violations(page) == []
    picture(page, "sign-in-provider")
    enter(page, linked)
    begin(page, subject)
    page.get_by_role("button", name="Sign …").click()
    page.get_by_label("There was no disease at baseline").check()
    expect(page.get_by_label(re.compile("password", re.IGNORECASE))).to_have_count(0)
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Sign", exact=True).click()
    let_in(opened.value, linked)
    expect(page.locator(".saving")).to_have_text("Signed and locked")
    assert methods_of_signatures(linked) == ["openid"]


def methods_of_signatures(house: BrowsedHouse) -> list[str]:
    with house.house.service.database.read() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "enter password again")).all()
    return [re.findall(r'"method": ?"(\w+)"', entry.after or "")[0] for entry in entries]


def test_an_ended_session_goes_on_after_a_visit_to_the_provider(page: Page, linked: BrowsedHouse):
    subject = imaged(linked, 2)
    enter(page, linked)
    page.context.clear_cookies(name=PLAIN_NAME)  # the provider's own session goes on
    begin(page, subject)
    dialog = page.get_by_role("dialog", name="Your session has ended")
    dialog.get_by_role("button", name=BUTTON).click()  # nothing is asked there again
    expect(dialog).to_have_count(0)
    expect(page.locator(".viewport")).to_have_count(1)
