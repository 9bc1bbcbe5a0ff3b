"""The same lesion measured by two readers, and what single diameters are told apart by.

Readers choose their targets apart and give them their own names, so that a name pairs nothing: two
diameters are of one lesion when they lie in one another.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from measurement.endpoints.agreement import PairSums
from measurement.units import ReportedMillimetres


class Grouping(StrEnum):
    """What single diameters are told apart by."""

    TIMEPOINT = "timepoint"
    ORGAN = "organ"
    SLICE_THICKNESS = "slice_thickness"
    QUARTER = "quarter"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnDiameter:
    """A target's diameter as one reader has drawn it.

    Attributes
    ----------
    lesion_id
        The reader's own name of it.
    organ, is_nodal
        Where it is: of a node the short axis counts, of any other lesion the longest diameter.
    diameter
        As reported, in mm.
    space
        Names the coordinates: only diameters of one space can be compared.
    centre
        The middle of the axis in the patient, (x, y, z), mm.
    slice_thickness_mm
        Of the frame; ``None`` when it is not known.
    """

    lesion_id: str
    organ: str
    is_nodal: bool
    diameter: ReportedMillimetres
    space: str
    centre: tuple[float, float, float]
    slice_thickness_mm: float | None


Pair = tuple[DrawnDiameter, DrawnDiameter]


def same_lesions(first: Sequence[DrawnDiameter], second: Sequence[DrawnDiameter]) -> Sequence[Pair]:
    """Pair the diameters of two readers at one timepoint that are of one lesion.

    Parameters
    ----------
    first, second
        Each reader's diameters.

    Returns
    -------
    sequence of pairs
        In one organ, both nodal or neither, and the middle of one within the circle about the other: no
        farther apart than half of the longer diameter. The closest are paired first, each once.
    """
    near = sorted(
        (apart, place, other_place)
        for place, one in enumerate(first)
        for other_place, other in enumerate(second)
        if (apart := _apart(one, other)) is not None
    )
    found: list[Pair] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    for _, place, other_place in near:
        if place not in taken[0] and other_place not in taken[1]:
            taken[0].add(place)
            taken[1].add(other_place)
            found.append((first[place], second[other_place]))
    return found


def _apart(one: DrawnDiameter, other: DrawnDiameter) -> float | None:
    """Return the distance of two middles in mm; None where they cannot be of one lesion."""
    if (one.organ, one.is_nodal, one.space) != (other.organ, other.is_nodal, other.space):
        return None
    apart = math.dist(one.centre, other.centre)
    return apart if apart <= max(one.diameter, other.diameter) / 2 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Pairs of one timepoint, and when they were read.

    Attributes
    ----------
    is_baseline
        Whether the readers chose their lesions there.
    read_on
        The day on which the later of the two reads was signed.
    pairs
        Of the same lesions.
    """

    is_baseline: bool
    read_on: date
    pairs: Sequence[Pair]


def grouped(occasions: Iterable[Occasion]) -> Mapping[tuple[Grouping, str], PairSums]:
    """Sum up pairs by each grouping and its groups; every pair is in one group of each grouping."""
    lengths: dict[tuple[Grouping, str], list[tuple[ReportedMillimetres, ReportedMillimetres]]] = {}
    for occasion in occasions:
        for one, other in occasion.pairs:
            for group in _groups(occasion, one, other):
                lengths.setdefault(group, []).append((one.diameter, other.diameter))
    return {group: PairSums.of(pairs) for group, pairs in sorted(lengths.items())}


def _groups(occasion: Occasion, one: DrawnDiameter, other: DrawnDiameter) -> Iterator[tuple[Grouping, str]]:
    known = [each.slice_thickness_mm for each in (one, other) if each.slice_thickness_mm is not None]
    yield Grouping.TIMEPOINT, "baseline" if occasion.is_baseline else "later"
    yield Grouping.ORGAN, one.organ
    yield Grouping.SLICE_THICKNESS, thickness_group(max(known) if len(known) == 2 else None)
    yield Grouping.QUARTER, quarter(occasion.read_on)


def thickness_group(slice_thickness_mm: float | None) -> str:
    """Name the group of a slice thickness: 5 mm is what the minimum size of a target goes by (E09 3.1.1).

    Examples
    --------
    >>> [thickness_group(each) for each in (1.5, 3.0, 5.0, 5.5, None)]
    ['up_to_3_mm', 'up_to_3_mm', 'over_3_to_5_mm', 'over_5_mm', 'unknown']
    """
    if slice_thickness_mm is None:
        return "unknown"
    if slice_thickness_mm <= 3:
        return "up_to_3_mm"
    return "over_3_to_5_mm" if slice_thickness_mm <= 5 else "over_5_mm"


def quarter(day: date) -> str:
    """Name the quarter of a day.

    Examples
    --------
    >>> quarter(date(2026, 3, 31)), quarter(date(2026, 4, 1))
    ('2026-Q1', '2026-Q2')
    """
    return f"{day.year}-Q{(day.month + 2) // 3}"
