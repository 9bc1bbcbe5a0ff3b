"""Reader statistics, worked out by hand over a small cohort."""

import csv
import io
import math
from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders.adjudicating import PD, PR, SD, decide, read_by_both
from tests.builders.reading import TRIAL, ReadingRoom, reading_room
from tests.builders.service import running_service


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingRoom]:
    """Two subjects on whom readers agree, two decided (once for each reader), one open, one unread."""
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('figures')}/room.sqlite") as running:
        room = reading_room(running)
        running.grant("adjudicator", TRIAL)
        read_by_both(room, [SD], [SD])
        read_by_both(room, [PD], [PD])
        for chosen in (1, 2):
            subject, _ = read_by_both(room, [PD], [SD])
            assert decide(room, subject, chosen).status_code == 201
        read_by_both(room, [PR], [SD], site_id="S02")
        room.enrol("UNREAD")
        yield room


def statistics(room: ReadingRoom, query: str = "") -> Any:
    return room.service.get(f"/trials/{TRIAL}/readers/statistics{query}", "sponsor")


def share(found: dict[str, Any]) -> tuple[int, int]:
    return found["count"], found["of"]


def test_rates_count_subjects_that_both_have_finished(cohort: ReadingRoom) -> None:
    told = statistics(cohort).json()
    assert (told["subjects"], told["finished"]) == (6, 5)
    assert share(told["adjudication_rate"]) == (3, 5)
    assert share(told["decided"]) == (2, 3)
    assert {each["variable"]: share(each["differing"]) for each in told["variables"]} == {
        "best_overall_response": (3, 5),
        "progression": (2, 5),
        "progression_date": (2, 5),
        "first_response_date": (1, 5),
    }
    figures = {
        each["reader"]: (share(each["acceptance_rate"]), share(each["disagreement_index"]))
        for each in told["readers"]
    }
    assert figures == {1: ((1, 2), (1, 5)), 2: ((1, 2), (1, 5))}


def test_responses_agree_beyond_chance(cohort: ReadingRoom) -> None:
    told = statistics(cohort).json()
    assert share(told["response_agreement"]) == (2, 5)
    # Reader 1: SD, PD, PD, PD, PR; reader 2: SD, PD, SD, SD, SD. By chance SD 1/5*4/5 + PD 3/5*1/5 = 7/25;
    # kappa = (10/25 - 7/25) / (18/25) = 1/6
    assert told["response_kappa"]["value"] == pytest.approx(1 / 6)


def test_sums_of_diameters_have_limits_of_agreement(cohort: ReadingRoom) -> None:
    told = statistics(cohort).json()
    later = told["later_sums"]
    # Differences 45-45, 70-70, 70-45, 70-45, 30-45 mm: 0, 0, 25, 25, -15; mean 7, squares about it
    # 49 + 49 + 324 + 324 + 484 = 1230, s = sqrt(1230 / 4); Student's t with 4 degrees is 2.776445
    deviation = math.sqrt(1230 / 4)
    assert later["bias_mm"]["pairs"] == 5
    assert later["bias_mm"]["value"] == pytest.approx(7)
    assert later["standard_deviation_mm"] == pytest.approx(deviation)
    assert later["lower_limit_mm"]["value"] == pytest.approx(7 - 1.959964 * deviation, abs=1e-4)
    assert later["bias_mm"]["upper"] == pytest.approx(7 + 2.776445 * deviation / math.sqrt(5), abs=1e-4)
    # Rows' means 45, 70, 57.5, 57.5, 37.5 about 53.5: MSR = 2 * 632.5 / 4 = 316.25; columns' means 57 and 50:
    # MSC = 5 * 24.5 = 122.5; half the squared differences 1475 less MSC: MSE = (737.5 - 122.5) / 4 = 153.75;
    # ICC(A,1) = (316.25 - 153.75) / (316.25 + 153.75 + 2 / 5 * (122.5 - 153.75)) = 162.5 / 457.5
    assert later["intraclass_correlation"]["value"] == pytest.approx(162.5 / 457.5)


BY = "by=timepoint&by=organ&by=slice_thickness&by=quarter"


def test_single_diameters_of_the_same_lesions_agree_as_far_as_their_sums_do(cohort: ReadingRoom) -> None:
    """Each subject has one target, so that its diameter is the sum; the frames are 4 mm thick."""
    told = statistics(cohort, f"?{BY}").json()
    found = {(each["by"], each["name"]): each["agreement"] for each in told["diameters"]}
    assert {group: each["bias_mm"]["pairs"] for group, each in found.items()} == {
        ("organ", "liver"): 10,
        ("quarter", "2026-Q1"): 10,
        ("slice_thickness", "over_3_to_5_mm"): 10,
        ("timepoint", "baseline"): 5,
        ("timepoint", "later"): 5,
    }
    assert found["timepoint", "later"] == told["later_sums"]
    assert found["timepoint", "baseline"] == told["baseline_sums"]
    # Five baselines without a difference and 35 mm over the five others: 3.5 mm
    assert found["organ", "liver"]["bias_mm"]["value"] == pytest.approx(3.5)


def test_single_diameters_of_one_site_alone_and_as_csv(cohort: ReadingRoom) -> None:
    rows = list(csv.DictReader(io.StringIO(statistics(cohort, f"?site=S02&{BY}&format=csv").text)))
    about = {row["about"]: row for row in rows if row["statistic"] == "diameter_bias_mm"}
    assert {name: row["of"] for name, row in about.items()} == {
        "organ liver": "2",
        "quarter 2026-Q1": "2",
        "slice_thickness over_3_to_5_mm": "2",
        "timepoint baseline": "1",
        "timepoint later": "1",
    }
    assert float(about["organ liver"]["estimate"]) == pytest.approx(-7.5)


def test_single_diameters_are_told_when_they_are_asked_for(cohort: ReadingRoom) -> None:
    assert statistics(cohort).json()["diameters"] == []
    assert statistics(cohort, "?by=weather").status_code == 422


def test_equal_baselines_leave_a_correlation_undefined(cohort: ReadingRoom) -> None:
    baseline = statistics(cohort).json()["baseline_sums"]
    assert (baseline["bias_mm"]["value"], baseline["standard_deviation_mm"]) == (0, 0)
    assert baseline["intraclass_correlation"] == {"pairs": 5, "value": None, "lower": None, "upper": None}


def test_one_site_alone(cohort: ReadingRoom) -> None:
    told = statistics(cohort, "?site=S02").json()
    assert (told["subjects"], share(told["adjudication_rate"])) == (1, (1, 1))
    assert told["later_sums"]["bias_mm"] == {"pairs": 1, "value": None, "lower": None, "upper": None}


def test_the_figures_as_csv(cohort: ReadingRoom) -> None:
    rows = list(csv.DictReader(io.StringIO(statistics(cohort, "?format=csv").text)))
    by_name = {(row["statistic"], row["about"]): row for row in rows}
    assert (by_name["adjudication_rate", ""]["count"], by_name["adjudication_rate", ""]["of"]) == ("3", "5")
    assert by_name["acceptance_rate", "reader 2"]["estimate"] == "0.5"
    assert float(by_name["bias_mm", "later_sums"]["estimate"]) == pytest.approx(7)


@pytest.mark.parametrize("account", ["reader1", "reader2", "adjudicator", "service"])
def test_no_reader_or_adjudicator_sees_them(cohort: ReadingRoom, account: str) -> None:
    answer = cohort.service.get(f"/trials/{TRIAL}/readers/statistics", account)
    assert answer.status_code == 403
