"""Twelve subjects over two years: every answer is the one that was worked out by hand."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from imaging_service.exports.provenance import Traced
from tests.builders.arrivals import TRIAL
from tests.journeys.two_years import Imaging, TwoYears, story, two_years
from tests.journeys.walk import Walk

SUBJECTS = {each["subject_id"]: each for each in story()["subjects"]}


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoYears]:
    folder = tmp_path_factory.mktemp("two_years")
    with two_years(f"sqlite:///{folder}/service.sqlite", folder) as played:
        yield played


def survival(found: dict[str, Any]) -> dict[str, Any]:
    (time,) = [each for each in found["times"] if each["endpoint"] == "PFS"]
    return dict(time)


@pytest.mark.parametrize("subject_id", SUBJECTS)
def test_a_subject_comes_to_what_was_expected(journey: TwoYears, subject_id: str) -> None:
    expected = SUBJECTS[subject_id]["expected"]
    found = journey.outcomes(subject_id, view="accepted")
    time = survival(found)
    assert {
        "best_response": found["best_overall"]["response"],
        "confirmed_best_response": found["confirmed_best_overall"]["response"],
        "standing": found["standing"],
        "pfs_days": time["days"],
        "pfs_is_event": time["is_event"],
        "pfs_ending": time["ending"],
    } == {name: expected[name] for name in list(_SAID)}
    progression = found["progression"]
    first_dose = SUBJECTS[subject_id]["first_dose_on"]
    on = None if progression is None else progression["progressed_on"]
    day = expected.get("progression_day")
    assert on == (None if day is None else str(first_dose + timedelta(days=day)))


_SAID = (
    *("best_response", "confirmed_best_response", "standing"),
    *("pfs_days", "pfs_is_event", "pfs_ending"),
)


@pytest.mark.parametrize("cut", story()["cuts"], ids=lambda cut: f"{cut['subject_id']} as of {cut['as_of']}")
def test_a_data_cut_knows_nothing_later(journey: TwoYears, cut: dict[str, Any]) -> None:
    found = journey.outcomes(cut["subject_id"], as_of=str(cut["as_of"]))
    time = survival(found)
    assert {
        "best_response": found["best_overall"]["response"],
        "confirmed_best_response": found["confirmed_best_overall"]["response"],
        "pfs_days": time["days"],
        "pfs_is_event": time["is_event"],
    } == {name: value for name, value in cut.items() if name not in {"as_of", "subject_id"}}


def test_the_cohort_counts_everybody(journey: TwoYears) -> None:
    expected = story()["cohort"]
    (found,) = journey.ok("GET", "/outcomes", params={"view": "accepted"})["readers"]
    rate = found["objective_response_rate"]
    assert (rate["count"], rate["of"]) == (expected["responders"], expected["subjects"])
    (curve,) = [each for each in found["curves"] if each["endpoint"] == "PFS"]
    assert (curve["subjects"], curve["events"]) == (expected["subjects"], expected["events"])


def test_every_study_is_where_its_day_puts_it(journey: TwoYears) -> None:
    for subject in SUBJECTS.values():
        for said in subject["imaging"]:
            imaging = Imaging(subject=subject, said=said)
            found = journey.timepoint_of(imaging)
            assert found["number"] == imaging.number, (subject["subject_id"], said)
            if "placement" in said:
                assert found["placement"] == said["placement"]


def test_what_was_missed_is_told(journey: TwoYears) -> None:
    calendar = journey.ok("GET", "/subjects/S-05/calendar")
    missed = [each["number"] for each in calendar if each["status"] == "missed"]
    assert missed[:2] == SUBJECTS["S-05"]["expected"]["missed"]
    journey.look_for_work()
    told = notices(journey)
    ids = {each["number"]: each["timepoint_id"] for each in calendar}
    kinds = {(each["kind"], each["timepoint_id"]) for each in told}
    assert {("timepoint_missed", ids[number]) for number in (2, 3)} <= kinds


def notices(journey: TwoYears) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while items := journey.ok(
        "GET", "/notices", params={"after": found[-1]["sequence"] if found else 0, "limit": 500}
    )["items"]:
        found += items
    return found


def test_everything_that_happened_was_told_in_order(journey: TwoYears) -> None:
    told = notices(journey)
    assert [each["sequence"] for each in told] == list(range(1, len(told) + 1))
    studies = sum(len(each["imaging"]) for each in SUBJECTS.values())
    kinds = [each["kind"] for each in told]
    assert kinds.count("timepoint_received") == studies
    waiting = len(SUBJECTS) + 1  # each baseline waits for the first dose; the mis-sent study for a person
    assert kinds.count("study_unmatched") == waiting
    assert kinds.count("read_unlocked") == 1
    assert kinds.count("read_signed") == 2 * studies + 1
    assert kinds.count("adjudication_needed") == kinds.count("adjudication_done") == 1
    by_hand = {each for each in SUBJECTS if "progression_day" in SUBJECTS[each]["expected"]}
    progressed = {each["subject_id"] for each in told if each["kind"] == "progression"}
    assert progressed == by_hand | {"S-07", "S-08"}  # of reader 1, overruled; and of the slip, amended
    responded = {each["subject_id"] for each in told if each["kind"] == "confirmation_due"}
    assert responded == {"S-01", "S-12"}
    assert {each["subject_id"] for each in told if each["kind"] == "calendar_closed"} >= {"S-06", "S-09"}


def test_the_amendment_changed_what_its_dry_run_said(journey: TwoYears) -> None:
    tried, before = journey.amendment["tried"], journey.amendment["before"]
    said = {(each["subject_id"], each["kind"], each["slot"]): each["after"] for each in tried["changes"]}
    assert said == {("S-12", "confirmed_best_response", slot): "PR" for slot in (1, 2)}
    expected = SUBJECTS["S-12"]["expected"]
    stored = before["S-12"]["confirmed_best_overall"]["response"]
    assert stored == expected["confirmed_best_response_before_amendment"]


def test_the_slip_stays_on_the_record(journey: TwoYears) -> None:
    said = next(each for each in SUBJECTS["S-08"]["imaging"] if "slip_mm" in each)
    timepoint = journey.timepoint_of(Imaging(subject=SUBJECTS["S-08"], said=said))
    history = journey.ok("GET", "/subjects/S-08/history")
    (of_day,) = [each for each in history["timepoints"] if each["timepoint_id"] == timepoint["timepoint_id"]]
    found = [each for each in of_day["reads"] if each["slot"] == 1]
    assert [each["revision"] for each in found] == [1, 2]


def test_the_sites_word_is_kept_apart(journey: TwoYears) -> None:
    (found,) = journey.ok("GET", "/evaluations")["items"]
    assert (found["subject_id"], found["overall_response"]) == ("S-09", "PD")
    central = journey.outcomes("S-09", view="accepted")
    assert [each["overall_response"] for each in central["timepoints"]] == ["SD", "SD"]


@pytest.fixture(scope="module")
def walk(journey: TwoYears) -> Walk:
    return Walk(journey=journey)


@pytest.mark.parametrize("subject_id", SUBJECTS)
def test_every_endpoint_is_followed_down_to_points_and_receipts(walk: Walk, subject_id: str) -> None:
    """PFS ← progression ← overall response ← sum ← diameter ← points ← instance ← receipt, and audit."""
    expected = SUBJECTS[subject_id]["expected"]
    for endpoint in Traced:
        walk.of_subject(walk.provenance(subject_id, endpoint))
    found = walk.provenance(subject_id, "PFS")
    accepted = [each for each in found["readers"] if each["is_accepted"]]
    assert [each["time"]["days"] for each in accepted] in ([expected["pfs_days"]], [])
    assert found["standing"] == expected["standing"]
    best = {each["slot"]: each["best_response"] for each in walk.provenance(subject_id, "BOR")["readers"]}
    for each in accepted:
        assert best[each["slot"]]["response"] == expected["confirmed_best_response"]


def test_a_walk_meets_every_kind_of_link(walk: Walk) -> None:
    before = walk.links
    walk.of_subject(walk.provenance("S-01", "PFS"))
    assert walk.links - before > 200  # 18 timepoints by two readers, each with its records and entries


def test_a_chosen_reader_leads_to_the_decision(walk: Walk) -> None:
    chosen = {
        each: said["expected"] for each, said in SUBJECTS.items() if "chosen_reader" in said["expected"]
    }
    for subject_id, expected in chosen.items():
        (accepted,) = [each for each in walk.provenance(subject_id, "PFS")["readers"] if each["is_accepted"]]
        assert accepted["slot"] == accepted["decision"]["chosen_reader"] == expected["chosen_reader"]
        after = walk.entry(accepted["decision"]["audit"])["after"]
        assert after["record_hash"] == accepted["decision"]["record_hash"]
    assert chosen


@pytest.mark.parametrize("cut", story()["cuts"], ids=lambda cut: f"{cut['subject_id']} as of {cut['as_of']}")
def test_a_data_cut_is_followed_down_as_far_as_it_knows(walk: Walk, cut: dict[str, Any]) -> None:
    found = walk.provenance(cut["subject_id"], "PFS", as_of=str(cut["as_of"]))
    walk.of_subject(found)
    time = found["readers"][0]["time"]
    assert (time["days"], time["is_event"]) == (cut["pfs_days"], cut["pfs_is_event"])


def test_the_sites_progression_is_followed_down_beside_the_central_one(walk: Walk) -> None:
    """S-09: the site says PD at its last imaging, both readers say SD."""
    found = walk.provenance("S-09", "PFS")
    (said,) = [each for each in found["site"]["evaluations"] if each["has_progressed"]]
    assert (found["site"]["time"]["is_event"], found["site"]["time"]["record_id"]) == (
        True,
        said["timepoint_id"],
    )
    assert [each["time"]["is_event"] for each in found["readers"]] == [False, False]
    assert said["parts"] == ["ends"]


@pytest.mark.parametrize("account", ["reader1", "reader2", "adjudicator"])
def test_who_must_stay_blinded_follows_no_endpoint(journey: TwoYears, account: str) -> None:
    path = f"/trials/{TRIAL}/subjects/S-02/outcomes/PFS/provenance"
    assert journey.house.service.get(path, account).status_code == 403


def test_every_stored_answer_follows_from_what_was_signed(journey: TwoYears) -> None:
    proof = journey.ok("GET", "/assessments/recomputation")
    assert proof["checked"] > 90
    assert proof["differences"] == []
