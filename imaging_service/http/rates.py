"""How often somebody unknown may ask: a bucket of turns for each address that fills up again with time.

The buckets are this process's own: of several processes each lets through so many. What must hold over all
of them, the wrong passwords, is counted in the database (`accounts.back_off`).
"""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from math import ceil
from time import monotonic

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from imaging_service.errors import TooManyRequestsError
from imaging_service.http.problems import problem_of

_MOST_ADDRESSES = 10_000


class Rates:
    """Turns for each key.

    Parameters
    ----------
    per_minute
        Turns that a bucket holds, and that come back in a minute.
    now
        Seconds on a clock that nobody sets.

    Examples
    --------
    >>> seconds = iter([0.0, 0.0, 0.0, 31.0])
    >>> rates = Rates(per_minute=2, now=lambda: next(seconds))
    >>> [rates.seconds_to_wait("10.0.0.1") for _ in range(4)]
    [0, 0, 30, 0]
    """

    def __init__(self, *, per_minute: int, now: Callable[[], float] = monotonic) -> None:
        """Begin with every bucket full."""
        self._most = float(per_minute)
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def seconds_to_wait(self, key: str) -> int:
        """Take a turn and return 0, or return the seconds until there is one."""
        now = self._now()
        left = self._left(key, now)
        if left < 1:
            return max(1, ceil((1 - left) * 60 / self._most))
        self._keep(key, left - 1, now)
        return 0

    def is_empty(self, key: str) -> bool:
        """Whether no turn is left; none is taken."""
        return self._left(key, self._now()) < 1

    def _left(self, key: str, now: float) -> float:
        left, at = self._buckets.get(key, (self._most, now))
        return min(self._most, left + (now - at) * self._most / 60)

    def _keep(self, key: str, left: float, now: float) -> None:
        self._buckets[key] = (left, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > _MOST_ADDRESSES:
            self._buckets.popitem(last=False)


def network_of(address: str) -> str:
    """Return what one caller can be told by: an IPv4 address, or the /64 network of an IPv6 address.

    Examples
    --------
    >>> network_of("10.0.0.1"), network_of("2001:db8::5:6"), network_of("testclient")
    ('10.0.0.1', '2001:db8::', 'testclient')
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(IPv6Address(int(found) >> 64 << 64))
    return address


class RateMiddleware:
    """Lets requests that show no credential wait when too many come from one address."""

    def __init__(self, app: ASGIApp, *, rates: Rates) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not _shows_credential(scope):
            wait = self._rates.seconds_to_wait(network_of((scope.get("client") or ("unknown", 0))[0]))
            if wait:
                message = f"Too many requests without a token come from this address; try again in {wait} s."
                refusal = problem_of(TooManyRequestsError(message, retry_after_seconds=wait))
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _shows_credential(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "authorization" in headers or "cookie" in headers or "client_certificate" in scope.get("state", {})
