import errno
import hashlib
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import boto3  # type: ignore[import-untyped] # the maker ships no types
import pytest
from moto.server import ThreadedMotoServer

from dicom_listener.archive.kept import digest_of
from dicom_listener.archive.objects import MemoryObjectStore, ObjectStore, open_objects
from dicom_listener.archive.objects_folder import FolderObjectStore
from dicom_listener.archive.records import Digest
from dicom_listener.errors import (
    FolderUnusableError,
    ObjectMissingError,
    ObjectsAddressError,
    OutOfResourcesError,
)

CONTENT = (b"DICM", b"data set")
DIGEST = digest_of(CONTENT[1])


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make an empty bucket on a server of this machine, which the usual variables lead to."""
    name = f"archive-{uuid4().hex}"
    for variable, value in {
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(variable, value)
    client = boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1")
    client.create_bucket(Bucket=name)
    client.close()
    return name


@pytest.fixture(params=["memory", "folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    """Every implementation in turn: one contract, one suite."""
    addresses = {"memory": "memory:", "folder": str(tmp_path / "objects")}
    if request.param == "s3":
        addresses["s3"] = f"s3://{request.getfixturevalue('bucket')}/prefix"
    opened = open_objects(addresses[request.param])
    opened.prepare()
    yield opened
    opened.close()


def test_get_returns_what_was_put(store: ObjectStore) -> None:
    assert store.put(DIGEST, CONTENT) is True
    assert store.get(DIGEST) == b"DICMdata set"


def test_many_are_put_together_and_read_before_the_next_is_asked_for(store: ObjectStore) -> None:
    contents = [b"%d" % number * 1000 for number in (1, 2, 3, 2)]
    digests = [digest_of(content) for content in contents]
    buffer = bytearray(2000)

    def parts() -> Iterator[tuple[Digest, tuple[bytes, memoryview]]]:
        for digest, content in zip(digests, contents, strict=True):
            buffer[: len(content)] = content
            yield digest, (b"DICM", memoryview(buffer)[: len(content)])

    store.put(digests[0], (b"before", contents[0]))
    assert store.put_all(parts())[:3] == [False, True, True]
    assert store.get(digests[0]) == b"before" + contents[0]
    assert [store.get(digest) for digest in digests[1:3]] == [b"DICM" + content for content in contents[1:3]]
    assert set(store.digests()) == set(digests)
    store.mark_indexed(digests[0])
    assert list(store.unindexed()) == []


def test_parts_may_be_any_stretch_of_memory(store: ObjectStore) -> None:
    store.put(DIGEST, (bytearray(b"DI"), memoryview(b"xCMx")[1:3]))
    assert store.get(DIGEST) == b"DICM"


def test_an_object_is_put_once_and_never_changed(store: ObjectStore) -> None:
    store.put(DIGEST, CONTENT)
    assert store.put(DIGEST, (b"another",)) is False
    assert store.get(DIGEST) == b"DICMdata set"


def test_a_range_is_read_by_offset_and_length(store: ObjectStore) -> None:
    store.put(DIGEST, CONTENT)
    assert store.get_range(DIGEST, 4, 4) == b"data"
    assert store.get_range(DIGEST, 9, 100) == b"set"
    assert store.get_range(DIGEST, 100, 4) == b""


LARGE = 40 * 2**20
PIECE = bytes(range(256)) * 4096  # 1 MiB


def test_an_object_is_lent_as_a_view_and_in_pieces(store: ObjectStore) -> None:
    store.put(DIGEST, CONTENT)
    with store.opened(DIGEST) as content:
        assert (content.length, bytes(content.view()[4:8])) == (12, b"data")
        assert [bytes(piece) for piece in content.pieces(4, 5)] == [b"data ", b"set"]
        assert b"".join(content.pieces()) == b"DICMdata set"


@pytest.mark.parametrize("store", ["folder", "s3"], indirect=True)
def test_a_draft_becomes_an_object_of_any_length_without_being_in_memory(store: ObjectStore) -> None:
    """The bucket's server is in this process, so only what our own code holds can be counted."""
    before, sha256 = b"DICM", hashlib.sha256()
    draft = store.draft(before)
    assert draft is not None
    tracemalloc.start()
    for _ in range(LARGE // len(PIECE)):
        draft.write(PIECE)
        sha256.update(PIECE)
    digest = Digest(sha256.hexdigest())
    assert bytes(draft.data_set()[-4:]) == PIECE[-4:]
    held = ours_at_most()
    assert store.put_draft(digest, draft) is True
    assert store.put_draft(digest, draft) is False
    draft.discard()
    tracemalloc.reset_peak()
    with store.opened(digest) as content:
        assert content.length == LARGE + len(before)
        pieces = hashlib.sha256()
        for piece in content.pieces(len(before), 10**6):
            pieces.update(piece)
        assert bytes(content.view()[-4:]) == PIECE[-4:]
    tracemalloc.stop()
    assert pieces.hexdigest() == digest
    assert held < LARGE // 2
    assert store.get_range(digest, LARGE - 4, 100) == PIECE[-8:]


def ours_at_most() -> int:
    """Return the most bytes of Python's that were held since the counting began."""
    return tracemalloc.get_traced_memory()[1]


@pytest.mark.parametrize("store", ["folder", "s3"], indirect=True)
def test_a_draft_that_is_given_up_leaves_nothing(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    draft = store.draft(b"DICM")
    assert draft is not None
    draft.write(b"half of it")
    assert list((tmp_path / "temporary").iterdir()) == []
    draft.discard()
    assert list(store.digests()) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "lock"] == []


def test_a_bucket_that_goes_away_before_the_last_part_keeps_nothing_of_a_draft(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = open_objects(f"s3://{bucket}/prefix")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    store = open_objects(f"s3://{bucket}/prefix")
    draft = store.draft(b"DICM")
    assert draft is not None
    draft.write(b"data set")
    with pytest.raises(OutOfResourcesError, match="The bucket"):
        store.put_draft(DIGEST, draft)
    assert list(here.digests()) == []
    assert here.put_draft(DIGEST, draft) is True  # nothing is lost of it by the failure
    draft.discard()
    assert here.get(DIGEST) == b"DICMdata set"


def test_an_unknown_object_is_missing(store: ObjectStore) -> None:
    with pytest.raises(ObjectMissingError, match=DIGEST), store.opened(DIGEST):
        pass
    with pytest.raises(ObjectMissingError, match=DIGEST):
        store.get(DIGEST)
    with pytest.raises(ObjectMissingError, match=DIGEST):
        store.get_range(DIGEST, 0, 4)


def test_every_object_is_named(store: ObjectStore) -> None:
    digests = {digest_of(bytes([number])) for number in range(20)}
    for digest in digests:
        store.put(digest, (b"x",))
    assert set(store.digests()) == digests


def test_an_indexed_object_is_in_doubt_no_more(store: ObjectStore) -> None:
    store.put(DIGEST, CONTENT)
    store.mark_indexed(DIGEST)
    store.mark_indexed(DIGEST)
    assert list(store.unindexed()) == []
    assert store.get(DIGEST) == b"DICMdata set"


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_an_object_that_was_never_indexed_is_named_after_a_restart(kind: str, tmp_path: Path) -> None:
    store: ObjectStore = MemoryObjectStore() if kind == "memory" else FolderObjectStore(tmp_path)
    store.prepare()
    store.put(DIGEST, CONTENT)
    store.close()
    again = store if kind == "memory" else FolderObjectStore(tmp_path)
    again.prepare()
    assert list(again.unindexed()) == [DIGEST]
    again.close()


@pytest.mark.parametrize("address", ["ftp://host/x", "http://bucket"])
def test_an_address_of_no_known_form_is_refused(address: str) -> None:
    with pytest.raises(ObjectsAddressError, match=r"s3://bucket/prefix"):
        open_objects(address)


def test_a_bucket_that_does_not_exist_is_found_out_at_the_start(bucket: str) -> None:
    with pytest.raises(ObjectsAddressError, match="does not answer"):
        open_objects(f"s3://{bucket}-not/prefix").prepare()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[FolderObjectStore]:
    store = FolderObjectStore(tmp_path / "objects")
    store.prepare()
    yield store
    store.close()


def test_a_file_is_flushed_before_it_is_linked_and_its_folder_after(
    folder: FolderObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, link = os.fsync, os.link

    def noted_fsync(descriptor: int) -> None:
        target = Path(f"/proc/self/fd/{descriptor}").readlink()
        steps.append(f"flush {'folder' if target.is_dir() else 'file'}")
        fsync(descriptor)

    def noted_link(source: Path, target: Path) -> None:
        steps.append("link")
        link(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "link", noted_link)
    folder.put(DIGEST, CONTENT)
    # The first for new folders, the second for the name in the spool.
    assert steps == ["flush file", "flush folder", "flush folder", "link", "flush folder"]
    steps.clear()
    folder.put(DIGEST, CONTENT)  # another thread may have linked it without having flushed the folder
    assert steps == ["flush folder"]


@pytest.mark.parametrize("call", ["write", "fsync", "link"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_or_failing_disk_leaves_nothing_half_written(
    folder: FolderObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(OutOfResourcesError, match=os.strerror(code)):
            folder.put(DIGEST, CONTENT)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "lock"]
    assert files == []
    assert folder.put(DIGEST, CONTENT) is True


def test_what_a_crash_left_in_the_spool_is_removed_or_awaits_its_index_row(
    folder: FolderObjectStore, tmp_path: Path
) -> None:
    folder.put(DIGEST, CONTENT)
    folder.mark_indexed(DIGEST)
    folder.close()
    spool = tmp_path / "objects" / "spool"
    linked, half = spool / f"{DIGEST}.1.part", spool / f"{digest_of(b'other')}.2.part"
    linked.write_bytes(b"DICMdata set")
    half.write_bytes(b"DI")
    again = FolderObjectStore(tmp_path / "objects")
    again.prepare()
    assert list(again.unindexed()) == [DIGEST]
    assert not list(spool.glob("*.part"))
    again.close()


def test_only_one_listener_writes_to_a_folder(folder: FolderObjectStore, tmp_path: Path) -> None:
    with pytest.raises(FolderUnusableError, match="another listener"):
        FolderObjectStore(tmp_path / "objects").prepare()
    folder.close()
    again = FolderObjectStore(tmp_path / "objects")
    again.prepare()
    again.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderUnusableError, match=r"file/objects"):
        FolderObjectStore(tmp_path / "file" / "objects").prepare()


def test_a_bucket_that_goes_away_takes_nothing(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    store = open_objects(f"s3://{bucket}/prefix")
    with pytest.raises(OutOfResourcesError, match="The bucket"):
        store.put(DIGEST, CONTENT)
    with pytest.raises(OutOfResourcesError), suppress(StopIteration):
        next(store.digests())
