"""Which states follow which, for whom and why: the whole life of a timepoint's images as a table."""

from dataclasses import dataclass
from enum import StrEnum

from imaging_service.timepoints.control import ControlState as State


class Cause(StrEnum):
    """Why a state was left."""

    IMAGES_RECEIVED = "images_received"
    IMAGES_TAKEN_AWAY = "images_taken_away"
    CONTROL_BEGAN = "control_began"
    NOTHING_BLOCKS = "nothing_blocks"
    ACCEPTED_BY_PERSON = "accepted_by_person"
    REJECTED_BY_PERSON = "rejected_by_person"
    REOPENED_BY_PERSON = "reopened_by_person"
    QUERY_ASKED = "query_asked"
    QUERIES_CLOSED = "queries_closed"
    CORRECTION_RECEIVED = "correction_received"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One allowed change of state; `None` stands for a timepoint without images."""

    before: State | None
    after: State | None
    cause: Cause


def _from(*states: State | None, to: State | None, cause: Cause) -> tuple[Transition, ...]:
    return tuple(Transition(before=each, after=to, cause=cause) for each in states)


_CONTROLLED = (State.IN_CONTROL, State.ACCEPTED, State.QUERY_OPEN, State.CORRECTED, State.REJECTED)

TRANSITIONS: frozenset[Transition] = frozenset(
    (
        *_from(None, *_CONTROLLED, State.RECEIVED, to=State.RECEIVED, cause=Cause.IMAGES_RECEIVED),
        *_from(State.RECEIVED, *_CONTROLLED, to=None, cause=Cause.IMAGES_TAKEN_AWAY),
        *_from(State.RECEIVED, to=State.IN_CONTROL, cause=Cause.CONTROL_BEGAN),
        *_from(State.RECEIVED, to=State.CORRECTED, cause=Cause.CORRECTION_RECEIVED),
        *_from(State.IN_CONTROL, State.CORRECTED, to=State.ACCEPTED, cause=Cause.NOTHING_BLOCKS),
        *_from(State.IN_CONTROL, State.CORRECTED, to=State.ACCEPTED, cause=Cause.ACCEPTED_BY_PERSON),
        *_from(
            State.IN_CONTROL,
            State.CORRECTED,
            State.ACCEPTED,
            to=State.REJECTED,
            cause=Cause.REJECTED_BY_PERSON,
        ),
        *_from(State.QUERY_OPEN, to=State.REJECTED, cause=Cause.REJECTED_BY_PERSON),
        *_from(State.ACCEPTED, State.REJECTED, to=State.IN_CONTROL, cause=Cause.REOPENED_BY_PERSON),
        *_from(
            *(State.RECEIVED, State.IN_CONTROL, State.ACCEPTED, State.CORRECTED),
            to=State.QUERY_OPEN,
            cause=Cause.QUERY_ASKED,
        ),
        *_from(State.QUERY_OPEN, to=State.IN_CONTROL, cause=Cause.QUERIES_CLOSED),
    )
)
"""Every allowed change; anything else is refused."""


def is_allowed(before: State | None, after: State | None, cause: Cause) -> bool:
    """Whether one state may follow another for this cause."""
    return Transition(before=before, after=after, cause=cause) in TRANSITIONS


def reachable(before: State | None, cause: Cause) -> State | None:
    """Return the state that a cause leads to from another one, or None when it leads nowhere."""
    return next((each.after for each in TRANSITIONS if (each.before, each.cause) == (before, cause)), None)
