"""Push the same images to several receivers in turn, and print what each took.

``python -m benchmarks.ingest --images 200 --rounds 5``

Rounds are interleaved, because machines are noisy: compare the medians of one run, not of two. The senders
are DCMTK's ``storescu`` and one that replays prebuilt PDUs. As it comes, DCMTK keeps Nagle's algorithm on,
at both ends, and each image waits some 40 ms for a delayed acknowledgement; ``TCP_NODELAY=1`` turns it off,
again at both ends. 'rest s' is how long a receiver worked on after its last answer. Nothing is asserted.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import psutil

from benchmarks.ingest.images import template, write_images
from benchmarks.ingest.receivers import CALLED_AE, CALLING_AE, KINDS, Receiver, running
from dicom_listener.archive.backlog import Backlog

_STORESCU = ("storescu", "-aet", CALLING_AE, "-aec", CALLED_AE, "+sd", "127.0.0.1")
_REPLAY = (sys.executable, "-m", "benchmarks.ingest.replay")
_NO_NAGLE = {"TCP_NODELAY": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A program that sends the files of a folder: it is given a port and the folder."""

    name: str
    command: tuple[str, ...]
    variables: dict[str, str]
    waits: bool = False  # until it is told to begin


SENDERS = (
    Sender(name="as it comes", command=_STORESCU, variables={}),
    Sender(name="without Nagle", command=_STORESCU, variables=_NO_NAGLE),
    Sender(name="replay", command=_REPLAY, variables=_NO_NAGLE, waits=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one push took."""

    images_per_second: float
    cpu_seconds: float  # of the receiver
    peak_megabytes: float  # of the receiver's resident memory, sampled
    rest_seconds: float  # until what was acknowledged had reached its place


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _cpu_seconds(pid: int) -> float:
    times = [process.cpu_times() for process in _family(pid)]
    return float(sum(each.user + each.system for each in times))


@contextmanager
def _watched(pid: int, peaks: list[float]) -> Iterator[None]:
    """Sample the resident memory of a process and of what it has started."""
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(0.02):
            with suppress(psutil.NoSuchProcess):
                peaks.append(sum(process.memory_info().rss for process in _family(pid)) / 2**20)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def push(receiver: Receiver, folders: list[Path], images: int, sender: Sender) -> Figure:
    """Send each folder over an association of its own, all at once."""
    peaks, before = [0.0], _cpu_seconds(receiver.pid)
    with _watched(receiver.pid, peaks):
        began = time.monotonic()
        running_senders = [
            subprocess.Popen(
                [*sender.command, str(receiver.port), str(folder)],
                env=os.environ | sender.variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for folder in folders
        ]
        if sender.waits:
            for each in running_senders:
                each.stdout.readline()  # type: ignore[union-attr] # it is a pipe
            began = time.monotonic()
        for each in running_senders:
            each.stdin.write(b"go\n")  # type: ignore[union-attr] # it is a pipe
            each.stdin.close()  # type: ignore[union-attr] # as above
        failed = [each.wait() for each in running_senders]
        seconds = time.monotonic() - began
        _await_rest(receiver)
    if any(failed):
        sys.exit(f"The sender could not push to {receiver.name}: exit codes {failed}.")
    return Figure(
        images_per_second=images / seconds,
        cpu_seconds=_cpu_seconds(receiver.pid) - before,
        peak_megabytes=max(peaks),
        rest_seconds=time.monotonic() - began - seconds,
    )


def _await_rest(receiver: Receiver) -> None:
    """Wait until a receiver has placed what it acknowledged, so that it does not burden the next."""
    backlog = Backlog(receiver.folder / "objects" / "log")
    while backlog.waiting().instances:
        time.sleep(0.01)
    os.sync()


def measure(options: argparse.Namespace, base: Path) -> None:
    """Run every combination in every round, and print the medians."""
    content, number = template(), 1
    figures: dict[tuple[str, int, str], list[Figure]] = defaultdict(list)
    kinds = [kind for kind in KINDS if kind.is_installed]
    senders = [sender for sender in SENDERS if sender.name in options.senders]
    with ExitStack() as stack:
        receivers = {
            (kind, frozenset(variables)): stack.enter_context(
                running(kind, base / f"{place}-{kind_place}", variables)
            )
            for place, variables in enumerate(({}, _NO_NAGLE))
            for kind_place, kind in enumerate(kinds)
        }
        turns = product(range(options.rounds), options.associations, senders, kinds)
        for turn, count, sender, kind in turns:
            receiver = receivers[kind, frozenset(sender.variables)]
            folders = [base / "push" / str(place) for place in range(count)]
            for folder in folders:
                write_images(folder, content, number, options.images // count)
                number += options.images // count
            figure = push(receiver, folders, options.images // count * count, sender)
            figures[sender.name, count, receiver.name].append(figure)
            shutil.rmtree(base / "push")
            said = f"round {turn + 1}: {receiver.name}, {count} associations, {sender.name}"
            print(f"{said}: {figure.images_per_second:.1f} images/s", file=sys.stderr)
        _print_table(figures, options.images)
        if options.large:
            _print_large(
                [receivers[kind, frozenset(_NO_NAGLE)] for kind in kinds], options.large, base / "large"
            )


def _print_large(receivers: list[Receiver], megabytes: int, folder: Path) -> None:
    """Send one multi-frame object to each receiver."""
    write_images(folder, template(frames=2 * megabytes), 10**9, 1)
    for receiver in receivers:
        figure = push(receiver, [folder], 1, SENDERS[-1])
        seconds = 1 / figure.images_per_second
        print(
            f"{megabytes} MB object  {receiver.name:<24} {seconds:>7.2f} s {figure.peak_megabytes:>8.0f} MB"
        )


def _print_table(figures: dict[tuple[str, int, str], list[Figure]], images: int) -> None:
    columns = f"{'images/s':>9} {'CPU s':>7} {'peak MB':>8} {'rest s':>7}"
    print(f"{'sender':<14} {'associations':>12} {'receiver':<24} {columns}")
    for (sender, count, receiver), taken in figures.items():
        rate = statistics.median(figure.images_per_second for figure in taken)
        cpu = statistics.median(figure.cpu_seconds for figure in taken)
        peak = max(figure.peak_megabytes for figure in taken)
        rest = statistics.median(figure.rest_seconds for figure in taken)
        print(f"{sender:<14} {count:>12} {receiver:<24} {rate:>9.1f} {cpu:>7.2f} {peak:>8.0f} {rest:>7.2f}")
    rounds = len(next(iter(figures.values())))
    print(f"Medians of {rounds} interleaved rounds of {images} images of 512 x 512 x 16 bit, highest memory.")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--associations", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--senders", nargs="+", default=[sender.name for sender in SENDERS])
    parser.add_argument("--large", type=int, default=300, help="megabytes of one further object; 0 for none")
    parser.add_argument("--folder", type=Path, default=None, help="where to keep what is received")
    options = parser.parse_args()
    if shutil.which("storescu") is None:
        sys.exit("The benchmark pushes with DCMTK's storescu; install it with: apt-get install dcmtk")
    with tempfile.TemporaryDirectory(dir=options.folder) as base:
        measure(options, Path(base))


if __name__ == "__main__":
    main()
