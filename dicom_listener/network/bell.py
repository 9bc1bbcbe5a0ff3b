"""A way to wake a thread that waits for a socket."""

import os
import threading


class Bell:
    """A descriptor for `select.poll`, readable once another thread has rung."""

    def __init__(self) -> None:
        """Take a descriptor; `close` gives it back."""
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._lock = threading.Lock()
        self._is_closed = False

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._descriptor

    def ring(self) -> None:
        """Wake the one who waits; a closed bell is silent."""
        with self._lock:
            if not self._is_closed:
                os.eventfd_write(self._descriptor, 1)

    def silence(self) -> None:
        """Be ready to be rung again."""
        os.eventfd_read(self._descriptor)

    def close(self) -> None:
        """Give the descriptor back, after which it may become another file's."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                os.close(self._descriptor)
