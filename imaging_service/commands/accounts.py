"""``imaging-service user``: accounts, from the machine's own console."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from imaging_service.accounts.repository import AccountGrant

app = typer.Typer(
    help="Accounts: who may sign in, and for what.", no_args_is_help=True, rich_markup_mode=None
)

Account = Annotated[str, typer.Argument(help="The name that the account signs in with.")]


def register(parent: typer.Typer) -> None:
    """Add the commands."""
    parent.add_typer(app, name="user")


@app.command()
def add(
    account: Account,
    name: Annotated[str, typer.Option(help="The person's printed name, as signatures show it.")],
    role: Annotated[
        list[str],
        typer.Option(
            help="administrator, coordinator, reader, adjudicator, sponsor, service or site; repeatable."
        ),
    ],
) -> None:
    """Create an account; the password is asked for, or read from standard input."""
    from imaging_service.accounts import service  # noqa: PLC0415
    from imaging_service.accounts.principal import Role  # noqa: PLC0415
    from imaging_service.commands.choices import choice  # noqa: PLC0415
    from imaging_service.commands.console import console  # noqa: PLC0415

    roles = [choice(Role, name, "role") for name in role]
    with console() as act:
        password_hash = act.passwords.hash(_ask_password())
        with act.database.write() as session:
            service.create_account(
                session,
                act.operator,
                account=account,
                name=name,
                roles=roles,
                password_hash=password_hash,
                now=act.now,
            )
    typer.echo(f"{account} may sign in as {', '.join(role)}.")


@app.command()
def password(account: Account) -> None:
    """Set a new password and end the account's sessions."""
    from imaging_service.accounts import service  # noqa: PLC0415
    from imaging_service.commands.console import console  # noqa: PLC0415

    with console() as act:
        password_hash = act.passwords.hash(_ask_password())
        with act.database.write() as session:
            service.set_password(session, act.operator, account, password_hash=password_hash, now=act.now)
    typer.echo(f"{account} has a new password; earlier sessions are ended.")


@app.command()
def disable(
    account: Account, reason: Annotated[str, typer.Option(help="Why; it is entered in the audit.")]
) -> None:
    """Close an account for good and end its sessions; what it did stays."""
    from imaging_service.accounts import service  # noqa: PLC0415
    from imaging_service.commands.console import console  # noqa: PLC0415

    with console() as act, act.database.write() as session:
        found = service.find_account(session, account)
        service.close_account(session, act.operator, found.account_id, reason=reason, now=act.now)
    typer.echo(f"{account} may not sign in any more.")


@app.command()
def grant(
    account: Account,
    trial: Annotated[str, typer.Option(help="The trial.")],
    site: Annotated[str | None, typer.Option(help="The only site of it; all when left out.")] = None,
    reader: Annotated[int | None, typer.Option(min=1, max=2, help="The reader slot: 1 or 2.")] = None,
) -> None:
    """Let an account act on a trial, one site of it, or in a reader slot."""
    from imaging_service.accounts import service  # noqa: PLC0415
    from imaging_service.accounts.scope import Grant  # noqa: PLC0415
    from imaging_service.commands.console import console  # noqa: PLC0415
    from imaging_service.trials import seating  # noqa: PLC0415

    permission = Grant(trial_id=trial, site_id=site, reader_slot=reader)
    with console() as act, act.database.write() as session:
        if reader is not None:
            seating.check_slot(session, permission)
        service.grant_to(session, act.operator, account, permission, now=act.now)
    where = f", site {site}" if site else f", as reader {reader}" if reader else ""
    typer.echo(f"{account} may act on trial {trial}{where}.")


@app.command("list")
def list_accounts() -> None:
    """Print every account with its roles and what it may act on."""
    from imaging_service.accounts import repository  # noqa: PLC0415
    from imaging_service.commands.console import console  # noqa: PLC0415

    with console() as act, act.database.read() as session:
        for row in session.scalars(repository.accounts()):
            state = "closed" if row.closed_at else "open"
            grants = " ".join(_place(grant) for grant in row.grants)
            typer.echo(f"{row.account:<20}  {state:<6}  {','.join(row.roles):<28}  {row.name:<24}  {grants}")


def _place(grant: "AccountGrant") -> str:
    """Return where a permission holds: the trial, and the site, the reader slot or the pool of it."""
    slot = "pool" if grant.reader_slot == 0 else grant.reader_slot
    return "/".join(str(part) for part in (grant.trial_id, grant.site_id, slot) if part)


def _ask_password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")
