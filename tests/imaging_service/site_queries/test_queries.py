"""A question to a site: asked, answered, followed up, closed, opened again; every word of it is kept."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from imaging_service.accounts.principal import Role
from imaging_service.site_queries.states import RULES, Deed, QueryState
from tests.builders.arrivals import STUDY, TRIAL, TrialHouse, mr_instance

TEXT = "CANARY-QUERY: the early phase is missing; please send it."


def ask(house: TrialHouse, account: str = "coordinator", **body: Any) -> Any:
    about = {"code": "series_missing", "text": TEXT, "subject_id": "01-001"}
    return house.service.post(house.path("/site_queries"), account, json=about | body)


def say(house: TrialHouse, query: str, what: str, account: str = "coordinator", **body: Any) -> Any:
    known = {"text": "The series was sent today."}
    return house.service.post(house.path(f"/site_queries/{query}/{what}"), account, json=known | body)


@pytest.fixture
def sited(house: TrialHouse) -> TrialHouse:
    return with_sites(house)


@pytest.fixture
def sqlite_sited(sqlite_house: TrialHouse) -> TrialHouse:
    return with_sites(sqlite_house)


def with_sites(house: TrialHouse) -> TrialHouse:
    house.service.grant("site", TRIAL, site_id="01")
    house.service.add_account("other_site", Role.SITE)
    house.service.grant("other_site", TRIAL, site_id="02")
    house.service.grant("reader1", TRIAL, reader_slot=1)
    house.enrol()
    return house


def test_a_question_goes_back_and_forth_until_it_is_closed(sited: TrialHouse):
    house = sited
    asked = ask(house)
    assert asked.status_code == 201, asked.text
    query = asked.json()["query_id"]
    assert (asked.json()["number"], asked.json()["site_id"], asked.json()["due_on"]) == (
        1,
        "01",
        "2026-01-19",
    )
    assert say(house, query, "answer", "site", version=1).json()["state"] == "answered"
    assert say(house, query, "follow_up", due_on="2026-02-01").json()["state"] == "open"
    assert say(house, query, "answer", "site").json()["state"] == "answered"
    assert say(house, query, "closure", text="The series is complete.").json()["state"] == "closed"
    reopened = say(house, query, "reopening", text="It is another subject's.").json()
    assert reopened["state"] == "open"
    assert [each["deed"] for each in reopened["entries"]] == [
        *("asked", "answered", "followed_up", "answered", "closed", "reopened")
    ]
    assert [each["said_by_name"] for each in reopened["entries"]][:2] == ["Coordinator", "Site"]
    assert house.get(f"/site_queries/{query}") == reopened


def test_what_was_said_cannot_be_changed(sited: TrialHouse):
    assert ask(sited).status_code == 201
    for statement in ("UPDATE site_query_entries SET text = 'other'", "DELETE FROM site_query_entries"):
        with (
            pytest.raises(DBAPIError, match="never changes"),
            sited.service.database.write() as session,
        ):
            session.execute(text(statement))


@pytest.mark.parametrize("deed", list(RULES), ids=str)
@pytest.mark.parametrize("state", list(QueryState), ids=str)
def test_each_deed_is_possible_in_its_states_only(deed: Deed, state: QueryState):
    expected = {
        (Deed.ANSWERED, QueryState.OPEN),
        (Deed.FOLLOWED_UP, QueryState.OPEN),
        (Deed.FOLLOWED_UP, QueryState.ANSWERED),
        (Deed.CLOSED, QueryState.OPEN),
        (Deed.CLOSED, QueryState.ANSWERED),
        (Deed.REOPENED, QueryState.CLOSED),
    }
    assert (state in RULES[deed].before) is ((deed, state) in expected)


def test_a_closed_question_takes_no_answer_and_nobody_overwrites_another(sqlite_sited: TrialHouse):
    house = sqlite_sited
    query = ask(house).json()["query_id"]
    assert say(house, query, "closure", version=1).status_code == 200
    late = say(house, query, "answer", "site", version=1)
    assert (late.status_code, late.json()["code"]) == (409, "changed_meanwhile")
    answered = say(house, query, "answer", "site")
    assert (answered.status_code, answered.json()["code"]) == (409, "query_closed")
    assert answered.json()["detail"] == "Query 1 is closed; it can be answered only while it is open."


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"subject_id": None}, 422, "names no site, subject, timepoint or study"),
        ({"site_id": "02"}, 422, "The site is '02', and the subject belongs to '01'"),
        ({"subject_id": "01-999"}, 404, "01-999"),
        ({"site_id": "99", "subject_id": None}, 404, "has no site '99'"),
        ({"due_on": "2026-01-04"}, 422, "which has passed; today is 2026-01-05."),
        ({"text": " "}, 422, "body.text"),
        ({"code": "because"}, 422, "body.code"),
        ({"study_instance_uid": "1.2.99"}, 404, "1.2.99"),
    ],
)
def test_a_question_that_cannot_be_is_refused(
    sqlite_sited: TrialHouse, body: dict[str, Any], status: int, words: str
):
    answer = ask(sqlite_sited, **body)
    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert sqlite_sited.get("/site_queries")["items"] == []


def test_overdue_questions_are_listed_and_told_apart(sqlite_sited: TrialHouse):
    house = sqlite_sited
    ask(house, due_on="2026-01-05")
    ask(house, due_on="2026-03-01")
    house.service.clock.advance(timedelta(days=3))
    overdue = house.get("/site_queries", params={"overdue": "true"})["items"]
    assert [(each["number"], each["days_overdue"]) for each in overdue] == [(1, 3)]
    assert [each["days_overdue"] for each in house.get("/site_queries")["items"]] == [3, None]
    file = house.service.get(house.path("/site_queries"), "coordinator", params={"format": "csv"}).text
    assert len(file.splitlines()) == 3


def test_a_site_sees_and_answers_its_own_questions_only(sqlite_sited: TrialHouse):
    house = sqlite_sited
    query = ask(house).json()["query_id"]
    assert house.get("/site_queries", "other_site")["items"] == []
    assert house.service.get(house.path(f"/site_queries/{query}"), "other_site").status_code == 404
    assert say(house, query, "answer", "other_site").status_code == 404
    assert say(house, query, "closure", "site").status_code == 403
    assert ask(house, "site").status_code == 403
    assert [each["number"] for each in house.get("/site_queries", "site")["items"]] == [1]


def test_a_site_account_that_was_granted_a_whole_trial_sees_no_site(sqlite_sited: TrialHouse):
    house = sqlite_sited
    query = ask(house).json()["query_id"]
    house.service.add_account("anywhere", Role.SITE)
    house.service.grant("anywhere", TRIAL)
    assert house.service.get(house.path("/site_queries"), "anywhere").status_code == 404
    assert say(house, query, "answer", "anywhere").status_code == 404


def test_those_who_ask_at_once_get_numbers_one_after_the_other(house: TrialHouse):
    with_sites(house)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ask(house), range(8)))
    assert [each.status_code for each in answers] == [201] * 8
    assert sorted(each.json()["number"] for each in answers) == list(range(1, 9))


def test_readers_see_no_question_whatever_else_they_are(sqlite_sited: TrialHouse):
    house = sqlite_sited
    house.receive(mr_instance("20241220"))
    timepoint_id = house.study()["timepoint_id"]
    query = ask(house, timepoint_id=timepoint_id).json()["query_id"]
    house.service.add_account("two_hats", Role.READER, Role.SITE)
    house.service.grant("two_hats", TRIAL, reader_slot=2)
    for account in ("reader1", "two_hats"):
        for path in ("", f"/{query}", "?format=csv"):
            assert house.service.get(house.path(f"/site_queries{path}"), account).status_code == 403
        for path in (f"/timepoints/{timepoint_id}/series", "/worklist", "/dicomweb/studies"):
            assert "CANARY-QUERY" not in house.service.get(path, account).text
    assert say(house, query, "answer", "two_hats").status_code == 403


def test_a_question_about_a_timepoint_closes_it_to_readers_until_it_is_closed(sqlite_sited: TrialHouse):
    house = sqlite_sited
    house.receive(mr_instance("20241220"))
    timepoint_id = house.study()["timepoint_id"]
    series = f"/timepoints/{timepoint_id}/series"
    assert house.service.get(series, "reader1").status_code == 200
    query = ask(house, study_instance_uid=STUDY, timepoint_id=timepoint_id).json()["query_id"]
    assert house.timepoint_of()["control"] == "query_open"
    assert house.service.get(series, "reader1").status_code == 404
    house.receive(mr_instance("20241220", number=2))
    assert house.timepoint_of()["control"] == "corrected"
    assert house.service.get(series, "reader1").status_code == 404
    assert say(house, query, "answer", "site").status_code == 200
    assert house.timepoint_of()["control"] == "corrected"
    assert say(house, query, "closure").status_code == 200
    assert house.timepoint_of()["control"] == "accepted"
    assert house.service.get(series, "reader1").status_code == 200
    history = house.get(f"/timepoints/{timepoint_id}/quality/history")
    assert [each["after"] for each in history] == [
        *("received", "in_control", "accepted", "query_open", "received", "corrected", "accepted")
    ]


def test_a_question_that_is_closed_without_new_images_leads_back_to_control(sqlite_sited: TrialHouse):
    house = sqlite_sited
    house.receive(mr_instance("20241220"))
    query = ask(house, timepoint_id=house.study()["timepoint_id"]).json()["query_id"]
    assert say(house, query, "closure", text="It was there all the time.").status_code == 200
    history = house.get(f"/timepoints/{house.study()['timepoint_id']}/quality/history")
    assert [each["after"] for each in history][-3:] == ["query_open", "in_control", "accepted"]
