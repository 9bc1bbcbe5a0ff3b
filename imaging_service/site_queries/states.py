"""What may be said about a question to a site, by whom, and what state it leaves the question in."""

from dataclasses import dataclass
from enum import StrEnum

from imaging_service.accounts.principal import Role


class QueryState(StrEnum):
    """Who has the next word."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class Deed(StrEnum):
    """What was done about a question."""

    ASKED = "asked"
    ANSWERED = "answered"
    FOLLOWED_UP = "followed_up"
    CLOSED = "closed"
    REOPENED = "reopened"


class QueryCode(StrEnum):
    """What a question is about."""

    SERIES_MISSING = "series_missing"
    ACQUISITION = "acquisition"
    COVERAGE = "coverage"
    IDENTITY = "identity"
    STUDY_DATE = "study_date"
    STUDY_MISSING = "study_missing"
    NOT_DONE = "not_done"
    CLINICAL = "clinical"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When a deed may be done, and what follows."""

    before: frozenset[QueryState]
    after: QueryState
    verb: str


RULES = {
    Deed.ANSWERED: Rule(before=frozenset({QueryState.OPEN}), after=QueryState.ANSWERED, verb="be answered"),
    Deed.FOLLOWED_UP: Rule(
        before=frozenset({QueryState.OPEN, QueryState.ANSWERED}), after=QueryState.OPEN, verb="be followed up"
    ),
    Deed.CLOSED: Rule(
        before=frozenset({QueryState.OPEN, QueryState.ANSWERED}), after=QueryState.CLOSED, verb="be closed"
    ),
    Deed.REOPENED: Rule(before=frozenset({QueryState.CLOSED}), after=QueryState.OPEN, verb="be opened again"),
}
"""Every deed after the question itself; an asked question is open."""

UNFINISHED = frozenset({QueryState.OPEN, QueryState.ANSWERED})
"""States in which the trial's staff still waits, or has an answer to look at."""

SEE_ALL = frozenset({Role.ADMINISTRATOR, Role.COORDINATOR, Role.SPONSOR})
"""Roles that see the questions to every site of their scope; a site sees its own alone."""
