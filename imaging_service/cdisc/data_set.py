"""What a data set is: named variables with labels, and rows of values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol

Value = str | int | Decimal | date | None
"""A cell: text, a number, a day, or nothing."""

Row = Mapping[str, Value]


class Kind(StrEnum):
    """What the values of a variable are."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"


class Variable(NamedTuple):
    """A column.

    Attributes
    ----------
    name
        At most eight characters.
    label
        At most forty characters.
    kind
        What its values are.
    length
        Most bytes of a text in a SAS transport file.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    length: int = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """The description of a data set.

    Attributes
    ----------
    name
        CDISC's name of it, at most eight characters.
    label
        What it holds, at most forty characters.
    variables
        Its columns in order.
    """

    name: str
    label: str
    variables: tuple[Variable, ...]


class Source(Protocol):
    """A data set that can be read from its first record to its last, once.

    Attributes
    ----------
    file
        What it is called in messages.
    columns
        Names of its columns in upper case.
    first_row
        Number of its first record, as people count: 2 in a CSV file, whose first row is the header.
    """

    file: str
    columns: Sequence[str]
    first_row: int

    def __iter__(self) -> Iterator[Sequence[str]]:
        """Yield the cells of each record as text; an empty one is missing."""
        ...


class Sink(Protocol):
    """A data set that is being written."""

    def write(self, row: Row) -> None:
        """Add a row; a variable that it leaves out is missing."""
        ...

    def close(self) -> None:
        """Complete the file."""
        ...
