"""What every queue promises, proved on each of them."""

import os
import signal
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from imaging_service.jobs.errors import NoSuchJobError
from imaging_service.jobs.port import Job
from tests.imaging_service.jobs.conftest import wait_until
from tests.imaging_service.jobs.worker_process import RETRIES, SHORT_LEASES, write_effect


def write(name: str, **fields) -> Job:
    return Job(name="write_effect", payload={"name": name}, **fields)


class Failing:
    """A handler that fails a number of times before it works."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.attempts: list[int] = []
        self.begun_at: list[datetime] = []

    def __call__(self, context, payload):
        self.attempts.append(context.attempt)
        self.begun_at.append(datetime.now(UTC))
        with context.completion() as session:
            write_effect_in(session, payload)
            if len(self.attempts) <= self.times:
                message = f"the disk of {payload['name']} is full"
                raise OSError(message)


def write_effect_in(session: Session, payload: Mapping[str, Any]) -> None:
    session.execute(text("INSERT INTO effects (name) VALUES (:name)"), payload)


def test_a_job_runs_once_and_leaves_the_queue(bench):
    bench.enqueue(write("a"), write("b"), write("c"))
    assert bench.pending() == 3
    bench.run_until_empty()
    assert bench.effects() == ["a", "b", "c"]
    assert bench.parked() == []


def test_a_job_of_a_rolled_back_transaction_never_was(bench):
    def change_that_fails() -> float:
        with bench.services.database.write() as session:
            bench.services.queue.enqueue(session, write("a", key="a"))
            return 1 / 0

    with pytest.raises(ZeroDivisionError):
        change_that_fails()
    assert bench.pending() == 0


def test_a_job_is_seen_by_workers_only_after_its_transaction(bench):
    with bench.running():
        with bench.services.database.write() as session:
            bench.services.queue.enqueue(session, write("a"))
            assert bench.effects() == []
        wait_until(lambda: bench.effects() == ["a"], "The effect")


def test_of_waiting_jobs_with_one_key_there_is_one(bench):
    assert bench.enqueue(write("a", key="match 1"), write("b", key="match 1"), write("c", key="match 2")) == [
        True,
        False,
        True,
    ]
    bench.run_until_empty()
    assert bench.effects() == ["a", "c"]


def test_a_key_is_free_again_once_its_job_has_begun(bench):
    bench.hold("a")
    bench.enqueue(Job(name="hold_before_writing", payload={"name": "a"}, key="match 1"))
    with bench.running():
        bench.wait_until_held("a")
        assert bench.enqueue(write("b", key="match 1")) == [True]
        bench.let_go("a")
        wait_until(lambda: bench.effects() == ["a", "b"], "The second job")


def test_jobs_with_one_key_never_overlap(bench):
    bench.hold("a")
    bench.enqueue(Job(name="hold_before_writing", payload={"name": "a"}, key="match 1"))
    for _ in range(2):
        bench.start_worker()
    bench.wait_until_held("a")
    bench.enqueue(write("b", key="match 1"), write("free"))
    wait_until(lambda: bench.effects() == ["free"], "The job without this key, by the other worker")
    bench.let_go("a")
    wait_until(lambda: bench.effects() == ["a", "b", "free"], "All three")


def test_a_job_waits_for_its_time(bench):
    later = datetime.now(UTC) + timedelta(seconds=1)
    bench.enqueue(write("later", run_at=later), write("now"))
    with bench.running():
        wait_until(lambda: bench.effects() == ["now"], "The job without a time")
        wait_until(lambda: bench.effects() == ["later", "now"], "The job with a time")
    assert datetime.now(UTC) >= later


def test_a_second_request_hastens_the_waiting_job(bench):
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    bench.enqueue(write("a", key="match 1", run_at=tomorrow))
    assert bench.enqueue(write("a", key="match 1")) == [False]
    assert bench.enqueue(write("a", key="match 1", run_at=tomorrow)) == [False]
    bench.run_until_empty()
    assert bench.effects() == ["a"]


def test_a_failed_attempt_leaves_nothing_and_is_tried_again_after_a_pause(bench):
    failing = Failing(times=2)
    bench.enqueue(Job(name="failing", payload={"name": "a"}))
    bench.run_until_empty({"failing": failing})
    assert failing.attempts == [1, 2, 3]
    pauses = [later - earlier for earlier, later in zip(failing.begun_at, failing.begun_at[1:], strict=False)]
    assert pauses[0] >= RETRIES.pause_after(1)
    assert pauses[1] >= RETRIES.pause_after(2)
    assert bench.effects() == ["a"]


def test_a_retry_yields_to_a_newer_job_with_its_key(bench):
    failing = Failing(times=1)

    def request_again_and_fail(context, payload):
        if not failing.attempts:
            bench.enqueue(Job(name="failing", payload={"name": "newer"}, key="match 1"))
        failing(context, payload)

    bench.enqueue(Job(name="failing", payload={"name": "older"}, key="match 1"))
    bench.run_until_empty({"failing": request_again_and_fail})
    assert bench.effects() == ["newer"]
    assert bench.parked() == []


def test_a_job_that_always_fails_is_parked_visible_with_its_reason_and_may_be_released(bench):
    failing = Failing(times=RETRIES.attempts)
    bench.enqueue(Job(name="failing", payload={"name": "a"}, key="match 1"), write("b"))
    bench.run_until_empty({"failing": failing, "write_effect": write_effect})
    assert bench.effects() == ["b"]
    (parked,) = bench.parked()
    assert (parked.name, parked.key, parked.attempts) == ("failing", "match 1", RETRIES.attempts)
    assert parked.error == "OSError: the disk of a is full"
    assert parked.failed_at >= failing.begun_at[-1]

    with bench.services.database.write() as session:
        bench.services.queue.release(session, parked.job_id)
    bench.run_until_empty({"failing": failing})
    assert failing.attempts == [1, 2, 3, 1]
    assert bench.effects() == ["a", "b"]
    assert bench.parked() == []


def test_a_released_job_yields_to_a_waiting_one_with_its_key(bench):
    bench.enqueue(Job(name="failing", payload={"name": "a"}, key="match 1"))
    bench.run_until_empty({"failing": Failing(times=RETRIES.attempts)})
    bench.enqueue(write("b", key="match 1"))
    with bench.services.database.write() as session:
        bench.services.queue.release(session, bench.parked()[0].job_id)
    assert bench.pending() == 1
    bench.run_until_empty()
    assert bench.effects() == ["b"]


@pytest.mark.parametrize("job_id", ["77", "-1", "T01", ""])
def test_only_a_parked_job_can_be_released(bench, job_id):
    bench.enqueue(write("a"))
    with (
        pytest.raises(NoSuchJobError, match=f"No parked job has the number {job_id}."),
        bench.services.database.write() as session,
    ):
        bench.services.queue.release(session, job_id)


def test_a_job_that_nobody_can_handle_is_parked_with_the_names_that_are_known(bench):
    bench.enqueue(Job(name="segment_lesion"))
    bench.run_until_empty()
    assert "No handler is registered for job 'segment_lesion'; there are" in bench.parked()[0].error
    assert bench.parked()[0].attempts == RETRIES.attempts


def test_a_handler_completes_once(bench):
    def completes_twice(context, payload):
        write_effect(context, payload)
        write_effect(context, payload)

    bench.enqueue(Job(name="completes_twice", payload={"name": "a"}))
    bench.run_until_empty({"completes_twice": completes_twice})
    assert bench.effects() == ["a"]
    assert bench.parked() == []


def test_two_workers_share_the_jobs_and_never_run_one_at_the_same_time(bench):
    names = [f"{number:02d}" for number in range(24)]
    bench.enqueue(*(Job(name="hold_before_writing", payload={"name": name}) for name in names))
    for name in names[:2]:
        bench.hold(name)
    workers = [bench.start_worker(), bench.start_worker()]
    assert {bench.wait_until_held(name) for name in names[:2]} == {worker.pid for worker in workers}
    for name in names[:2]:
        bench.let_go(name)
    wait_until(lambda: bench.pending() == 0, "An empty queue")
    assert bench.effects() == names
    begun = Counter(name for what, name, _ in bench.journal() if what == "begin")
    assert begun == Counter(names)


@pytest.mark.parametrize(
    ("handler", "is_committed"),
    [("hold_before_writing", False), ("hold_before_commit", False), ("hold_after_commit", True)],
)
def test_a_killed_worker_s_job_is_finished_by_another_and_its_effect_is_there_once(
    bench, handler, is_committed
):
    bench.hold("a")
    bench.enqueue(Job(name=handler, payload={"name": "a"}, key="match 1"))
    first = bench.start_worker(SHORT_LEASES)
    assert bench.wait_until_held("a") == first.pid
    first.kill()
    first.join()
    assert bench.effects() == (["a"] if is_committed else [])

    bench.let_go("a")
    second = bench.start_worker(SHORT_LEASES)
    wait_until(lambda: bench.pending() == 0, "An empty queue")
    assert bench.effects() == ["a"]
    holders = [int(pid) for what, _, pid in bench.journal() if what == "holding"]
    assert holders == ([first.pid] if is_committed else [first.pid, second.pid])


@pytest.mark.parametrize("failing", [[], [1]], ids=["it would commit", "it fails"])
def test_a_worker_that_wakes_after_its_lease_was_given_away_changes_nothing(bench, failing):
    """The first worker sleeps over its lease, wakes while the second is at the job, and ends first."""
    bench.hold("a-1")
    bench.hold("a-2")
    bench.enqueue(Job(name="hold_each_attempt", payload={"name": "a", "failing": failing}))
    sleeper = bench.start_worker(SHORT_LEASES)
    assert bench.wait_until_held("a-1") == sleeper.pid
    bench.freeze(sleeper)
    second = bench.start_worker(SHORT_LEASES)
    assert bench.wait_until_held("a-2") == second.pid
    os.kill(sleeper.pid, signal.SIGCONT)
    bench.let_go("a-1")
    bench.enqueue(write("b"))  # which only the sleeper is free to run, once it is done with the first
    wait_until(lambda: bench.effects() == ["b"], "The sleeper's next job")
    assert bench.pending() == 1

    bench.let_go("a-2")
    wait_until(lambda: bench.pending() == 0, "An empty queue")
    assert bench.effects() == ["a", "b"]
    assert [what for what, which, _ in bench.journal() if which.startswith("a-")] == ["holding"] * 2
    sleeper.terminate()
    sleeper.join()
    assert sleeper.exitcode == 0


def test_a_job_that_kills_its_workers_is_parked(bench):
    bench.enqueue(Job(name="end_the_process", payload={"name": "poison"}))
    for attempt in range(1, RETRIES.attempts + 1):
        worker = bench.start_worker(SHORT_LEASES)
        worker.join()
        assert worker.exitcode == -signal.SIGKILL
        assert len(bench.journal()) == attempt
    bench.start_worker(SHORT_LEASES)
    wait_until(bench.parked, "The parked job")
    assert "ended its worker" in bench.parked()[0].error
    assert len(bench.journal()) == RETRIES.attempts


def test_a_worker_that_is_asked_to_stop_finishes_the_job_at_hand(bench):
    bench.hold("a")
    bench.enqueue(Job(name="hold_before_writing", payload={"name": "a"}))
    worker = bench.start_worker()
    bench.wait_until_held("a")
    worker.terminate()
    bench.let_go("a")
    worker.join()
    assert worker.exitcode == 0
    assert bench.effects() == ["a"]
    assert bench.pending() == 0
