"""What a reader has entered outlives a reload, a crash, a lost network, an ended login, a second window."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import BrowserContext, Request, Route, expect

from tests.builders.browsing import CHROMIUM, DESK, SWITCHES, picture, sign_in, violations
from tests.builders.reading_desk import MouseHand, Place, open_baseline, shown_of
from tests.builders.service import PASSWORD

LIVER = Place(location="Liver segment VIII")
NODE = Place(location="Axillary lymph node", is_nodal=True)


def draft(subject) -> dict[str, Any]:
    """Return the read of the first reader as the service has it."""
    service = subject.house.house.service
    items = service.get("/worklist?limit=500", "reader1").json()["items"]
    entry = next(each for each in items if each["reading_id"] == subject.reading_id)
    found: dict[str, Any] = service.get(f"/reads/{entry['read_id']}", "reader1").json()
    return found


def lengths(subject) -> dict[str, str | None]:
    return {each["lesion_id"]: each["diameter_mm"] for each in draft(subject)["lesions"]}


def draw_target(desk: MouseHand, subject, place: Place = LIVER) -> None:
    desk.add("target", place)
    desk.draw(subject.studies[0].truth.of("T01"))


def draw_long_axis(desk: MouseHand, subject) -> None:
    truth = subject.studies[0].truth.of("T01")
    desk.show_slice(truth.slice_index)
    desk.drag_pixels(truth.long_axis.start_pixel, truth.long_axis.end_pixel)


def is_write(request: Request) -> bool:
    return request.method == "PUT" and "/lesions/" in request.url


def test_a_reload_brings_back_what_was_entered(desk: MouseHand, imaged):
    draw_target(desk, imaged)
    desk.saved()
    desk.page.reload()
    desk.page.locator(".lesion-table").wait_for()
    assert desk.now("T01") == "32.0"


def test_a_node_without_its_short_axis_outlives_a_reload_and_can_be_finished(desk: MouseHand, imaged):
    desk.add("target", NODE)
    draw_long_axis(desk, imaged)
    expect(desk.page.locator(".saving")).to_have_text("1 not finished")
    expect(desk.page.locator(".card .note")).to_contain_text("draw its short axis")
    desk.page.reload()
    expect(desk.page.locator(".saving")).to_have_text("1 not finished")
    expect(desk.page.locator(".stage-note p")).to_have_count(0)
    desk.choose("T01")
    desk.page.get_by_role("button", name="Draw both again").click()
    desk.draw(imaged.studies[0].truth.of("T01"))
    desk.saved()
    assert lengths(imaged) == {"T01": "20.0"}


def test_undo_and_redo_reach_the_service(desk: MouseHand, imaged):
    draw_target(desk, imaged)
    desk.saved()
    desk.page.keyboard.press("Control+z")
    expect(desk.page.locator(".lengths")).to_contain_text("not drawn")
    desk.saved()
    assert len(draft(imaged)["lesions"][0]["axes"]) == 1
    desk.page.keyboard.press("Control+Shift+z")
    expect(desk.page.locator(".lengths")).to_contain_text("20.0 mm")
    desk.saved()
    assert len(draft(imaged)["lesions"][0]["axes"]) == 2


def test_a_handle_is_nudged_by_a_pixel_and_by_a_tenth(desk: MouseHand, imaged):
    draw_target(desk, imaged)
    desk.saved()
    before = draft(imaged)["lesions"][0]["axes"][0]["points"][0]
    desk.page.keyboard.press("h")
    expect(desk.page.locator("g.handle:focus")).to_have_count(1)
    with desk.page.expect_response(lambda answer: answer.request.method == "PUT" and answer.ok):
        desk.page.keyboard.press("ArrowRight")
        desk.page.keyboard.press("Shift+ArrowUp")
    desk.saved()
    after = draft(imaged)["lesions"][0]["axes"][0]["points"][0]
    assert after == [pytest.approx(before[0] + 1), pytest.approx(before[1] - 0.1)]


def test_a_lost_network_is_shown_and_what_was_entered_meanwhile_is_sent_in_order(
    desk: MouseHand, imaged, context: BrowserContext
):
    sent: list[Request] = []
    desk.page.on("request", lambda request: sent.append(request) if is_write(request) else None)
    desk.show_slice(0)
    context.set_offline(True)
    draw_target(desk, imaged)
    expect(desk.page.locator(".saving")).to_have_text("1 not saved: no connection")
    picture(desk.page, "offline")
    desk.add("non-target", Place(location="Pleura"))
    expect(desk.page.locator(".saving")).to_have_text("2 not saved: no connection")
    assert violations(desk.page) == []
    context.set_offline(False)
    desk.saved()
    assert lengths(imaged) == {"NT01": None, "T01": "32.0"}
    order = [request.url.rsplit("/", 1)[1] for request in sent]
    assert order[-1] == "NT01"
    assert set(order[:-1]) == {"T01"}
    assert all(request.headers["idempotency-key"] for request in sent)


def test_a_change_whose_answer_is_lost_happens_once(desk: MouseHand, imaged):
    keys: list[str] = []

    def lose_first_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    desk.page.route(lambda url: "/lesions/" in url, lose_first_answer)
    desk.add("non-target", Place(location="Pleura"))
    desk.saved()
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert draft(imaged)["version"] == 1


def test_a_login_that_has_ended_costs_nothing(desk: MouseHand, imaged):
    desk.show_slice(2)
    imaged.house.end_sessions()
    draw_target(desk, imaged)
    dialog = desk.page.get_by_role("dialog", name="Your session has ended")
    dialog.wait_for()
    assert violations(desk.page) == []
    picture(desk.page, "session-ended")
    dialog.get_by_label("Password").fill("not the password")
    dialog.get_by_role("button", name="Sign in again").click()
    expect(dialog.get_by_role("alert")).to_contain_text("password")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in again").click()
    desk.saved()
    assert lengths(imaged) == {"T01": "32.0"}


@pytest.mark.parametrize(
    ("decides", "kept"), [("Keep mine", "20.0"), ("Take the other one", "32.0")], ids=["mine", "theirs"]
)
def test_the_second_of_two_windows_overwrites_nothing_and_decides(
    desk: MouseHand, imaged, context: BrowserContext, decides: str, kept: str
):
    other = MouseHand(page=context.new_page(), shown=desk.shown)
    other.page.goto(desk.page.url)
    expect(other.page.locator(".saving")).to_have_text("All saved")
    expect(other.page.locator(".stage-note p")).to_have_count(0)
    draw_target(desk, imaged)
    desk.saved()
    other.add("target", LIVER)
    truth = imaged.studies[0].truth.of("T01")
    other.show_slice(truth.slice_index)
    other.drag_pixels(truth.short_axis.start_pixel, truth.short_axis.end_pixel)
    dialog = other.page.get_by_role("dialog", name="T01 was changed in another window")
    dialog.wait_for()
    assert lengths(imaged) == {"T01": "32.0"}
    assert violations(other.page) == []
    picture(other.page, "conflict")
    dialog.get_by_role("button", name=decides).click()
    other.saved()
    assert other.now("T01") == kept
    assert lengths(imaged) == {"T01": kept}


def test_a_browser_that_is_killed_sends_what_it_had_when_it_is_opened_again(tmp_path: Path, imaged, request):
    playwright = request.getfixturevalue("browser").browser_type

    def opened() -> BrowserContext:
        profile = tmp_path / "profile"
        context: BrowserContext = playwright.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=SWITCHES, viewport=DESK
        )
        return context

    first = opened()
    page = first.pages[0]
    desk = open_baseline(page, imaged.house, imaged.reading_id, imaged.studies[0].plan)
    desk.show_slice(2)
    process = process_of(tmp_path / "profile")
    first.set_offline(True)
    draw_target(desk, imaged)
    expect(page.locator(".saving")).to_have_text("1 not saved: no connection")
    os.kill(process, signal.SIGKILL)
    quietly(first.close)
    assert draft(imaged)["lesions"] == []

    second = opened()
    sign_in(second.pages[0], imaged.house.address)
    desk = MouseHand(page=second.pages[0], shown=shown_of(imaged.studies[0].plan))
    desk.begin(imaged.reading_id)
    desk.saved()
    assert desk.now("T01") == "32.0"
    second.close()
    assert lengths(imaged) == {"T01": "32.0"}


def process_of(profile: Path) -> int:
    """Return the number of the browser that this test has started: nobody else knows its profile."""
    wanted = f"--user-data-dir={profile}"
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if wanted in words and not any(word.startswith("--type=") for word in words):
            return int(process.pid)
    message = f"No browser has the profile {profile}."
    raise AssertionError(message)


def quietly(act: Callable[[], object]) -> None:
    with suppress(Exception):  # what it was to close is dead already
        act()
