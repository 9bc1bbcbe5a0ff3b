"""A multi-frame object larger than the memory a listener may take: retrieved, verified, indexed again."""

import hashlib
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import AE, build_context, build_role, evt

from dicom_listener.archive import destinations
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.destinations import Destination
from dicom_listener.archive.integrity import rebuild, verify
from dicom_listener.archive.objects import Draft
from dicom_listener.archive.records import Digest, Outcome
from dicom_listener.archive.senders import Retrieval
from dicom_listener.intake.receive import Intake
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.durability.killing import Running, listening, prepared
from tests.dicom_listener.instances import EXPLICIT_LE, encoded, mr_instance
from tests.dicom_listener.network_services.conftest import STUDY, register

CLASS = "1.2.840.10008.5.1.4.1.1.4.1"  # Enhanced MR Image Storage
MOVE, GET = "1.2.840.10008.5.1.4.1.2.2.2", "1.2.840.10008.5.1.4.1.2.2.3"
FRAME = bytes(range(256)) * 2048  # 512 x 512 pixels of 16 bits
CAMPAIGN = (
    pytest.mark.campaign,
    pytest.mark.skipif("CAMPAIGN" not in os.environ, reason="the long form runs by 'make campaign'"),
)
ALLOWANCE = 24 * 2**20  # for a retrieval, whatever the object's size


def written(draft: Draft, frames: int) -> Digest:
    """Write the data set of an object of so many frames."""
    shape = {"Rows": 512, "Columns": 512, "NumberOfFrames": str(frames)}
    empty = mr_instance(SOPClassUID=CLASS, SOPInstanceUID="1.2.3", **shape, PixelData=b"")
    head = encoded(empty)[:-4] + (frames * len(FRAME)).to_bytes(4, "little")
    sha256 = hashlib.sha256()
    for part in (head, *(FRAME for _ in range(frames))):
        draft.write(part)
        sha256.update(part)
    return Digest(sha256.hexdigest())


def keep(archive: Archive, frames: int) -> Digest:
    announced = replace(arrival(mr_instance(SOPClassUID=CLASS, SOPInstanceUID="1.2.3")), data_set=b"")
    draft = archive.objects.draft(announced.file_meta())
    assert draft is not None
    digest = written(draft, frames)
    whole = replace(announced, data_set=draft.data_set(), digest=digest, draft=draft)
    assert Intake(archive=archive).receive(whole).outcome is Outcome.STORED
    draft.discard()
    return digest


class Sink:
    """A peer that hashes what it is sent and keeps nothing."""

    def __init__(self) -> None:
        self.digests: list[str] = []

    def take(self, event: Any) -> int:
        self.digests.append(hashlib.sha256(event.request.DataSet.getbuffer()).hexdigest())
        return 0x0000


def peak(running: Running) -> int:
    """Return the most memory that a process has had, in bytes."""
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.fixture(params=[80, pytest.param(600, marks=CAMPAIGN)], ids=["40 MB", "300 MB"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Archive, Digest]]:
    with closing(prepared(tmp_path)) as archive:
        archive.objects.prepare()
        register(archive, "ALL", Retrieval.ARCHIVE)
        digest = keep(archive, request.param)
        archive.objects.close()
        yield archive, digest


@pytest.mark.timeout(600)
def test_it_is_moved_and_got_without_being_in_memory(kept: tuple[Archive, Digest], tmp_path: Path) -> None:
    archive, digest = kept
    sink, asked = Sink(), Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", STUDY
    handlers: list[Any] = [(evt.EVT_C_STORE, sink.take)]
    shelf, entity = AE(ae_title="SHELF"), AE(ae_title="ALL")
    for each in (shelf, entity):
        each.maximum_pdu_size, each.dimse_timeout = 2**17, 300
    contexts = [build_context(CLASS, EXPLICIT_LE)]
    server = shelf.start_server(("127.0.0.1", 0), block=False, contexts=contexts, evt_handlers=handlers)
    assert server is not None
    there = Destination(ae_title="SHELF", host="127.0.0.1", port=server.server_address[1])
    destinations.add(archive.database, there)
    for uid in (MOVE, GET):
        entity.add_requested_context(uid)
    entity.add_requested_context(CLASS, EXPLICIT_LE)
    with listening(tmp_path, tmp_path / "said") as running:
        association = entity.associate(
            "127.0.0.1",
            running.port,
            ae_title="IMAGING",
            ext_neg=[build_role(CLASS, scp_role=True)],
            evt_handlers=handlers,
        )
        before = peak(running)
        got = [status.Status for status, _ in association.send_c_get(asked, GET)]
        moved = [status.Status for status, _ in association.send_c_move(asked, "SHELF", MOVE)]
        association.release()
        taken = peak(running) - before
    server.shutdown()
    assert (got[-1], moved[-1]) == (0x0000, 0x0000)
    assert sink.digests == [digest, digest]
    assert taken < ALLOWANCE
    print(f"The listener took {taken / 2**20:.0f} MiB more, {(taken + before) / 2**20:.0f} at most.")  # noqa: T201


def test_it_is_verified_and_indexed_again(kept: tuple[Archive, Digest]) -> None:
    archive, digest = kept
    tracemalloc.start()
    assert list(verify(archive)) == list(rebuild(archive)) == [None]
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < ALLOWANCE
    (series,) = archive.series_of(STUDY)
    assert [each.digest for each in archive.instances_of(series.series_instance_uid)] == [digest]
