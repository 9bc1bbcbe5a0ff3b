"""Databases with a trial of a wanted size, and a service over each."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter

from imaging_service.accounts.principal import Role
from tests.builders.cohort import TRIAL, Size, fill, template
from tests.builders.postgres import postgres_server
from tests.builders.service import TestService, running_service

DATABASES = ("sqlite", "postgresql")
IN_TEMPLATE = 9
"""Subjects that are really read; the others are their copies."""


@contextmanager
def loaded_service(kind: str, subjects: int) -> Iterator[TestService]:
    """Give a service over a trial of this many subjects, with everybody who asks and answers in it."""
    with ExitStack() as stack:
        service = stack.enter_context(running_service(stack.enter_context(_address(kind))))
        began = perf_counter()
        size = Size(subjects=subjects)
        fill(service.database, size, of=template(size, IN_TEMPLATE))
        seats(service)
        print(f"{kind}: {subjects} subjects loaded in {perf_counter() - began:.1f} s", flush=True)
        yield service


def seats(service: TestService) -> None:
    """Seat the readers and let the others in."""
    for slot in (1, 2):
        service.grant(f"reader{slot}", TRIAL, reader_slot=slot)
    for account in ("coordinator", "sponsor", "adjudicator"):
        service.grant(account, TRIAL)


@contextmanager
def _address(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder)}/service.sqlite"
        return
    with postgres_server() as server, server.database() as url:
        yield url


ROLES = {"reader": Role.READER, "coordinator": Role.COORDINATOR}
"""Who asks under load."""
