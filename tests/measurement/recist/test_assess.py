from datetime import timedelta

import pytest

from measurement.recist.assess import assess_subject
from measurement.recist.responses import BestResponse
from tests.measurement.known_answers import known_answers
from tests.measurement.recist.stories import START, story
from tests.measurement.recist.switches import criteria_with


@pytest.mark.parametrize("row", known_answers("recist/subjects.csv"))
def test_assess_subject(row: dict[str, str]) -> None:
    subject = assess_subject(story(row), criteria_with(row["switches"]), anchor_on=START)
    progressed_on = subject.progression.progressed_on if subject.progression else None
    expected_on = START + timedelta(days=int(row["progression_day"])) if row["progression_day"] else None
    assert [each.target_response for each in subject.timepoints] == row["target_responses"].split()
    assert [each.overall_response for each in subject.timepoints] == row["overall_responses"].split()
    assert subject.best_overall.response is BestResponse(row["best"])
    assert subject.confirmed_best_overall.response is BestResponse(row["confirmed"])
    assert progressed_on == expected_on
    assert [query.code for query in subject.queries] == row["queries"].split()
