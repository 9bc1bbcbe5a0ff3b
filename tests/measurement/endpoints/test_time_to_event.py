from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measurement.endpoints.course import Course, DateOrderError, SubjectDates
from measurement.endpoints.outcomes import cohort_outcomes, subject_outcomes
from measurement.endpoints.progression_free import CONDITIONS, progression_free_survival
from measurement.endpoints.time_to_event import Ending, Endpoint
from measurement.protocol.trial import CensoringRules
from tests.measurement.endpoints.stories import PROTOCOL, START, assert_time, assessment, course, rows

TIMES = [pytest.param(row, id=row["case"]) for row in rows("time_to_event.csv")]
BENEFITS = [pytest.param(row, id=row["case"]) for row in rows("clinical_benefit.csv")]


@pytest.mark.parametrize("row", TIMES)
def test_a_time_ends_on_its_day_for_its_reason(row: dict[str, str]) -> None:
    assert_time(course(row), row)


@pytest.mark.parametrize("row", BENEFITS)
def test_response_benefit_and_control(row: dict[str, str]) -> None:
    outcomes = subject_outcomes(course(row))
    found = (outcomes.is_responder, outcomes.has_clinical_benefit, outcomes.is_controlled)
    assert found == tuple(row[column] == "yes" for column in ("responder", "benefit", "controlled"))


def test_the_first_and_the_last_day_both_count() -> None:
    time = progression_free_survival(
        Course(assessment=assessment("42 PD"), dates=SubjectDates(starts_on=START), protocol=PROTOCOL)
    )
    assert time is not None
    assert time.days == 43


def test_before_the_first_dose_no_time_runs() -> None:
    before = Course(assessment=assessment(""), dates=SubjectDates(starts_on=None), protocol=PROTOCOL)
    assert dict(subject_outcomes(before).times) == {}


def test_every_list_ends_in_a_condition_that_always_answers() -> None:
    assert {conditions[-1].__name__ for conditions in CONDITIONS.values()} == {"no_event"}
    assert set(CONDITIONS) == set(CensoringRules)


def test_a_death_before_the_start_is_refused() -> None:
    with pytest.raises(DateOrderError, match="The death must not lie before the start on 2024-01-15"):
        SubjectDates(starts_on=START, death_on=START - timedelta(days=1))


def test_a_progression_before_the_start_is_refused() -> None:
    with pytest.raises(DateOrderError, match="The progression must not lie before the start"):
        Course(assessment=assessment("-3 PD"), dates=SubjectDates(starts_on=START), protocol=PROTOCOL)


def test_a_cohort_counts_everybody_in_every_denominator() -> None:
    stories = ["42 PR; 84 PR; 126 PD", "42 SD; 84 PD", "", "42 NE"]
    cohort = cohort_outcomes(
        (
            subject_outcomes(
                Course(assessment=assessment(story), dates=SubjectDates(starts_on=START), protocol=PROTOCOL)
            )
            for story in stories
        ),
        PROTOCOL,
    )
    assert (cohort.subjects, cohort.response.count, cohort.response.of) == (4, 1, 4)
    curve = cohort.curves[Endpoint.PROGRESSION_FREE_SURVIVAL]
    assert (curve.subjects, curve.events) == (4, 2)
    assert cohort.curves[Endpoint.DURATION_OF_RESPONSE].subjects == 1


responses = st.lists(st.sampled_from(["PR", "SD", "NE", "PD"]), min_size=1, max_size=8)
offsets = st.none() | st.integers(min_value=0, max_value=400)


@given(sequence=responses, death=offsets, therapy=offsets)
def test_the_sensitivity_analysis_never_ends_before_the_primary_one(
    sequence: list[str], death: int | None, therapy: int | None
) -> None:
    """FDA's list only ever moves an end back, to the last adequate assessment."""
    story = "; ".join(f"{42 * number} {response}" for number, response in enumerate(sequence, start=1))
    dates = SubjectDates(
        starts_on=START,
        death_on=None if death is None else START + timedelta(days=death),
        new_therapy_on=None if therapy is None else START + timedelta(days=therapy),
    )
    of = Course(assessment=assessment(story), dates=dates, protocol=PROTOCOL)
    fda = progression_free_survival(of, rules=CensoringRules.FDA)
    ema = progression_free_survival(of, rules=CensoringRules.EMA)
    assert fda is not None
    assert ema is not None
    assert fda.ends_on <= ema.ends_on
    assert ema.is_event or not fda.is_event


@given(sequence=responses, cut=st.integers(min_value=0, max_value=400))
def test_an_event_known_at_a_cut_is_the_event_at_every_later_cut(sequence: list[str], cut: int) -> None:
    days = [42 * number for number in range(1, len(sequence) + 1)]
    told = [f"{day} {response}" for day, response in zip(days, sequence, strict=True)]
    dates = SubjectDates(starts_on=START)

    def time_at(until: int):
        story = "; ".join(part for part, day in zip(told, days, strict=True) if day <= until)
        of = Course(assessment=assessment(story), dates=dates, protocol=PROTOCOL)
        return progression_free_survival(of)

    early, late = time_at(cut), time_at(1000)
    assert early is not None
    assert late is not None
    if early.is_event:
        assert early == late
    elif late.ending is Ending.PROGRESSION:
        assert late.ends_on > START + timedelta(days=cut)


def test_as_of_a_day_later_dates_are_not_known() -> None:
    whole = SubjectDates(
        starts_on=START,
        death_on=START + timedelta(days=90),
        new_therapy_on=START + timedelta(days=50),
        last_alive_on=START + timedelta(days=80),
    )
    cut = START + timedelta(days=60)
    assert whole.as_of(cut) == replace(whole, death_on=None, last_alive_on=cut)
    assert whole.as_of(START - timedelta(days=1)).starts_on is None
