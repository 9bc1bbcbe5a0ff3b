"""What the records of one lesion at one visit say together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from imaging_service.cdisc.lesions import Doubt
from imaging_service.cdisc.record import Record
from imaging_service.cdisc.result import LENGTHS, STATE_TESTS, Result, result_of
from imaging_service.cdisc.visits import Days
from imaging_service.cdisc.words import State
from measurement.lesions.lesion import TargetState
from measurement.protocol.criteria import SumThresholds
from measurement.units import ReportedMillimetres

ACROSS = ("LPERP", "SAXIS", "DIAMETER", "LDIAM")
"""Tests that may hold the short axis of a lymph node, the most explicit one first."""

ALONG = ("LDIAM", "DIAMETER")
"""Tests that may hold the longest diameter of any other lesion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A lesion at a visit.

    Attributes
    ----------
    lesion_id
        The lesion.
    length
        Longest diameter, or short axis of a node, in mm.
    state
        In words; ``None`` when only a length says how it was.
    record
        The record that decides, for references.
    on
        Day of the scan.
    method
        TRMETHOD.
    doubts
        What is contradictory or missing.
    """

    lesion_id: str
    length: ReportedMillimetres | None
    state: State | None
    record: Record
    on: date | None
    method: str
    doubts: tuple[Doubt, ...]

    @property
    def record_id(self) -> str:
        """What the record is called in reasons: ``TR 12``, or its row when it has no sequence number."""
        sequence = self.record.text("TRSEQ")
        return f"TR {sequence}" if sequence else f"{self.record.place.file} row {self.record.place.row}"


def look(
    lesion_id: str, records: Sequence[Record], day_of: Days, *, is_nodal: bool, sums: SumThresholds
) -> list[Seen]:
    """Return what was seen of a lesion at a visit.

    Parameters
    ----------
    lesion_id
        The lesion.
    records
        Its records of TR at the visit.
    day_of
        The day of a record.
    is_nodal
        Whether the length that counts is the short axis.
    sums
        The protocol's numbers.

    Returns
    -------
    list of Seen
        One; more when it was assessed more than once with different results. Of equal results the first
        counts.
    """
    results = [result_of(record) for record in records]
    times: list[list[Result]] = []
    for result in results:
        _place(result, times)
    return [_together(lesion_id, time, day_of, is_nodal=is_nodal, sums=sums) for time in times]


def _place(result: Result, times: list[list[Result]]) -> None:
    """Put a result with those of its assessment; a second, different one of a test is of another."""
    for time in times:
        same = [other for other in time if other.test == result.test]
        if not same:
            time.append(result)
            return
        if any(
            (other.length, other.state, other.not_done) == (result.length, result.state, result.not_done)
            for other in same
        ):
            return
    times.append([result])


def _together(
    lesion_id: str, results: Sequence[Result], day_of: Days, *, is_nodal: bool, sums: SumThresholds
) -> Seen:
    tests = ACROSS if is_nodal else ALONG
    lengths = {result.test: result for result in results if result.test in LENGTHS}
    measured = next(
        (lengths[test] for test in tests if test in lengths and lengths[test].length is not None), None
    )
    worded = next(
        (result for result in _by_test(results, (*tests, *sorted(STATE_TESTS))) if result.state is not None),
        None,
    )
    deciding = measured or worded or results[0]
    state = worded.state if worded else None
    if state is None and measured is None and all(result.not_done for result in results):
        state = State.NOT_EVALUABLE
    return Seen(
        lesion_id=lesion_id,
        length=measured.length if measured else None,
        state=state,
        record=deciding.record,
        on=day_of(deciding.record),
        method=deciding.record.text("TRMETHOD"),
        doubts=tuple(_doubts(lesion_id, results, measured, state, is_nodal=is_nodal, sums=sums)),
    )


def _by_test(results: Iterable[Result], tests: Sequence[str]) -> list[Result]:
    return sorted(
        (result for result in results if result.test in tests), key=lambda result: tests.index(result.test)
    )


def _doubts(  # noqa: PLR0913 - all that is known
    lesion_id: str,
    results: Sequence[Result],
    measured: Result | None,
    state: State | None,
    *,
    is_nodal: bool,
    sums: SumThresholds,
) -> Iterable[Doubt]:
    def doubt(code: str, result: Result, sentence: str) -> Doubt:
        return Doubt(code=code, lesion_id=lesion_id, sentence=sentence, place=result.record.place)

    for result in results:
        if result.unknown_word:
            yield doubt(
                "word_unknown",
                result,
                f"{lesion_id} is {result.unknown_word!r}, which is no known state: how was it found?",
            )
        if result.other_length is not None:
            yield doubt(
                "length_contradicted",
                result,
                f"{lesion_id} was collected as {result.other_length} mm and standardised to "
                f"{result.length} mm: which is right? The standardised length is used.",
            )
        standard = result.record.number("TRSTRESN")
        if result.state is State.TOO_SMALL and standard is not None and standard != sums.too_small_mm:
            yield doubt(
                "too_small_standardised",
                result,
                f"{lesion_id} is too small to measure and standardised to {standard}; "
                f"the protocol's {sums.too_small_mm} mm are used.",
            )
    if measured is not None and is_nodal and measured.test == "LDIAM":
        yield doubt(
            "long_axis_of_node",
            measured,
            f"The lymph node {lesion_id} has a longest diameter only, {measured.length} mm, which is used; "
            "a short axis was wanted.",
        )
    if measured is not None and measured.length and state is State.ABSENT:
        yield doubt(
            "state_contradicted",
            measured,
            f"{lesion_id} is absent and measures {measured.length} mm: which is right? The length is used.",
        )


def target_state(seen: Seen) -> TargetState | None:
    """Return the state of a target that has no length; ``None`` when its words say too little."""
    return _TARGET_STATES.get(seen.state) if seen.state else None


_TARGET_STATES = {
    State.ABSENT: TargetState.ABSENT,
    State.TOO_SMALL: TargetState.TOO_SMALL,
    State.NOT_EVALUABLE: TargetState.NOT_EVALUABLE,
}


def fragment_length(seen: Seen, sums: SumThresholds) -> ReportedMillimetres | None:
    """Return what a part of a split target measures in mm; ``None`` when it was not evaluable."""
    if seen.length is not None:
        return seen.length
    if seen.state is State.TOO_SMALL:
        return sums.too_small_mm
    return ReportedMillimetres(Decimal(0)) if seen.state is State.ABSENT else None
