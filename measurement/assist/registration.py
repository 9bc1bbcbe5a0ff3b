"""How the anatomy of a prior series lies in the current one: rigid, then deformable on a coarse grid."""

# SimpleITK has no annotations
# mypy: disallow-untyped-calls=False

from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK

from measurement.assist.series_volume import SeriesVolume
from measurement.geometry.plane import Vector
from measurement.units import Millimetres

GRID = Millimetres(4.0)
"""Spacing of the grid on which both series are compared, in mm."""

HISTOGRAM_BINS = 32
ROUNDS = 60
FIELD_SMOOTHING = 1.2  # grid steps
LONGEST_STEP, SHORTEST_STEP, STEPS = 2.0, 0.01, 120  # of the rigid search, in mm

LIKENESS_RADIUS = Millimetres(16.0)
"""Half the side of the cube around a point in which two series are compared, in mm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A map from the prior series' patient coordinates to the current one's."""

    rigid: Any  # SimpleITK transforms: prior point to current point
    deformation: Any  # prior point to prior point, before the rigid one
    prior: Any  # SimpleITK images on one coarse grid: the prior series,
    current: Any  # and the current one brought onto it

    def to_current(self, point: Vector) -> Vector:
        """Map a patient point of the prior series, (x, y, z), mm."""
        x, y, z = self.rigid.TransformPoint(self.deformation.TransformPoint(point))
        return x, y, z

    def bend_mm(self, point: Vector) -> float:
        """Return how far the deformation moves a point beyond the rigid map, in mm."""
        return float(np.linalg.norm(np.subtract(self.deformation.TransformPoint(point), point)))

    def likeness_at(self, point: Vector) -> float:
        """Return the correlation of both series in a cube around a point of the prior one, -1 to 1.

        Zero where either shows nothing there.
        """
        middle = self.prior.TransformPhysicalPointToContinuousIndex(point)[::-1]
        half = round(LIKENESS_RADIUS / GRID)
        cube = tuple(slice(max(0, round(at) - half), max(0, round(at) + half + 1)) for at in middle)
        before = SimpleITK.GetArrayViewFromImage(self.prior)[cube].ravel()
        after = SimpleITK.GetArrayViewFromImage(self.current)[cube].ravel()
        if before.size < half**3 or before.std() == 0 or after.std() == 0:
            return 0.0
        return float(np.corrcoef(before, after)[0, 1])


def register(prior: SeriesVolume, current: SeriesVolume) -> Registration:
    """Bring two series of one subject together; frames of reference need not agree.

    Mutual information leads the rigid step (Mattes), grey values matched by histogram the deformable one
    (symmetric demons). The same input gives the same map, to the rounding of sums over threads. It takes
    some two seconds of one core.

    Parameters
    ----------
    prior, current
        Series of the same kind.
    """
    fixed, moving = _coarse(prior.to_simpleitk()), _coarse(current.to_simpleitk())
    rigid = _rigid(fixed, moving)
    placed = SimpleITK.Resample(moving, fixed, rigid, SimpleITK.sitkLinear, 0.0)
    matched = SimpleITK.HistogramMatching(placed, fixed, 128, 7, True)  # noqa: FBT003 # positional in SimpleITK
    demons = SimpleITK.FastSymmetricForcesDemonsRegistrationFilter()
    demons.SetNumberOfThreads(1)
    demons.SetNumberOfIterations(ROUNDS)
    demons.SetSmoothDisplacementField(True)  # noqa: FBT003 # positional in SimpleITK
    demons.SetStandardDeviations(FIELD_SMOOTHING)
    field = demons.Execute(fixed, matched)
    deformation = SimpleITK.DisplacementFieldTransform(SimpleITK.Cast(field, SimpleITK.sitkVectorFloat64))
    bent = SimpleITK.Resample(matched, fixed, deformation, SimpleITK.sitkLinear, 0.0)
    return Registration(rigid=rigid, deformation=deformation, prior=fixed, current=bent)


def _rigid(fixed: SimpleITK.Image, moving: SimpleITK.Image) -> SimpleITK.Transform:
    """Return the best rigid map from either start: bodies laid upon each other, or fields of view."""
    starts = SimpleITK.CenteredTransformInitializerFilter
    found = [_rigid_from(fixed, moving, start) for start in (starts.MOMENTS, starts.GEOMETRY)]
    best: SimpleITK.Transform = min(found, key=lambda each: each[0])[1]
    return best


def _rigid_from(fixed: SimpleITK.Image, moving: SimpleITK.Image, start: int) -> tuple[float, Any]:
    method = SimpleITK.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(HISTOGRAM_BINS)
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(LONGEST_STEP, SHORTEST_STEP, STEPS, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([2, 0])
    method.SetInitialTransform(
        SimpleITK.CenteredTransformInitializer(fixed, moving, SimpleITK.Euler3DTransform(), start),
        inPlace=False,
    )
    transform = method.Execute(fixed, moving)
    return method.GetMetricValue(), transform


def _coarse(image: SimpleITK.Image) -> SimpleITK.Image:
    """Return the image on a cubic grid of `GRID` mm over the same field of view."""
    spacing = np.array(image.GetSpacing())
    smoothed = SimpleITK.SmoothingRecursiveGaussian(image, np.maximum(GRID / 2, 0.3 * spacing).tolist())
    size = np.maximum(np.rint(np.array(image.GetSize()) * spacing / GRID), 1).astype(int)
    grid = SimpleITK.Image(size.tolist(), SimpleITK.sitkFloat32)
    grid.SetSpacing([GRID] * 3)
    grid.SetDirection(image.GetDirection())
    axes = np.reshape(image.GetDirection(), (3, 3))
    grid.SetOrigin((np.array(image.GetOrigin()) + axes @ ((GRID - spacing) / 2)).tolist())
    return SimpleITK.Resample(smoothed, grid, SimpleITK.Transform(), SimpleITK.sitkLinear, 0.0)
