"""One record of a data set, which knows where it stands, so that every message can say so."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple, NoReturn

from imaging_service.cdisc.errors import ValueRefusedError
from imaging_service.cdisc.numbers import decimal_of
from measurement.dates import DateTextError, PartialDate
from measurement.protocol.trial import PartialDates

_YEARS = range(1900, 2200)
"""Years in which people are treated; others are slips of the pen."""


class Place(NamedTuple):
    """A row of a file, as people count it."""

    file: str
    row: int


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One record.

    Attributes
    ----------
    place
        Its file and row.
    values
        Texts by column; a missing one is empty.
    """

    place: Place
    values: dict[str, str]

    def text(self, column: str) -> str:
        """Return a text; empty when the value or the whole column is missing."""
        return self.values.get(column, "")

    def word(self, column: str) -> str:
        """Return a text in upper case, its words separated by single spaces."""
        return " ".join(self.text(column).upper().split())

    def number(self, column: str) -> Decimal | None:
        """Return a number, or ``None`` when it is missing.

        Raises
        ------
        ValueRefusedError
            If there is something that is no number.
        """
        text = self.text(column)
        if not text:
            return None
        number = decimal_of(text)
        if number is None:
            self.refuse(column, "a number")
        return number

    def dtc(self, column: str) -> PartialDate | None:
        """Return a --DTC value, or ``None`` when it is missing.

        Raises
        ------
        ValueRefusedError
            If it is no date.
        """
        text = self.text(column)
        if not text:
            return None
        with suppress(DateTextError):
            found = PartialDate.parse(text)
            return found if found.year in _YEARS else self.refuse(column, "a year from 1900 to 2199")
        return self.refuse(column, "a date that exists, as YYYY-MM-DD")

    def day(self, column: str, partial_dates: PartialDates) -> date | None:
        """Return the day that a --DTC value stands for, or ``None`` when it is missing.

        Parameters
        ----------
        column
            The column.
        partial_dates
            What the protocol makes of an incomplete date.

        Raises
        ------
        ValueRefusedError
            If it is no date, or an incomplete one that the protocol does not complete.
        """
        found = self.dtc(column)
        if found is None:
            return None
        if found.is_complete or partial_dates is PartialDates.FIRST_DAY:
            return found.earliest
        if partial_dates is PartialDates.MIDDLE_DAY:
            return found.middle
        if partial_dates is PartialDates.LAST_DAY:
            return found.latest
        wanted = "a whole date, as the protocol's endpoints.partial_dates is refuse"
        return self.refuse(column, wanted)

    def is_flagged(self, *columns: str) -> bool:
        """Whether any of these columns says Y."""
        return any(self.word(column) == "Y" for column in columns)

    def refuse(self, column: str, wanted: str) -> NoReturn:
        """Say where this record has what, and what was wanted.

        Raises
        ------
        ValueRefusedError
            Always.
        """
        raise ValueRefusedError(self.place.file, self.place.row, column, self.text(column), wanted)
