"""One index transaction for every instance that waits for one."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection

from dicom_listener.archive.database import Database

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Entry(Generic[T]):
    """What one thread wants done in a transaction."""

    work: Callable[[Connection], T]
    result: T | None = None
    error: BaseException | None = None
    is_done: bool = False


class GroupCommit:
    """Let many threads share a transaction and its flush.

    While one thread commits, others line up; the next one commits for all of them. Nobody goes on before
    the transaction with his own work in it is durable.
    """

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: list[_Entry[object]] = []
        self._list = threading.Lock()
        self._turn = threading.Lock()

    def run(self, database: Database, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction of `database`, and return its result once that is durable.

        Raises
        ------
        OutOfResourcesError
            When the database is away, locked or full; nothing of `work` remains.
        """
        entry = _Entry(work)
        with self._list:
            self._waiting.append(entry)  # type: ignore[arg-type] # the list holds work of every result
        with self._turn:
            if not entry.is_done:
                with self._list:
                    batch, self._waiting = self._waiting, []
                _commit(database, batch)
        if entry.error is not None:
            raise entry.error
        return entry.result  # type: ignore[return-value] # it is done, and did not fail


def _commit(database: Database, batch: list[_Entry[object]]) -> None:
    """Commit a batch; where one spoils it for the others, each gets a transaction of its own."""
    try:
        with database.write() as connection:
            results = [entry.work(connection) for entry in batch]
    except Exception as error:  # noqa: BLE001 - it is raised in the thread whose work it was
        if len(batch) > 1:
            for entry in batch:
                _commit(database, [entry])
            return
        batch[0].error, batch[0].is_done = error, True
        return
    for entry, result in zip(batch, results, strict=True):
        entry.result, entry.is_done = result, True
