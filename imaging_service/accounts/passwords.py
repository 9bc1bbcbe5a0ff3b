"""Passwords, as argon2id hashes (RFC 9106), a few at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from imaging_service.errors import BusyError, RefusedError

LEAST_LENGTH = 10
GREATEST_LENGTH = 256


class Passwords:
    """Hashes and checks passwords; each takes much memory and time, so that only a few run at once.

    Parameters
    ----------
    memory_kib, passes
        Cost of one hash.
    at_once
        Hashes at the same time, at most.
    wait_seconds
        How long a caller waits for its turn.
    """

    def __init__(
        self, *, memory_kib: int = 65_536, passes: int = 3, at_once: int = 4, wait_seconds: float = 30.0
    ) -> None:
        """Prepare the hash that an unknown account is checked against."""
        self.at_once = at_once
        self._wait_seconds = wait_seconds
        self._turns = threading.BoundedSemaphore(at_once)
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        self._nobody = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """Return the hash to keep.

        Raises
        ------
        RefusedError
            The password is too short or too long.
        """
        if not LEAST_LENGTH <= len(password) <= GREATEST_LENGTH:
            message = (
                f"The password has {len(password)} characters; "
                f"it must have {LEAST_LENGTH} to {GREATEST_LENGTH}."
            )
            raise RefusedError(message, code="password_length")
        with self.turn():
            return self._hasher.hash(password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether `password` is the one; without a hash it takes as long and says no."""
        with self.turn():
            try:
                self._hasher.verify(password_hash or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
        return password_hash is not None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold one of the few turns.

        Raises
        ------
        BusyError
            None came free in time.
        """
        if not self._turns.acquire(timeout=self._wait_seconds):
            message = f"Password checks were busy for {self._wait_seconds:g} s; please try again."
            raise BusyError(message)
        try:
            yield
        finally:
            self._turns.release()
