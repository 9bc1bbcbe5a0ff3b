"""How long the next password must wait after wrong ones, so that guessing is slow and nobody is shut out.

Wrong passwords are counted for an account from an address, for the address, and for the account. Whoever
has signed in from an address before waits there only for wrong passwords of that account from that
address: neither a guesser behind the same address nor one somewhere else can keep them out.
The counts are in the database, so that all processes share them.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from imaging_service.accounts import repository
from imaging_service.accounts.repository import SignInFailures
from imaging_service.errors import TooManyRequestsError

FORGOTTEN_AFTER = timedelta(hours=1)
_KNOWN_FOR = timedelta(days=30)
_ANY = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is counted, and what follows."""

    counted: str
    """As the refusal says it."""
    free: int
    """Wrong passwords before the wait begins."""
    longest: timedelta
    by_account: bool
    by_address: bool

    def wait_after(self, failures: int) -> timedelta:
        """Return how long to wait after so many: it doubles from one second.

        Examples
        --------
        >>> [PAIR.wait_after(failures).seconds for failures in (4, 5, 6, 11, 500)]
        [0, 1, 2, 60, 60]
        """
        if failures < self.free:
            return timedelta()
        return min(self.longest, timedelta(seconds=2 ** min(failures - self.free, 10)))

    def key(self, account: str, address: str) -> tuple[str, str]:
        """Return what the count is kept under."""
        return (sha256(account) if self.by_account else _ANY, address if self.by_address else _ANY)


PAIR = Rule(
    counted="for this account from this address",
    free=5,
    longest=timedelta(seconds=60),
    by_account=True,
    by_address=True,
)
ADDRESS = Rule(
    counted="from this address",
    free=20,
    longest=timedelta(seconds=60),
    by_account=False,
    by_address=True,
)
ACCOUNT = Rule(
    counted="for this account",
    free=20,
    longest=timedelta(seconds=5),  # whoever guesses from everywhere must not keep the owner out for long
    by_account=True,
    by_address=False,
)


def sha256(secret: str) -> str:
    """Return what is kept of a secret, or of a name that anybody may have typed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def refuse_while_waiting(session: Session, account: str, address: str, now: datetime) -> None:
    """Refuse a password that comes before its time.

    Raises
    ------
    TooManyRequestsError
        It must wait; the answer says how long.
    """
    is_known = repository.has_signed_in_from(session, account, address, now - _KNOWN_FOR)
    for rule in (PAIR,) if is_known else (PAIR, ADDRESS, ACCOUNT):
        _refuse(rule, repository.failures(session, *rule.key(account, address)), now)


def _refuse(rule: Rule, found: SignInFailures | None, now: datetime) -> None:
    if found is None:
        return
    rest = (found.last_at + rule.wait_after(found.failures) - now).total_seconds()
    if rest > 0:
        seconds = int(rest) + 1
        message = (
            f"{found.failures} wrong passwords in a row came {rule.counted}; "
            f"the next may be tried in {seconds} s."
        )
        raise TooManyRequestsError(message, retry_after_seconds=seconds)


def count(session: Session, account: str, address: str, now: datetime) -> None:
    """Count a wrong password."""
    for rule in (PAIR, ADDRESS, ACCOUNT):
        repository.count_failure(session, *rule.key(account, address), now)


def forget(session: Session, account: str, address: str, now: datetime) -> None:
    """Forget the wrong passwords of this account from this address, and every old count."""
    repository.forget_failures(session, *PAIR.key(account, address), now - FORGOTTEN_AFTER)
