"""Which of a mask's separate pieces is the lesion."""

from enum import StrEnum
from typing import TypeAlias

import numpy as np
from scipy import ndimage

from measurement.errors import ComponentMissingError, EmptyOutlineError, SeveralComponentsError
from measurement.geometry.outline import Mask
from measurement.geometry.row_ends import RowEnds


class Component(StrEnum):
    """How the lesion is chosen; or give the index of a voxel inside it."""

    ONLY = "only"  # there is one; several are refused
    LARGEST = "largest"  # most voxels; of equally large ones the first in the array
    ALL = "all"  # the caller vouches that everything is one lesion


Choice: TypeAlias = Component | tuple[int, ...]
"""A rule, or the (slice, row, column) or (row, column) of a voxel in the lesion."""


def component_of(mask: Mask, choice: Choice, ends: RowEnds | None = None) -> Mask:
    """Return the chosen component.

    Voxels belong together when they share a face, an edge or a corner.

    Parameters
    ----------
    mask
        Shape (slices, rows, columns) or (rows, columns).
    choice
        The rule, or a voxel's index in the mask's axis order.
    ends
        The mask's row ends where they are known: most lesions are seen from them to be one piece.

    Returns
    -------
    numpy.ndarray
        Same shape; the mask itself where nothing is left out.

    Raises
    ------
    EmptyOutlineError
        The mask is empty.
    SeveralComponentsError
        `Component.ONLY` was asked of several.
    ComponentMissingError
        The chosen voxel is not in the mask.
    """
    if not mask.any():
        raise EmptyOutlineError(0, "pixels")
    if not isinstance(choice, Component):
        return _component_at(mask, choice)
    if choice is Component.ALL or (ends is not None and ends.is_plainly_one):
        return mask
    labels, components = _labelled(mask)
    if components == 1:
        return mask
    sizes = np.bincount(labels.ravel())[1:]
    if choice is Component.ONLY:
        raise SeveralComponentsError(tuple(sizes.tolist()))
    largest: Mask = labels == sizes.argmax() + 1
    return largest


def _component_at(mask: Mask, index: tuple[int, ...]) -> Mask:
    is_inside = len(index) == mask.ndim and all(
        0 <= position < size for position, size in zip(index, mask.shape, strict=True)
    )
    if not (is_inside and mask[index]):
        raise ComponentMissingError(index)
    labels, _ = _labelled(mask)
    chosen: Mask = labels == labels[index]
    return chosen


def _labelled(mask: Mask) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int32]], int]:
    labels, components = ndimage.label(mask, np.ones((3,) * mask.ndim, dtype=np.bool_))
    return labels, int(components)
