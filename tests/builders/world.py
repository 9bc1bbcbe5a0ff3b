"""A small trial in which every kind of thing exists, and a value for every parameter of a path."""

import csv
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.migrate import migrate
from imaging_service.jobs.embedded import EmbeddedQueue
from tests.builders.adjudicating import PD, SD, read_by_both
from tests.builders.reading import TRIAL, ReadingRoom, measured, reading_room
from tests.builders.service import TestService, running_service

ROLES = Path(__file__).parents[1] / "imaging_service" / "route_roles.csv"
WRITING = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the OpenAPI document."""

    method: str
    path: str
    told: dict[str, Any]

    @property
    def name(self) -> str:
        """The words of the route."""
        return f"{self.method} {self.path}"

    @property
    def statuses(self) -> set[int]:
        """The statuses that it declares."""
        return {int(each) for each in self.told["responses"]}

    @property
    def media_types(self) -> list[str]:
        """The media types that it reads."""
        return list(self.told.get("requestBody", {}).get("content", {}))


@dataclass(kw_only=True)
class World:
    """A service with a trial in it."""

    service: TestService
    room: ReadingRoom
    values: dict[str, str]
    """A value for each name of a path's parameter."""

    def path(self, template: str) -> str:
        """Fill a path; what has no value here is filled with a key that nothing has."""
        for name, value in self.values.items():
            template = template.replace(f"{{{name}}}", value)
        while "{" in template:
            before, _, rest = template.partition("{")
            template = f"{before}00000000-0000-4000-8000-000000000000{rest.partition('}')[2]}"
        return template

    def owner(self, operation: Operation) -> str | None:
        """Return an account that may call an operation; None for what everybody may."""
        owners = _owners()[operation.method, operation.path]
        if owners == "anyone":
            return None
        accounts = {"reader": "reader1", "every": "coordinator"}
        roles = owners.split()
        best = "coordinator" if "coordinator" in roles else roles[0]
        return accounts.get(best, best)

    def request(self, operation: Operation, *, account: str | None = None, **arguments: Any) -> Any:
        """Call an operation at the world's own things, as its owner unless somebody else is named."""
        who = account or self.owner(operation)
        headers = {**(self.service.headers(who) if who else {}), **arguments.pop("headers", {})}
        path = self.path(operation.path)
        return self.service.client.request(operation.method, path, headers=headers, **arguments)


def operations(service: TestService) -> list[Operation]:
    """Return every operation of the service's OpenAPI document."""
    return [
        Operation(method=method.upper(), path=path, told=told)
        for path, of_path in service.app.openapi()["paths"].items()
        for method, told in of_path.items()
    ]


def _owners() -> dict[tuple[str, str], str]:
    with ROLES.open(newline="") as file:
        return {(row["method"], row["path"]): row["owners"] for row in csv.DictReader(file)}


@contextmanager
def empty_archive() -> Iterator[Archive]:
    """Give an archive in which nothing has arrived yet."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive.open(f"sqlite:///{folder}/archive.sqlite", "memory:")
        migrate(archive.database)
        archive.objects.prepare()
        try:
            yield archive
        finally:
            archive.close()


@contextmanager
def world(database_url: str) -> Iterator[World]:
    """Give a trial with a case for the adjudicator, a draft, and signed reads."""
    with empty_archive() as archive, running_service(database_url, archive=archive) as service:
        service.app.state.jobs = EmbeddedQueue(service.clock)
        room = reading_room(service)
        service.grant("adjudicator", TRIAL)
        case, images = read_by_both(room, [PD], [SD])
        subject = room.someone()
        baseline = room.image(subject, 0)
        draft = room.open("reader1", baseline)
        assert room.enter("reader1", draft, "T01", measured(baseline, 40.0, "liver")).status_code == 201
        with service.database.read() as session:
            study = (
                session.connection()
                .exec_driver_sql(
                    "SELECT study_instance_uid, series_instance_uid, sop_instance_uid FROM study_instances"
                )
                .fetchone()
            )
        assert study is not None
        yield World(
            service=service,
            room=room,
            values={
                "trial_id": TRIAL,
                "site_id": "S01",
                "subject_id": case,
                "reading_id": room.reading_id(case),
                "timepoint_id": images[1].timepoint_id,
                "read_id": draft,
                "lesion_id": "T01",
                "slot": "1",
                "account_id": service.account_id("sponsor"),
                "study_instance_uid": study[0],
                "study": study[0],
                "series": study[1],
                "instance": study[2],
                "sop_instance_uid": study[2],
                "frame": "1",
                "frames": "1",
                "tag": "00280010",
            },
        )
