"""Long lists, a page at a time: ``?limit=&cursor=`` → ``{"items": […], "next_cursor": …}``.

A cursor is the sort key of the last row given, so that a row that is added or removed meanwhile moves no
other row from one page to another.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar, TypeVarTuple

from fastapi import Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy import Select, tuple_

from imaging_service.errors import BadRequestError

Item = TypeVar("Item")
Row = TypeVar("Row")
Selected = TypeVarTuple("Selected")

MAX_LIMIT = 500
_Key = str | int


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next_cursor: str | None = Field(
        None, description="Give it as `cursor` for the next page; null on the last."
    )


class PageRequest:
    """Which page is asked for.

    Parameters
    ----------
    limit
        Rows on the page, at most.
    after
        Sort key of the last row of the page before, or ``None`` for the first page.
    """

    def __init__(self, limit: int, after: tuple[_Key, ...] | None) -> None:
        """Keep both."""
        self.limit = limit
        self.after = after

    def apply(self, statement: Select[*Selected], *columns: Any) -> Select[*Selected]:  # noqa: ANN401  any type
        """Order `statement` by `columns` (a unique key, ascending) and cut out the page, and one row more.

        Raises
        ------
        BadRequestError
            The cursor is another list's.
        """
        if self.after is not None:
            if len(self.after) != len(columns):
                raise bad_cursor()
            kinds = [column.type.python_type for column in columns]
            if any(not isinstance(value, kind) for value, kind in zip(self.after, kinds, strict=True)):
                raise bad_cursor()
            statement = statement.where(tuple_(*columns) > tuple_(*self.after))
        return statement.order_by(*columns).limit(self.limit + 1)

    def page(
        self, rows: Sequence[Row], key: Callable[[Row], tuple[_Key, ...]], item: Callable[[Row], Item]
    ) -> Page[Item]:
        """Make the page of what the applied statement gave.

        Parameters
        ----------
        rows
            Up to ``limit + 1`` rows.
        key
            The row's values of the columns that were given to `apply`.
        item
            The row as it is answered.
        """
        shown = rows[: self.limit]
        more = len(rows) > self.limit
        return Page(
            items=[item(row) for row in shown],
            next_cursor=encode_cursor(key(shown[-1])) if more else None,
        )


def encode_cursor(key: tuple[_Key, ...]) -> str:
    """Return a sort key as an opaque text."""
    text = json.dumps(list(key), separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[_Key, ...]:
    """Return the sort key in `cursor`.

    Raises
    ------
    BadRequestError
        It is no cursor of this service.

    Examples
    --------
    >>> decode_cursor(encode_cursor(("S1-001", 3)))
    ('S1-001', 3)
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = json.loads(text.decode("ascii"))
    except (ValueError, binascii.Error, RecursionError):
        raise bad_cursor() from None
    if not isinstance(key, list) or not 1 <= len(key) <= 8:
        raise bad_cursor()
    if any(not isinstance(value, str | int) or isinstance(value, bool) or _is_wild(value) for value in key):
        raise bad_cursor()
    return tuple(key)


def _is_wild(value: str | int) -> bool:
    if isinstance(value, int):
        return not -(2**63) <= value < 2**63
    return len(value) > 300 or not value.isprintable()


def bad_cursor() -> BadRequestError:
    """Return the refusal of a cursor that the list did not give."""
    return BadRequestError(
        "The cursor is not one that this list gave; leave it out for the first page.", code="bad_cursor"
    )


WantedCursor = Annotated[
    str | None,
    Query(max_length=1000, pattern=r"^[A-Za-z0-9_-]+$", description="`next_cursor` of the page before."),
]


async def page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows on a page.")] = 100,
    cursor: WantedCursor = None,
) -> PageRequest:
    """Read ``limit`` and ``cursor`` from the query."""
    return PageRequest(limit, None if cursor is None else decode_cursor(cursor))


WantedPage = Annotated[PageRequest, Depends(page_request)]
