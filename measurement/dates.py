"""Dates as trials record them: ISO 8601, and sometimes only a year or a month (SDTM --DTC)."""

import calendar
import re
from dataclasses import dataclass
from datetime import date

from measurement.errors import MeasurementError

_DTC = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})(?:T[0-9:.,+\-Z]*)?)?)?", re.ASCII)


class DateTextError(MeasurementError):
    """A text is not a date."""

    def __init__(self, text: str) -> None:
        """Name the text."""
        super().__init__(f"A date must read YYYY, YYYY-MM or YYYY-MM-DD and exist; found {text!r}.")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A day, a month or a year.

    Examples
    --------
    >>> onset = PartialDate.parse("2024-02")
    >>> onset.earliest.isoformat(), onset.latest.isoformat()
    ('2024-02-01', '2024-02-29')
    """

    year: int
    month: int | None = None
    day: int | None = None

    @classmethod
    def parse(cls, text: str) -> "PartialDate":
        """Read a --DTC text; a time of day is allowed and left out.

        Raises
        ------
        DateTextError
            When the text is no date, or the day does not exist.
        """
        match = _DTC.fullmatch(text.strip())
        if match is None:
            raise DateTextError(text)
        parts = [int(part) if part else None for part in match.group("year", "month", "day")]
        try:
            date(parts[0] or 0, parts[1] or 1, parts[2] or 1)
        except ValueError:
            raise DateTextError(text) from None
        return cls(parts[0] or 0, parts[1], parts[2])

    @property
    def is_complete(self) -> bool:
        """Whether the day is known."""
        return self.day is not None

    @property
    def earliest(self) -> date:
        """Return the first day that this may be."""
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def latest(self) -> date:
        """Return the last day that this may be."""
        month = self.month or 12
        return date(self.year, month, self.day or calendar.monthrange(self.year, month)[1])

    @property
    def middle(self) -> date:
        """Return the day that stands in the middle: the 15th of a month, 1 July of a year."""
        if self.day:
            return self.earliest
        return date(self.year, self.month, 15) if self.month else date(self.year, 7, 1)

    def __str__(self) -> str:
        """Return the --DTC text."""
        parts = (f"{self.year:04d}", *(f"{part:02d}" for part in (self.month, self.day) if part))
        return "-".join(parts)
