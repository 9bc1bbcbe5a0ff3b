"""The settings choose the queue."""

import sys
from typing import Any, cast

import pytest

from imaging_service.clock import SystemClock
from imaging_service.database import Database
from imaging_service.errors import SettingsError
from imaging_service.jobs.adapters import create_queue, create_runner
from imaging_service.jobs.embedded import EmbeddedQueue, EmbeddedRunner
from imaging_service.jobs.port import WorkerServices
from imaging_service.jobs.procrastinate import ProcrastinateQueue, ProcrastinateRunner
from imaging_service.settings import Jobs


@pytest.fixture
def database(sqlite_url):
    return Database(sqlite_url)


def test_each_kind_has_its_queue_and_runner(database):
    postgresql = Database("postgresql://nobody@127.0.0.1:9/none")  # connects only when used
    for kind, where, queue_class, runner_class in (
        (Jobs.EMBEDDED, database, EmbeddedQueue, EmbeddedRunner),
        (Jobs.EMBEDDED, postgresql, EmbeddedQueue, EmbeddedRunner),
        (Jobs.PROCRASTINATE, postgresql, ProcrastinateQueue, ProcrastinateRunner),
    ):
        queue = create_queue(kind, where, SystemClock())
        assert type(queue) is queue_class
        house = WorkerServices(database=where, archive=cast("Any", None), clock=SystemClock(), queue=queue)
        assert type(create_runner(kind, house, {})) is runner_class


def test_procrastinate_needs_postgresql(database):
    with pytest.raises(
        SettingsError, match=r"'procrastinate', which needs PostgreSQL; the database is SQLite"
    ):
        create_queue(Jobs.PROCRASTINATE, database, SystemClock())


def test_procrastinate_needs_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "procrastinate", None)
    monkeypatch.delitem(sys.modules, "imaging_service.jobs.procrastinate")
    with pytest.raises(SettingsError, match=r"pip install 'imaging-service\[postgres\]'"):
        create_queue(Jobs.PROCRASTINATE, Database("postgresql://nobody@127.0.0.1:9/none"), SystemClock())
