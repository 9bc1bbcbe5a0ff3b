"""Threads that share a transaction: each gets its own result, and only once that is durable."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from dicom_listener.archive import receipts
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.database import Database
from dicom_listener.archive.records import Outcome
from dicom_listener.errors import OutOfResourcesError
from dicom_listener.intake.group_commit import GroupCommit
from tests.dicom_listener.conftest import provenance

LINED_UP = 6


class SlowDatabase:
    """Hold the first transaction open until the others have lined up, and count them all."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.transactions = 0
        self.may_go_on = threading.Event()
        self.has_begun = threading.Event()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self.transactions += 1
        with self._database.write() as connection:
            yield connection
            self.has_begun.set()
            assert self.may_go_on.wait(60)


def file_receipt(connection: Connection, reason: str) -> int:
    return receipts.append(connection, provenance().receipt(outcome=Outcome.STORED, reason=reason))


def run_together(commits: GroupCommit, slow: SlowDatabase, works: list[str]) -> list[object]:
    """Run one work alone until its transaction waits, then the others, which line up behind it."""

    def run(reason: str) -> object:
        def work(connection: Connection) -> int:
            if reason == "spoilt":
                raise ZeroDivisionError
            return file_receipt(connection, reason)

        try:
            return commits.run(slow, work)  # type: ignore[arg-type] # it acts as a database
        except ZeroDivisionError as error:
            return error

    with ThreadPoolExecutor(len(works) + 1) as pool:
        first = pool.submit(run, "first")
        assert slow.has_begun.wait(60)
        others = [pool.submit(run, reason) for reason in works]
        while len(commits._waiting) < len(works):  # noqa: SLF001 - the test waits for the line to form
            threading.Event().wait(0.01)
        assert not any(other.done() for other in (first, *others))
        slow.may_go_on.set()
        return [first.result(), *(other.result() for other in others)]


def test_those_who_line_up_share_one_transaction(archive: Archive) -> None:
    slow = SlowDatabase(archive.database)
    results = run_together(GroupCommit(), slow, [f"work {number}" for number in range(LINED_UP)])
    assert slow.transactions == 2
    filed = {each.sequence: each.receipt.reason for each in archive.receipts_after(0)}
    assert sorted(filed) == sorted(int(str(result)) for result in results)
    assert [filed[int(str(result))] for result in results[1:]] == [f"work {n}" for n in range(LINED_UP)]


def test_one_that_fails_spoils_nothing_for_the_others(archive: Archive) -> None:
    slow = SlowDatabase(archive.database)
    results = run_together(GroupCommit(), slow, ["a", "spoilt", "b"])
    assert isinstance(results[2], ZeroDivisionError)
    assert sorted(each.receipt.reason for each in archive.receipts_after(0)) == ["a", "b", "first"]


def test_a_database_that_is_away_is_told_to_everybody(archive: Archive) -> None:
    class Away:
        def write(self) -> None:
            raise OutOfResourcesError(what="The database", reason="it is away")

    commits = GroupCommit()
    with pytest.raises(OutOfResourcesError):
        commits.run(Away(), lambda connection: connection)  # type: ignore[arg-type] # it acts as a database
    assert commits.run(archive.database, lambda connection: file_receipt(connection, "later")) == 1
