"""The rule by which readers are drawn: by lot or by load, never twice the same person."""

import hashlib
from collections import Counter
from typing import Any

import pytest

from imaging_service.reads.assigning import Candidate, Draw, choose, lot, reason_of
from measurement.protocol.trial import ReaderAssignment

BALANCED, RANDOM = ReaderAssignment.BALANCED, ReaderAssignment.RANDOM


def draw(assignment: ReaderAssignment = RANDOM, **more: Any) -> Draw:
    facts = {"seed": "5eed", "trial_id": "T1", "subject_id": "S1", "slot": 1, **more}
    return Draw(assignment=assignment, **facts)


def pool(**subjects: int) -> list[Candidate]:
    return [Candidate(account_id=name, subjects=count) for name, count in subjects.items()]


def test_a_lot_is_the_digest_that_the_charter_describes() -> None:
    written = b"5eed\nT1\nS1\n1\nann"
    assert lot(draw(), "ann") == hashlib.sha256(written).hexdigest()


@pytest.mark.parametrize("more", [{"seed": "other"}, {"trial_id": "T2"}, {"subject_id": "S2"}, {"slot": 2}])
def test_every_part_of_a_draw_changes_the_lot(more: dict[str, Any]) -> None:
    assert lot(draw(**more), "ann") != lot(draw(), "ann")


@pytest.mark.parametrize(
    ("candidates", "taken", "allowed"),
    [
        (pool(ann=3, bea=1, cem=2), set(), {"bea"}),
        (pool(ann=3, bea=1, cem=2), {"bea"}, {"cem"}),
        (pool(ann=2, bea=2, cem=3), set(), {"ann", "bea"}),
        (pool(ann=0), {"ann"}, {None}),
        ([], set(), {None}),
    ],
    ids=[
        "the fewest subjects",
        "of those that are free",
        "a tie goes by lot",
        "nobody free",
        "an empty pool",
    ],
)
def test_balanced_takes_who_reads_least(
    candidates: list[Candidate], taken: set[str], allowed: set[str | None]
) -> None:
    over_many = {choose(draw(BALANCED, subject_id=f"S{n}"), candidates, taken) for n in range(40)}
    assert over_many == allowed


def test_random_looks_at_the_lot_alone() -> None:
    candidates = pool(ann=90, bea=0, cem=7)
    for number in range(50):
        each = draw(subject_id=f"S{number}")
        assert choose(each, candidates, set()) == min(("ann", "bea", "cem"), key=lambda name: lot(each, name))


def test_random_gives_everybody_about_as_many() -> None:
    """1,500 draws among five: 300 each is expected, give or take four times 15.5."""
    candidates = pool(ann=0, bea=0, cem=0, dov=0, eve=0)
    found = Counter(choose(draw(subject_id=f"S{number}"), candidates, set()) for number in range(1500))
    assert all(238 <= count <= 362 for count in found.values())
    assert len(found) == 5


def test_balanced_stays_within_one_subject() -> None:
    counts = dict.fromkeys(("ann", "bea", "cem"), 0)
    for number in range(31):
        taken: set[str] = set()
        for slot in (1, 2):
            chosen = choose(draw(BALANCED, subject_id=f"S{number}", slot=slot), pool(**counts), taken)
            assert chosen is not None
            taken.add(chosen)
            counts[chosen] += 1
        assert len(taken) == 2
    assert max(counts.values()) - min(counts.values()) <= 1


def test_the_order_of_the_pool_is_of_no_account() -> None:
    candidates = pool(ann=1, bea=1, cem=1)
    for assignment in (BALANCED, RANDOM):
        assert choose(draw(assignment), candidates, set()) == choose(
            draw(assignment), candidates[::-1], set()
        )


def test_nobody_is_drawn_where_readers_are_fixed() -> None:
    with pytest.raises(ValueError, match="balanced or random was wanted"):
        choose(draw(ReaderAssignment.FIXED), pool(ann=0), set())


def test_the_reason_says_what_counted() -> None:
    candidates = pool(ann=3, bea=1)
    assert "1 subjects" in reason_of(draw(BALANCED), candidates, "bea")
    assert "lowest lot" in reason_of(draw(), candidates, "bea")
