"""From what signed reads say to an answer, both as JSON values that can be kept and derived anew."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter

from imaging_service.canonical import canonical_json
from measurement.protocol.criteria import Criteria
from measurement.recist.assess import RULES_VERSION, assess_subject
from measurement.recist.assessment import (
    BaselineAssessment,
    BestOverallResponse,
    Progression,
    SubjectAssessment,
    TimepointAssessment,
)
from measurement.recist.observations import TimepointObservations
from measurement.recist.queries import Query
from measurement.recist.reasons import Reason
from measurement.recist.sums import CompleteSum, IncompleteSum, SumOfDiameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything that an answer follows from."""

    timepoint_id: str
    """The timepoint that the answer is about."""
    observations: tuple[TimepointObservations, ...]
    """What the reader saw until then, and why nothing was seen at a timepoint that was not done."""
    read_ids: tuple[str, ...]
    """The reads that said so; one fewer for each timepoint that was not done."""
    criteria: Criteria
    anchor_on: date | None
    """Day from which durations are counted; the rules take the day of baseline when it is unknown."""


_INPUTS = TypeAdapter(Inputs)


def stored(inputs: Inputs) -> dict[str, Any]:
    """Return inputs as JSON values; decimals keep their digits as text."""
    values: dict[str, Any] = _INPUTS.dump_python(inputs, mode="json")
    return values


def restored(values: Mapping[str, Any]) -> Inputs:
    """Rebuild inputs from what `stored` made of them."""
    return _INPUTS.validate_python(values)


def digest(values: Mapping[str, Any]) -> str:
    """Return the SHA-256 of stored inputs, in lower-case hex."""
    return hashlib.sha256(canonical_json(values).encode()).hexdigest()


def assess(inputs: Inputs) -> SubjectAssessment:
    """Apply the rules."""
    return assess_subject(inputs.observations, inputs.criteria, anchor_on=inputs.anchor_on)


def derive(inputs: Inputs) -> dict[str, Any]:
    """Return the rules' answer about a timepoint, and about the subject as of it, as JSON values."""
    found = assess(inputs)
    return told(found, inputs.timepoint_id)


def told(found: SubjectAssessment, timepoint_id: str) -> dict[str, Any]:
    """Return an assessment of a subject as JSON values, with the part about one timepoint first."""
    timepoint = next((each for each in found.timepoints if each.timepoint_id == timepoint_id), None)
    answer = {
        "rules_version": RULES_VERSION,
        "baseline": None if found.baseline is None else _baseline(found.baseline),
        "timepoint": None if timepoint is None else told_timepoint(timepoint),
        "best_overall": _best(found.best_overall),
        "confirmed_best_overall": _best(found.confirmed_best_overall),
        "progression": None if found.progression is None else _progression(found.progression),
        "queries": _queries(found.queries),
    }
    plain: dict[str, Any] = TypeAdapter(dict[str, Any]).dump_python(answer, mode="json")
    return plain


def in_short(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parts of an answer that are stored beside it, to be searched by."""
    timepoint = answer["timepoint"] or {}
    total = (timepoint or answer["baseline"] or {}).get("sum_of_diameters") or {}
    progression = answer["progression"] or {}
    return {
        "sum_mm": None if total.get("mm") is None else Decimal(total["mm"]),
        "target_response": timepoint.get("target_response"),
        "non_target_response": timepoint.get("non_target_response"),
        "new_lesion": timepoint.get("new_lesion"),
        "overall_response": timepoint.get("overall_response"),
        "best_response": answer["best_overall"]["response"],
        "confirmed_best_response": answer["confirmed_best_overall"]["response"],
        "responded_on": _day(answer["best_overall"]["responded_on"]),
        "progression_on": _day(progression.get("progressed_on")),
    }


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def told_timepoint(found: TimepointAssessment) -> Mapping[str, Any]:
    """Return the verdict on a timepoint with its figures, reasons and queries."""
    return {
        "timepoint_id": found.timepoint_id,
        "number": found.number,
        "assessed_on": found.assessed_on,
        "sum_of_diameters": told_sum(found.sum_of_diameters),
        "baseline_mm": found.baseline_mm,
        "nadir_mm": found.nadir_mm,
        "change_from_baseline_percent": found.change_from_baseline_percent,
        "change_from_nadir_percent": found.change_from_nadir_percent,
        "change_from_nadir_mm": found.change_from_nadir_mm,
        "target_response": found.target_response.value,
        "non_target_response": found.non_target_response.value,
        "new_lesion": found.new_lesion.value,
        "overall_response": found.overall_response.value,
        "progression_on": found.progression_on,
        "progression_seen_at": found.progression_seen_at,
        "reasons": _reasons(found.reasons),
        "queries": _queries(found.queries),
    }


def told_sum(total: SumOfDiameters | None) -> Mapping[str, Any] | None:
    """Return a sum of diameters; an incomplete one says what is missing and has no ``mm``."""
    match total:
        case CompleteSum(mm=mm):
            return {"mm": mm, "at_least_mm": mm, "missing": []}
        case IncompleteSum(at_least_mm=at_least, missing=missing):
            return {"mm": None, "at_least_mm": at_least, "missing": list(missing)}
        case None:
            return None


def _baseline(found: BaselineAssessment) -> Mapping[str, Any]:
    return {
        "timepoint_id": found.timepoint_id,
        "assessed_on": found.assessed_on,
        "target_ids": list(found.target_ids),
        "non_target_ids": list(found.non_target_ids),
        "sum_of_diameters": told_sum(found.sum_of_diameters),
        "queries": _queries(found.queries),
    }


def _best(found: BestOverallResponse) -> Mapping[str, Any]:
    return {
        "response": found.response.value,
        "responded_on": found.responded_on,
        "timepoint_id": found.timepoint_id,
        "confirmed_by": found.confirmed_by,
        "reasons": _reasons(found.reasons),
        "queries": _queries(found.queries),
    }


def _progression(found: Progression) -> Mapping[str, Any]:
    return {
        "progressed_on": found.progressed_on,
        "seen_at": found.seen_at,
        "declared_at": found.declared_at,
        "reasons": _reasons(found.reasons),
    }


def _reasons(found: Sequence[Reason]) -> Sequence[Mapping[str, Any]]:
    return [
        {
            "code": each.code,
            "sentence": each.sentence,
            "source": each.source,
            "record_ids": list(each.record_ids),
        }
        for each in found
    ]


def _queries(found: Sequence[Query]) -> Sequence[Mapping[str, Any]]:
    return [
        {
            "code": each.code,
            "sentence": each.sentence,
            "timepoint_id": each.timepoint_id,
            "lesion_ids": list(each.lesion_ids),
        }
        for each in found
    ]
