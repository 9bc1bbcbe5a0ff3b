"""SDTM RS: the derived responses of each timepoint, and the best overall response."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from imaging_service.cdisc.data_set import DataSet, Kind, Row, Variable
from imaging_service.cdisc.evaluator import Evaluator
from imaging_service.cdisc.scored import ScoredReading, ScoredSubject, VisitFacts

CRITERIA = "RECIST 1.1"

TESTS = {
    "TRGRESP": "Target Response",
    "NTRGRESP": "Non-target Response",
    "NEWLIND": "New Lesion Indicator",
    "OVRLRESP": "Overall Response",
    "BESTRSP": "Best Response",
}
"""RSTESTCD and RSTEST, in the order in which they are written."""

RS = DataSet(
    name="RS",
    label="Disease Response and Clin Classification",
    variables=(
        Variable("STUDYID", "Study Identifier", length=64),
        Variable("DOMAIN", "Domain Abbreviation", length=2),
        Variable("USUBJID", "Unique Subject Identifier", length=64),
        Variable("RSSEQ", "Sequence Number", Kind.INTEGER),
        Variable("RSTESTCD", "Assessment Short Name", length=8),
        Variable("RSTEST", "Assessment Name", length=40),
        Variable("RSCAT", "Category for Assessment", length=20),
        Variable("RSORRES", "Result or Finding in Original Units", length=20),
        Variable("RSSTRESC", "Character Result/Finding in Std Format", length=20),
        Variable("RSEVAL", "Evaluator", length=40),
        Variable("RSEVALID", "Evaluator Identifier", length=40),
        Variable("RSACPTFL", "Accepted Record Flag", length=1),
        Variable("VISITNUM", "Visit Number", Kind.NUMBER),
        Variable("VISIT", "Visit Name", length=200),
        Variable("RSDTC", "Date/Time of Assessment", length=20),
        Variable("RSDY", "Study Day of Assessment", Kind.INTEGER),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A derived response.

    Attributes
    ----------
    sequence
        RSSEQ.
    test
        RSTESTCD.
    value
        RSSTRESC.
    evaluator
        Whose assessment it follows from.
    timepoint_id
        The timepoint; empty for the best overall response.
    visit
        What SDTM says of it.
    assessed_on
        Its day; ``None`` when nothing was imaged.
    """

    sequence: int
    test: str
    value: str
    evaluator: Evaluator
    timepoint_id: str = ""
    visit: VisitFacts = field(default_factory=VisitFacts)
    assessed_on: date | None = None


def responses_of(subject: ScoredSubject) -> list[Response]:
    """Return the derived responses of a subject, numbered.

    Parameters
    ----------
    subject
        The subject. An evaluator who never assessed it gives no response.
    """
    found: list[Response] = []
    for reading in subject.readings:
        if reading.is_assessed:
            of_subject = VisitFacts(is_accepted=reading.evaluator == subject.accepted)
            for test, value, timepoint_id, on in _values(reading):
                found.append(
                    Response(
                        sequence=len(found) + 1,
                        test=test,
                        value=value,
                        evaluator=reading.evaluator,
                        timepoint_id=timepoint_id,
                        visit=reading.visits.get(timepoint_id, of_subject),
                        assessed_on=on,
                    )
                )
    return found


def _values(reading: ScoredReading) -> Iterator[tuple[str, str, str, date | None]]:
    for timepoint in reading.course.assessment.timepoints:
        where, on = timepoint.timepoint_id, timepoint.assessed_on
        yield "TRGRESP", timepoint.target_response.value, where, on
        yield "NTRGRESP", timepoint.non_target_response.value, where, on
        yield "NEWLIND", timepoint.new_lesion.value, where, on
        yield "OVRLRESP", timepoint.overall_response.value, where, on
    yield "BESTRSP", reading.best.response.value, "", best_on(reading)


def best_on(reading: ScoredReading) -> date | None:
    """Return the day of the best overall response of record."""
    return day_of_best(reading, reading.best.timepoint_id)


def day_of_best(reading: ScoredReading, timepoint_id: str | None) -> date | None:
    """Return the day of a best response: that of progression where it is dated back."""
    assessment = reading.course.assessment
    if assessment.progression and assessment.progression.seen_at == timepoint_id:
        return assessment.progression.progressed_on
    days = (each.assessed_on for each in assessment.timepoints if each.timepoint_id == timepoint_id)
    return next(days, None)


def rs_rows(subject: ScoredSubject, responses: list[Response]) -> Iterator[Row]:
    """Yield the rows of RS.

    Parameters
    ----------
    subject
        The subject.
    responses
        As `responses_of` gives them.
    """
    for response in responses:
        yield {
            "STUDYID": subject.study_id,
            "DOMAIN": "RS",
            "USUBJID": subject.subject_id,
            "RSSEQ": response.sequence,
            "RSTESTCD": response.test,
            "RSTEST": TESTS[response.test],
            "RSCAT": CRITERIA,
            "RSORRES": response.value,
            "RSSTRESC": response.value,
            "RSEVAL": response.evaluator.role,
            "RSEVALID": response.evaluator.identifier,
            "RSACPTFL": "Y" if response.visit.is_accepted else "",
            "VISITNUM": response.visit.number,
            "VISIT": response.visit.name,
            "RSDTC": response.assessed_on.isoformat() if response.assessed_on else "",
            "RSDY": subject.study_day(response.assessed_on),
        }
