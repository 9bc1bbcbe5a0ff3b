"""An archive on each kind of database, and a way to give it instances without a network."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom import Dataset

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.migrate import migrate
from dicom_listener.archive.provenance import Provenance
from dicom_listener.archive.senders import Sender, networks_from
from dicom_listener.intake.checks import Arrival
from dicom_listener.intake.receive import Intake, Reception
from dicom_listener.network.server import Listener
from dicom_listener.settings import ListenerSettings
from tests.dicom_listener.certificates import make_certificates
from tests.dicom_listener.instances import EXPLICIT_LE, encoded

Send = Callable[..., Reception]


@pytest.fixture
def archive(database_url: str, tmp_path: Path) -> Iterator[Archive]:
    """Open an empty archive, once on SQLite and once on PostgreSQL."""
    yield from _archive(database_url, tmp_path)


@pytest.fixture
def local_archive(sqlite_url: str, tmp_path: Path) -> Iterator[Archive]:
    """Open an empty archive on SQLite, for what no database changes."""
    yield from _archive(sqlite_url, tmp_path)


def _archive(database_url: str, folder: Path) -> Iterator[Archive]:
    archive = Archive.open(database_url, str(folder / "objects"))
    migrate(archive.database)
    archive.objects.prepare()
    yield archive
    archive.close()


def provenance(**values: str) -> Provenance:
    known = {"calling_ae": "MRI_1", "called_ae": "IMAGING", "peer_address": "127.0.0.1", "site_id": "S1"}
    return Provenance(**(known | values), received_at=datetime.now(UTC))


def arrival(data_set: Dataset, syntax: str = EXPLICIT_LE, **values: str) -> Arrival:
    return Arrival(
        sop_class_uid=data_set.SOPClassUID,
        sop_instance_uid=data_set.SOPInstanceUID,
        transfer_syntax_uid=syntax,
        data_set=encoded(data_set, syntax),
        provenance=provenance(**values),
    )


@pytest.fixture
def intake(archive: Archive) -> Intake:
    return Intake(archive=archive)


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def fast_store(request: pytest.FixtureRequest) -> bool:
    """Name each way in which C-STORE is received."""
    return bool(request.param)


@pytest.fixture
def listener(local_archive: Archive, fast_store: bool) -> Iterator[Listener]:  # noqa: FBT001 - a fixture
    """Listen on a free port of this machine, knowing the sender MRI_1 of site S1."""
    local_archive.objects.close()
    sender = Sender(
        calling_ae="MRI_1", called_ae="IMAGING", networks=networks_from(["127.0.0.0/8"]), site_id="S1"
    )
    senders.add(local_archive.database, sender)
    settings = ListenerSettings(port=0, quiet_period_seconds=0.2, fast_store=fast_store)
    with Listener(settings, local_archive) as running:
        yield running


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make certificates of an authority, of peers that it vouches for, and of a stranger."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))
