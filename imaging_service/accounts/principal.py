"""Who acts: an account with its roles and its scope."""

from dataclasses import dataclass
from enum import StrEnum

from imaging_service.accounts.scope import Scope


class Role(StrEnum):
    """What an account may do; an account may have several."""

    ADMINISTRATOR = "administrator"
    COORDINATOR = "coordinator"
    READER = "reader"
    ADJUDICATOR = "adjudicator"
    SPONSOR = "sponsor"
    SERVICE = "service"
    SITE = "site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The caller of a request, as authenticated.

    Parameters
    ----------
    account_id
        Key of the account.
    account
        The name that the account signs in with.
    name
        The person's printed name.
    roles
        What the account may do.
    scope
        On which trials, sites and reader slots it may act.
    session_id
        Key of the session that the token belongs to, or ``None`` for an API key.
    """

    account_id: str
    account: str
    name: str
    roles: frozenset[Role]
    scope: Scope
    session_id: str | None = None

    def has(self, *roles: Role) -> bool:
        """Whether one of `roles` is the principal's."""
        return not self.roles.isdisjoint(roles)
