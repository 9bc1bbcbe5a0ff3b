"""SDTM TR rows of the derived sum of diameters (SUMDIAM), baseline included."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from imaging_service.cdisc.data_set import DataSet, Kind, Row, Variable
from imaging_service.cdisc.scored import ScoredReading, ScoredSubject, VisitFacts
from measurement.recist.sums import CompleteSum, SumOfDiameters

SUMDIAM = DataSet(
    name="TR",
    label="Tumor/Lesion Results",
    variables=(
        Variable("STUDYID", "Study Identifier", length=64),
        Variable("DOMAIN", "Domain Abbreviation", length=2),
        Variable("USUBJID", "Unique Subject Identifier", length=64),
        Variable("TRSEQ", "Sequence Number", Kind.INTEGER),
        Variable("TRGRPID", "Group ID", length=20),
        Variable("TRTESTCD", "Tumor/Lesion Assessment Short Name", length=8),
        Variable("TRTEST", "Tumor/Lesion Assessment Test Name", length=40),
        Variable("TRORRES", "Result or Finding in Original Units", length=20),
        Variable("TRORRESU", "Original Units", length=8),
        Variable("TRSTRESC", "Character Result/Finding in Std Format", length=20),
        Variable("TRSTRESN", "Numeric Result/Finding in Standard Units", Kind.NUMBER),
        Variable("TRSTRESU", "Standard Units", length=8),
        Variable("TRSTAT", "Completion Status", length=8),
        Variable("TRREASND", "Reason Not Done", length=200),
        Variable("TREVAL", "Evaluator", length=40),
        Variable("TREVALID", "Evaluator Identifier", length=40),
        Variable("TRACPTFL", "Accepted Record Flag", length=1),
        Variable("VISITNUM", "Visit Number", Kind.NUMBER),
        Variable("VISIT", "Visit Name", length=200),
        Variable("TRDTC", "Date/Time of Tumor/Lesion Measurement", length=20),
        Variable("TRDY", "Study Day of Tumor/Lesion Measurement", Kind.INTEGER),
    ),
)


class TimedSum(NamedTuple):
    """A sum of diameters at a timepoint.

    Attributes
    ----------
    timepoint_id
        The timepoint.
    total
        The sum; complete or not.
    imaged_on
        Last day of its imaging.
    is_baseline
        Whether it is the one that everything is compared with.
    """

    timepoint_id: str
    total: SumOfDiameters
    imaged_on: date | None
    is_baseline: bool


def sums_of(reading: ScoredReading) -> Iterator[TimedSum]:
    """Yield the sums of diameters of a reading in order of time; none where there were no targets."""
    assessment = reading.course.assessment
    baseline = assessment.baseline
    if baseline and baseline.sum_of_diameters is not None:
        yield TimedSum(
            baseline.timepoint_id, baseline.sum_of_diameters, baseline.assessed_on, is_baseline=True
        )
    for timepoint in assessment.timepoints:
        if timepoint.sum_of_diameters is not None:
            yield TimedSum(
                timepoint.timepoint_id, timepoint.sum_of_diameters, timepoint.assessed_on, is_baseline=False
            )


def sum_rows(subject: ScoredSubject) -> Iterator[Row]:
    """Yield a row for each sum of diameters; an incomplete one says which targets have no value."""
    sequence = subject.last_sequence
    for reading in subject.readings:
        for timed in sums_of(reading):
            sequence += 1
            visit = reading.visits.get(timed.timepoint_id, VisitFacts())
            yield {
                "STUDYID": subject.study_id,
                "DOMAIN": "TR",
                "USUBJID": subject.subject_id,
                "TRSEQ": sequence,
                "TRGRPID": "TARGET",
                "TRTESTCD": "SUMDIAM",
                "TRTEST": "Sum of Diameter",
                **_value(timed.total),
                "TREVAL": reading.evaluator.role,
                "TREVALID": reading.evaluator.identifier,
                "TRACPTFL": "Y" if visit.is_accepted else "",
                "VISITNUM": visit.number,
                "VISIT": visit.name,
                "TRDTC": timed.imaged_on.isoformat() if timed.imaged_on else "",
                "TRDY": subject.study_day(timed.imaged_on),
            }


def _value(total: SumOfDiameters) -> Row:
    if isinstance(total, CompleteSum):
        text = format(total.mm, "f")
        return {"TRORRES": text, "TRORRESU": "mm", "TRSTRESC": text, "TRSTRESN": total.mm, "TRSTRESU": "mm"}
    reason = f"Not every target was assessed: {', '.join(total.missing)}"
    return {"TRSTAT": "NOT DONE", "TRREASND": reason[:200]}
