"""Runs a command that ends when whoever started it ends, even by kill -9.

The starter keeps the writing end of a pipe and gives the reading end to its children. However it ends, the
kernel closes its end; each child sees the end of the pipe and ends itself as if asked to. A program that
gives way to another process, as the listener does, is asked by the kernel instead: no thread would survive
that.
"""

import ctypes
import os
import select
import signal
import sys
import time
from importlib import import_module
from threading import Thread

WATCH, KERNEL = "watch", "kernel"
"""Who asks the program to end: a thread of its own, or the kernel where it can."""

_GRACE_SECONDS = 4.0
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2); it outlives exec


def hold(reading_end: int) -> None:
    """End this process once the pipe's other end is closed."""
    Thread(target=_watch, args=(reading_end,), name="lifeline", daemon=True).start()


def _watch(reading_end: int) -> None:
    while os.read(reading_end, 1):
        pass  # nobody writes; only the end of the pipe matters
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def leave_to_kernel(reading_end: int) -> bool:
    """Have the kernel ask this process to end, and tell whether it will."""
    try:
        is_set = bool(ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM) == 0)
    except (OSError, AttributeError):
        return False  # no Linux
    if is_set:
        end = select.poll()
        end.register(reading_end, 0)
        if end.poll(0):  # it ended before it could be noticed
            os.kill(os.getpid(), signal.SIGTERM)
        os.close(reading_end)
    return is_set


def main() -> None:
    """Run the ``main`` of a module as a program: ``lifeline WHO FD MODULE PROGRAM ARGUMENT…``."""
    who, reading_end, module, *sys.argv = sys.argv[1:]
    if who != KERNEL or not leave_to_kernel(int(reading_end)):
        hold(int(reading_end))
    import_module(module).main()


if __name__ == "__main__":
    main()
