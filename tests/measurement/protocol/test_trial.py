import json
import tomllib
from dataclasses import fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from measurement.errors import (
    MissingParameterError,
    ParameterValueError,
    ProtocolError,
    UnknownParameterError,
)
from measurement.protocol.acquisition import AcquisitionRule
from measurement.protocol.criteria import RECIST_1_1, Criteria
from measurement.protocol.mapping import attribute_texts
from measurement.protocol.schedule import Schedule
from measurement.protocol.trial import (
    EndpointParameters,
    TrialProtocol,
    protocol_from_mapping,
    protocol_from_toml,
    protocol_schema,
    protocol_to_mapping,
)
from tests.measurement.known_answers import FIXTURES

REFERENCE = (FIXTURES / "protocols" / "her2_mbc.toml").read_text()
SMALLEST = {"trial_id": "T", "version": "1", "title": "A trial"}


def test_the_reference_trial_is_the_registered_one() -> None:
    protocol = protocol_from_toml(REFERENCE)
    assert protocol.planned_subjects == 63
    assert protocol.schedule == Schedule(cycle_days=21, cycles_per_timepoint=2, last_timepoint=17)
    assert protocol.criteria == RECIST_1_1
    assert protocol.criteria.confirmation.interval_days == 28
    assert protocol.criteria.confirmation.max_not_evaluable == 0
    assert protocol.endpoints.clinical_benefit_above_days == 182
    assert protocol.adverse_events.days_after_last_dose == 30


def test_the_reference_trial_writes_every_parameter_out() -> None:
    written = tomllib.loads(REFERENCE, parse_float=Decimal)
    known = protocol_to_mapping(protocol_from_toml(REFERENCE))
    acquired = written.pop("acquisition"), known.pop("acquisition")
    assert len(acquired[0]) == len(acquired[1]) == 4
    assert names(written) == names(known)


def names(mapping: dict[str, Any], path: str = "") -> set[str]:
    return {
        name
        for key, value in mapping.items()
        for name in (names(value, f"{path}{key}.") if isinstance(value, dict) else {f"{path}{key}"})
    }


def test_a_protocol_survives_json() -> None:
    protocol = replace(
        protocol_from_toml(REFERENCE),
        effective_on=date(2026, 3, 1),
        acquisition=(
            AcquisitionRule(name="dynamic T1", max_slice_thickness_mm=Decimal("3.0"), min_phases=5),
        ),
    )
    assert protocol_from_mapping(json.loads(json.dumps(protocol_to_mapping(protocol)))) == protocol


def test_numbers_are_exact_however_they_are_written() -> None:
    for number in (0.3, "0.30", Decimal("0.3")):
        mapping = {**SMALLEST, "criteria": {"sums": {"partial_response_decrease": number}}}
        assert protocol_from_mapping(mapping).criteria == RECIST_1_1


def test_the_smallest_protocol_has_every_default() -> None:
    assert protocol_from_mapping(SMALLEST) == TrialProtocol(trial_id="T", version="1", title="A trial")


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        (
            {"cycle_days": 21},
            UnknownParameterError,
            "The protocol has no parameter 'cycle_days'; it knows trial_id, version, title,",
        ),
        (
            {"criteria": {"sums": {"pr": 0.3}}},
            UnknownParameterError,
            "criteria.sums has no parameter 'pr'; it knows partial_response_decrease,",
        ),
        (
            {"schedule": {"cycle_days": 20.5}},
            ParameterValueError,
            "The parameter 'schedule.cycle_days' must be a whole number; found 20.5.",
        ),
        (
            {"schedule": {"cycle_days": True}},
            ParameterValueError,
            "The parameter 'schedule.cycle_days' must be a whole number; found True.",
        ),
        (
            {"criteria": {"switches": {"pr_hold": 1}}},
            ParameterValueError,
            "The parameter 'criteria.switches.pr_hold' must be true or false; found 1.",
        ),
        (
            {"criteria": {"sums": {"too_small_mm": "five"}}},
            ParameterValueError,
            "The parameter 'criteria.sums.too_small_mm' must be a decimal number; found 'five'.",
        ),
        (
            {"criteria": {"sums": {"too_small_mm": float("nan")}}},
            ParameterValueError,
            "The parameter 'criteria.sums.too_small_mm' must be a decimal number; found nan.",
        ),
        (
            {"criteria": {"sums": {"too_small_mm": True}}},
            ParameterValueError,
            "The parameter 'criteria.sums.too_small_mm' must be a decimal number; found True.",
        ),
        (
            {"criteria": {"confirmation": {"cr_then_disease": "ask"}}},
            ParameterValueError,
            "The parameter 'criteria.confirmation.cr_then_disease' must be one of query, pd, ignore; found",
        ),
        (
            {"schedule": []},
            ParameterValueError,
            "The parameter 'schedule' must be a table of parameters; found [].",
        ),
        (
            {"readers": {"adjudication_variables": "progression"}},
            ParameterValueError,
            "The parameter 'readers.adjudication_variables' must be a list; found 'progression'.",
        ),
        (
            {"acquisition": [{"name": "T1"}, {}]},
            MissingParameterError,
            "acquisition[1] needs the parameter 'name', which has no default.",
        ),
        (
            {"effective_on": "2026-02-30"},
            ParameterValueError,
            "The parameter 'effective_on' must be a date such as 2026-01-31; found '2026-02-30'.",
        ),
        ({"title": 7}, ParameterValueError, "The parameter 'title' must be a text; found 7."),
        ({"title": " "}, ParameterValueError, "The parameter 'title' must be not empty; found ' '."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_refused_with_a_sentence(
    change: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error) as refusal:
        protocol_from_mapping({**SMALLEST, **change})
    assert str(refusal.value).startswith(sentence)


@pytest.mark.parametrize("name", ["trial_id", "version", "title"])
def test_a_protocol_needs_a_name(name: str) -> None:
    with pytest.raises(MissingParameterError, match=f"The protocol needs the parameter '{name}'"):
        protocol_from_mapping({key: value for key, value in SMALLEST.items() if key != name})


def test_text_that_is_not_toml_is_refused_with_its_place() -> None:
    with pytest.raises(ProtocolError, match=r"The protocol is not valid TOML: .*line 2"):
        protocol_from_toml("trial_id = 'T'\nversion = = 1\n")


@pytest.mark.parametrize(
    ("group", "name", "value", "wanted"),
    [
        ("criteria.sums", "partial_response_decrease", "1.1", "above 0 and at most 1"),
        ("criteria.sums", "progression_increase", "0", "above 0"),
        ("criteria.sums", "progression_absolute_mm", "-1", "at least 0"),
        ("criteria.sums", "normal_node_below_mm", "0", "above 0"),
        ("criteria.sums", "too_small_mm", "0", "above 0"),
        ("criteria.measurability", "max_targets", 0, "at least 1"),
        ("criteria.measurability", "node_pathological_mm", "16", "at most node_target_mm"),
        ("criteria.confirmation", "interval_days", -1, "at least 0"),
        ("criteria.confirmation", "max_not_evaluable", -1, "at least 0"),
        ("endpoints", "missed_assessments_gap", 0, "at least 1"),
        ("endpoints", "gap_window_days", -1, "at least 0"),
        ("endpoints", "confidence_level", "1", "between 0 and 1"),
        ("readers", "count", 3, "1 or 2"),
        ("readers", "progression_date_tolerance_days", -1, "at least 0"),
        ("readers", "adjudication_variables", ["progression", "progression"], "without repetition"),
        ("measurement", "precision_mm", "0", "above 0"),
        ("measurement", "claim_tolerance_mm", "-0.1", "at least 0"),
        ("adverse_events", "days_after_last_dose", -1, "at least 0"),
    ],
)
def test_values_that_no_rule_could_use_are_refused(group: str, name: str, value: object, wanted: str) -> None:
    change: dict[str, object] = {name: value}
    for part in reversed(group.split(".")):
        change = {part: change}
    with pytest.raises(ParameterValueError, match=f"'{name}' must be {wanted}; found"):
        protocol_from_mapping({**SMALLEST, **change})


@pytest.mark.parametrize(
    "limit", ["max_slice_thickness_mm", "max_pixel_spacing_mm", "max_gap_mm", "min_coverage_mm"]
)
def test_an_acquisition_rule_with_an_impossible_limit_is_refused(limit: str) -> None:
    with pytest.raises(ParameterValueError, match=limit):
        protocol_from_mapping({**SMALLEST, "acquisition": [{"name": "T1", limit: "-1"}]})


def test_the_published_schema_is_the_one_of_the_types() -> None:
    published = (FIXTURES / "protocols" / "protocol.schema.json").read_text()
    assert published == json.dumps(protocol_schema(), indent=2) + "\n"


def test_the_schema_accepts_what_the_reader_accepts_and_refuses_what_it_refuses() -> None:
    Draft202012Validator.check_schema(protocol_schema())
    validator = Draft202012Validator(protocol_schema())
    assert validator.is_valid(protocol_to_mapping(protocol_from_toml(REFERENCE)))
    assert validator.is_valid(tomllib.loads(REFERENCE))
    assert not validator.is_valid({**SMALLEST, "cycle_days": 21})
    assert not validator.is_valid({"trial_id": "T", "version": "1"})
    assert not validator.is_valid({**SMALLEST, "schedule": {"cycle_days": 20.5}})
    assert not validator.is_valid({**SMALLEST, "endpoints": {"censoring": "none"}})


def every_kind(kind: type, seen: dict[type, None]) -> dict[type, None]:
    seen[kind] = None
    for field in fields(kind):
        default = field.default_factory() if callable(field.default_factory) else field.default
        if is_dataclass(default):
            every_kind(type(default), seen)
    return seen


@pytest.mark.parametrize(
    "kind", [*every_kind(TrialProtocol, {}), AcquisitionRule], ids=lambda kind: kind.__name__
)
def test_every_parameter_says_what_it_means(kind: type) -> None:
    assert set(attribute_texts(kind)) == {field.name for field in fields(kind)}


def test_every_switch_of_the_rule_book_is_a_parameter() -> None:
    known = {field.name for kind in (*every_kind(Criteria, {}), EndpointParameters) for field in fields(kind)}
    assert known >= {
        "pr_hold",
        "reappearance_after_cr",
        "partial_sum_pd",
        "interval_days",
        "max_not_evaluable",
        "accept_stable",
        "stable_minimum_days",
        "cr_then_disease",
        "no_assessment",
        "node_slice_rule",
        "clinical_benefit_reading",
        "clinical_benefit_above_days",
        "missed_assessments_gap",
        "censor_at_new_therapy",
        "ne_is_adequate",
        "partial_dates",
        "interval_transform",
    }
