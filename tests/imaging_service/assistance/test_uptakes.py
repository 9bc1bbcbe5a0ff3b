"""Functional tumour volume of a phantom's dynamic series, against the volume that was painted."""

import math

import pytest

from tests.imaging_service.assistance.conftest import BASELINE, FOLLOW_UP, Case


def ask(case: Case, read_id: str, account: str = "reader1", **body):
    plan = case.studies[BASELINE].plan
    usual = {
        "before": plan.series_instance_uid("DCE_PRE"),
        "early": plan.series_instance_uid("DCE_EARLY"),
        "late": plan.series_instance_uid("DCE_LATE"),
    }
    return case.house.service.post(f"/reads/{read_id}/uptakes", account, json=usual | body)


def test_the_painted_lesion_is_found_by_its_uptake(case: Case) -> None:
    """T01 is an ellipsoid of 32 x 20 x 8 mm; slices 5 mm apart cut it roughly."""
    read_id = case.open(BASELINE)
    _, (column, row) = case.middle(BASELINE)
    answer = ask(case, read_id, region=[[column - 18, row - 15], [column + 18, row + 15]])
    assert answer.status_code == 201, answer.text
    found = answer.json()
    painted_ml = math.pi / 6 * 32 * 20 * 8 / 1000
    assert painted_ml / 2.5 <= found["volume_ml"] <= 2.5 * painted_ml
    assert found["median_signal_enhancement_ratio"] > 0
    assert found["thresholds"]["min_percentage_enhancement"] == "70"
    listed = case.house.service.get(f"/reads/{read_id}/uptakes", "reader1").json()
    assert [each["uptake_id"] for each in listed] == [found["uptake_id"]]


def test_where_nothing_enhances_the_volume_is_nothing(case: Case) -> None:
    found = ask(case, case.open(BASELINE), region=[[0.0, 0.0], [3.0, 3.0]]).json()
    assert (found["volume_ml"], found["median_signal_enhancement_ratio"]) == (0, None)


@pytest.mark.parametrize(
    ("name", "uid", "code"),
    [("late", "1.2.3", "series_missing"), ("late", "DWI", "phases_refused"), ("before", "T2", None)],
    ids=["another timepoint's series", "another direction", "another kind in the same place"],
)
def test_what_is_no_phase_is_refused(case: Case, name, uid, code) -> None:
    plan = case.studies[BASELINE].plan
    series = uid if "." in uid else plan.series_instance_uid(uid)
    answer = ask(case, case.open(BASELINE), **{name: series})
    if code is None:
        assert answer.status_code == 201, answer.text
    else:
        assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_later_timepoint_stays_closed(case: Case) -> None:
    later = case.studies[FOLLOW_UP].plan.series_instance_uid("DCE_EARLY")
    answer = ask(case, case.open(BASELINE), early=later)
    assert (answer.status_code, answer.json()["code"]) == (422, "series_missing")


def test_nobody_asks_in_another_readers_draft(case: Case) -> None:
    read_id = case.open(BASELINE)
    assert ask(case, read_id, "reader2").status_code == 404
    assert case.house.service.get(f"/reads/{read_id}/uptakes", "reader2").status_code == 404
