"""Who is entered as the one who acted."""

from dataclasses import dataclass
from typing import Protocol


class Actor(Protocol):
    """An account, or a part of the system; a `Principal` is one."""

    @property
    def account_id(self) -> str | None:
        """Return the account's key, or ``None`` for the system."""
        ...

    @property
    def name(self) -> str:
        """Return the name as entered."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemActor:
    """A part of the system that acts by itself, such as the worker."""

    name: str
    account_id: None = None


WORKER = SystemActor(name="system:worker")
OPERATOR = SystemActor(name="system:command-line")
