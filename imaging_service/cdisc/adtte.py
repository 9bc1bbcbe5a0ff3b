"""ADaM ADTTE: times to event, each with what ended it and the record that dates it."""

from collections.abc import Iterator, Mapping

from imaging_service.cdisc.data_set import DataSet, Kind, Row, Variable
from imaging_service.cdisc.evaluator import Evaluator
from imaging_service.cdisc.parameters import PARAMETER_VARIABLES, Labelled, numbered
from imaging_service.cdisc.rs import Response
from imaging_service.cdisc.scored import LAST_CONTACT, START, ScoredReading, ScoredSubject
from measurement.endpoints.time_to_event import Endpoint, TimeToEvent

ADTTE = DataSet(
    name="ADTTE",
    label="Time-to-Event Analysis Dataset",
    variables=(
        *PARAMETER_VARIABLES,
        Variable("AVAL", "Analysis Value", Kind.INTEGER),
        Variable("AVALU", "Analysis Value Unit", length=8),
        Variable("STARTDT", "Time-to-Event Origin Date for Subject", Kind.DATE),
        Variable("ADT", "Analysis Date", Kind.DATE),
        Variable("ADY", "Analysis Relative Day", Kind.INTEGER),
        Variable("CNSR", "Censor", Kind.INTEGER),
        Variable("EVNTDESC", "Event or Censoring Description", length=80),
        Variable("CNSDTDSC", "Censor Date Description", length=80),
        Variable("SRCDOM", "Source Data", length=8),
        Variable("SRCVAR", "Source Variable", length=16),
        Variable("SRCSEQ", "Source Sequence Number", Kind.INTEGER),
        Variable("ANL02FL", "Analysis Flag 02", length=1),
    ),
)

NAMES: Mapping[Endpoint, str] = {
    Endpoint.PROGRESSION_FREE_SURVIVAL: "Progression-Free Survival {}",
    Endpoint.DURATION_OF_RESPONSE: "Duration of Response {}",
    Endpoint.TIME_TO_RESPONSE: "Time to Response {}",
    Endpoint.DURATION_OF_STABLE_DISEASE: "Duration of Stable Disease {}",
}
"""PARAM of the endpoints that depend on the evaluator; PARAMCD is the endpoint's own code."""

CATEGORY = "Time to Event"


def adtte_rows(
    subject: ScoredSubject, responses: list[Response], suffixes: Mapping[Evaluator, str]
) -> list[Row]:
    """Return the rows of ADTTE of a subject; an endpoint that does not apply has none.

    Parameters
    ----------
    subject
        The subject. The times by its accepted evaluator are the ones of record: they have ANL02FL.
    responses
        Its derived responses, whose sequence numbers are quoted.
    suffixes
        What is added to a parameter's code, by evaluator.
    """
    rows: list[Row] = []
    sequences: dict[Evaluator, Mapping[str, int]] = {}
    for reading in subject.readings:
        labelled = Labelled(evaluator=reading.evaluator, suffix=suffixes[reading.evaluator])
        own = {
            response.timepoint_id: response.sequence
            for response in responses
            if response.evaluator == reading.evaluator and response.test == "OVRLRESP"
        }
        sequences[reading.evaluator] = own
        rows.extend(
            _row(subject, reading, time, own, labelled.parameter(endpoint.value, NAMES[endpoint], CATEGORY))
            for endpoint, time in reading.outcomes.times.items()
            if endpoint in NAMES
        )
    rows.extend(_survival(subject, sequences))
    return numbered({"STUDYID": subject.study_id, "USUBJID": subject.subject_id}, rows)


def _survival(subject: ScoredSubject, sequences: Mapping[Evaluator, Mapping[str, int]]) -> Iterator[Row]:
    """Yield overall survival, once: a subject seen by any evaluator was alive."""
    found = [
        (time, reading)
        for reading in subject.readings
        if (time := reading.outcomes.times.get(Endpoint.OVERALL_SURVIVAL)) is not None
    ]
    if found:
        time, reading = max(found, key=lambda pair: pair[0].ends_on)
        parameter: Row = {"PARAMCD": "OS", "PARAM": "Overall Survival", "PARCAT1": CATEGORY}
        row = _row(subject, reading, time, sequences[reading.evaluator], parameter)
        yield {**row, "ANL02FL": "Y" if subject.accepted else ""}  # of no evaluator, and so of record too


def _row(
    subject: ScoredSubject,
    reading: ScoredReading,
    time: TimeToEvent,
    sequences: Mapping[str, int],
    parameter: Row,
) -> Row:
    return {
        **parameter,
        "AVAL": time.days,
        "AVALU": "DAYS",
        "STARTDT": time.starts_on,
        "ADT": time.ends_on,
        "ADY": subject.study_day(time.ends_on),
        "CNSR": 0 if time.is_event else 1,
        "EVNTDESC": time.ending.value,
        "CNSDTDSC": "" if time.is_event else _described(time, reading),
        **_source(time, reading, sequences),
        "ANL02FL": "Y" if reading.evaluator == subject.accepted else "",
    }


_DAYS = {START: "Start", LAST_CONTACT: "Last Known to be Alive"}


def _described(time: TimeToEvent, reading: ScoredReading) -> str:
    """Say what the day of a censoring is."""
    if time.record_id in reading.sources or time.record_id == "start":
        return {"start": "Start", "last contact": "Last Known to be Alive"}.get(
            time.record_id, time.record_id
        )
    return "Last Adequate Assessment" if time.endpoint is not Endpoint.OVERALL_SURVIVAL else "Last Imaging"


def _source(time: TimeToEvent, reading: ScoredReading, sequences: Mapping[str, int]) -> Row:
    source = reading.sources.get(time.record_id)
    if source is not None:
        return {"SRCDOM": source.domain, "SRCVAR": source.variable, "SRCSEQ": source.sequence}
    if time.record_id in sequences:
        return {"SRCDOM": "RS", "SRCVAR": "RSDTC", "SRCSEQ": sequences[time.record_id]}
    return {"SRCDOM": "TR", "SRCVAR": "TRDTC", "SRCSEQ": None}
