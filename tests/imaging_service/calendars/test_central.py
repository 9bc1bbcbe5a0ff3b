"""Progression in the accepted reads reaches the calendar, and ends it where the protocol says so."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import pytest

from imaging_service.jobs.embedded import EmbeddedRunner
from imaging_service.jobs.port import WorkerServices
from imaging_service.timepoints.feed import HANDLERS
from tests.builders.adjudicating import PD, PR, SD, read_by_both, unlock
from tests.builders.reading import FIRST_DOSE, PROTOCOL, TRIAL, ReadingRoom, reading_room
from tests.builders.service import TestService, running_service


@pytest.fixture
def service(sqlite_url: str) -> Iterator[TestService]:
    """Give a service without a trial."""
    with running_service(sqlite_url) as opened:
        yield opened


def room_where(service: TestService, authority: str) -> ReadingRoom:
    """Give a trial in which the progression of this authority withdraws a subject."""
    written = PROTOCOL.read_text().replace('withdrawal = "site"', f'withdrawal = "{authority}"')
    return reading_room(service, written.encode())


def run_jobs(room: ReadingRoom) -> None:
    """Let the worker do what waits."""
    service, archive = room.service, cast("Any", None)
    services = WorkerServices(
        database=service.database, archive=archive, clock=service.clock, queue=service.app.state.jobs
    )
    runner = EmbeddedRunner(services, HANDLERS)
    while runner.run_next():
        continue


def calendar(room: ReadingRoom, subject: str) -> dict[str, Any]:
    run_jobs(room)
    answer = room.service.get(f"/trials/{TRIAL}/calendar", "coordinator", params={"subject": subject})
    (found,) = answer.json()["items"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("authority", "closes"), [("site", False), ("central", True), ("either", True)], ids=str
)
def test_the_accepted_progression_is_told_and_closes_the_calendar_where_it_may(
    service: TestService, authority: str, *, closes: bool
):
    room = room_where(service, authority)
    subject, images = read_by_both(room, [PD], [PD])
    found = calendar(room, subject)
    imaged_on = str(FIRST_DOSE + timedelta(days=42))
    assert found["central_progression_on"] == imaged_on
    expected = (imaged_on, "central_progression") if closes else (None, None)
    assert (found["closed_on"], found["closed_by"]) == expected
    assert ("closed" in found["counts"]) is closes
    assert found["confirmations"] == []
    if closes:
        unlock(room, "reader1", images[1])
        assert calendar(room, subject)["closed_on"] is None


def test_a_first_response_of_each_reader_waits_for_its_confirmation(service: TestService):
    room = room_where(service, "site")
    subject, _ = read_by_both(room, [PR], [SD])
    (due,) = calendar(room, subject)["confirmations"]
    responded_on = FIRST_DOSE + timedelta(days=42)
    assert (due["slot"], due["response"], due["number"]) == (1, "PR", 2)
    assert (due["responded_on"], due["earliest_on"]) == (
        str(responded_on),
        str(responded_on + timedelta(days=28)),
    )
