"""ADaM ADRS: responses and the answers that follow from them, with the parameters that admiralonco names."""

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType

from imaging_service.cdisc.data_set import DataSet, Kind, Row, Variable
from imaging_service.cdisc.evaluator import Evaluator
from imaging_service.cdisc.parameters import PARAMETER_VARIABLES, Labelled, numbered
from imaging_service.cdisc.rs import Response, day_of_best
from imaging_service.cdisc.scored import ScoredReading, ScoredSubject, VisitFacts
from measurement.endpoints.response_rate import has_clinical_benefit, is_responder

ADRS = DataSet(
    name="ADRS",
    label="Disease Response Analysis Dataset",
    variables=(
        *PARAMETER_VARIABLES,
        Variable("AVAL", "Analysis Value", Kind.NUMBER),
        Variable("AVALC", "Analysis Value (C)", length=20),
        Variable("ADT", "Analysis Date", Kind.DATE),
        Variable("ADY", "Analysis Relative Day", Kind.INTEGER),
        Variable("AVISIT", "Analysis Visit", length=200),
        Variable("AVISITN", "Analysis Visit (N)", Kind.NUMBER),
        Variable("ANL01FL", "Analysis Flag 01", length=1),
        Variable("RSEVAL", "Evaluator", length=40),
        Variable("RSEVALID", "Evaluator Identifier", length=40),
        Variable("SRCDOM", "Source Data", length=8),
        Variable("SRCVAR", "Source Variable", length=8),
        Variable("SRCSEQ", "Source Sequence Number", Kind.INTEGER),
    ),
)

AVAL: Mapping[str, int] = MappingProxyType(
    {"CR": 1, "PR": 2, "SD": 3, "NON-CR/NON-PD": 4, "PD": 5, "NE": 6, "MISSING": 7}
)
"""Analysis value of a response, as admiralonco orders them."""

_RESPONSE, _EVENT = "Tumor Response", "Reference Event"


def adrs_rows(
    subject: ScoredSubject, responses: list[Response], suffixes: Mapping[Evaluator, str]
) -> list[Row]:
    """Return the rows of ADRS of a subject.

    Parameters
    ----------
    subject
        The subject.
    responses
        Its derived responses, whose sequence numbers are quoted.
    suffixes
        What is added to a parameter's code, by evaluator.
    """
    rows: list[Row] = []
    for reading in subject.readings:
        labelled = Labelled(evaluator=reading.evaluator, suffix=suffixes[reading.evaluator])
        own = [response for response in responses if response.evaluator == reading.evaluator]
        evaluator = {"RSEVAL": reading.evaluator.role, "RSEVALID": reading.evaluator.identifier}
        answers = (*_overall(reading, labelled, own), *_answers(reading, labelled))
        rows.extend({**row, **evaluator} for row in answers)
    rows.append(_death(subject))
    dated: list[Row] = [{**row, "ADY": subject.study_day(_day(row))} for row in rows]
    return numbered({"STUDYID": subject.study_id, "USUBJID": subject.subject_id}, dated)


def _day(row: Row) -> date | None:
    found = row.get("ADT")
    return found if isinstance(found, date) else None


def _overall(reading: ScoredReading, labelled: Labelled, responses: list[Response]) -> Iterator[Row]:
    """Yield each overall response, and the last one again as the last assessment."""
    last: Row | None = None
    progression = reading.course.assessment.progression
    counts = True
    for response in responses:
        if response.test != "OVRLRESP":
            continue
        row = {
            "AVALC": response.value,
            "AVAL": AVAL.get(response.value),
            "ADT": response.assessed_on,
            "AVISIT": response.visit.name,
            "AVISITN": response.visit.number,
            "SRCDOM": "RS",
            "SRCVAR": "RSDTC",
            "SRCSEQ": response.sequence,
        }
        flag = {"ANL01FL": "Y" if counts else ""}
        yield {**labelled.parameter("OVR", "Overall Response {}", _RESPONSE), **row, **flag}
        if response.assessed_on is not None:
            last = row
        if progression and response.timepoint_id in {progression.seen_at, progression.declared_at}:
            counts = False
    if last is not None:
        name = "Last Disease Assessment {}"
        yield {**labelled.parameter("LSTA", name, _RESPONSE), **last, "ANL01FL": "Y"}


def _answers(reading: ScoredReading, labelled: Labelled) -> Iterator[Row]:
    assessment = reading.course.assessment
    progression, baseline = assessment.progression, assessment.baseline
    yield {
        **labelled.parameter("PD", "Disease Progression {}", _RESPONSE),
        **_yes_no(answer=progression is not None, on=progression.progressed_on if progression else None),
        **_visit(reading, progression.seen_at if progression else None),
    }
    yield from _by_confirmation(reading, labelled, is_confirmed=False)
    yield from _by_confirmation(reading, labelled, is_confirmed=True)
    yield {
        **labelled.parameter("MDIS", "Measurable Disease at Baseline {}", "Measurable Disease at Baseline"),
        **_yes_no(
            answer=bool(baseline and baseline.target_ids), on=baseline.assessed_on if baseline else None
        ),
    }


_UNCONFIRMED_NAMES = {
    "RSP": "Response {} (confirmation not required)",
    "CB": "Clinical Benefit {} (confirmation for response not required)",
    "BOR": "Best Overall Response {} (confirmation not required)",
    "BCP": "Best Overall Response of CR/PR {} (confirmation not required)",
}
_CONFIRMED_NAMES = {
    "CRSP": "Confirmed Response {}",
    "CCB": "Confirmed Clinical Benefit {}",
    "CBOR": "Best Confirmed Overall Response {}",
    "CBCP": "Best Confirmed Overall Response of CR/PR {}",
}


def _by_confirmation(reading: ScoredReading, labelled: Labelled, *, is_confirmed: bool) -> Iterator[Row]:
    """Yield response, clinical benefit and best response, with or without confirmation."""
    course = reading.with_confirmation(required=is_confirmed)
    best = course.best_response
    responds, benefits = is_responder(course), has_clinical_benefit(course)
    on = day_of_best(reading, best.timepoint_id)
    answers: tuple[Row, ...] = (
        _yes_no(answer=responds, on=best.responded_on),
        _yes_no(answer=benefits, on=best.responded_on or on),
        {"AVALC": best.response.value, "AVAL": AVAL.get(best.response.value), "ADT": on, "ANL01FL": "Y"},
        _yes_no(answer=responds, on=on),
    )
    names = _CONFIRMED_NAMES if is_confirmed else _UNCONFIRMED_NAMES
    for (code, name), answer in zip(names.items(), answers, strict=True):
        yield {**labelled.parameter(code, name, _RESPONSE), **answer}


def _yes_no(*, answer: bool, on: date | None) -> Row:
    return {
        "AVALC": "Y" if answer else "N",
        "AVAL": int(answer),
        "ADT": on if answer else None,
        "ANL01FL": "Y",
    }


def _visit(reading: ScoredReading, timepoint_id: str | None) -> Row:
    visit = reading.visits.get(timepoint_id or "", VisitFacts())
    return {"AVISIT": visit.name, "AVISITN": visit.number}


def _death(subject: ScoredSubject) -> Row:
    death = subject.calendar.death if subject.died_on else None
    source = death.source if death else None
    return {
        "PARAMCD": "DEATH",
        "PARAM": "Death",
        "PARCAT1": _EVENT,
        **_yes_no(answer=death is not None, on=subject.died_on),
        "SRCDOM": source.domain if source else "",
        "SRCVAR": source.variable[:8] if source else "",
        "SRCSEQ": source.sequence if source else None,
    }
