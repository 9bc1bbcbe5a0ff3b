"""Responses without lesions come to the same times as a reader's, by the same known answers."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from measurement.endpoints.course import Course, DateOrderError
from measurement.endpoints.outcomes import subject_outcomes
from measurement.endpoints.reported import Baseline, ReportedResponse, reported_course
from measurement.endpoints.time_to_event import Ending, Endpoint
from measurement.recist.responses import BestResponse, OverallResponse
from tests.measurement.endpoints.stories import START, assert_time, course, day, rows

TIMES = [pytest.param(row, id=row["case"]) for row in rows("time_to_event.csv")]
BASELINE = Baseline(timepoint_id="0", imaged_on=START - timedelta(days=7))


def responses(story: str) -> list[ReportedResponse]:
    return [reported(*part.split()) for part in story.split(";") if part.strip()]


def reported(on: str, response: str, *, has_progressed: bool = False) -> ReportedResponse:
    imaged_on = day(on)
    assert isinstance(imaged_on, date)
    return ReportedResponse(
        timepoint_id=on,
        number=None,
        imaged_on=imaged_on,
        response=OverallResponse(response),
        has_progressed=has_progressed or response == "PD",
    )


def as_reported(row: dict[str, str]) -> Course:
    """Return the course of a known answer, told by responses alone, the last one first."""
    known = course(row)
    return reported_course(
        responses(row["story"])[::-1],
        baseline=None if known.assessment.baseline is None else BASELINE,
        dates=known.dates,
        protocol=known.protocol,
    )


@pytest.mark.parametrize("row", TIMES)
def test_a_time_ends_on_its_day_for_its_reason(row: dict[str, str]) -> None:
    assert_time(as_reported(row), row)


PLAIN = course({"switches": "", "story": "", "new_therapy": ""})


def of(*said: ReportedResponse) -> Course:
    return reported_course(said, baseline=BASELINE, dates=PLAIN.dates, protocol=PLAIN.protocol)


def test_progression_that_images_do_not_show_is_progression_all_the_same() -> None:
    found = of(reported("42", "SD"), reported("84", "SD", has_progressed=True), reported("126", "PD"))
    time = subject_outcomes(found).times[Endpoint.PROGRESSION_FREE_SURVIVAL]
    assert (time.record_id, time.days, time.ending) == ("84", 85, Ending.PROGRESSION)


def test_without_targets_stable_is_non_cr_non_pd() -> None:
    assert of(reported("42", "NON-CR/NON-PD")).best_response.response is BestResponse.NON_CR_NON_PD
    assert of(reported("42", "SD")).best_response.response is BestResponse.SD


def test_progression_before_the_start_is_refused() -> None:
    late = replace(PLAIN.dates, starts_on=START + timedelta(days=60))
    with pytest.raises(DateOrderError, match="progression must not lie before the start"):
        reported_course([reported("42", "PD")], baseline=BASELINE, dates=late, protocol=PLAIN.protocol)
