"""Push the same images to several receivers in turn, and print what each took.

``python -m benchmarks.ingest --images 200 --rounds 5``

Rounds are interleaved, because machines are noisy: compare the medians of one run, not of two. The sender
is DCMTK's ``storescu``. As it comes, DCMTK keeps Nagle's algorithm on, at both ends, and each image waits
some 40 ms for a delayed acknowledgement; ``TCP_NODELAY=1`` turns it off, again at both ends. Nothing is
asserted.
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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import psutil  # type: ignore[import-untyped] # the maker ships no types

from benchmarks.ingest.images import template, write_images
from benchmarks.ingest.receivers import CALLED_AE, CALLING_AE, KINDS, Receiver, running

_SENDERS = {"as it comes": {}, "without Nagle": {"TCP_NODELAY": "1"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one push took."""

    images_per_second: float
    cpu_seconds: float  # of the receiver
    peak_megabytes: float  # of the receiver's resident memory, sampled


@contextmanager
def _watched(pid: int, peaks: list[float]) -> Iterator[None]:
    """Sample the resident memory of a process."""
    ended = threading.Event()

    def sample() -> None:
        process = psutil.Process(pid)
        while not ended.wait(0.02):
            peaks.append(process.memory_info().rss / 2**20)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def push(receiver: Receiver, folders: list[Path], images: int, variables: dict[str, str]) -> Figure:
    """Send each folder over an association of its own, all at once."""
    arguments = ["storescu", "-aet", CALLING_AE, "-aec", CALLED_AE, "+sd", "127.0.0.1", str(receiver.port)]
    process, peaks = psutil.Process(receiver.pid), [0.0]
    before = process.cpu_times()
    with _watched(receiver.pid, peaks):
        began = time.monotonic()
        senders = [
            subprocess.Popen([*arguments, str(folder)], env=os.environ | variables) for folder in folders
        ]
        failed = [sender.wait() for sender in senders]
        seconds = time.monotonic() - began
    if any(failed):
        sys.exit(f"storescu could not push to {receiver.name}: exit codes {failed}.")
    after = process.cpu_times()
    return Figure(
        images_per_second=images / seconds,
        cpu_seconds=after.user + after.system - before.user - before.system,
        peak_megabytes=max(peaks),
    )


def measure(images: int, rounds: int, associations: list[int], base: Path) -> None:
    """Run every combination in every round, and print the medians."""
    content, number = template(), 1
    figures: dict[tuple[str, int, str], list[Figure]] = defaultdict(list)
    kinds = [kind for kind in KINDS if kind.is_installed]
    with ExitStack() as stack:
        receivers = {
            (kind, sender): stack.enter_context(running(kind, base / f"{place}{sender}", variables))
            for sender, variables in _SENDERS.items()
            for place, kind in enumerate(kinds)
        }
        for turn, count, sender, kind in product(range(rounds), associations, _SENDERS, kinds):
            receiver = receivers[kind, sender]
            folders = [base / "push" / str(place) for place in range(count)]
            for folder in folders:
                write_images(folder, content, number, images // count)
                number += images // count
            sent = images // count * count
            figure = push(receiver, folders, sent, _SENDERS[sender])
            figures[sender, count, receiver.name].append(figure)
            shutil.rmtree(base / "push")
            print(
                f"round {turn + 1}: {receiver.name}, {count} associations, sender {sender}", file=sys.stderr
            )
    _print_table(figures, images)


def _print_table(figures: dict[tuple[str, int, str], list[Figure]], images: int) -> None:
    print(f"{'sender':<14} {'associations':>12} {'receiver':<24} {'images/s':>9} {'CPU s':>7} {'peak MB':>8}")
    for (sender, count, receiver), taken in figures.items():
        rate = statistics.median(figure.images_per_second for figure in taken)
        cpu = statistics.median(figure.cpu_seconds for figure in taken)
        peak = max(figure.peak_megabytes for figure in taken)
        print(f"{sender:<14} {count:>12} {receiver:<24} {rate:>9.1f} {cpu:>7.2f} {peak:>8.0f}")
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
    parser.add_argument("--folder", type=Path, default=None, help="where to keep what is received")
    options = parser.parse_args()
    if shutil.which("storescu") is None:
        sys.exit("The benchmark pushes with DCMTK's storescu; install it with: apt-get install dcmtk")
    with tempfile.TemporaryDirectory(dir=options.folder) as base:
        measure(options.images, options.rounds, options.associations, Path(base))


if __name__ == "__main__":
    main()
