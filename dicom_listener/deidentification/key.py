"""What only the holder of the secret can tell: new UIDs, new names, how far dates have moved."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from dicom_listener.errors import KeyUnusableError

_SHORTEST = 32
_MOST_DAYS = 3650
_NAME_DIGITS = 10
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A secret from which everything new is derived: the same in gives the same out, at every site.

    Whoever has it can tell whether a UID or a subject is a given one, so it stays with the operator.
    """

    secret: bytes = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> "Key":
        """Read the secret from its file.

        Raises
        ------
        KeyUnusableError
            There is no such file, it cannot be read, or it is too short to be a secret.
        """
        try:
            secret = path.read_bytes().strip()
        except OSError as error:
            raise KeyUnusableError(path, error.strerror or str(error)) from error
        if len(secret) < _SHORTEST:
            raise KeyUnusableError(path, f"it has {len(secret)} bytes; a secret has {_SHORTEST} or more")
        return cls(secret=secret)

    def uid(self, uid: str) -> str:
        """Return the UID that stands for another (PS3.5 B.2: ``2.25.`` and 128 bits)."""
        return f"2.25.{int.from_bytes(self._derived('uid', uid)[:16], 'big')}"

    def name(self, subject: str) -> str:
        """Return the name and PatientID of a subject, such as ``S-7KQ2M9X4AB``."""
        number = int.from_bytes(self._derived("name", subject), "big")
        return "S-" + "".join(_ALPHABET[number >> 5 * place & 31] for place in range(_NAME_DIGITS))

    def moved_by(self, subject: str) -> timedelta:
        """Return by how many whole days all dates of a subject move: into the past, up to ten years."""
        number = int.from_bytes(self._derived("dates", subject)[:8], "big")
        return timedelta(days=-(1 + number % _MOST_DAYS))

    def _derived(self, purpose: str, value: str) -> bytes:
        return hmac.new(self.secret, f"{purpose}\0{value}".encode(), hashlib.sha256).digest()
