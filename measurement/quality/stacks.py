"""The slices of a series, put in order, and what lies between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low

import numpy as np

from measurement.geometry.plane import ImagePlane
from measurement.geometry.volume import MISSING_FACTOR, SLICE_TOLERANCE
from measurement.quality.facts import FrameFacts

PARALLEL_COSINE = 0.999
"""Slices whose normals enclose less than 2.6 degrees lie in one stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A place along the normal that was imaged at least once."""

    offset_mm: float
    """Position · normal."""
    thickness_mm: float | None
    frames: tuple[FrameFacts, ...]
    """Every frame at this place: phases, echoes, b-values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From one slice to the next."""

    below: Slice
    above: Slice

    @property
    def distance_mm(self) -> float:
        """Between the centres."""
        return self.above.offset_mm - self.below.offset_mm

    @property
    def gap_mm(self) -> float | None:
        """What is not imaged between the two; below zero where they overlap."""
        thicknesses = (self.below.thickness_mm, self.above.thickness_mm)
        known = [each for each in thicknesses if each is not None]
        return self.distance_mm - sum(known) / len(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Parallel slices in the order of their places, each place once."""

    slices: tuple[Slice, ...]

    @property
    def plane(self) -> ImagePlane:
        """One of its planes: they share directions, and spacing where the sender was consistent."""
        plane = self.slices[0].frames[0].plane
        assert plane is not None  # noqa: S101  frames without one are in no stack
        return plane

    @property
    def steps(self) -> Sequence[Step]:
        """From each slice to the next."""
        return [Step(below=below, above=above) for below, above in pairwise(self.slices)]

    @property
    def holes(self) -> Sequence[Step]:
        """Steps over a slice that should be there: far wider than the usual one."""
        steps = self.steps
        usual = median_low(each.distance_mm for each in steps) if steps else 0.0
        return [each for each in steps if each.distance_mm > MISSING_FACTOR * usual + SLICE_TOLERANCE]

    @property
    def coverage_mm(self) -> float:
        """Length along the normal, half a slice beyond the outermost centres included."""
        first, last = self.slices[0], self.slices[-1]
        halves = ((first.thickness_mm or 0.0) + (last.thickness_mm or 0.0)) / 2
        return last.offset_mm - first.offset_mm + halves


def stacks_of(frames: Sequence[FrameFacts], *, apart_by_phase: bool = True) -> Sequence[Stack]:
    """Put frames that have a plane into stacks of parallel slices, the largest stack first.

    Parameters
    ----------
    frames
        In any order.
    apart_by_phase
        Whether each phase makes a stack of its own: a slice that one lacks is not made good by another.
    """
    groups: list[tuple[int | None, np.ndarray, list[FrameFacts]]] = []
    for each in frames:
        if each.plane is None:
            continue
        normal = np.array(each.plane.normal)
        phase = each.temporal_position if apart_by_phase else None
        for of_group, direction, members in groups:
            if of_group == phase and abs(float(direction @ normal)) >= PARALLEL_COSINE:
                members.append(each)
                break
        else:
            groups.append((phase, normal, [each]))
    stacks = [_stack(direction, members) for _, direction, members in groups]
    return sorted(stacks, key=lambda stack: -len(stack.slices))


def _stack(normal: np.ndarray, frames: Sequence[FrameFacts]) -> Stack:
    placed = sorted(
        ((float(normal @ np.array(each.plane.position)), each) for each in frames if each.plane is not None),
        key=lambda pair: pair[0],
    )
    places: list[tuple[float, list[FrameFacts]]] = []
    for offset, each in placed:
        if places and offset - places[-1][0] <= SLICE_TOLERANCE:
            places[-1][1].append(each)
        else:
            places.append((offset, [each]))
    return Stack(
        slices=tuple(
            Slice(offset_mm=offset, thickness_mm=_thickness(members), frames=tuple(members))
            for offset, members in places
        )
    )


def _thickness(frames: Sequence[FrameFacts]) -> float | None:
    known = [
        each.plane.slice_thickness
        for each in frames
        if each.plane is not None and each.plane.slice_thickness is not None
    ]
    return max(known, default=None)
