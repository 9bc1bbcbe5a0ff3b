"""Courses of subjects, written as days and responses: ``42 SD; 84 PD``."""

import csv
from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path

from measurement.endpoints.course import Course, SubjectDates
from measurement.endpoints.outcomes import subject_outcomes
from measurement.endpoints.time_to_event import EVENTS, Endpoint
from measurement.protocol.criteria import Criteria
from measurement.protocol.trial import CensoringRules, TrialProtocol
from measurement.recist.assess import RULES_VERSION
from measurement.recist.assessment import (
    BaselineAssessment,
    Progression,
    SubjectAssessment,
    TimepointAssessment,
)
from measurement.recist.best_overall import best_overall_response, confirmed_best_overall_response
from measurement.recist.confirmation import Occasion
from measurement.recist.responses import (
    NewLesionFinding,
    NonTargetResponse,
    OverallResponse,
    TargetResponse,
)

FIXTURES = Path(__file__).parents[3] / "fixtures/endpoints"
START = date(2024, 1, 15)
PROTOCOL = TrialProtocol(trial_id="T", version="1", title="A trial")


def rows(name: str) -> list[dict[str, str]]:
    with (FIXTURES / name).open(newline="") as file:
        return list(csv.DictReader(file))


def day(text: str | int) -> date | None:
    return START + timedelta(days=int(text)) if text != "" else None


def protocol(switches: str) -> TrialProtocol:
    """Return the reference protocol with switches such as ``ne_is_adequate=true``."""
    changed = PROTOCOL
    for switch in filter(None, switches.split(";")):
        name, _, text = switch.strip().partition("=")
        value = {"true": True, "false": False}.get(text, int(text) if text.isdigit() else text)
        if name in {field.name for field in fields(changed.endpoints)}:
            known = getattr(changed.endpoints, name)
            changed = replace(changed, endpoints=replace(changed.endpoints, **{name: type(known)(value)}))
        else:
            rules = replace(changed.criteria.confirmation, **{name: value})  # type: ignore[arg-type] # from text
            changed = replace(changed, criteria=Criteria(confirmation=rules))
    return changed


def timepoint(story: str) -> TimepointAssessment:
    on, response = story.split()
    return TimepointAssessment(
        timepoint_id=on,
        number=None,
        assessed_on=day(on),
        sum_of_diameters=None,
        baseline_mm=None,
        nadir_mm=None,
        target_response=TargetResponse.NA,
        non_target_response=NonTargetResponse.NA,
        new_lesion=NewLesionFinding.NONE,
        overall_response=OverallResponse(response),
        progression_on=day(on) if response == "PD" else None,
        progression_seen_at=on if response == "PD" else None,
        reasons=(),
        queries=(),
    )


def assessment(
    story: str, trial: TrialProtocol = PROTOCOL, *, has_baseline: bool = True
) -> SubjectAssessment:
    timepoints = tuple(timepoint(part) for part in story.split(";") if part.strip())
    occasions = [Occasion(at.timepoint_id, at.assessed_on, at.overall_response) for at in timepoints]
    rules = trial.criteria.confirmation
    first = next((at for at in timepoints if at.progression_on), None)
    return SubjectAssessment(
        rules_version=RULES_VERSION,
        baseline=BaselineAssessment(
            timepoint_id="0",
            assessed_on=day(-7),
            target_ids=("T01",),
            non_target_ids=(),
            sum_of_diameters=None,
            queries=(),
        )
        if has_baseline
        else None,
        timepoints=timepoints,
        best_overall=best_overall_response(occasions, anchor_on=START, rules=rules),
        confirmed_best_overall=confirmed_best_overall_response(occasions, anchor_on=START, rules=rules),
        progression=Progression(
            progressed_on=first.progression_on,
            seen_at=first.timepoint_id,
            declared_at=first.timepoint_id,
            reasons=(),
        )
        if first and first.progression_on
        else None,
        queries=(),
    )


def course(row: dict[str, str]) -> Course:
    """Return the course that a row of a known-answer table tells."""
    trial = protocol(row["switches"])
    return Course(
        assessment=assessment(row["story"], trial, has_baseline=row.get("baseline", "yes") == "yes"),
        dates=SubjectDates(
            starts_on=START,
            death_on=day(row.get("death", "")),
            new_therapy_on=day(row["new_therapy"]),
            last_alive_on=day(row.get("last_alive", "")),
        ),
        protocol=trial,
    )


def assert_time(told: Course, row: dict[str, str]) -> None:
    """Hold a time that follows from a course against its known answer, a row of time_to_event.csv."""
    outcomes = subject_outcomes(told, rules=CensoringRules(row["rules"]))
    found = outcomes.times.get(Endpoint(row["endpoint"]))
    if not row["ending"]:
        assert found is None
        return
    assert found is not None
    assert ((found.ends_on - START).days, found.ending.value, found.record_id) == (
        int(row["ends"]),
        row["ending"],
        row["record"],
    )
    assert found.is_event is (found.ending in EVENTS)
