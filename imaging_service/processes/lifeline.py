"""Runs a command that ends when whoever started it ends, even by kill -9.

The starter keeps the writing end of a pipe and gives the reading end to its children. However it ends, the
kernel closes its end; each child sees the end of the pipe and ends itself as if asked to.
"""

import os
import signal
import sys
import time
from importlib import import_module
from threading import Thread

_GRACE_SECONDS = 4.0


def hold(reading_end: int) -> None:
    """End this process once the pipe's other end is closed."""
    Thread(target=_watch, args=(reading_end,), name="lifeline", daemon=True).start()


def _watch(reading_end: int) -> None:
    while os.read(reading_end, 1):
        pass  # nobody writes; only the end of the pipe matters
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Run the ``main`` of a module as a program: ``lifeline FD MODULE PROGRAM ARGUMENT…``."""
    reading_end, module, *sys.argv = sys.argv[1:]
    hold(int(reading_end))
    import_module(module).main()


if __name__ == "__main__":
    main()
