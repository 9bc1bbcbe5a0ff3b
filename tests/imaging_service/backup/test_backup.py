"""A backup is taken while people work, and the restored service answers what the lost one did."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from dicom_listener.archive import integrity
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.migrate import migrate as migrate_archive
from dicom_listener.archive.records import Digest
from dicom_listener.deidentification.originals import Originals
from imaging_service.audit import receipts
from imaging_service.audit import service as audit
from imaging_service.backup import objects, taking
from imaging_service.backup.errors import BackupError
from imaging_service.backup.restoring import restore
from imaging_service.backup.taking import Taken
from imaging_service.database import Database
from imaging_service.jobs.embedded import EmbeddedQueue
from imaging_service.migrations.migrate import migrate
from tests.builders.arrivals import TrialHouse, mr_instance
from tests.builders.reading import TRIAL, ReadingRoom, measured, reading_room
from tests.builders.service import TestService, running_service


@dataclass(frozen=True, kw_only=True)
class Site:
    """A whole installation: the service at work, and its archive."""

    room: ReadingRoom
    archive: Archive

    @property
    def database(self) -> Database:
        return self.room.service.database

    def push(self, study: str, count: int) -> None:
        """Let a PACS send a study; on return every instance is acknowledged."""
        service = self.room.service
        house = TrialHouse(service=service, archive=self.archive, queue=EmbeddedQueue(service.clock))
        for number in range(1, count + 1):
            (reception,) = house.push(mr_instance(study=study, number=number, PixelData=bytes([number] * 32)))
            assert not reception.sentence, reception

    def read(self, millimetres: float) -> str:
        """Let a reader sign a baseline."""
        subject = self.room.someone()
        imaged = self.room.image(subject, 0)
        self.room.read("reader1", imaged, {"T01": measured(imaged, millimetres, "liver")})
        return subject

    def report(self) -> Any:
        answer = self.room.service.get(f"/trials/{TRIAL}/outcomes", "coordinator")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def enter_receipts(self) -> None:
        while receipts.enter(self.database, self.archive, self.room.service.clock):
            pass

    def back_up(self, folder: Path) -> Taken:
        witness = self.room.service.settings.audit_witness
        return taking.take(self.database, self.archive, folder, witness=witness, now=datetime.now(UTC))


Address = Callable[[str], str]


@pytest.fixture(params=["sqlite", "postgresql"])
def addresses(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Address]:
    """Give the address of a database of its own for each name; PostgreSQL's holds service and archive."""
    if request.param == "sqlite":
        yield lambda name: f"sqlite:///{tmp_path}/{name}.sqlite"
        return
    server = request.getfixturevalue("postgres")
    with ExitStack() as stack:
        known: dict[str, str] = {}

        def address(name: str) -> str:
            place = name.partition("-")[0]
            if place not in known:
                known[place] = stack.enter_context(server.database())
            return known[place]

        yield address


@contextmanager
def at_work(addresses: Address, tmp_path: Path) -> Iterator[Site]:
    url = addresses("lost-service")
    with closing(Database(url)) as database:
        migrate(database)
    with closing(Archive.open(addresses("lost-archive"), str(tmp_path / "lost" / "objects"))) as archive:
        migrate_archive(archive.database)
        archive.objects.prepare()
        with running_service(url, archive=archive) as service:
            yield Site(room=reading_room(service), archive=archive)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Somewhere else."""

    database: Database
    archive: Archive
    witness: Path


@pytest.fixture
def elsewhere(addresses: Address, tmp_path: Path) -> Iterator[Place]:
    with (
        closing(Database(addresses("new-service"))) as database,
        closing(Archive.open(addresses("new-archive"), str(tmp_path / "new" / "objects"))) as archive,
    ):
        yield Place(database=database, archive=archive, witness=tmp_path / "new" / "heads.jsonl")


def put_back(taken: Taken, place: Place) -> None:
    restore(taken.folder, place.database, place.archive, witness_file=place.witness)


@contextmanager
def reopened(place: Place) -> Iterator[TestService]:
    """Give the service over what was restored."""
    url = place.database.url.render_as_string(hide_password=False)
    now = datetime.now(UTC)
    with running_service(
        url, archive=place.archive, now=now, is_new=False, audit_witness=place.witness
    ) as service:
        yield service


def test_the_restored_service_has_everything_and_answers_the_same(
    addresses: Address, tmp_path: Path, elsewhere: Place
):
    with at_work(addresses, tmp_path) as site:
        site.read(24.0)
        site.push("1.2.3", 5)
        site.enter_receipts()
        before = site.report()
        taken = site.back_up(tmp_path / "backups")
        instances = site.archive.counts()["instances"]
    put_back(taken, elsewhere)
    assert elsewhere.archive.counts()["instances"] == instances == 5
    assert list(integrity.verify(elsewhere.archive)) == [None] * 5
    with reopened(elsewhere) as service:
        assert service.get(f"/trials/{TRIAL}/outcomes", "coordinator").json() == before
        verification = service.get("/audit/verification", "administrator").json()
        assert verification["is_whole"], verification
        new = {"account": "x1", "name": "X", "roles": ["reader"]}
        assert service.post("/accounts", "administrator", json=new).status_code == 201
    with elsewhere.database.read() as session:
        assert audit.verify(session) == []


def test_what_is_final_is_final_again(addresses: Address, tmp_path: Path, elsewhere: Place):
    with at_work(addresses, tmp_path) as site:
        site.read(24.0)
        taken = site.back_up(tmp_path / "backups")
    put_back(taken, elsewhere)
    for statement in ("DELETE FROM audit_entries", "UPDATE read_signatures SET meaning = 'another'"):
        with (
            pytest.raises(Exception, match="never change"),
            elsewhere.database.write() as session,
        ):
            session.execute(text(statement))


def test_what_was_acknowledged_before_the_mark_is_there_while_writers_go_on(
    addresses: Address, tmp_path: Path, elsewhere: Place
):
    stop, signed, errors = threading.Event(), [], []

    def work(what: Callable[[int], Any]) -> None:
        number = 0
        while not stop.is_set() and number < 200:
            number += 1
            try:
                signed.append((what(number), datetime.now(UTC)))
            except BaseException as error:  # noqa: BLE001  told by the test below
                errors.append(error)
                return

    with at_work(addresses, tmp_path) as site:
        site.read(20.0)  # signs both in before the threads do
        threads = [
            threading.Thread(target=work, args=(lambda _: site.read(30.0),)),
            threading.Thread(target=work, args=(lambda number: site.push(f"1.9.{number}", 3),)),
        ]
        for thread in threads:
            thread.start()
        while len(signed) < 4 and not errors:
            stop.wait(0.02)
        taken = site.back_up(tmp_path / "backups")
        stop.set()
        for thread in threads:
            thread.join()
    assert errors == []
    put_back(taken, elsewhere)
    subjects = {what for what, at in signed if what and at <= taken.manifest.marked_at}
    studies = sum(1 for what, at in signed if what is None and at <= taken.manifest.marked_at)
    with elsewhere.database.read() as session:
        found = set(session.scalars(text("SELECT subject_id FROM subjects")))
        reads = session.scalar(text("SELECT count(*) FROM read_signatures"))
    assert subjects <= found
    assert reads is not None
    assert reads >= len(subjects)
    counted = elsewhere.archive.counts()
    assert counted["instances"] >= 3 * studies > 0
    assert list(integrity.verify(elsewhere.archive)) == [None] * counted["instances"]


def test_objects_are_copied_once(addresses: Address, tmp_path: Path):
    with at_work(addresses, tmp_path) as site:
        site.push("1.2.3", 4)
        first = site.back_up(tmp_path / "backups")
        site.push("1.2.4", 2)
        second = site.back_up(tmp_path / "backups")
    assert (first.new_objects, first.manifest.objects) == (4, 4)
    assert (second.new_objects, second.manifest.objects) == (2, 6)
    assert sorted(path.name for path in (tmp_path / "backups").glob("*.partial")) == []


def test_originals_are_copied_where_they_are_asked_for_and_only_there(tmp_path: Path, empty: Place):
    folder, again = tmp_path / "originals", tmp_path / "originals-again"
    for number in range(2):
        Originals(folder).keep(Digest(f"{number:064x}"), [b"NAME^PATIENT", bytes([number])])
    with at_work(lambda name: f"sqlite:///{tmp_path}/{name}.sqlite", tmp_path) as site:
        witness, backups = site.room.service.settings.audit_witness, tmp_path / "backups"

        def back_up(originals: Path | None) -> Taken:
            now = datetime.now(UTC)
            return taking.take(
                site.database, site.archive, backups, witness=witness, now=now, originals=originals
            )

        assert back_up(None).manifest.originals is None
        assert not any(b"NAME^PATIENT" in path.read_bytes() for path in backups.rglob("*") if path.is_file())
        taken = back_up(folder)
    assert taken.manifest.originals == 2
    restore(taken.folder, empty.database, empty.archive, witness_file=empty.witness, originals=again)
    assert Originals(again).read(Digest(f"{1:064x}")) == b"NAME^PATIENT\x01"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    """Take one small backup, over SQLite; each test spoils a copy of its own."""
    folder = tmp_path_factory.mktemp("small")
    with at_work(lambda name: f"sqlite:///{folder}/{name}.sqlite", folder) as site:
        site.read(24.0)
        site.push("1.2.3", 2)
        site.enter_receipts()
        return site.back_up(folder / "backups")


@pytest.fixture
def taken(small: Taken, tmp_path: Path) -> Taken:
    shutil.copytree(small.folder.parent, tmp_path / "backups")
    return replace(small, folder=tmp_path / "backups" / small.folder.name)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Place]:
    with (
        closing(Database(f"sqlite:///{tmp_path}/new.sqlite")) as database,
        closing(Archive.open(f"sqlite:///{tmp_path}/index.sqlite", str(tmp_path / "new-objects"))) as archive,
    ):
        yield Place(database=database, archive=archive, witness=tmp_path / "new-heads.jsonl")


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a bit of the service's database": lambda backup: spoil(backup / "service/database.sqlite"),
    "a bit of the archive's index": lambda backup: spoil(backup / "archive/index.sqlite"),
    "a bit of an object": lambda backup: spoil(next((backup.parent / "objects").glob("*/*"))),
    "an object is missing": lambda backup: next((backup.parent / "objects").glob("*/*")).unlink(),
    "the list of objects is shorter": lambda backup: (backup / "objects.txt").write_text(
        (backup / "objects.txt").read_text().splitlines(keepends=True)[0]
    ),
    "the list of objects is missing": lambda backup: (backup / "objects.txt").unlink(),
    "no manifest": lambda backup: (backup / "manifest.json").unlink(),
    "half a manifest": lambda backup: (backup / "manifest.json").write_text("{"),
    "another format": lambda backup: edit(backup, format=2),
    "a report that was otherwise": lambda backup: edit(backup, reports={TRIAL: "0" * 64}),
    "a chain that was longer": lambda backup: edit(backup, audit_sequence=10_000),
    "a file outside": lambda backup: edit(
        backup, archive={"kind": "sqlite", "revision": "1", "files": {"../../x": "0" * 64}}
    ),
}


def edit(backup: Path, **changes: Any) -> None:
    content = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps(content | changes))


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_backup_is_told(taken: Taken, empty: Place, damage: str):
    DAMAGE[damage](taken.folder)
    with pytest.raises(BackupError):
        put_back(taken, empty)


@pytest.mark.parametrize("full", ["database", "index", "objects"])
def test_a_place_with_something_in_it_is_not_touched(taken: Taken, empty: Place, tmp_path: Path, full: str):
    there = {
        "database": tmp_path / "new.sqlite",
        "index": tmp_path / "index.sqlite",
        "objects": tmp_path / "new-objects" / "ab" / f"{'ab' * 32}.dcm",
    }[full]
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_bytes(b"somebody's")
    with pytest.raises(BackupError, match="into an empty place only"):
        put_back(taken, empty)
    assert there.read_bytes() == b"somebody's"


def test_a_backup_of_one_kind_is_not_restored_into_another(taken: Taken, empty: Place):
    content = json.loads((taken.folder / "manifest.json").read_text())
    edit(taken.folder, service=content["service"] | {"kind": "postgresql"})
    with pytest.raises(BackupError, match="is of postgresql; the place to restore into is sqlite"):
        put_back(taken, empty)


def test_a_backup_that_fails_leaves_no_name(taken: Taken, empty: Place, tmp_path: Path, monkeypatch: Any):
    put_back(taken, empty)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def again() -> Taken:
        folder, now = tmp_path / "others", datetime.now(UTC)
        return taking.take(empty.database, empty.archive, folder, witness=empty.witness, now=now)

    monkeypatch.setattr(objects, "copy_out", full)
    with pytest.raises(OSError, match="No space"):
        again()
    assert list((tmp_path / "others").iterdir()) == []
    monkeypatch.undo()
    assert again().manifest.reports == taken.manifest.reports
