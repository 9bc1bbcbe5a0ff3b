"""Databases with a trial of a wanted size, and a service over each."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter

from imaging_service.accounts import service as accounts
from imaging_service.accounts.passwords import Passwords
from imaging_service.accounts.principal import Role
from imaging_service.audit.actor import OPERATOR
from imaging_service.settings import ServiceSettings
from tests.builders.cohort import TRIAL, Size, fill, template
from tests.builders.postgres import postgres_server
from tests.builders.service import PASSWORD, TestService, running_service

DATABASES = ("sqlite", "postgresql")
IN_TEMPLATE = 9
"""Subjects that are really read; the others are their copies."""


@contextmanager
def loaded_service(kind: str, size: Size) -> Iterator[TestService]:
    """Give a service over a trial of this size, into which nobody is let yet."""
    with ExitStack() as stack:
        service = stack.enter_context(running_service(stack.enter_context(_address(kind))))
        began = perf_counter()
        fill(service.database, size, of=template(size, IN_TEMPLATE))
        print(f"{kind}: {size.subjects} subjects loaded in {perf_counter() - began:.1f} s", flush=True)
        yield service


def seats(service: TestService) -> None:
    """Seat the readers and let the others in."""
    for slot in (1, 2):
        service.grant(f"reader{slot}", TRIAL, reader_slot=slot)
    for account in ("coordinator", "sponsor", "adjudicator"):
        service.grant(account, TRIAL)


def people(service: TestService, slots: int, coordinators: int) -> tuple[Sequence[str], Sequence[str]]:
    """Seat readers and let coordinators in, whose passwords cost what they cost outside of tests.

    Returns
    -------
    tuple of two sequences of str
        Names of the readers' accounts, in the order of their slots, and of the coordinators'.
    """
    usual = ServiceSettings.model_fields
    cost = {"memory_kib": usual["password_memory_kib"].default, "passes": usual["password_passes"].default}
    digest = Passwords(**cost).hash(PASSWORD)

    def account(name: str, role: Role, slot: int | None) -> str:
        with service.database.write() as session:
            accounts.create_account(
                session,
                OPERATOR,
                account=name,
                name=name.capitalize(),
                roles=(role,),
                password_hash=digest,
                now=service.clock.now(),
            )
        service.grant(name, TRIAL, reader_slot=slot)
        return name

    return (
        [account(f"reader-{slot}", Role.READER, slot) for slot in range(1, slots + 1)],
        [account(f"coordinator-{place}", Role.COORDINATOR, None) for place in range(coordinators)],
    )


@contextmanager
def _address(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder)}/service.sqlite"
        return
    with postgres_server() as server, server.database() as url:
        yield url
