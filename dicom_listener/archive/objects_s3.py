"""Objects in a bucket of an S3 service (extra ``s3``)."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from threading import Lock
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from dicom_listener.archive.contents import Bytes, BytesContent, Content, FileContent
from dicom_listener.archive.drafts import FileDraft, out_of_resources, write_all
from dicom_listener.archive.objects import Draft
from dicom_listener.archive.records import Digest
from dicom_listener.errors import ObjectMissingError, ObjectsAddressError, OutOfResourcesError

_SUFFIX = ".dcm"
_AT_ONCE = 4  # objects on their way to the service, which are in memory for so long
_PART = 8 * 2**20  # bytes of an object that are on their way at once
_PARTS_AT_ONCE = 2


class S3ObjectStore:
    """An `ObjectStore` in a bucket.

    Keys, region and endpoint are the usual ``AWS_...`` variables. Put-if-absent is asked for but not
    relied on: services differ in how atomic it is, and what is written under a digest is the same
    whoever writes it. Which of two contents came first is decided by the index.

    A large object waits in a temporary file until it is whole and accepted, then goes out in parts; it is
    read through such a file as well.
    """

    def __init__(self, store: S3Store) -> None:
        """Use `store`; `open` makes it from an address."""
        self._store = store
        self._sending = Lock()

    @classmethod
    def open(cls, address: str) -> "S3ObjectStore":
        """Open ``s3://bucket/prefix``, without a first request.

        Raises
        ------
        ObjectsAddressError
            When the address or the ``AWS_...`` variables cannot be used.
        """
        try:
            store = S3Store.from_url(
                address,
                client_options={
                    "timeout": timedelta(seconds=30),
                    "connect_timeout": timedelta(seconds=5),
                    "allow_http": os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://"),
                },
                retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
            )
        except (BaseError, ValueError) as error:
            raise ObjectsAddressError(found=f"{address!r} ({error})", wanted="s3://bucket/prefix") from error
        return cls(store)

    def prepare(self) -> None:
        """Ask the bucket for its first page, so that a wrong address is found at the start.

        Raises
        ------
        ObjectsAddressError
            When the bucket does not answer.
        """
        try:
            next(iter(obstore.list(self._store, chunk_size=1)), None)
        except BaseError as error:
            reason = f"a bucket that does not answer ({_first_line(error)})"
            raise ObjectsAddressError(found=reason, wanted="a bucket that may be read and written") from error

    def put(self, digest: Digest, parts: Sequence[Bytes]) -> bool:
        """Keep `parts` under `digest`; the service's answer says that they are durable."""
        try:
            obstore.put(self._store, digest + _SUFFIX, b"".join(parts), mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        except BaseError as error:
            raise OutOfResourcesError(what="The bucket", reason=_first_line(error)) from error
        return True

    def put_all(self, contents: Iterable[tuple[Digest, Sequence[Bytes]]]) -> list[bool]:
        """Keep many objects, some of them at the same time."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            puts: list[Future[bool]] = []
            for digest, parts in contents:
                if len(puts) >= _AT_ONCE:
                    puts[-_AT_ONCE].result()
                puts.append(pool.submit(self.put, digest, [b"".join(parts)]))
            return [each.result() for each in puts]

    def draft(self, before: bytes) -> FileDraft:
        """Begin a temporary file, which has no name that a crash could leave behind."""
        folder = Path(gettempdir())
        try:
            draft = FileDraft(folder / f"draft.{uuid4().hex}", before)
            draft.path.unlink()
        except OSError as error:
            raise out_of_resources(folder, error) from error
        return draft

    def put_draft(self, digest: Digest, draft: Draft) -> bool:
        """Send a draft in parts, which become an object when all are there; drafts take turns."""
        if not isinstance(draft, FileDraft):
            return self.put(digest, (draft.before, draft.data_set()))
        with self._sending:
            try:
                if self._is_there(digest):
                    return False
                obstore.put(
                    self._store,
                    digest + _SUFFIX,
                    draft.reread(),
                    use_multipart=True,
                    chunk_size=_PART,
                    max_concurrency=_PARTS_AT_ONCE,
                )
            except BaseError as error:
                raise OutOfResourcesError(what="The bucket", reason=_first_line(error)) from error
        return True

    def _is_there(self, digest: Digest) -> bool:
        try:
            obstore.head(self._store, digest + _SUFFIX)
        except FileNotFoundError:
            return False
        return True

    def mark_indexed(self, digest: Digest) -> None:
        """Do nothing: see `unindexed`."""

    def unindexed(self) -> Iterable[Digest]:
        """Name none: what was put but not indexed was not acknowledged, and `rebuild` finds it."""
        return ()

    def get(self, digest: Digest) -> bytes:
        """Return the whole object, or raise `ObjectMissingError`."""
        with _reading(digest):
            return bytes(obstore.get(self._store, digest + _SUFFIX).bytes())

    def get_range(self, digest: Digest, start: int, length: int) -> bytes:
        """Return at most `length` bytes from offset `start`, or raise `ObjectMissingError`."""
        with _reading(digest):
            size = obstore.head(self._store, digest + _SUFFIX)["size"]
            wanted = min(length, size - start)
            if wanted <= 0:
                return b""
            return bytes(obstore.get_range(self._store, digest + _SUFFIX, start=start, length=wanted))

    @contextmanager
    def opened(self, digest: Digest) -> Iterator[Content]:
        """Lend the object, a large one from a temporary file."""
        first = self.get_range(digest, 0, _PART)
        if len(first) < _PART:
            yield BytesContent(first)
            return
        with TemporaryFile(buffering=0) as file:
            try:
                piece = first
                while piece:
                    write_all(file.fileno(), piece)
                    piece = self.get_range(digest, os.fstat(file.fileno()).st_size, _PART)
            except OSError as error:
                raise out_of_resources(Path(gettempdir()), error) from error
            yield FileContent(file)

    def digests(self) -> Iterator[Digest]:
        """Name every object of the bucket's prefix."""
        try:
            for page in obstore.list(self._store):
                for entry in page:
                    if entry["path"].endswith(_SUFFIX):
                        yield Digest(entry["path"].removesuffix(_SUFFIX))
        except BaseError as error:
            raise OutOfResourcesError(what="The bucket", reason=_first_line(error)) from error

    def close(self) -> None:
        """Do nothing: connections close by themselves."""


@contextmanager
def _reading(digest: Digest) -> Iterator[None]:
    """Translate the service's errors while an object is read."""
    try:
        yield
    except FileNotFoundError:
        raise ObjectMissingError(digest) from None
    except BaseError as error:
        raise OutOfResourcesError(what="The bucket", reason=_first_line(error)) from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0]
