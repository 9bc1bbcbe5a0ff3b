"""The demo's PACS over a real association: DCMTK's program, and the one that stands in for it."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from ipaddress import ip_network
from pathlib import Path

import pytest

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.migrate import migrate
from dicom_listener.archive.senders import Sender
from dicom_listener.network.server import Listener
from dicom_listener.settings import ListenerSettings
from fixtures.dicom.phantom import STANDARD_SERIES, SeriesPlan, StudyPlan
from imaging_service.demo.errors import DemoError
from imaging_service.demo.images import files_of
from imaging_service.demo.pushing import Pacs

HOST = "127.0.0.1"
PLAN = StudyPlan(
    subject_id="S-1",
    patient_id="P-1",
    study_on=date(2024, 3, 1),
    slices=3,
    series=(
        STANDARD_SERIES[0],
        SeriesPlan(sequence_name="DCE_EARLY", is_enhanced=True),
        SeriesPlan(sequence_name="DCE_LATE", is_compressed=True),
    ),
)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with closing(Archive.open(f"sqlite:///{tmp_path}/index.sqlite", str(tmp_path / "objects"))) as archive:
        migrate(archive.database)
        known = Sender(
            calling_ae="PACS", called_ae="IMAGING", networks=(ip_network(f"{HOST}/32"),), site_id="01"
        )
        senders.add(archive.database, known)
        yield archive


@pytest.fixture
def port(archive: Archive) -> Iterator[int]:
    with Listener(ListenerSettings(port=0), archive) as listener:
        yield listener.port


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return files_of(PLAN, tmp_path / "studies")


@pytest.fixture(
    params=[pytest.param("dcmtk", marks=pytest.mark.peer("dcmtk")), "pynetdicom"],
)
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "pynetdicom":
        monkeypatch.setattr(shutil, "which", lambda _: None)


@pytest.mark.usefixtures("program")
def test_every_instance_arrives_compressed_and_multi_frame_ones_too(
    archive: Archive, port: int, folder: Path
) -> None:
    pacs = Pacs(ae_title="PACS", host=HOST, port=port, called_ae_title="IMAGING")
    pacs.push(folder)
    pacs.push(folder)  # again, as after a lost answer
    series = archive.series_of(str(PLAN.study_instance_uid))
    kept = [len(archive.instances_of(each.series_instance_uid)) for each in series]
    assert sorted(kept) == [1, 3, 3]


@pytest.mark.usefixtures("program")
def test_an_unknown_sender_is_told_why_it_is_refused(port: int, folder: Path) -> None:
    stranger = Pacs(ae_title="STRANGER", host=HOST, port=port, called_ae_title="IMAGING")
    assert "calling ae title not recogni" in stranger.is_refused(folder).lower()


def test_a_sender_that_is_let_in_although_it_should_not_be_is_an_error(port: int, folder: Path) -> None:
    known = Pacs(ae_title="PACS", host=HOST, port=port, called_ae_title="IMAGING")
    with pytest.raises(DemoError, match="accepted PACS, which is no registered sender"):
        known.is_refused(folder)
