"""ADaM ADTR: each target's diameter and the sum of diameters, compared with baseline and nadir."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from imaging_service.cdisc.data_set import DataSet, Kind, Row, Variable
from imaging_service.cdisc.evaluator import Evaluator
from imaging_service.cdisc.parameters import PARAMETER_VARIABLES, Labelled, numbered
from imaging_service.cdisc.scored import ScoredReading, ScoredSubject, VisitFacts
from imaging_service.cdisc.sums import sums_of
from measurement.lesions.lesion import TargetObservation
from measurement.recist.observations import BASELINE, TimepointObservations
from measurement.recist.sums import CompleteSum, value_of

ADTR = DataSet(
    name="ADTR",
    label="Tumor Results Analysis Dataset",
    variables=(
        *PARAMETER_VARIABLES,
        Variable("TRLNKID", "Link ID", length=40),
        Variable("TULOC", "Location of the Tumor/Lesion", length=200),
        Variable("AVAL", "Analysis Value", Kind.NUMBER),
        Variable("BASE", "Baseline Value", Kind.NUMBER),
        Variable("CHG", "Change from Baseline", Kind.NUMBER),
        Variable("PCHG", "Percent Change from Baseline", Kind.NUMBER),
        Variable("NADIR", "NADIR", Kind.NUMBER),
        Variable("CHGNAD", "Change from NADIR", Kind.NUMBER),
        Variable("PCHGNAD", "Percent Change from NADIR", Kind.NUMBER),
        Variable("ADT", "Analysis Date", Kind.DATE),
        Variable("ADY", "Analysis Relative Day", Kind.INTEGER),
        Variable("AVISIT", "Analysis Visit", length=200),
        Variable("AVISITN", "Analysis Visit (N)", Kind.NUMBER),
        Variable("ABLFL", "Baseline Record Flag", length=1),
        Variable("ANL01FL", "Analysis Flag 01", length=1),
        Variable("TREVAL", "Evaluator", length=40),
        Variable("TREVALID", "Evaluator Identifier", length=40),
    ),
)

_LENGTHS, _PLACES = "Target Lesion(s)", Decimal("0.000001")


def adtr_rows(subject: ScoredSubject, suffixes: Mapping[Evaluator, str]) -> list[Row]:
    """Return the rows of ADTR of a subject.

    Parameters
    ----------
    subject
        The subject.
    suffixes
        What is added to a parameter's code, by evaluator.
    """
    rows: list[Row] = []
    for reading in subject.readings:
        labelled = Labelled(evaluator=reading.evaluator, suffix=suffixes[reading.evaluator])
        for row in (*_diameters(reading, labelled), *_sums(reading, labelled)):
            on = row["ADT"]
            day = subject.study_day(on if isinstance(on, date) else None)
            evaluator = {"TREVAL": reading.evaluator.role, "TREVALID": reading.evaluator.identifier}
            rows.append({**row, "ADY": day, **evaluator})
    return numbered({"STUDYID": subject.study_id, "USUBJID": subject.subject_id}, rows)


def _diameters(reading: ScoredReading, labelled: Labelled) -> Iterator[Row]:
    """Yield each target of baseline over time; a value is what it adds to the sum."""
    timepoints = _in_order(reading)
    baseline = reading.course.assessment.baseline
    for number, lesion_id in enumerate(baseline.target_ids if baseline else (), start=1):
        values = [(each, _seen(each, lesion_id)) for each in timepoints]
        base = next(
            (_value(seen, reading) for each, seen in values if seen and each.number == BASELINE), None
        )
        name = f"Target Lesion {number} Analysis Diameter {{}}"
        code = f"LDIAM{number}" if len(labelled.code(f"LDIAM{number}")) <= 8 else f"LD{number}"
        for timepoint, seen in values:
            if seen is None:
                continue
            value = _value(seen, reading)
            yield {
                **labelled.parameter(code, name, _LENGTHS),
                "TRLNKID": lesion_id,
                "TULOC": reading.locations.get(lesion_id, ""),
                "AVAL": value,
                "ADT": seen.imaged_on or timepoint.imaged_on,
                **_visit(reading, timepoint.timepoint_id),
                **_changes(value, base, "", is_baseline=timepoint.number == BASELINE),
                "ANL01FL": "Y" if value is not None else "",
            }


def _sums(reading: ScoredReading, labelled: Labelled) -> Iterator[Row]:
    """Yield the sum over time; an incomplete one has no value and is no nadir."""
    base: Decimal | None = None
    nadir: Decimal | None = None
    for timed in sums_of(reading):
        value = timed.total.mm if isinstance(timed.total, CompleteSum) else None
        if timed.is_baseline:
            base = value
        yield {
            **labelled.parameter("SDIAM", "Target Lesions Sum of Diameters {}", _LENGTHS),
            "AVAL": value,
            "ADT": timed.imaged_on,
            **_visit(reading, timed.timepoint_id),
            **_changes(value, base, "", is_baseline=timed.is_baseline),
            **({} if timed.is_baseline else {"NADIR": nadir, **_changes(value, nadir, "NAD")}),
            "ANL01FL": "Y" if value is not None else "",
        }
        if value is not None and (nadir is None or value < nadir):
            nadir = value


def _in_order(reading: ScoredReading) -> list[TimepointObservations]:
    """Return the timepoints in the order in which they are judged, baseline first."""
    assessment = reading.course.assessment
    by_id = {each.timepoint_id: each for each in reading.observations}
    names = [each.timepoint_id for each in assessment.timepoints]
    if assessment.baseline:
        names.insert(0, assessment.baseline.timepoint_id)
    return [by_id[name] for name in names if name in by_id]


def _seen(timepoint: TimepointObservations, lesion_id: str) -> TargetObservation | None:
    return next((seen for seen in timepoint.targets if seen.lesion_id == lesion_id), None)


def _value(seen: TargetObservation, reading: ScoredReading) -> Decimal | None:
    return value_of(seen, reading.course.protocol.criteria.sums)


def _visit(reading: ScoredReading, timepoint_id: str) -> Row:
    visit = reading.visits.get(timepoint_id, VisitFacts())
    return {"AVISIT": visit.name, "AVISITN": visit.number}


def _changes(value: Decimal | None, reference: Decimal | None, of: str, *, is_baseline: bool = False) -> Row:
    """Return the change from a reference, absolute and in %."""
    if is_baseline:
        return {"BASE": reference, "ABLFL": "Y"}
    change = percent = None
    if value is not None and reference is not None:
        change = value - reference
        percent = (change * 100 / reference).quantize(_PLACES) if reference else None
    base = {} if of else {"BASE": reference}
    return {**base, f"CHG{of}": change, f"PCHG{of}": percent}
