"""Every route that names a row, asked by everybody about an own and another's: as the table beside says.

``row_access.csv`` has a line for each route and row, and a column for each principal with the status that it
gets: 401 for nobody, 403 for a role that has no part in the route, 404 for a row out of the scope, as for one
that does not exist. ``-`` is not tried: the request would change the row.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imaging_service.accounts.principal import Role
from imaging_service.app import api_routes
from tests.builders.reading import TRIAL, ReadingRoom, measured, reading_room
from tests.builders.service import PASSWORD, running_service

TABLE = Path(__file__).with_name("row_access.csv")
OTHER_TRIAL = "LUNG"
MISSING = "00000000-0000-4000-8000-000000000000"
PRINCIPALS = (
    "administrator",
    "coordinator",
    "local",  # a coordinator of site S01 only
    "stranger",  # a coordinator of another trial
    "reader1",
    "reader2",
    "far_reader",  # of another trial
    "adjudicator",
    "sponsor",
    "service",
    "site",  # S01
    "nobody",
)
BODIES: dict[str, Any] = {
    "signature": {"password": PASSWORD, "meaning": "I confirm this read."},
    "unlocking": {"reason": "A slip of the mouse."},
    "lesions": {
        "role": "non_target",
        "location": "liver",
        "organ": "liver",
        "is_nodal": False,
        "state": "present",
    },
    "subjects": {"reason": "As the site reports.", "death_on": "2025-01-01"},
    "not_done": {"reason": "The scanner was broken."},
    "assignment": {"subject_id": "S01-0001", "timepoint": "unscheduled", "reason": "By the letter."},
    "rejection": {"reason": "Not of this trial."},
    "reader-assignments": {"account": "reader1", "reason": "On leave.", "edition": 1},
}
"""By the last word of the path that is in it: a request that is well formed, so that only the row decides."""


class House:
    """Two sites, subject A read by both readers and subject B of the other site, and everybody."""

    def __init__(self, room: ReadingRoom) -> None:
        self.room = room
        self.service = service = room.service
        service.add_account("local", Role.COORDINATOR)
        service.add_account("stranger", Role.COORDINATOR)
        service.add_account("far_reader", Role.READER)
        service.grant("local", TRIAL, site_id="S01")
        service.grant("site", TRIAL, site_id="S01")
        service.grant("service", TRIAL)
        service.grant("adjudicator", TRIAL)
        service.grant("stranger", OTHER_TRIAL)
        service.grant("far_reader", OTHER_TRIAL, reader_slot=1)
        self.rows = {"trial": TRIAL, "other_trial": OTHER_TRIAL, "missing": MISSING, "endpoint": "PFS"}
        for name, site in (("a", "S01"), ("b", "S02")):
            subject = room.someone(site)
            imaged = room.image(subject, 0)
            room.read("reader1", imaged, {"T01": measured(imaged, 24.0, "liver")})
            self.rows |= {
                f"subject_{name}": subject,
                f"timepoint_{name}": imaged.timepoint_id,
                f"reading_{name}": room.reading_id(subject),
                f"read1_{name}": room.open("reader1", imaged),
                f"read2_{name}": room.open("reader2", imaged),
                f"study_{name}": study_of(imaged.instance),
            }
        self.rows["account"] = service.account_id("reader1")
        (session,) = service.get("/sessions", "reader1").json()
        self.rows["session"] = session["session_id"]
        for principal in PRINCIPALS[:-1]:
            service.token(principal)

    def ask(self, principal: str, method: str, path: str) -> int:
        body = next((body for word, body in BODIES.items() if word in path.split("/")), None)
        account = None if principal == "nobody" else principal
        arguments = {} if method == "GET" else {"json": body}
        return int(self.service.request(method, path.format(**self.rows), account, **arguments).status_code)


def study_of(instance: str) -> str:
    """Return the study's UID: the builder numbers study, series and instances one after the other."""
    root, _, number = instance.rpartition(".")
    return f"{root}.{int(number) - 2}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('rows')}/database.sqlite") as service:
        yield House(reading_room(service))


def lines() -> list[dict[str, str]]:
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("line", lines(), ids=lambda line: f"{line['method']} {line['path']}")
def test_a_row_is_for_whom_the_table_says(house: House, line: dict[str, str]):
    method, path = line["method"], line["path"]
    wanted = {name: int(line[name]) for name in PRINCIPALS if line[name] != "-"}
    found = {name: house.ask(name, method, path) for name in wanted}
    assert found == wanted


def test_the_table_has_every_principal_and_each_is_refused_somewhere():
    for line in lines():
        assert set(line) == {"method", "path", *PRINCIPALS}
        assert line["nobody"] == "401"
    for principal in PRINCIPALS:
        refused = {line[principal] for line in lines()} & {"401", "403", "404"}
        assert refused or principal == "administrator"


def test_every_route_of_one_subject_timepoint_read_study_or_session_is_in_the_table(house: House):
    """Only these two are not: they are asked in the tests of images, over instances that exist."""
    elsewhere = {"/instances/{sop_instance_uid}/frames/{frame}.png"}
    named = (
        "{subject_id}",
        "{timepoint_id}",
        "{read_id}",
        "{study_instance_uid}",
        "{session_id}",
        "{reading_id}",
    )
    routes = {
        (method, str(route.path).removeprefix("/api/v1"))
        for route in api_routes(house.service.app)
        for method in route.methods or ()
        if any(name in str(route.path) for name in named) and "dicomweb" not in str(route.path)
    }
    asked = {(line["method"], shape(line["path"])) for line in lines()}
    assert (
        sorted(
            route
            for route in routes
            if (route[0], shape(route[1])) not in asked and route[1] not in elsewhere
        )
        == []
    )


def shape(path: str) -> str:
    """Return the path with every parameter, and what stands in a parameter's place, as one sign."""
    return "/".join(
        "*" if part.startswith("{") or part in {"T01", "Q", "1"} else part for part in path.split("/")
    )
