"""The way of C-STORE past the library, beside the library itself."""

import hashlib
import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pynetdicom.dimse_messages import C_STORE_RQ, C_STORE_RSP
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import decode, encode
from structlog.testing import capture_logs

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.objects_folder import FolderObjectStore
from dicom_listener.errors import OutOfResourcesError
from dicom_listener.network.incoming import IN_MEMORY, Incoming
from dicom_listener.network.server import Listener
from dicom_listener.network.store_message import StoreRequest, read_request, write_response
from dicom_listener.settings import ListenerSettings
from tests.dicom_listener.instances import MR_IMAGE, encoded, mr_instance
from tests.dicom_listener.peers import answer, connected, fragment, store_command
from tests.dicom_listener.test_listener import associated, store

REQUEST = StoreRequest(context_id=3, message_id=7, sop_class_uid=MR_IMAGE, sop_instance_uid="1.2.3")


def test_a_request_that_the_library_writes_is_read() -> None:
    primitive = C_STORE()
    primitive.MessageID = 7
    primitive.AffectedSOPClassUID = MR_IMAGE
    primitive.AffectedSOPInstanceUID = "1.2.3"
    primitive.Priority = 2
    primitive.DataSet = BytesIO(b"x")
    message = C_STORE_RQ()
    message.primitive_to_message(primitive)
    command = encode(message.command_set, True, True)  # noqa: FBT003 - implicit, little endian
    assert command is not None
    assert read_request(3, command) == REQUEST


@pytest.mark.parametrize(("status", "comment"), [(0x0000, ""), (0xC000, "The pixel data have 1 byte.")])
def test_an_answer_is_read_by_the_library(status: int, comment: str) -> None:
    written = write_response(REQUEST, status, comment)
    kind, length, size, context_id, control = struct.unpack_from(">BxLLBB", written)
    assert (kind, length, size, context_id, control) == (4, len(written) - 6, len(written) - 10, 3, 3)
    said = decode(BytesIO(written[12:]), True, True)  # noqa: FBT003 - implicit, little endian
    assert said.CommandGroupLength == len(written) - 12 - 12
    assert (said.CommandField, said.MessageIDBeingRespondedTo, said.Status) == (0x8001, 7, status)
    assert (said.AffectedSOPClassUID, said.AffectedSOPInstanceUID) == (MR_IMAGE, "1.2.3")
    assert said.get("ErrorComment", "") == comment
    assert {element.keyword for element in said} <= {element.keyword for element in C_STORE_RSP().command_set}


OTHERS = {
    "an echo": store_command("1.2.3", x0100=b"\x30\x00"),
    "no data set": store_command("1.2.3", x0800=b"\x01\x01"),
    "a field of four bytes": store_command("1.2.3", x0100=b"\x01\x00\x00\x00"),
    "a cut head": store_command("1.2.3")[:-13],
    "a length past the end": store_command("1.2.3")[:-1],
    "another group": store_command("1.2.3") + struct.pack("<HHL", 8, 0, 0),
    "an element twice": store_command("1.2.3") + struct.pack("<HHL", 0, 0x0110, 0),
    "nothing": b"",
}


@pytest.mark.parametrize("command", OTHERS.values(), ids=OTHERS)
def test_what_is_no_plain_request_is_left_to_the_library(command: bytes) -> None:
    assert read_request(1, command) is None


def take(incoming: Incoming, content: bytes, step: int) -> None:
    for start in range(0, len(content), step):
        part = content[start : start + step]
        place = incoming.room(len(part))
        place[:] = part
        incoming.took(place)


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[FolderObjectStore]:
    store = FolderObjectStore(tmp_path / "objects")
    store.prepare()
    yield store
    store.close()


@pytest.mark.parametrize("length", [0, 1, 2**20 + 1, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY])
def test_what_comes_in_is_hashed_and_kept_wherever_it_fits(objects: FolderObjectStore, length: int) -> None:
    content = (bytes(range(251)) * (length // 251 + 1))[:length]
    with Incoming(lambda: objects.draft(b"before")) as incoming:
        take(incoming, content, 131_066)
        assert (incoming.data_set() == content, incoming.length) == (True, length)
        assert incoming.digest == hashlib.sha256(content).hexdigest()
        assert (incoming.draft is not None) == (length > IN_MEMORY)
        if incoming.draft is not None:
            assert objects.put_draft(incoming.digest, incoming.draft)
            assert objects.get(incoming.digest) == b"before" + content
    assert list(objects.unindexed()) == ([incoming.digest] if length > IN_MEMORY else [])


def test_a_draft_that_is_not_kept_is_gone(objects: FolderObjectStore, tmp_path: Path) -> None:
    with Incoming(lambda: objects.draft(b"before")) as incoming:
        take(incoming, bytes(2 * IN_MEMORY), 2**20)
        assert [path.suffix for path in (tmp_path / "objects" / "spool").iterdir()] == [".part"]
    assert not list((tmp_path / "objects" / "spool").iterdir())


def test_a_draft_that_an_earlier_run_left_is_removed(objects: FolderObjectStore, tmp_path: Path) -> None:
    draft = objects.draft(b"before")
    draft.write(b"and more")
    objects.close()
    objects.prepare()
    assert not list((tmp_path / "objects" / "spool").iterdir())
    draft.discard()


def test_a_large_instance_in_odd_fragments_is_kept_as_it_was_sent(
    listener: Listener, local_archive: Archive, tmp_path: Path
) -> None:
    frames = 3 * IN_MEMORY // (512 * 1024)
    content = encoded(
        mr_instance(
            SOPInstanceUID="1.2.3",
            Rows=512,
            Columns=512,
            NumberOfFrames=frames,
            PixelData=bytes(512) * 1024 * frames,
        )
    )
    with connected(listener.port, associated=True) as sender:
        sender.sendall(fragment(store_command("1.2.3"), is_command=True))
        for start in range(0, len(content), 99_991):
            part = content[start : start + 99_991]
            sender.sendall(fragment(part, is_last=start + 99_991 >= len(content)))
        assert answer(sender) == 0x04
    record = local_archive.instance("1.2.3")
    assert record is not None
    assert local_archive.read("1.2.3")[record.header_length :] == content
    assert not list((tmp_path / "objects" / "spool").iterdir())


def test_a_disk_that_fills_up_on_the_way_is_told_and_the_association_goes_on(
    listener: Listener, local_archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise OutOfResourcesError(what="The folder", reason="No space left on device")

    sides = {"Rows": 512, "Columns": 512, "NumberOfFrames": 16, "PixelData": bytes(512 * 1024) * 16}
    large = mr_instance(SOPInstanceUID="1.2.3", **sides)
    with associated(listener) as association:
        with monkeypatch.context() as patch:
            for door in ("draft", "put"):
                patch.setattr(local_archive.objects, door, fail)
            assert store(association, large).Status == 0xA700
        assert store(association, large).Status == 0x0000
    assert local_archive.counts()["instances"] == 1


def test_with_a_library_that_was_not_tested_the_plain_way_serves_with_a_warning(
    local_archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_archive.objects.close()
    monkeypatch.setattr("pynetdicom.__version__", "3.1.0")
    with capture_logs() as said, Listener(ListenerSettings(port=0), local_archive):
        pass
    (warning,) = [entry for entry in said if entry["event"] == "fast_store_off"]
    assert (warning["library"], warning["tested"]) == ("3.1.0", ["3.0.4"])
