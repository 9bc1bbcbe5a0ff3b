"""Logs that nobody reads."""

import io
import threading

from dicom_listener.logs import UnhurriedLog


class Stuck(io.StringIO):
    """A pipe that is full until it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.is_read = threading.Event()

    def write(self, text: str) -> int:
        self.is_read.wait()
        return super().write(text)


def test_a_log_that_nobody_reads_stops_nobody_and_misses_lines() -> None:
    pipe = Stuck()
    log = UnhurriedLog(pipe, lines=10)
    for number in range(100):
        log.write(f"{number}\n")
    assert log.missed >= 88
    pipe.is_read.set()
    log.drain(30)
    lines = pipe.getvalue().split()
    assert lines[0] == "0"
    assert len(lines) + log.missed == 100


def test_what_was_logged_is_written_in_its_order() -> None:
    stream = io.StringIO()
    log = UnhurriedLog(stream)
    for number in range(50):
        log.write(f"{number}\n")
    log.drain(30)
    assert stream.getvalue().split() == [str(number) for number in range(50)]
