"""A page of a list in the format that the caller wants."""

from collections.abc import Sequence

from pydantic import BaseModel
from starlette.responses import Response

from imaging_service.http.csv_answer import Format, csv_response
from imaging_service.http.pages import Item, Page

NEXT_CURSOR = "X-Next-Cursor"
"""Header that carries ``next_cursor`` beside a CSV file."""


def answer_page(
    page: Page[Item], wanted: Format, model: type[BaseModel], filename: str, columns: Sequence[str] = ()
) -> Page[Item] | Response:
    """Return the page as it is, or as a CSV file.

    Parameters
    ----------
    page
        Items of `model`.
    wanted
        JSON or CSV.
    model
        Gives the columns of the file, in the order of its fields.
    filename
        Our own name for the file.
    columns
        The columns instead, when not every field makes one.
    """
    if wanted is Format.JSON:
        return page
    rows = [item.model_dump() for item in page.items if isinstance(item, BaseModel)]
    response = csv_response(columns or list(model.model_fields), rows, filename)
    if page.next_cursor is not None:
        response.headers[NEXT_CURSOR] = page.next_cursor
    return response
