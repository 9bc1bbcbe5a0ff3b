"""In a later read, each lesion is looked for where the images show the same tissue."""

import math

from tests.imaging_service.assistance.conftest import BASELINE, FOLLOW_UP, Case


def read_baseline(case: Case) -> None:
    read_id = case.open(BASELINE)
    proposal = case.ask(read_id).json()
    where = {"sop_instance_uid": proposal["sop_instance_uid"], "frame": 1}
    case.enter(read_id, long_axis=where | {"points": proposal["long_axis"]})
    case.sign(read_id)


def test_a_lesion_is_expected_within_5_mm_of_where_it_is(case: Case) -> None:
    read_baseline(case)
    read_id = case.open(FOLLOW_UP)
    path = f"/reads/{read_id}/expected-places"
    asked = case.house.service.post(path, "reader1")
    assert (asked.status_code, asked.json()) == (202, {"state": "computing", "places": []})
    case.house.follow()
    known = case.house.service.get(path, "reader1").json()
    assert known["state"] == "computed"
    (place,) = known["places"]
    truth = case.studies[FOLLOW_UP].truth.of("T01")
    assert (place["lesion_id"], place["series_instance_uid"]) == ("T01", truth.series_instance_uid)
    _, middle = case.middle(FOLLOW_UP)
    assert math.hypot(*(a - b for a, b in zip(place["point"], middle, strict=True))) * 1.5 <= 5
    assert place["confidence"] in {"confident", "doubtful"}
    assert case.house.service.post(path, "reader1").status_code == 200


def test_at_baseline_there_is_nothing_to_look_for(case: Case) -> None:
    read_id = case.open(BASELINE)
    path = f"/reads/{read_id}/expected-places"
    case.house.service.post(path, "reader1")
    case.house.follow()
    assert case.house.service.get(path, "reader1").json() == {"state": "computed", "places": []}


def test_another_reader_sees_no_places(case: Case) -> None:
    read_id = case.open(BASELINE)
    path = f"/reads/{read_id}/expected-places"
    assert case.house.service.post(path, "reader2").status_code == 404
    assert case.house.service.get(path, "reader2").status_code == 404
