"""The life of a timepoint's images as a table: complete, without dead ends, and nothing beside it."""

from itertools import product

import pytest

from imaging_service.quality.transitions import TRANSITIONS, Cause, is_allowed, reachable
from imaging_service.timepoints.control import ControlState as State


def test_every_state_and_every_cause_has_its_place():
    assert {each.after for each in TRANSITIONS} == {None, *State}
    assert {each.before for each in TRANSITIONS} == {None, *State}
    assert {each.cause for each in TRANSITIONS} == set(Cause)


def test_a_cause_leads_from_a_state_to_one_state_only():
    pairs = [(each.before, each.cause) for each in TRANSITIONS]
    assert len(pairs) == len(set(pairs))


def test_no_state_with_images_is_a_dead_end():
    for state in State:
        assert {each.after for each in TRANSITIONS if each.before is state} - {None, State.RECEIVED}, state


@pytest.mark.parametrize("before", [None, *State])
def test_only_control_or_a_person_accepts(before: State | None):
    causes = {each.cause for each in TRANSITIONS if each.before is before and each.after is State.ACCEPTED}
    assert causes <= {Cause.NOTHING_BLOCKS, Cause.ACCEPTED_BY_PERSON}


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        (State.REJECTED, State.ACCEPTED, Cause.ACCEPTED_BY_PERSON),
        (State.QUERY_OPEN, State.ACCEPTED, Cause.ACCEPTED_BY_PERSON),
        (State.RECEIVED, State.ACCEPTED, Cause.NOTHING_BLOCKS),
        (None, State.ACCEPTED, Cause.NOTHING_BLOCKS),
        (State.REJECTED, State.QUERY_OPEN, Cause.QUERY_ASKED),
    ],
)
def test_what_the_table_leaves_out_is_not_allowed(before: State | None, after: State, cause: Cause):
    assert not is_allowed(before, after, cause)


def test_what_is_reachable_is_what_is_allowed():
    for before, cause in product([None, *State], Cause):
        after = reachable(before, cause)
        assert after is None or is_allowed(before, after, cause)
