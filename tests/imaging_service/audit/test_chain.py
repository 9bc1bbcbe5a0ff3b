"""The chain's rules on entries in memory: each damage is named at its place."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from imaging_service.audit.chain import EMPTY, Damage, Head, Link, entry_hash, verify

Chain = list[Link]


def chain_of(length: int) -> Chain:
    links: Chain = []
    previous = EMPTY.hash
    for sequence in range(1, length + 1):
        content = {"sequence": sequence, "action": f"act {sequence}"}
        digest = entry_hash(content, previous)
        links.append(Link(sequence=sequence, content=content, previous_hash=previous, hash=digest))
        previous = digest
    return links


def head_of(links: Chain) -> Head:
    return Head(sequence=links[-1].sequence, hash=links[-1].hash)


def edited(link: Link) -> Link:
    return replace(link, content={**link.content, "action": "never happened"})


def rehashed(link: Link) -> Link:
    return replace(link, hash=entry_hash(link.content, link.previous_hash))


def at(link: Link, sequence: int) -> Link:
    return replace(link, sequence=sequence, content={**link.content, "sequence": sequence})


def edit(links: Chain) -> Chain:
    return [*links[:4], edited(links[4]), *links[5:]]


def edit_and_rehash(links: Chain) -> Chain:
    return [*links[:4], rehashed(edited(links[4])), *links[5:]]


def edit_the_first_and_rehash(links: Chain) -> Chain:
    return [rehashed(replace(links[0], previous_hash="f" * 64)), *links[1:]]


def remove(links: Chain) -> Chain:
    return [*links[:4], *links[5:]]


def remove_three(links: Chain) -> Chain:
    return [*links[:4], *links[7:]]


def swap(links: Chain) -> Chain:
    return [*links[:2], at(links[6], 3), *links[3:6], at(links[2], 7), *links[7:]]


def cut(links: Chain) -> Chain:
    return links[:8]


def cut_everything(_links: Chain) -> Chain:
    return []


def rebuild_from_an_edit(links: Chain) -> Chain:
    rebuilt = links[:4]
    previous = rebuilt[-1].hash
    for link in [edited(links[4]), *links[5:]]:
        rebuilt.append(rehashed(replace(link, previous_hash=previous)))
        previous = rebuilt[-1].hash
    return rebuilt


DAMAGES: list[tuple[Callable[[Chain], Chain], list[tuple[Damage, int]]]] = [
    (edit, [(Damage.CHANGED, 5)]),
    (edit_and_rehash, [(Damage.REWRITTEN, 5)]),
    (edit_the_first_and_rehash, [(Damage.REWRITTEN, 1), (Damage.REWRITTEN, 1)]),
    (remove, [(Damage.REMOVED, 5)]),
    (remove_three, [(Damage.REMOVED, 5)]),
    (swap, [(Damage.SWAPPED, 3), (Damage.SWAPPED, 7)]),
    (cut, [(Damage.CUT_OFF, 9)]),
    (cut_everything, [(Damage.CUT_OFF, 1)]),
    (rebuild_from_an_edit, [(Damage.REWRITTEN, 10)]),
]


@pytest.mark.parametrize(("damage", "expected"), DAMAGES, ids=[damage.__name__ for damage, _ in DAMAGES])
def test_damage_is_named_at_its_place(damage: Callable[[Chain], Chain], expected: list[tuple[Damage, int]]):
    links = chain_of(10)
    found = verify(damage(links), [head_of(links)])
    assert [(finding.damage, finding.sequence) for finding in found] == expected


def test_a_whole_chain_has_no_findings_even_after_it_grew():
    links = chain_of(10)
    assert verify(links, [head_of(links[:6]), head_of(links)]) == []


@pytest.mark.parametrize("damage", [cut, rebuild_from_an_edit], ids=["a cut tail", "a rebuilt chain"])
def test_what_only_a_witness_sees(damage: Callable[[Chain], Chain]):
    assert verify(damage(chain_of(10))) == []
