"""Which connections are open, and which one gives way when there is no place left."""

import threading
from collections import Counter
from time import monotonic
from typing import Any

from dicom_listener.metrics import ASSOCIATIONS, CONNECTIONS


class Connections:
    """Every open connection of a listener, counted from its first packet on.

    When places run out, the oldest connection that has not asked for an association gives way, of the
    address with the most of them; when there is none, the association that has been idle longest. A peer
    (address and calling AE title) that holds as many associations as one may gives way to itself, so that
    others keep their places.
    """

    def __init__(self, *, total: int, each: int) -> None:
        """Allow `total` connections, and `each` peer so many associations."""
        self._total, self._each = total, each
        self._open: dict[Any, str] = {}
        self._leaving: set[Any] = set()
        self._lock = threading.Lock()

    def enter(self, association: Any) -> None:  # noqa: ANN401 - the library's
        """Count a new connection."""
        with self._lock:
            leaves = self._first_to_leave(self._open) if self._count() >= self._total else None
            self._open[association] = ""
            CONNECTIONS.set(len(self._open))
        if leaves is not None:
            leaves.give_way()

    def make_room(self) -> None:
        """Let one give way now, as the system has nothing left for another."""
        with self._lock:
            leaves = self._first_to_leave(self._open)
        if leaves is not None:
            leaves.give_way()

    def recognise(self, association: Any, calling_ae: str) -> None:  # noqa: ANN401 - the library's
        """Count an association of a known sender."""
        peer = f"{association.requestor.address} {calling_ae.strip()}"
        with self._lock:
            own = [each for each, other in self._open.items() if other == peer and each not in self._leaving]
            leaves = self._first_to_leave(own) if len(own) >= self._each else None
            self._open[association] = peer
            ASSOCIATIONS.set(sum(map(bool, self._open.values())))
        if leaves is not None:
            leaves.give_way()

    def leave(self, association: Any) -> None:  # noqa: ANN401 - the library's
        """Forget a connection that has ended."""
        with self._lock:
            self._open.pop(association, None)
            self._leaving.discard(association)
            CONNECTIONS.set(len(self._open))
            ASSOCIATIONS.set(sum(map(bool, self._open.values())))

    def all(self) -> list[Any]:
        """Return every open connection's association."""
        with self._lock:
            return list(self._open)

    def _count(self) -> int:
        return len(self._open) - len(self._leaving)

    def _first_to_leave(self, among: Any) -> Any:  # noqa: ANN401 - the library's
        """Choose, and note that it leaves."""
        staying = [each for each in among if each not in self._leaving]
        silent = [each for each in staying if not each.is_recognised]
        if silent:
            many = Counter(each.requestor.address for each in silent)
            chosen = min(silent, key=lambda each: (-many[each.requestor.address], each.dul.opened_at))
        else:
            now = monotonic()
            chosen = max(staying, key=lambda each: now - each.dul.heard_at, default=None)
        if chosen is not None:
            self._leaving.add(chosen)
        return chosen
