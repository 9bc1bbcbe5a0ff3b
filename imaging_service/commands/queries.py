"""``imaging-service queries``: questions to the sites, from the machine's own console."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from imaging_service.commands.listing import Format, WantedFormat, show

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from imaging_service.site_queries.records import SiteQuery
    from imaging_service.site_queries.repository import Filter
    from imaging_service.site_queries.states import Deed

app = typer.Typer(
    help="Questions to the sites: list, show, answer, close.", no_args_is_help=True, rich_markup_mode=None
)

_SHOWN = ("number", "state", "site_id", "subject_id", "code", "due_on", "days_overdue", "text")

Trial = Annotated[str, typer.Argument(help="The trial.")]
Number = Annotated[int, typer.Argument(min=1, help="The question's number, as `queries list` prints it.")]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="queries")


@app.command("list")
def list_queries(  # noqa: PLR0913  an option each
    trial: Trial,
    *,
    state: Annotated[str | None, typer.Option(help="Only open, answered or closed ones.")] = None,
    site: Annotated[str | None, typer.Option(help="Only this site's.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only this subject's.")] = None,
    overdue: Annotated[bool, typer.Option(help="Only those that should have been answered.")] = False,
    written_as: WantedFormat = Format.TABLE,
) -> None:
    """Print the questions to a trial's sites, the longest asked first."""
    from imaging_service.commands.choices import choice  # noqa: PLC0415
    from imaging_service.commands.console import console  # noqa: PLC0415
    from imaging_service.site_queries.repository import Filter  # noqa: PLC0415
    from imaging_service.site_queries.schemas import query_answer  # noqa: PLC0415
    from imaging_service.site_queries.states import QueryState  # noqa: PLC0415

    only = None if state is None else choice(QueryState, state, "state")
    with console() as act, act.database.read() as session:
        today = act.now.date()
        wanted = Filter(state=only, site_id=site, subject_id=subject, overdue_on=today if overdue else None)
        rows = [query_answer(each, today).model_dump() for each in _queries(session, trial, wanted)]
    show(_SHOWN, rows, written_as)


@app.command("show")
def show_query(trial: Trial, number: Number, *, written_as: WantedFormat = Format.TABLE) -> None:
    """Print everything that was said about a question."""
    from imaging_service.commands.console import console  # noqa: PLC0415
    from imaging_service.site_queries import service  # noqa: PLC0415
    from imaging_service.site_queries.schemas import whole_answer  # noqa: PLC0415

    with console() as act, act.database.read() as session:
        found = _numbered(session, trial, number)
        whole = whole_answer(found, service.entries(session, found), act.now.date())
    rows = [each.model_dump() for each in whole.entries]
    show(("version", "deed", "state", "due_on", "said_by_name", "said_at", "text"), rows, written_as)


@app.command()
def answer(
    trial: Trial, number: Number, text: Annotated[str, typer.Argument(help="The site's words.")]
) -> None:
    """Answer a question in the site's words."""
    from imaging_service.site_queries.states import Deed  # noqa: PLC0415

    _say(trial, number, Deed.ANSWERED, text)


@app.command()
def close(trial: Trial, number: Number, text: Annotated[str, typer.Argument(help="Why.")]) -> None:
    """Close a question, with the reason."""
    from imaging_service.site_queries.states import Deed  # noqa: PLC0415

    _say(trial, number, Deed.CLOSED, text)


def _say(trial_id: str, number: int, deed: "Deed", text: str) -> None:
    from pydantic import ValidationError  # noqa: PLC0415

    from imaging_service.commands.console import console  # noqa: PLC0415
    from imaging_service.commands.trials import act_of  # noqa: PLC0415
    from imaging_service.errors import RefusedError  # noqa: PLC0415
    from imaging_service.site_queries import service  # noqa: PLC0415
    from imaging_service.site_queries.schemas import WordPayload  # noqa: PLC0415

    try:
        word = WordPayload(text=text, version=None).word(deed)
    except ValidationError as error:
        message = f"The text is {text!r}: {error.errors()[0]['msg']}."
        raise RefusedError(message) from None
    with console() as act, act.database.write() as session:
        query = _numbered(session, trial_id, number)
        said = service.say(act_of(act, session), trial_id, query.query_id, word)
    typer.echo(f"Query {number} of trial {trial_id} is {said.state}.")


def _numbered(session: "Session", trial_id: str, number: int) -> "SiteQuery":
    from imaging_service.errors import NotFoundError  # noqa: PLC0415
    from imaging_service.site_queries.repository import Filter  # noqa: PLC0415

    found = next(_queries(session, trial_id, Filter(number=number)), None)
    if found is None:
        message = f"Trial {trial_id!r} has no query {number}."
        raise NotFoundError(message)
    return found


def _queries(session: "Session", trial_id: str, wanted: "Filter") -> Iterator["SiteQuery"]:
    from imaging_service.accounts.scope import Scope  # noqa: PLC0415
    from imaging_service.http.pages import MAX_LIMIT, PageRequest, decode_cursor  # noqa: PLC0415
    from imaging_service.site_queries import service  # noqa: PLC0415

    request = PageRequest(MAX_LIMIT, None)
    while True:
        page = service.queries(session, Scope.all(), trial_id, wanted, request)
        yield from page.items
        if page.next_cursor is None:
            return
        request = PageRequest(MAX_LIMIT, decode_cursor(page.next_cursor))
