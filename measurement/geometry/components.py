"""Which of a mask's separate pieces is the lesion."""

from enum import StrEnum
from typing import TypeAlias

import numpy as np
from scipy import ndimage

from measurement.errors import ComponentMissingError, EmptyOutlineError, SeveralComponentsError
from measurement.geometry.outline import Mask


class Component(StrEnum):
    """How the lesion is chosen; or give the index of a voxel inside it."""

    ONLY = "only"  # there is one; several are refused
    LARGEST = "largest"  # most voxels; of equally large ones the first in the array
    ALL = "all"  # the caller vouches that everything is one lesion


Choice: TypeAlias = Component | tuple[int, ...]
"""A rule, or the (slice, row, column) or (row, column) of a voxel in the lesion."""


def component_of(mask: Mask, choice: Choice) -> Mask:
    """Return the chosen component.

    Voxels belong together when they share a face, an edge or a corner.

    Parameters
    ----------
    mask
        Shape (slices, rows, columns) or (rows, columns).
    choice
        The rule, or a voxel's index in the mask's axis order.

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
    count = int(np.count_nonzero(mask))
    if count == 0:
        raise EmptyOutlineError(0, "pixels")
    if not isinstance(choice, Component):
        return _component_at(mask, choice)
    if choice is Component.ALL or _is_plainly_one(mask, count):
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


def _is_plainly_one(mask: Mask, count: int) -> bool:
    """Tell that a mask is one piece where that is easily seen; False says nothing.

    Easily seen: every row is one run of voxels, touches the next row's, and some row of each
    slice touches the same row of the next.
    """
    mask = mask.reshape(-1, *mask.shape[-2:])
    occupied: Mask = np.logical_or.reduce(mask, axis=2)
    first = mask.argmax(axis=2)
    last = mask.shape[2] - 1 - mask[:, :, ::-1].argmax(axis=2)
    if int((last - first + 1)[occupied].sum()) != count:
        return False
    touches_row = (first[:, 1:] <= last[:, :-1] + 1) & (first[:, :-1] <= last[:, 1:] + 1)
    touches_row &= occupied[:, 1:] & occupied[:, :-1]
    touches_slice = (first[1:] <= last[:-1] + 1) & (first[:-1] <= last[1:] + 1)
    touches_slice &= occupied[1:] & occupied[:-1]
    rows, slices = occupied.sum(axis=1), int(np.logical_or.reduce(occupied, axis=1).sum())
    joints = touches_row.sum(axis=1)
    return bool(
        (joints[rows > 0] == rows[rows > 0] - 1).all()
        and int(np.logical_or.reduce(touches_slice, axis=1).sum()) == slices - 1
    )
