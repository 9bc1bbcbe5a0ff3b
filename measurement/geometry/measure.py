"""The front door for a lesion that came with its frames."""

import numpy as np

from measurement.geometry.components import Choice, Component
from measurement.geometry.contour import measure_level
from measurement.geometry.diameters import LesionDiameters
from measurement.geometry.lesion_volume import LesionVolume
from measurement.geometry.mask import measure_mask
from measurement.geometry.outline import Boundary


def measure_volume(
    volume: LesionVolume, *, boundary: Boundary = Boundary.HALF_PIXEL, component: Choice = Component.ONLY
) -> LesionDiameters:
    """Measure a lesion in its acquired planes; `planes[slice_index]` maps the end points to the patient.

    Booleans are measured as a mask. Probabilities are measured along their sub-pixel contour at 0.5, where
    `boundary` has no meaning.

    Raises
    ------
    MeasurementError
        As `measurement.geometry.mask.measure_mask` and `measurement.geometry.contour.measure_level`.
    """
    if volume.voxels.dtype == np.bool_:
        return measure_mask(volume.voxels, volume.spacing, boundary=boundary, component=component)
    return measure_level(volume.voxels, volume.spacing, component=component)
