"""Threads that are kept for the next connection."""

import threading

from dicom_listener.network.crew import Crew
from tests.dicom_listener.test_listener import eventually


def test_work_is_done_at_once_however_much_there_is_and_few_threads_stay() -> None:
    crew, meeting = Crew(spare=2), threading.Barrier(9)
    seen: set[threading.Thread] = set()

    def work() -> None:
        seen.add(threading.current_thread())
        meeting.wait(30)

    for _ in range(8):
        crew.do(work)
    meeting.wait(30)  # all eight are at work
    assert eventually(lambda: sum(thread.is_alive() for thread in seen) == 2)
    crew.dismiss()
    assert eventually(lambda: not any(thread.is_alive() for thread in seen))


def test_a_thread_that_waits_does_the_next_work() -> None:
    crew, done = Crew(), threading.Semaphore(0)
    seen: list[threading.Thread] = []

    def work() -> None:
        seen.append(threading.current_thread())
        done.release()

    for _ in range(3):
        crew.do(work)
        assert done.acquire(timeout=30)
        assert eventually(lambda: crew._waiting == 1)  # noqa: SLF001 - nothing else tells that it waits
    assert len(set(seen)) == 1
    crew.dismiss()
    assert eventually(lambda: not seen[0].is_alive())


def test_those_who_were_mustered_do_the_first_work() -> None:
    crew, done = Crew(spare=2), threading.Semaphore(0)
    before = threading.active_count()
    crew.muster()
    assert eventually(lambda: crew._waiting == 2)  # noqa: SLF001 - as above
    for _ in range(2):
        crew.do(done.release)
    for _ in range(2):
        assert done.acquire(timeout=30)
    assert threading.active_count() <= before + 2
    crew.dismiss()
    assert eventually(lambda: threading.active_count() <= before)
