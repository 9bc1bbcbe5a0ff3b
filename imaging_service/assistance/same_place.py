"""Whether two frames show the same place, so that one can be taken from the other."""

import numpy as np

from measurement.geometry.plane import ImagePlane


def show_the_same(one: ImagePlane, other: ImagePlane) -> bool:
    """Whether two frames have one size and place, but for half a pixel."""
    if (one.rows, one.columns) != (other.rows, other.columns):
        return False
    corners = [(0, 0), (one.columns - 1, 0), (0, one.rows - 1)]
    apart = np.linalg.norm(one.to_patient(corners) - other.to_patient(corners), axis=1).max()
    return bool(apart <= min(one.row_spacing, one.column_spacing) / 2)
