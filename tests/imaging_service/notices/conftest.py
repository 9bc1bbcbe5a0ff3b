"""A trial with a subject, about which things happen."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act
from imaging_service.accounts.principal import Role
from imaging_service.accounts.scope import Scope
from imaging_service.clock import FixedClock
from imaging_service.jobs.embedded import EmbeddedQueue, EmbeddedRunner
from imaging_service.jobs.policy import RetryPolicy
from imaging_service.jobs.port import WorkerContext, WorkerServices
from imaging_service.notices import repository
from imaging_service.notices.addresses import Addresses
from imaging_service.notices.delivery import ATTEMPTS, Carrier
from imaging_service.notices.kinds import Kind
from imaging_service.notices.records import Notice
from imaging_service.notices.service import DELIVER, publish
from imaging_service.subjects import service as subjects
from imaging_service.subjects.dates import SubjectDates
from imaging_service.subjects.records import Enrolment
from imaging_service.subjects.service import RENEW_CALENDAR
from tests.builders.service import ACCOUNTS, MONDAY, TestService, running_service

PROTOCOL = Path(__file__).parents[3] / "fixtures" / "protocols" / "her2_mbc.toml"
TRIAL = "HER2-MBC-INETETAMAB"
SUBJECT = "S-01-001"
OTHER = "S-02-001"


@dataclass(frozen=True)
class Dying:
    """The context of a worker that dies when it wants to write down what it did."""

    context: WorkerContext

    @property
    def services(self) -> WorkerServices:
        return self.context.services

    @property
    def attempt(self) -> int:
        return self.context.attempt

    def completion(self) -> AbstractContextManager[Session]:
        raise WorkerDied


class WorkerDied(BaseException):
    """Nothing of the program survives it."""


@dataclass(kw_only=True)
class Told:
    """A service in which things happen."""

    service: TestService

    def publish(self, kind: Kind, subject_id: str | None = SUBJECT, **about: Any) -> None:
        """Let something happen."""
        with self.service.database.write() as session:
            publish(self.act(session), kind, TRIAL, subject_id=subject_id, **about)

    def act(self, session: Any) -> Act:
        """Return an act of the system's."""
        clock = self.service.clock
        return Act.of_worker(session, EmbeddedQueue(clock), clock.now())

    def service_role(self, account: str) -> Sequence[Role]:
        """Return the roles of one of the accounts that every test service has."""
        return ACCOUNTS[account]

    def work(self, *, policy: RetryPolicy = ATTEMPTS, dies: bool = False) -> None:
        """Let the worker do every job that is due; it may die before it writes down how a delivery went."""
        clock, queue = self.service.clock, EmbeddedQueue(self.service.clock)
        services = WorkerServices(
            database=self.service.database, archive=Mock(spec=()), clock=clock, queue=queue
        )
        carrier = Carrier(allowed=Addresses.LOOPBACK, deadline_seconds=10, policy=policy)
        handlers = {**carrier.handlers, RENEW_CALENDAR: lambda _context, _payload: None}
        if dies:
            handlers[DELIVER] = lambda context, payload: carrier.deliver(Dying(context), payload)
        runner = EmbeddedRunner(services, handlers)
        while runner.run_next():
            continue
        with self.service.database.read() as session:
            assert queue.parked(session) == []

    def notices(self, after: int = 0) -> Sequence[Notice]:
        """Return what has been told."""
        with self.service.database.read() as session:
            return repository.notices(session, Scope.all(), TRIAL, after, 1000)


@pytest.fixture
def told(database_url: str) -> Iterator[Told]:
    """Give a trial with two sites and a subject at each, over each kind of database."""
    with told_over(database_url) as found:
        yield found


@pytest.fixture
def told_on_sqlite(sqlite_url: str) -> Iterator[Told]:
    """Give the same over SQLite only, for what no database changes."""
    with told_over(sqlite_url) as found:
        yield found


@contextmanager
def told_over(url: str) -> Iterator[Told]:
    """Give a trial with two sites and a subject at each."""
    with running_service(
        url, jobs=EmbeddedQueue(FixedClock(MONDAY)), webhook_addresses="loopback"
    ) as service:
        service.post(
            "/trials",
            "administrator",
            content=PROTOCOL.read_bytes(),
            headers={"Content-Type": "application/toml"},
        )
        told = Told(service=service)
        for site, subject_id in (("01", SUBJECT), ("02", OTHER)):
            service.post(f"/trials/{TRIAL}/sites", "administrator", json={"site_id": site, "name": site})
            with service.database.write() as session:
                enrolment = Enrolment(
                    trial_id=TRIAL,
                    subject_id=subject_id,
                    site_id=site,
                    dates=SubjectDates(first_dose_on=date(2025, 11, 3)),
                )
                subjects.enrol(told.act(session), enrolment)
        for account in ("coordinator", "sponsor", "service", "adjudicator"):
            service.grant(account, TRIAL)
        service.grant("reader1", TRIAL, reader_slot=1)
        yield told
