"""Slows down whoever tries tokens, and nobody behind the same address whose token is good."""

import hashlib
from collections import OrderedDict

from imaging_service.errors import TooManyRequestsError
from imaging_service.http.rates import Rates, network_of

_MOST_REMEMBERED = 10_000


class WrongTokens:
    """Counts wrong tokens for each address, and remembers what was good lately; in each process by itself."""

    def __init__(self, rates: Rates) -> None:
        """Count by `rates`."""
        self._rates = rates
        self._good: OrderedDict[bytes, None] = OrderedDict()

    def refuse_while_waiting(self, address: str, shown: str) -> None:
        """Refuse an address that showed too many, unless what it shows now was good lately.

        Raises
        ------
        TooManyRequestsError
            It must wait.
        """
        if self._rates.is_empty(network_of(address)) and _digest(shown) not in self._good:
            message = "Too many wrong tokens came from this address; try again in a minute."
            raise TooManyRequestsError(message, retry_after_seconds=60)

    def count(self, address: str, shown: str) -> None:
        """Count a wrong token, and trust it no longer."""
        self._good.pop(_digest(shown), None)
        self._rates.seconds_to_wait(network_of(address))

    def remember_good(self, shown: str) -> None:
        """Remember what was good."""
        digest = _digest(shown)
        self._good[digest] = None
        self._good.move_to_end(digest)
        if len(self._good) > _MOST_REMEMBERED:
            self._good.popitem(last=False)


def _digest(shown: str) -> bytes:
    return hashlib.sha256(shown.encode("utf-8", "surrogateescape")).digest()
