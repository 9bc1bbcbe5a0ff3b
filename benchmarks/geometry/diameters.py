"""Time the ruler beside its peers, on the same lesions, in one run.

Run ``python -m benchmarks.geometry.diameters [lesions]``. Each hundred lesions go to every contender in turn,
so that a busy machine is busy for all; what is counted is this process's CPU time. Figures are printed,
none is asserted.

What limits is the overhead of some 50 numpy calls for the longest diameter, and some 70 more for the outline
and the short axis: the time hardly depends on the lesion's size, while the peers' grows with its slices.
"""

import platform
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from skimage.measure import regionprops

from measurement.geometry.contour import longest_diameter_of_contour, measure_contour
from measurement.geometry.mask import longest_diameter, measure_mask
from measurement.geometry.outline import Boundary

LESIONS = 10_000
BATCH = 100
SPACINGS = [(1.0, 1.0, 1.0), (1.25, 0.7, 0.7), (2.0, 0.9, 0.9), (3.0, 0.6, 0.8)]  # slice, row, column, mm

Spacing: TypeAlias = tuple[float, float, float]
Lesion: TypeAlias = tuple[NDArray[np.bool_], Spacing]
Contour: TypeAlias = tuple[NDArray[np.float64], Spacing]


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One way of measuring."""

    name: str
    measure: Callable[[Any], float]


def lesion(random: np.random.Generator) -> Lesion:
    """Return a lumpy ellipsoid of 5 to 30 mm, shape (slices, rows, columns) with a rim, turned at random."""
    spacing = SPACINGS[random.integers(len(SPACINGS))]
    longest = random.uniform(5, 30)
    radii = longest / 2 * np.array([1.0, random.uniform(0.6, 1), random.uniform(0.6, 1)])
    turn, _ = np.linalg.qr(random.normal(size=(3, 3)))
    counts = [int(np.ceil(longest / 2 * 1.15 / step)) for step in spacing]
    grid = np.stack(
        np.meshgrid(
            *[np.arange(-n, n + 1) * step for n, step in zip(counts, spacing, strict=True)], indexing="ij"
        ),
        axis=-1,
    )
    within = (grid + random.uniform(-0.5, 0.5, 3) * spacing) @ turn / radii
    distance = np.linalg.norm(within, axis=-1)
    waves = random.normal(size=(3, 3)) * 2
    lumps = sum(np.sin(within @ wave) for wave in waves) * 0.05
    mask = distance <= 1 + lumps
    mask[tuple(counts)] = True
    return mask, spacing


def contour(random: np.random.Generator) -> Contour:
    """Return a lumpy outline of 5 to 30 mm as a reader draws it: 30 to 120 points, (column, row), pixels."""
    spacing = SPACINGS[random.integers(len(SPACINGS))]
    angles = np.linspace(0, 2 * np.pi, random.integers(30, 121), endpoint=False)
    radius = random.uniform(2.5, 15) * (1 + 0.15 * np.sin(2 * angles + random.uniform(0, 6)))
    radius *= 1 + 0.05 * np.sin(5 * angles + random.uniform(0, 6))
    points = np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)
    return 100 + points / spacing[:0:-1], spacing


def slices_of(mask: NDArray[np.bool_]) -> Iterator[NDArray[np.uint8]]:
    """Yield the slices that hold the lesion, as the peers take them."""
    return (image.astype(np.uint8) for image in mask if image.any())


def scikit_image(lesion: Lesion) -> float:
    """Measure Feret's diameter slice by slice."""
    mask, (_, row, column) = lesion
    return max(
        float(regionprops(image, spacing=(row, column))[0].feret_diameter_max)  # type: ignore[no-untyped-call]
        for image in slices_of(mask)
    )


def simpleitk(lesion: Lesion) -> float:
    """Measure Feret's diameter slice by slice."""
    mask, (_, row, column) = lesion
    statistics: Any = SimpleITK.LabelShapeStatisticsImageFilter()  # type: ignore[no-untyped-call]
    statistics.ComputeFeretDiameterOn()
    longest = 0.0
    for image in slices_of(mask):
        slice_image: Any = SimpleITK.GetImageFromArray(image)
        slice_image.SetSpacing((column, row))
        statistics.Execute(slice_image)
        longest = max(longest, float(statistics.GetFeretDiameter(1)))
    return longest


MASKS = [
    Contender(name="longest diameter", measure=lambda lesion: longest_diameter(*lesion)),
    Contender(
        name="longest diameter and short axis",
        measure=lambda lesion: measure_mask(*lesion).longest_diameter.length_mm,
    ),
    Contender(name="scikit-image feret_diameter_max, slice by slice", measure=scikit_image),
    Contender(name="SimpleITK FeretDiameter, slice by slice", measure=simpleitk),
]
CONTOURS = [
    Contender(
        name="longest diameter of a contour",
        measure=lambda drawn: longest_diameter_of_contour(drawn[0], drawn[1][1:]),
    ),
    Contender(
        name="longest diameter and short axis of a contour",
        measure=lambda drawn: measure_contour(drawn[0], drawn[1][1:]).longest_diameter.length_mm,
    ),
]


def race(contenders: Sequence[Contender], subjects: Sequence[Any]) -> dict[str, float]:
    """Return each contender's CPU seconds, the batches going round."""
    seconds = dict.fromkeys((contender.name for contender in contenders), 0.0)
    for contender in contenders:
        contender.measure(subjects[0])
    for start in range(0, len(subjects), BATCH):
        batch = subjects[start : start + BATCH]
        for contender in contenders:
            begin = time.process_time()
            for subject in batch:
                contender.measure(subject)
            seconds[contender.name] += time.process_time() - begin
    return seconds


def peak_memory(contender: Contender, subjects: Sequence[Any]) -> float:
    """Return the most that Python and numpy held at once for one subject, in KiB; not what C++ held."""
    tracemalloc.start()
    for subject in subjects:
        contender.measure(subject)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1024


def report(contenders: Sequence[Contender], subjects: Sequence[Any]) -> dict[str, float]:
    """Race and print."""
    seconds = race(contenders, subjects)
    for contender in contenders:
        each = seconds[contender.name] / len(subjects) * 1e6
        peak = peak_memory(contender, subjects[:BATCH])
        print(f"{contender.name:50s} {each:8.0f} us each {peak:8.0f} KiB at most")
    return seconds


def disagreement(lesions: Sequence[Lesion]) -> float:
    """Return how far our pixel-centre diameters are from SimpleITK's, which measures so, in mm."""
    centres = Boundary.PIXEL_CENTRES
    return max(abs(longest_diameter(*lesion, boundary=centres) - simpleitk(lesion)) for lesion in lesions)


def main() -> None:
    """Print all figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else LESIONS
    random = np.random.default_rng(2026)
    lesions = [lesion(random) for _ in range(count)]
    voxels = np.array([mask.size for mask, _ in lesions])
    slices = np.array([mask.any(axis=(1, 2)).sum() for mask, _ in lesions])
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}, CPU time")
    print(
        f"{count} lesions of 5 to 30 mm on {np.median(slices):.0f} slices (median); "
        f"arrays of {np.median(voxels):.0f} voxels (median), {voxels.max()} (most)"
    )
    seconds = report(MASKS, lesions)
    longest, both, skimage, itk = (seconds[contender.name] for contender in MASKS)
    print(f"longest diameter: {skimage / longest:.1f} x scikit-image, {itk / longest:.1f} x SimpleITK")
    print(f"with short axis:  {skimage / both:.1f} x scikit-image, {itk / both:.1f} x SimpleITK")
    print(f"between pixel centres we differ from SimpleITK by {disagreement(lesions[:500]):.2g} mm at most")
    report(CONTOURS, [contour(random) for _ in range(count)])


if __name__ == "__main__":
    main()
