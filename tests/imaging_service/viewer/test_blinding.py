"""A reading session carries nothing that a reader may not see: every answer of it is read, byte by byte."""

from dataclasses import replace
from datetime import date
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.builders.arrivals import TRIAL
from tests.builders.browsing import sign_in
from tests.builders.reading_desk import MouseHand, Place, shown_of
from tests.builders.service import PASSWORD

SITE = "Hospital 01"


class Traffic:
    """Every answer of the service, as it came over the wire."""

    def __init__(self, page: Page) -> None:
        """Listen to a page from now on."""
        self.heard: list[tuple[str, str]] = []
        page.route("**/api/v1/**", self._listen)

    def _listen(self, route: Route) -> None:
        answer = route.fetch()
        headers = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.heard.append((answer.url, f"{answer.url}\n{headers}\n{answer.body().decode('latin-1')}"))
        route.fulfill(response=answer)

    def tells(self, words: list[str]) -> list[tuple[str, str]]:
        """Return where any of the words stands."""
        return [(url, word) for url, text in self.heard for word in words if word in text]

    def asked(self, part: str) -> bool:
        """Whether anything was asked at an address with this part."""
        return any(part in url for url, _ in self.heard)


def test_no_answer_of_a_reading_session_tells_the_subject_the_site_the_other_reader_or_what_is_later(
    page: Page, someone
):
    later_days = (date(2025, 2, 15), date(2025, 3, 29))  # of no other subject
    follow_ups = [
        replace(someone.plan(number), study_on=day) for number, day in enumerate(later_days, start=1)
    ]
    someone.image(someone.plan(0), *follow_ups)
    sign_as_other_reader(someone, 0)
    evaluate_as_site(someone, sign_as_other_reader(someone, 1))
    always = [someone.subject_id, someone.patient_id, SITE, "PACS_01", "Canary", "reader2", "Reader2"]
    traffic = Traffic(page)
    sign_in(page, someone.house.address)
    desk = MouseHand(page=page, shown=shown_of(someone.studies[0].plan))

    desk.begin(someone.reading_id)
    expect(page.locator(".stage-note p")).to_have_count(0)
    desk.add("target", Place(location="Liver segment VIII"))
    desk.draw(someone.studies[0].truth.of("T01"))
    desk.saved()
    expect(page.locator(".brief")).to_contain_text("mm")
    assert traffic.asked("/dicomweb/")
    assert traffic.asked("/assessment/preview")
    assert traffic.tells([*always, *facts_of(someone.studies[1:])]) == []

    desk.sign()
    traffic.heard.clear()
    desk.begin(someone.reading_id)
    expect(page.locator(".viewport")).to_have_count(2)
    expect(page.locator(".stage-note p")).to_have_count(0)
    desk.begin_drawing()
    desk.draw(someone.studies[1].truth.of("T01"))
    desk.saved()
    expect(page.locator(".overall strong")).to_have_text("SD")
    desk.sign()
    assert all(map(traffic.asked, ("/earlier", "/series", "/expected-places", "/signature", "/worklist")))
    hidden = facts_of(someone.studies[2:])
    assert traffic.tells([*always, "has_progressed", *hidden[:-1]]) == []
    reading = [(url, word) for url, word in traffic.tells(hidden[-1:]) if "/worklist" not in url]
    assert reading == []  # only the worklist, once the follow-up is signed, may name the next day


def facts_of(studies) -> list[str]:
    """Return what tells that studies are there; the last is their day."""
    return [
        word
        for study in studies
        for word in (
            study.plan.study_instance_uid,
            study.datasets[0].SOPInstanceUID,
            f"{study.plan.study_on}",
        )
    ]


def evaluate_as_site(someone, timepoint_id: str) -> None:
    """Let the coordinator enter what the site itself says."""
    body = {"overall_response": "PD", "has_progressed": True, "reason": "Canary: the site says so."}
    path = f"/trials/{TRIAL}/timepoints/{timepoint_id}/evaluation"
    answer = someone.house.house.service.put(path, "coordinator", json=body)
    assert answer.status_code == 201, answer.text


def sign_as_other_reader(someone, number: int) -> str:
    """Let the second reader sign a timepoint over REST, and return its key."""
    service = someone.house.house.service
    items = service.get("/worklist?limit=500", "reader2").json()["items"]
    entry = next(each for each in items if each["reading_id"] == someone.reading_id)
    opened = service.post(f"/timepoints/{entry['timepoint_id']}/reads", "reader2").json()
    truth = someone.studies[number].truth.of("T01")
    axis = {
        "sop_instance_uid": str(truth.sop_instance_uid),
        "points": [list(truth.long_axis.start_pixel), list(truth.long_axis.end_pixel)],
    }
    entries: dict[str, Any] = {
        "T01": {"state": "measured", "location": "Canary Island", "long_axis": axis},
        "NEW01": {"state": "unequivocal", "location": "Canary Atoll"},
    }
    address = f"/reads/{opened['read_id']}"
    for lesion_id in ("T01", "NEW01")[: number + 1]:
        answer = service.put(f"{address}/lesions/{lesion_id}", "reader2", json=entries[lesion_id])
        assert answer.status_code == 201, answer.text
    words = {"password": PASSWORD, "meaning": "I confirm this read."}
    assert service.post(f"{address}/signature", "reader2", json=words).status_code == 201
    return str(entry["timepoint_id"])
