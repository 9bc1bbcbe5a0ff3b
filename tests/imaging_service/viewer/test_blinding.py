"""A reading session carries nothing that a reader may not see: every answer of it is read, byte by byte."""

from dataclasses import replace
from datetime import date

from playwright.sync_api import Page, Route, expect

from tests.builders.browsing import sign_in
from tests.builders.reading_desk import MouseHand, Place, shown_of

SITE = "Hospital 01"


def test_no_answer_of_a_reading_session_tells_the_subject_the_site_the_other_reader_or_what_is_later(
    page: Page, someone
):
    later_days = (date(2025, 2, 15), date(2025, 3, 29))  # of no other subject
    follow_ups = [
        replace(someone.plan(number), study_on=day) for number, day in enumerate(later_days, start=1)
    ]
    someone.image(someone.plan(0), *follow_ups)
    sign_as_other_reader(someone, location="Canary Island")
    heard: list[tuple[str, str]] = []

    def listen(route: Route) -> None:
        answer = route.fetch()
        headers = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
        heard.append((answer.url, f"{answer.url}\n{headers}\n{answer.body().decode('latin-1')}"))
        route.fulfill(response=answer)

    page.route("**/api/v1/**", listen)
    sign_in(page, someone.house.address)
    desk = MouseHand(page=page, shown=shown_of(someone.studies[0].plan))
    desk.begin(someone.reading_id)
    expect(page.locator(".stage-note p")).to_have_count(0)
    read(desk, someone, 0)
    assert any("/dicomweb/" in url for url, _ in heard)
    assert any("/assessment/preview" in url for url, _ in heard)

    later = [
        uid
        for study in someone.studies[1:]
        for uid in (study.plan.study_instance_uid, study.datasets[0].SOPInstanceUID, f"{study.plan.study_on}")
    ]
    hidden = [someone.subject_id, someone.patient_id, SITE, "PACS_01", "Canary", "reader2", "Reader2", *later]
    assert [(url, word) for url, text in heard for word in hidden if word in text] == []


def read(desk: MouseHand, someone, number: int) -> None:
    desk.add("target", Place(location="Liver segment VIII"))
    desk.draw(someone.studies[number].truth.of("T01"))
    desk.saved()
    desk.page.get_by_role("button", name="Sign …").click()
    desk.page.get_by_label("Your password, again").wait_for()
    desk.page.keyboard.press("Escape")


def sign_as_other_reader(someone, location: str) -> None:
    """Let the second reader sign the same baseline over REST."""
    service = someone.house.house.service
    items = service.get("/worklist?limit=500", "reader2").json()["items"]
    entry = next(each for each in items if each["reading_id"] == someone.reading_id)
    opened = service.post(f"/timepoints/{entry['timepoint_id']}/reads", "reader2").json()
    truth = someone.studies[0].truth.of("T01")
    body = {
        "state": "measured",
        "location": location,
        "long_axis": {
            "sop_instance_uid": str(truth.sop_instance_uid),
            "points": [list(truth.long_axis.start_pixel), list(truth.long_axis.end_pixel)],
        },
    }
    address = f"/reads/{opened['read_id']}"
    assert service.put(f"{address}/lesions/T01", "reader2", json=body).status_code == 201
    words = {"password": "correct horse battery", "meaning": "I confirm this read."}
    assert service.post(f"{address}/signature", "reader2", json=words).status_code == 201
