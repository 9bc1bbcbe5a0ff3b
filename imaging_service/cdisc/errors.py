"""What makes data sets impossible to score, in one tree.

* DataSetError
  + FileUnreadableError
  + ColumnMissingError
  + ColumnUnknownError
  + ValueRefusedError
  + ValueTooLongError
  + UnknownFormatError
  + SeveralErrors
"""

from collections.abc import Sequence


class DataSetError(Exception):
    """A data set that cannot be used as it is. Its text is one sentence for the person who gave it."""


class FileUnreadableError(DataSetError):
    """A file that is not a data set in a known format."""

    def __init__(self, file: str, why: str) -> None:
        """Name the file and say what was wanted."""
        super().__init__(f"{file} cannot be read: {why}.")
        self.file = file


class ColumnMissingError(DataSetError):
    """A data set lacks a column without which it says nothing."""

    def __init__(self, file: str, wanted: Sequence[str], found: Sequence[str]) -> None:
        """Name the column, or those of which one is needed, and the columns that there are."""
        columns = " or ".join(wanted)
        there = ", ".join(found) if found else "none"
        super().__init__(f"{file} needs a column {columns}; found are {there}.")
        self.file = file
        self.columns = tuple(wanted)


class ColumnUnknownError(DataSetError):
    """A data set has a column that would be overlooked."""

    def __init__(self, file: str, found: str, known: Sequence[str]) -> None:
        """Name the column and those that are known."""
        super().__init__(f"{file} has a column {found!r}; known are {', '.join(known)}.")
        self.file = file


class ValueRefusedError(DataSetError):
    """A cell holds what its column cannot mean."""

    def __init__(self, file: str, row: int, column: str, found: str, wanted: str) -> None:
        """Name file, row and column, the value found and the value wanted."""
        super().__init__(f"{file}, row {row}, column {column}: found {found!r}; wanted {wanted}.")
        self.file = file
        self.row = row
        self.column = column
        self.found = found
        self.wanted = wanted


class ValueTooLongError(DataSetError):
    """A value does not fit the format that it is to be written in."""

    def __init__(self, column: str, found: str, most: int) -> None:
        """Name the column and the length."""
        super().__init__(
            f"A SAS transport file holds {most} bytes of {column}; "
            f"found are {len(found.encode())}: {found[:40]!r}."
        )


class UnknownFormatError(DataSetError):
    """A format that nothing is written in."""

    def __init__(self, found: str, known: Sequence[str]) -> None:
        """Name the format and those that there are."""
        super().__init__(f"Data sets are written as {', '.join(known)}; found {found!r}.")


class SeveralErrors(DataSetError):  # noqa: N818 - it holds errors, it is not one more
    """Everything that is wrong, to be told at once."""

    def __init__(self, errors: Sequence[DataSetError]) -> None:
        """Keep them in order."""
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = tuple(errors)
