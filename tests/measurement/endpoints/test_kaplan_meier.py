import csv
import math
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measurement.endpoints.kaplan_meier import (
    NegativeTimeError,
    NoObservationsError,
    Observation,
    SurvivalCurve,
    kaplan_meier,
)
from measurement.protocol.trial import IntervalTransform

FIXTURES = Path(__file__).parents[3] / "fixtures/endpoints"


def read(name: str) -> list[dict[str, str]]:
    with (FIXTURES / name).open(newline="") as file:
        return list(csv.DictReader(file))


def cohorts() -> dict[str, list[Observation]]:
    found: dict[str, list[Observation]] = defaultdict(list)
    for row in read("kaplan_meier_data.csv"):
        found[row["set"]].append(Observation(float(row["time"]), row["is_event"] == "1"))
    return found


COHORTS = cohorts()
ANSWERS = [
    pytest.param(row, id=f"{row['set']} {row['transform']} {row['kind']} at {row['at']}")
    for row in read("kaplan_meier.csv")
]


def near(text: str) -> object:
    return pytest.approx(float(text), abs=1e-9) if text else None


@pytest.mark.parametrize("row", ANSWERS)
def test_the_curve_and_its_quantiles_are_those_of_the_reference_software(row: dict[str, str]) -> None:
    curve = kaplan_meier(COHORTS[row["set"]], transform=IntervalTransform(row["transform"].replace("-", "_")))
    if row["kind"] == "quantile":
        quantile = curve.quantile(float(row["at"]))
        assert (quantile.time, *quantile.limits) == (
            near(row["value"]),
            near(row["lower"]),
            near(row["upper"]),
        )
        return
    step = curve.at(float(row["at"]))
    assert step is not None
    assert (step.survival, *step.limits) == (near(row["value"]), near(row["lower"]), near(row["upper"]))
    assert (step.at_risk, step.events) == (int(row["n"]), int(row["events"]))


def curve_of(*observations: tuple[float, bool]) -> SurvivalCurve:
    return kaplan_meier([Observation(*observation) for observation in observations])


def test_before_the_first_time_everybody_is_at_risk() -> None:
    step = curve_of((10, True), (20, False)).at(9)
    assert step is not None
    assert (step.survival, step.at_risk) == (1.0, 2)


def test_beyond_the_last_censored_time_nothing_is_known() -> None:
    assert curve_of((10, True), (20, False)).at(21) is None


def test_beyond_the_last_event_of_all_the_curve_stays_at_zero() -> None:
    step = curve_of((10, True), (20, True)).at(400)
    assert step is not None
    assert step.survival == 0


def test_who_is_censored_at_a_time_is_still_at_risk_at_it() -> None:
    assert curve_of((10, True), (20, False), (30, True)).at_risk([0, 10, 11, 20, 21, 30, 31]) == (
        3,
        3,
        2,
        2,
        1,
        1,
        0,
    )


def test_nobody_has_no_curve() -> None:
    with pytest.raises(NoObservationsError, match="at least one subject; 0 were given"):
        kaplan_meier([])


@pytest.mark.parametrize("time", [-1, math.nan, math.inf])
def test_a_time_that_is_no_time_is_refused(time: float) -> None:
    with pytest.raises(NegativeTimeError, match=f"found {time}"):
        kaplan_meier([Observation(time, is_event=True)])


observations = st.lists(
    st.builds(Observation, st.integers(min_value=0, max_value=60), st.booleans()), min_size=1, max_size=40
)


@given(cohort=observations, seed=st.randoms())
def test_the_order_of_subjects_does_not_matter(cohort: list[Observation], seed) -> None:
    shuffled = list(cohort)
    seed.shuffle(shuffled)
    assert kaplan_meier(shuffled) == kaplan_meier(cohort)


@given(cohort=observations)
def test_the_curve_never_rises_and_lies_between_its_limits(cohort: list[Observation]) -> None:
    before = 1.0
    for step in kaplan_meier(cohort).steps:
        assert step.survival <= before
        before = step.survival
        if step.limits.lower is not None and step.limits.upper is not None:
            assert step.limits.lower <= step.survival <= step.limits.upper + 1e-12


@given(cohort=observations)
def test_without_censoring_the_curve_is_the_share_still_free_of_the_event(cohort: list[Observation]) -> None:
    curve = kaplan_meier([Observation(time, is_event=True) for time, _ in cohort])
    for step in curve.steps:
        later = sum(time > step.time for time, _ in cohort)
        assert step.survival == pytest.approx(later / len(cohort), abs=1e-12)
