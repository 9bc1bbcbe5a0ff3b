"""Two writers at the same thing at the same time: one is told, nothing is lost and nothing is twice."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import text

from tests.builders.reading import ReadingRoom
from tests.builders.service import TestService
from tests.builders.world import WRITING, operations, world
from tests.builders.write import Write
from tests.builders.writes import RECIPES

V1 = "/api/v1"
OF_TRIAL = f"{V1}/trials/{{trial_id}}"
ELSEWHERE = {
    f"POST {V1}/dicomweb/studies": "the archive says who came first; its tests push the same at once",
    f"POST {V1}/dicomweb/studies/{{study}}": "as the other: one store",
    f"POST {V1}/reads/{{read_id}}/proposals": "it needs pixels, and proposes only: every proposal stays",
    f"POST {V1}/reads/{{read_id}}/proposals/{{proposal_id}}/rejection": "it needs a proposal, so pixels",
    f"POST {V1}/reads/{{read_id}}/uptakes": "it needs pixels, and computes only: every uptake stays",
    f"POST {V1}/reads/{{read_id}}/expected-places": "it needs pixels; by its key one job stands for both",
    f"POST {V1}/reads/{{read_id}}/review": "it needs the global review; else as unlocking, behind its lock",
    f"POST {OF_TRIAL}/protocols/dry-run": "it stores nothing",
    f"POST {OF_TRIAL}/subjects/{{subject_id}}/rederivation": "it needs an amended trial: the journeys",
    f"PUT {OF_TRIAL}/reader-assignments/{{subject_id}}/{{slot}}": "it needs a pool: its own tests repeat it",
    f"POST {OF_TRIAL}/webhooks/{{webhook_id}}/deliveries/{{delivery_id}}/decision": (
        "it needs a receiver that failed for days: its tests decide twice"
    ),
}
"""Why a route has no recipe."""


LONG = (
    pytest.mark.campaign,
    pytest.mark.skipif("CAMPAIGN" not in os.environ, reason="the long form runs by 'make campaign'"),
)


# SQLite lets one writer in at a time; PostgreSQL lets both in, so that is where the short form tries
@pytest.fixture(scope="module", params=[pytest.param("sqlite", marks=LONG), "postgresql"])
def room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingRoom]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('writers')}/world.sqlite"
        else:
            url = stack.enter_context(request.getfixturevalue("postgres").database())
        yield stack.enter_context(world(url)).room


def test_every_route_that_writes_has_a_recipe_or_is_tried_elsewhere(room: ReadingRoom) -> None:
    without = [
        each.name
        for each in operations(room.service)
        if each.method in WRITING and (each.method, each.path) not in RECIPES and each.name not in ELSEWHERE
    ]
    assert without == []
    known = {each.name for each in operations(room.service)}
    tried = {" ".join(each) for each in RECIPES}
    assert tried <= known
    assert ELSEWHERE.keys() <= known - tried


def sent(service: TestService, method: str, write: Write, place: int) -> Any:
    body = write.bodies[place]
    arguments: dict[str, Any] = {"content": body} if isinstance(body, str) else {"json": body}
    if body is None:
        arguments = {}
    headers = dict(write.headers)
    return service.request(method, write.path, write.account, headers=headers, **arguments)


def entries(room: ReadingRoom) -> int:
    with room.service.database.read() as session:
        return int(session.scalar(text("SELECT count(*) FROM audit_entries")) or 0)


@pytest.mark.parametrize("route", sorted(RECIPES), ids=[" ".join(each) for each in sorted(RECIPES)])
def test_of_two_writers_one_is_told(room: ReadingRoom, route: tuple[str, str]) -> None:
    method, _ = route
    write = RECIPES[route](room)
    if write.account is not None:
        room.service.token(write.account)
    before = entries(room)
    answers: list[Any] = [None, None]
    together = threading.Barrier(2)

    def work(place: int) -> None:
        together.wait()
        answers[place] = sent(room.service, method, write, place)

    threads = [threading.Thread(target=work, args=(place,)) for place in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(each.status_code for each in answers)
    told = [each.text[:300] for each in answers]
    assert (statuses[0], statuses[1]) in write.statuses, told
    for answer in answers:
        if answer.status_code >= 400:
            assert len(answer.json()["detail"]) > 30
    after_both = entries(room)
    assert after_both > before
    for place in (0, 1):  # and a third and a fourth that come later find what is there
        again = sent(room.service, method, write, place)
        assert again.status_code < 500, again.text
        if 409 in statuses:
            assert again.status_code in {200, 201, 204, 401, 409, 412, 428}, again.text
    verified = room.service.get("/audit/verification", "administrator")
    assert verified.json()["findings"] == []


def test_nothing_is_twice_afterwards(room: ReadingRoom) -> None:
    """Every unique thing of the trial is there once, and every answer follows from what is stored."""
    once = {
        "one draft of a timepoint and reader": (
            "SELECT count(*) FROM (SELECT timepoint_id, slot FROM reads WHERE signed_at IS NULL "
            "GROUP BY timepoint_id, slot HAVING count(*) > 1) AS twice"
        ),
        "one signature of a read": (
            "SELECT count(*) FROM reads r WHERE (signed_at IS NOT NULL) <> "
            "EXISTS (SELECT 1 FROM read_signatures s WHERE s.read_id = r.read_id)"
        ),
        "one entry of each signature": (
            "SELECT count(*) FROM (SELECT entity_id FROM audit_entries WHERE action = 'sign read' "
            "GROUP BY entity_id HAVING count(*) > 1) AS twice"
        ),
    }
    with room.service.database.read() as session:
        assert {name: session.scalar(text(statement)) for name, statement in once.items()} == dict.fromkeys(
            once, 0
        )
    path = "/trials/HER2-MBC-INETETAMAB/assessments/recomputation"
    assert room.service.get(path, "coordinator").json()["differences"] == []
