"""Work that the stored data calls for is found again when a queue has lost it."""

import pytest
from sqlalchemy import text

from imaging_service.jobs.errors import KeylessJobError
from imaging_service.jobs.port import Job
from imaging_service.jobs.reconciler import reconcile


def unwritten(session):
    """Name a job for each wanted effect that is not there: a derivation from domain state."""
    names = session.scalars(text("SELECT name FROM wanted WHERE name NOT IN (SELECT name FROM effects)"))
    return [Job(name="write_effect", payload={"name": name}, key=f"write {name}") for name in names]


@pytest.fixture
def wanting(bench):
    with bench.services.database.write() as session:
        session.execute(text("CREATE TABLE wanted (name text)"))
        session.execute(text("INSERT INTO wanted VALUES ('a'), ('b')"))
        session.execute(text("INSERT INTO effects VALUES ('a')"))
    return bench


def test_missing_jobs_are_put_in_once(wanting):
    services = wanting.services
    assert reconcile(services.database, services.queue, [unwritten]) == 1
    assert reconcile(services.database, services.queue, [unwritten]) == 0
    wanting.run_until_empty()
    assert wanting.effects() == ["a", "b"]
    assert reconcile(services.database, services.queue, [unwritten]) == 0


def test_a_derived_job_needs_a_key(wanting):
    with pytest.raises(KeylessJobError, match="A derived job needs a key; write_effect has none"):
        reconcile(wanting.services.database, wanting.services.queue, [lambda _: [Job(name="write_effect")]])
