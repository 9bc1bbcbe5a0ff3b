"""Where the rows of a mask begin and end: all that its longest diameter depends on."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from measurement.errors import EmptyOutlineError
from measurement.geometry.outline import Mask

Whole: TypeAlias = NDArray[np.signedinteger]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowEnds:
    """The first and the last pixel of each row of each slice, arrays of shape (slices, rows).

    In a row without pixels the first lies two columns beyond the last possible, and the last two before the
    first possible: so such a row touches no other, and no pair of it has a length.
    """

    occupied: Mask
    first: Whole
    last: Whole
    are_runs: bool  # every row's pixels lie side by side, so that no slice has a hole

    @property
    def is_plainly_one(self) -> bool:
        """Whether the mask is easily seen to be one piece; False says nothing.

        Easily seen: every row is one run of pixels, touches the next row's, and some row of each slice
        touches the same row of the next.
        """
        if not self.are_runs:
            return False
        first, beyond = self.first, self.last + 1
        touches_row = first[:, 1:] <= beyond[:, :-1]
        touches_row &= first[:, :-1] <= beyond[:, 1:]
        touches_slice = first[1:] <= beyond[:-1]
        touches_slice &= first[:-1] <= beyond[1:]
        rows, slices = _count(self.occupied), _count(np.logical_or.reduce(self.occupied, axis=1))
        joined_slices = _count(np.logical_or.reduce(touches_slice, axis=1))
        # no slice has more joints than rows less one, and no stack more than slices less one
        return _count(touches_row) == rows - slices and joined_slices == slices - 1


def row_ends_of(mask: Mask) -> RowEnds:
    """Return the row ends of a mask of shape (slices, rows, columns), or raise `EmptyOutlineError`."""
    count = _count(mask)
    if count == 0:
        raise EmptyOutlineError(count, "pixels")
    columns = mask.shape[2]
    # whole numbers as small as they can be: pairs of rows are many
    kind = np.int16 if columns < 1 << 14 else np.int32
    first = mask.argmax(axis=2).astype(kind)
    occupied: Mask = first > 0
    occupied |= mask[:, :, 0]
    empty = ~occupied
    first[empty] = columns + 1
    last = (columns - 1 - mask[:, :, ::-1].argmax(axis=2)).astype(kind)
    last[empty] = -2
    in_runs = int((last - first).sum(dtype=np.intp)) + occupied.size + _count(empty) * (columns + 2)
    return RowEnds(occupied=occupied, first=first, last=last, are_runs=in_runs == count)


def _count(mask: Mask) -> int:
    return int(np.count_nonzero(mask))
