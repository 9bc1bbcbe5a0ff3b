"""``imaging-service calendar``: what is due, overdue, missed and read, from the machine's own console."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imaging_service.commands.listing import Format, WantedFormat, show

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from imaging_service.calendars.repository import Wanted
    from imaging_service.calendars.schemas import SubjectCalendarAnswer

_SHOWN = (
    *("subject_id", "site_id", "name", "status", "nominal_on", "imaged_on", "days_overdue"),
    *("control", "open_queries"),
)


def register(parent: typer.Typer) -> None:
    """Add the command."""
    parent.command("calendar")(calendar)


def calendar(
    trial: Annotated[str, typer.Argument(help="The trial.")],
    *,
    site: Annotated[str | None, typer.Option(help="Only this site's.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only this subject's.")] = None,
    status: Annotated[
        str | None,
        typer.Option(
            help="Only timepoints that are expected, overdue, missed, received, in_reading, read, …"
        ),
    ] = None,
    written_as: WantedFormat = Format.TABLE,
) -> None:
    """Print a line for each timepoint of a trial, as of today."""
    from imaging_service.calendars.repository import Wanted  # noqa: PLC0415
    from imaging_service.calendars.schemas import COLUMNS, rows_of  # noqa: PLC0415
    from imaging_service.commands.choices import choice  # noqa: PLC0415
    from imaging_service.commands.console import console  # noqa: PLC0415
    from imaging_service.timepoints.records import Status  # noqa: PLC0415

    only = None if status is None else choice(Status, status, "status")
    with console() as act, act.database.read() as session:
        wanted = Wanted(today=act.now.date(), site_id=site, subject_id=subject, status=only)
        rows: list[dict[str, Any]] = [
            row
            for each in _calendars(session, trial, wanted)
            for row in rows_of([each])
            if only is None or row["status"] is only
        ]
    if written_as is Format.TABLE:
        show(_SHOWN, rows, written_as)
    else:
        show(COLUMNS, rows, written_as)


def _calendars(session: "Session", trial_id: str, wanted: "Wanted") -> Iterator["SubjectCalendarAnswer"]:
    from imaging_service.calendars import service  # noqa: PLC0415
    from imaging_service.calendars.schemas import calendar_answer  # noqa: PLC0415
    from imaging_service.http.pages import MAX_LIMIT, PageRequest, decode_cursor  # noqa: PLC0415
    from imaging_service.reads.repository import SYSTEM  # noqa: PLC0415

    request = PageRequest(MAX_LIMIT, None)
    while True:
        page = service.calendars(session, SYSTEM, trial_id, wanted, request)
        yield from (calendar_answer(each, wanted.today) for each in page.items)
        if page.next_cursor is None:
            return
        request = PageRequest(MAX_LIMIT, decode_cursor(page.next_cursor))
