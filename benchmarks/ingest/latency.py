"""How long an association, a C-ECHO and a C-FIND take: ``python -m benchmarks.ingest.latency``."""

import argparse
import socket
import statistics
import struct
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from benchmarks.ingest.images import template, write_images
from benchmarks.ingest.receivers import KINDS, Receiver, running
from benchmarks.ingest.replay import answer, associated, element, fragments, send_folder, status_of

_VERIFICATION = b"1.2.840.10008.1.1"
_FIND = b"1.2.840.10008.5.1.4.1.2.2.1"  # study root
_NO_DATA_SET = 0x0101
_PENDING = (0xFF00, 0xFF01)
_EACH = 20  # requests over one association


def _command(sop_class: bytes, field: int, message: int, data_set: int) -> memoryview:
    short = struct.Struct("<H").pack
    written = element(0x0002, sop_class) + element(0x0100, short(field)) + element(0x0110, short(message))
    written += element(0x0700, short(0)) + element(0x0800, short(data_set))
    return memoryview(element(0, struct.pack("<L", len(written))) + written)


def _query() -> memoryview:
    """Return the identifier of a search for one study by PatientID, explicit VR little endian."""
    study, series = b"", b"BENCH-1 "
    rows = (
        (0x0008, 0x0052, b"CS", b"STUDY "),
        (0x0010, 0x0020, b"LO", series),
        (0x0020, 0x000D, b"UI", study),
    )
    return memoryview(b"".join(struct.pack("<HH2sH", *row[:3], len(row[3])) + row[3] for row in rows))


def _asked(connection: socket.socket, command: memoryview, identifier: memoryview | None) -> None:
    """Send one request, and wait for its last answer."""
    connection.sendall(b"".join(fragments(command, 1, 16384)))
    if identifier is not None:
        connection.sendall(b"".join(fragments(identifier, 0, 16384)))
    while True:
        response = answer(connection)
        if not response[6] & 1:
            continue  # the data set of an answer
        status = status_of(response)
        if status == 0:
            return
        if status not in _PENDING:
            sys.exit(f"A request was answered with 0x{status:04X}.")


def measure(receiver: Receiver) -> dict[str, float]:
    """Return milliseconds by what was asked for."""
    taken = {}
    began = time.perf_counter()
    with associated(receiver.port, _VERIFICATION) as (connection, _):
        taken["association"] = time.perf_counter() - began
        began = time.perf_counter()
        for number in range(_EACH):
            _asked(connection, _command(_VERIFICATION, 0x0030, number + 1, _NO_DATA_SET), None)
        taken["C-ECHO"] = (time.perf_counter() - began) / _EACH
    if receiver.finds:
        with associated(receiver.port, _FIND) as (connection, _):
            began = time.perf_counter()
            for number in range(_EACH):
                _asked(connection, _command(_FIND, 0x0020, number + 1, 1), _query())
            taken["C-FIND"] = (time.perf_counter() - began) / _EACH
    return {name: seconds * 1000 for name, seconds in taken.items()}


def main() -> None:
    """Read the options and measure, interleaved."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    figures: dict[tuple[str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as base, ExitStack() as stack:
        kinds = [kind for kind in KINDS if kind.is_installed]
        receivers = [
            stack.enter_context(running(kind, Path(base) / str(place), {"TCP_NODELAY": "1"}))
            for place, kind in enumerate(kinds)
        ]
        folder = Path(base) / "push"
        write_images(folder, template(), 1, 50)
        for receiver in receivers:
            send_folder(receiver.port, folder)
        for _ in range(options.rounds):
            for receiver in receivers:
                for what, taken in measure(receiver).items():
                    figures[what, receiver.name].append(taken)
    for (what, name), each in sorted(figures.items()):
        print(f"{what:<12} {name:<24} {statistics.median(each):>8.2f} ms")


if __name__ == "__main__":
    main()
