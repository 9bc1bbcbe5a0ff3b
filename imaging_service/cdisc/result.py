"""One record of TR: a length in mm, a state in words, or a reason for having neither."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from imaging_service.cdisc.numbers import decimal_of, plain
from imaging_service.cdisc.record import Record
from imaging_service.cdisc.words import STATES, State, bare
from measurement.units import ReportedMillimetres

LENGTHS = frozenset({"LDIAM", "LPERP", "DIAMETER", "SAXIS"})
"""Tests (TRTESTCD) that hold a length."""

STATE_TESTS = frozenset({"TUMSTATE", "LNSTATE"})
"""Tests that hold a state: of any lesion, and of a lymph node."""

SUM_TEST = "SUMDIAM"
"""The test that holds a submitted sum of diameters: compared, never used."""

_MILLIMETRES: Mapping[str, Decimal] = MappingProxyType(
    {"MM": Decimal(1), "CM": Decimal(10), "MILLIMETER": Decimal(1), "CENTIMETER": Decimal(10)}
)
"""How many millimetres a unit has."""

_ROUNDING_MM = Decimal("0.5")
"""A standardised length may have been rounded to whole millimetres; more than this is another length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a record says.

    Attributes
    ----------
    record
        The record.
    length
        In mm; ``None`` when there is none.
    state
        In words; ``None`` when there is none, or none that is known.
    unknown_word
        A result that is neither a length nor a known state.
    not_done
        Why nothing was assessed; empty when something was.
    other_length
        The length as collected in mm, when it is not the standardised one.
    """

    record: Record
    length: ReportedMillimetres | None = None
    state: State | None = None
    unknown_word: str = ""
    not_done: str = ""
    other_length: Decimal | None = None

    @property
    def test(self) -> str:
        """TRTESTCD."""
        return self.record.word("TRTESTCD")


def result_of(record: Record) -> Result:
    """Read a record of TR.

    Parameters
    ----------
    record
        The record.

    Returns
    -------
    Result
        The words of TRORRES go before the number that stands for them in TRSTRESN: ``TOO SMALL TO MEASURE``
        with 5 is too small, and the protocol says what that counts.

    Raises
    ------
    ValueRefusedError
        If a number is none, is negative, or has a unit other than mm and cm.
    """
    if record.word("TRSTAT") == "NOT DONE":
        return Result(record=record, not_done=record.text("TRREASND") or "no reason given")
    collected, standard = record.text("TRORRES"), record.text("TRSTRESC")
    words = [bare(text) for text in (collected, standard) if text and decimal_of(text) is None]
    state = next((STATES[word] for word in words if word in STATES), None)
    if state is not None:
        return Result(record=record, state=state)
    if words:
        return Result(record=record, unknown_word=collected if decimal_of(collected) is None else standard)
    return _length(record)


def _length(record: Record) -> Result:
    column, number = _standard_number(record)
    if number is None:
        return Result(record=record, not_done="no result and no reason")
    if number < 0:
        record.refuse(column, "a length of at least 0")
    length = plain(_in_mm(record, number, "TRORRESU" if column == "TRORRES" else "TRSTRESU").normalize())
    collected = decimal_of(record.text("TRORRES"))
    other = None
    if collected is not None and record.text("TRORRESU"):
        as_collected = _in_mm(record, collected, "TRORRESU")
        other = as_collected if abs(as_collected - length) > _ROUNDING_MM else None
    return Result(record=record, length=ReportedMillimetres(length), other_length=other)


def _standard_number(record: Record) -> tuple[str, Decimal | None]:
    number = record.number("TRSTRESN")
    if number is not None:
        return "TRSTRESN", number
    for column in ("TRSTRESC", "TRORRES"):
        number = decimal_of(record.text(column))
        if number is not None:
            return column, number
    return "TRSTRESN", None


def _in_mm(record: Record, number: Decimal, column: str) -> Decimal:
    unit = record.word(column)
    if (
        not unit
        and column == "TRSTRESU"
        and record.number("TRSTRESN") in {None, decimal_of(record.text("TRORRES"))}
    ):
        column, unit = "TRORRESU", record.word("TRORRESU")  # the same number, whose unit is only said once
    if unit in _MILLIMETRES:
        return number * _MILLIMETRES[unit]
    has_units = "TRSTRESU" in record.values or "TRORRESU" in record.values
    if not unit and (number == 0 or not has_units):
        return number
    return record.refuse(column, "mm or cm")
