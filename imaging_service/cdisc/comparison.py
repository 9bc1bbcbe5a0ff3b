"""Submitted answers beside the derived ones: responses of RS and sums of TR."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType

from imaging_service.cdisc.errors import ValueRefusedError
from imaging_service.cdisc.evaluator import Evaluator
from imaging_service.cdisc.numbers import decimal_of
from imaging_service.cdisc.record import Record
from imaging_service.cdisc.remark import Remark, RemarkKind
from imaging_service.cdisc.result import SUM_TEST, result_of
from imaging_service.cdisc.rs import TESTS, Response
from imaging_service.cdisc.scored import ScoredReading, ScoredSubject, VisitFacts
from imaging_service.cdisc.sums import TimedSum, sums_of
from imaging_service.cdisc.visits import visit_key
from imaging_service.cdisc.words import bare
from measurement.protocol.trial import PartialDates
from measurement.recist.assessment import TimepointAssessment
from measurement.recist.reasons import Reason
from measurement.recist.sums import CompleteSum

_SPELLINGS: Mapping[str, str] = MappingProxyType(
    {
        "NON CR NON PD": "NON-CR/NON-PD",
        "NN": "NON-CR/NON-PD",
        "NOT EVALUABLE": "NE",
        "NOT ALL EVALUATED": "NE",
        "INEVALUABLE": "NE",
        "NOT APPLICABLE": "NA",
        "YES": "Y",
        "UNEQUIVOCAL": "Y",
        "NO": "N",
    }
)
"""Ways to write a response, and the controlled term."""


def compare_responses(
    subject: ScoredSubject, derived: Sequence[Response], submitted: Iterable[Record]
) -> Iterator[Remark]:
    """Yield a remark for each submitted response that is not the derived one, and for each missing one.

    Parameters
    ----------
    subject
        The subject.
    derived
        Its derived responses.
    submitted
        Its records of RS, in any order. Other tests than those derived are passed over.
    """
    records = [record for record in submitted if record.word("RSTESTCD") in TESTS]
    for reading in subject.readings:
        own = [response for response in derived if response.evaluator == reading.evaluator]
        theirs = [record for record in records if Evaluator.of(record, "RS") == reading.evaluator]
        told: set[tuple[str, str]] = set()
        for record in theirs:
            response = _match(record, own)
            if response is not None:
                told.add((response.test, response.timepoint_id))
                yield from _response_difference(subject, reading, record, response)
            elif not _is_beside(record, reading, subject.as_of):
                sentence = (
                    f"{record.word('RSTESTCD')} was submitted as {_submitted(record)}, "
                    "but there are no lesion results to derive it from."
                )
                yield _difference(subject, reading, record, "response_underived", sentence)
        if any(record.word("RSTESTCD") == "OVRLRESP" for record in theirs):
            yield from _untold(subject, reading, own, told)


def _match(record: Record, derived: Iterable[Response]) -> Response | None:
    test = record.word("RSTESTCD")
    same = [response for response in derived if response.test == test]
    if test == "BESTRSP":
        return same[0] if same else None
    at = [response for response in same if _is_at(record, "RSDTC", response.visit, response.assessed_on)]
    if len(at) > 1:
        day = _day(record, "RSDTC")
        at.sort(key=lambda response: response.assessed_on != day)
    return at[0] if at else None


def _is_at(record: Record, column: str, visit: VisitFacts, on: date | None) -> bool:
    kind, key = visit_key(record)
    if kind == "VISITNUM":
        return visit.number is not None and key == format(visit.number.normalize(), "f")
    if key:
        return key == " ".join(visit.name.upper().split())
    return on is not None and _day(record, column) == on


def _day(record: Record, column: str) -> date | None:
    try:
        return record.day(column, PartialDates.FIRST_DAY)
    except ValueRefusedError:
        return None


def _is_beside(record: Record, reading: ScoredReading, as_of: date | None) -> bool:
    """Whether a submitted response has no derived one for a good reason: baseline, or after the cut."""
    baseline = reading.course.assessment.baseline
    visit = reading.visits.get(baseline.timepoint_id) if baseline else None
    if visit and _is_at(record, "RSDTC", visit, baseline.assessed_on if baseline else None):
        return True
    day = _day(record, "RSDTC")
    return as_of is not None and (day is None or day > as_of)


def _submitted(record: Record) -> str:
    word = bare(record.text("RSSTRESC") or record.text("RSORRES"))
    return _SPELLINGS.get(word, word)


def _response_difference(
    subject: ScoredSubject, reading: ScoredReading, record: Record, response: Response
) -> Iterator[Remark]:
    submitted = _submitted(record)
    if submitted == response.value or record.word("RSSTAT") == "NOT DONE":
        return
    why = _why(reading, response)
    sentence = (
        f"{response.test} was submitted as {submitted or 'nothing'}; derived is {response.value}. {why}"
    )
    yield _difference(subject, reading, record, "response_differs", sentence.strip())


def _why(reading: ScoredReading, response: Response) -> str:
    """Return the reasons of a derived response, in words."""
    if not response.timepoint_id:
        return " ".join(reason.sentence for reason in reading.best.reasons)
    for timepoint in reading.course.assessment.timepoints:
        if timepoint.timepoint_id == response.timepoint_id:
            return " ".join(reason.sentence for reason in _reasons(timepoint, response.test))
    return ""


def _reasons(timepoint: TimepointAssessment, test: str) -> Sequence[Reason]:
    """Return the reasons that a response rests on: target, non-target, new lesions, all."""
    places = {"TRGRESP": slice(0, 1), "NTRGRESP": slice(1, 2), "NEWLIND": slice(2, -1)}
    return timepoint.reasons[places.get(test, slice(None))]


def _untold(
    subject: ScoredSubject, reading: ScoredReading, derived: Iterable[Response], told: set[tuple[str, str]]
) -> Iterator[Remark]:
    for response in derived:
        if response.test == "OVRLRESP" and (response.test, response.timepoint_id) not in told:
            sentence = f"OVRLRESP was not submitted; derived is {response.value}."
            yield _difference(
                subject, reading, None, "response_not_submitted", sentence, visit=response.timepoint_id
            )


def compare_sums(subject: ScoredSubject, submitted: Iterable[Record]) -> Iterator[Remark]:
    """Yield a remark for each submitted sum of diameters that is not the derived one.

    Parameters
    ----------
    subject
        The subject.
    submitted
        Its records of TR; those of other tests are passed over.

    Raises
    ------
    ValueRefusedError
        If a sum is no length.
    """
    records = [record for record in submitted if record.word("TRTESTCD") == SUM_TEST]
    for reading in subject.readings:
        sums = list(sums_of(reading))
        for record in records:
            if Evaluator.of(record, "TR") != reading.evaluator:
                continue
            length = result_of(record).length
            timed = _sum_at(record, sums, reading)
            if length is None or timed is None:
                continue
            derived = timed.total.mm if isinstance(timed.total, CompleteSum) else None
            places = max(_places(length), _places(decimal_of(record.text("TRSTRESC")) or length))
            if derived is None or _rounded(derived, places) != length:
                found = f"{derived} mm" if derived is not None else "not complete"
                sentence = f"SUMDIAM was submitted as {length} mm; derived is {found}."
                yield _difference(subject, reading, record, "sum_differs", sentence)


def _sum_at(record: Record, sums: Iterable[TimedSum], reading: ScoredReading) -> TimedSum | None:
    for timed in sums:
        visit = reading.visits.get(timed.timepoint_id, VisitFacts())
        if _is_at(record, "TRDTC", visit, timed.imaged_on):
            return timed
    return None


def _places(number: Decimal) -> int:
    return max(0, -int(number.as_tuple().exponent))


def _rounded(derived: Decimal, places: int) -> Decimal:
    """Return the derived sum with as many decimals as the submitted one has."""
    return derived.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _difference(  # noqa: PLR0913 - a remark has as many parts
    subject: ScoredSubject,
    reading: ScoredReading,
    record: Record | None,
    code: str,
    sentence: str,
    *,
    visit: str = "",
) -> Remark:
    return Remark(
        kind=RemarkKind.DIFFERENCE,
        code=code,
        sentence=sentence,
        subject_id=subject.subject_id,
        evaluator=reading.evaluator.label,
        visit=visit or (record.text("VISIT") or record.text("VISITNUM") if record else ""),
        place=record.place if record else None,
    )
