"""Who may asks what has happened, from any number on, and waits for it if wanted."""

import threading

from imaging_service.notices.kinds import Kind
from tests.imaging_service.notices.conftest import OTHER, SUBJECT, TRIAL, Told

FEED = f"/trials/{TRIAL}/notices"


def test_the_feed_goes_on_where_it_was_left(told: Told) -> None:
    for kind in (Kind.READ_SIGNED, Kind.READ_UNLOCKED, Kind.READ_SIGNED):
        told.publish(kind, reference="r-1")
    first = told.service.get(FEED, "coordinator", params={"limit": 2}).json()
    rest = told.service.get(FEED, "coordinator", params={"after": first["next_after"]}).json()
    end = told.service.get(FEED, "coordinator", params={"after": rest["next_after"]}).json()
    assert [each["sequence"] for each in first["items"] + rest["items"]] == [1, 2, 3]
    assert first["items"][0]["subject_id"] == SUBJECT
    assert end == {"items": [], "next_after": 3}


def test_a_feed_may_wait_for_what_happens_next(told: Told) -> None:
    timer = threading.Timer(0.4, told.publish, [Kind.READ_SIGNED])
    timer.start()
    answer = told.service.get(FEED, "sponsor", params={"wait_seconds": 20}).json()
    timer.join()
    assert [each["kind"] for each in answer["items"]] == ["read_signed"]


def test_a_feed_that_waits_in_vain_answers_with_nothing(told_on_sqlite: Told) -> None:
    assert told_on_sqlite.service.get(FEED, "service", params={"wait_seconds": 1}).json()["items"] == []


def test_who_sees_one_site_is_told_of_it_alone(told: Told) -> None:
    told.publish(Kind.READ_SIGNED)
    told.publish(Kind.READ_SIGNED, subject_id=OTHER)
    told.publish(Kind.STUDY_UNMATCHED, subject_id=None)
    told.service.add_account("local", *told.service_role("coordinator"))
    told.service.grant("local", TRIAL, site_id="01")
    found = told.service.get(FEED, "local").json()["items"]
    assert [each["subject_id"] for each in found] == [SUBJECT, None]


def test_readers_and_adjudicators_are_told_nothing(told_on_sqlite: Told) -> None:
    told_on_sqlite.publish(Kind.PROGRESSION)
    told_on_sqlite.service.add_account(
        "both", *told_on_sqlite.service_role("coordinator"), *told_on_sqlite.service_role("reader1")
    )
    told_on_sqlite.service.grant("both", TRIAL, reader_slot=2)
    answers = {who: told_on_sqlite.service.get(FEED, who) for who in ("reader1", "adjudicator", "both")}
    assert {who: answer.status_code for who, answer in answers.items()} == dict.fromkeys(answers, 403)
    assert all("progression" not in answer.text for answer in answers.values())


def test_another_trial_is_not_there(told_on_sqlite: Told) -> None:
    assert told_on_sqlite.service.get("/trials/NONE/notices", "coordinator").status_code == 404


def test_a_number_that_is_none_is_refused(told_on_sqlite: Told) -> None:
    for wrong in ({"after": -1}, {"after": 2**63}, {"limit": 0}, {"wait_seconds": 21}):
        assert told_on_sqlite.service.get(FEED, "coordinator", params=wrong).status_code == 422
