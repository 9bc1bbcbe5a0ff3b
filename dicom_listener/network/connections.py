"""Which connections are open, and which one gives way when there is no place left."""

import threading
from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from dicom_listener.metrics import ASSOCIATIONS, CONNECTIONS


class Associate(Protocol):
    """One who is connected, with or without an association."""

    is_recognised: bool

    @property
    def address(self) -> str:
        """Where the peer is."""

    @property
    def association_id(self) -> str:
        """The association's identifier in receipts; empty before the sender is known."""

    @property
    def opened_at(self) -> float:
        """When the connection was made, on the monotonic clock."""

    @property
    def heard_at(self) -> float:
        """When the peer was last heard."""

    def give_way(self) -> None:
        """End, so that another may be served."""

    def abort(self) -> None:
        """End, and wait for it a moment."""

    def close(self) -> None:
        """Give back what it holds, where it cannot begin."""


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
        self._open: dict[Associate, str] = {}
        self._leaving: set[Associate] = set()
        self._lock = threading.Lock()

    def enter(self, association: Associate) -> None:
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

    def recognise(self, association: Associate, calling_ae: str) -> None:
        """Count an association of a known sender."""
        peer = f"{association.address} {calling_ae.strip()}"
        with self._lock:
            own = [each for each, other in self._open.items() if other == peer and each not in self._leaving]
            leaves = self._first_to_leave(own) if len(own) >= self._each else None
            self._open[association] = peer
            ASSOCIATIONS.set(sum(map(bool, self._open.values())))
        if leaves is not None:
            leaves.give_way()

    def leave(self, association: Associate) -> None:
        """Forget a connection that has ended."""
        with self._lock:
            self._open.pop(association, None)
            self._leaving.discard(association)
            CONNECTIONS.set(len(self._open))
            ASSOCIATIONS.set(sum(map(bool, self._open.values())))

    def inherit(self, association: Associate, heir: Associate) -> bool:
        """Let another serve a connection from now on; tell whether it may stay."""
        with self._lock:
            self._open[heir] = self._open.pop(association, "")
            is_leaving = association in self._leaving
            self._leaving.discard(association)
            if is_leaving:
                self._leaving.add(heir)
        return not is_leaving

    def all(self) -> list[Associate]:
        """Return every open connection's association."""
        with self._lock:
            return list(self._open)

    def active(self) -> frozenset[str]:
        """Name the associations that may still send."""
        with self._lock:
            return frozenset(each.association_id for each in self._open if each.association_id)

    def _count(self) -> int:
        return len(self._open) - len(self._leaving)

    def _first_to_leave(self, among: Iterable[Associate]) -> Associate | None:
        """Choose, and note that it leaves."""
        staying = [each for each in among if each not in self._leaving]
        silent = [each for each in staying if not each.is_recognised]
        if silent:
            many = Counter(each.address for each in silent)
            return self._leaves(min(silent, key=lambda each: (-many[each.address], each.opened_at)))
        idle = min(staying, key=lambda each: each.heard_at, default=None)
        return None if idle is None else self._leaves(idle)

    def _leaves(self, chosen: Associate) -> Associate:
        self._leaving.add(chosen)
        return chosen
