"""A word of an option that is one of a few."""

from enum import StrEnum
from typing import TypeVar

from imaging_service.errors import RefusedError

Choice = TypeVar("Choice", bound=StrEnum)


def choice(of: type[Choice], word: str, what: str) -> Choice:
    """Return the member that a word stands for.

    Raises
    ------
    RefusedError
        It stands for none.
    """
    if word not in set(of):
        message = f"There is no {what} {word!r}; {', '.join(of)} were possible."
        raise RefusedError(message)
    return of(word)
