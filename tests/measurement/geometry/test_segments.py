"""Segmentations written by highdicom and read back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, generate_uid

from fixtures.dicom.phantom import LesionPlan, SeriesPlan, StudyPlan, build_study
from measurement.errors import (
    PlanesNotParallelError,
    SegmentMissingError,
    SegmentUnreadableError,
    SeveralComponentsError,
)
from measurement.geometry.components import Component
from measurement.geometry.from_dicom import plane_of, segment_of
from measurement.geometry.lesion_volume import LesionVolume
from measurement.geometry.mask import measure_mask
from measurement.geometry.measure import measure_volume
from measurement.geometry.outline import Boundary, Mask

PLAN = StudyPlan(
    subject_id="S-001",
    patient_id="P-1",
    study_on=date(2026, 2, 3),
    lesions=(
        LesionPlan(
            lesion_id="T01",
            slice_index=4,
            right_mm=10,
            down_mm=-5,
            longest_diameter_mm=32,
            short_axis_mm=20,
            angle_degrees=35,
        ),
    ),
    series=(SeriesPlan(sequence_name="DCE_EARLY"),),
    tilt_degrees=(17.0, -11.0),
    rows=64,
    columns=80,
)


@pytest.fixture(scope="module")
def images() -> list[Dataset]:
    datasets = build_study(PLAN).datasets
    return sorted(datasets, key=lambda dataset: plane_of(dataset).offset)


@pytest.fixture(scope="module")
def enhanced():
    return build_study(
        replace(PLAN, series=(SeriesPlan(sequence_name="DCE_EARLY", is_enhanced=True),))
    ).datasets


def ellipsoid(slices: int = 8) -> tuple[Mask, Mask]:
    """Make a lesion on the middle slices, off the middle of the image, and a speck beside it."""
    z, y, x = np.mgrid[:slices, :64, :80]
    lesion = ((z - 4) / 2.6) ** 2 + ((y - 30) / 6.3) ** 2 + ((x - 44 + (y - 30) / 3) / 11.2) ** 2 <= 1
    speck = (z == 4) & (y == 10) & (x == 12)
    return lesion, speck


def segmentation(
    sources: Sequence[Dataset], pixels: NDArray[Any], kind: str = "BINARY", **options: Any
) -> Dataset:
    descriptions = [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=f"T{number:02}",
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=codes.SCT.Neoplasm,
            algorithm_type="MANUAL",
        )
        for number in (1, 2)
    ]
    return hd.seg.Segmentation(
        source_images=sources,
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=descriptions,
        series_instance_uid=generate_uid(),
        series_number=900,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
        **{"transfer_syntax_uid": ExplicitVRLittleEndian, **options},
    )


def stacked(*masks: NDArray[Any], dtype: type = np.uint8) -> NDArray[Any]:
    """Put one mask a segment, shape (slices, rows, columns, segments)."""
    return np.stack(masks, axis=-1).astype(dtype)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("BINARY", {}),
        ("BINARY", {"omit_empty_frames": False}),
        ("LABELMAP", {}),
        ("LABELMAP", {"transfer_syntax_uid": RLELossless}),
    ],
)
def test_a_segment_measures_as_the_mask_it_was_made_of(images, kind, options) -> None:
    lesion, speck = ellipsoid()
    dataset = segmentation(images, stacked(lesion, speck), kind, **options)
    plane = plane_of(images[0])
    wanted = measure_mask(lesion, (plane.row_spacing, plane.column_spacing))
    volume = segment_of(dataset, 1)
    found = measure_volume(volume)
    assert found.longest_diameter == wanted.longest_diameter
    assert found.short_axis == wanted.short_axis
    on_frame = volume.planes[found.slice_index]
    assert on_frame.position == pytest.approx(plane_of(images[wanted.slice_index]).position, abs=1e-6)
    start, end = on_frame.to_patient(found.longest_diameter.points)
    assert np.linalg.norm(end - start) == pytest.approx(found.longest_diameter.length_mm, abs=1e-9)
    assert measure_volume(segment_of(dataset, 2)).longest_diameter.length_mm == max(
        plane.row_spacing, plane.column_spacing
    )


def test_a_segment_of_an_enhanced_image_is_the_one_of_the_single_frames(images, enhanced) -> None:
    masks = stacked(*ellipsoid())
    from_singles = measure_volume(segment_of(segmentation(images, masks), 1))
    volume = segment_of(segmentation(enhanced, masks), 1)
    found = measure_volume(volume)
    assert found.longest_diameter == from_singles.longest_diameter
    assert found.short_axis == from_singles.short_axis


@pytest.mark.parametrize("boundary", [Boundary.PIXEL_CENTRES, Boundary.PIXEL_CORNERS])
def test_the_boundary_is_the_caller_s(images, boundary) -> None:
    lesion, speck = ellipsoid()
    found = measure_volume(segment_of(segmentation(images, stacked(lesion, speck)), 1), boundary=boundary)
    assert found.longest_diameter.length_mm == pytest.approx(
        measure_mask(lesion, (1.5, 1.2), boundary=boundary).longest_diameter.length_mm
    )


def test_fractions_are_measured_along_their_contour(images) -> None:
    z, y, x = np.mgrid[:8, :64, :80]
    distance = np.hypot((y - 30.3) * 1.5, (x - 40.2) * 1.2)
    cone = np.clip((15 - distance) / 10, 0, 1) * (np.abs(z - 4) <= 1)
    dataset = segmentation(images, stacked(cone, cone * 0, dtype=np.float64), "FRACTIONAL")
    volume = segment_of(dataset, 1)
    assert volume.voxels.dtype == np.float64
    assert volume.voxels.max() == pytest.approx(1, abs=0.06)
    found = measure_volume(volume)
    assert found.boundary is Boundary.OUTLINE
    assert found.longest_diameter.length_mm == pytest.approx(20, abs=0.15)
    assert found.short_axis.length_mm == pytest.approx(20, abs=0.3)


def test_a_slice_that_the_segment_leaves_out_parts_it(images) -> None:
    lesion, speck = ellipsoid()
    lesion[4] = False
    dataset = segmentation(images, stacked(lesion, speck))
    volume = segment_of(dataset, 1)
    assert not volume.voxels[len(volume.planes) // 2].any()
    assert volume.planes[2].position == pytest.approx(plane_of(images[4]).position, abs=1e-6)
    with pytest.raises(SeveralComponentsError, match="holds 2"):
        measure_volume(volume)
    assert measure_volume(volume, component=Component.LARGEST).longest_diameter.length_mm > 20


def test_a_segment_that_is_not_there_is_refused(images) -> None:
    lesion, speck = ellipsoid()
    dataset = segmentation(images, stacked(lesion, speck & False))
    for number in (0, 2, 3):
        with pytest.raises(SegmentMissingError, match=rf"segment {number} has no frames; .* holds \[1\]"):
            segment_of(dataset, number)


def test_pixels_that_cannot_be_read_are_refused_in_a_sentence(images) -> None:
    dataset = segmentation(images, stacked(*ellipsoid()))
    dataset.PixelData = dataset.PixelData[:10]
    with pytest.raises(SegmentUnreadableError, match="decoder says"):
        segment_of(dataset, 1)


def test_two_frames_at_one_position_are_refused(images) -> None:
    dataset = segmentation(images, stacked(*ellipsoid()))
    first, second, *_ = dataset.PerFrameFunctionalGroupsSequence
    second.PlanePositionSequence = first.PlanePositionSequence
    with pytest.raises(PlanesNotParallelError, match="some at one position"):
        segment_of(dataset, 1)


def test_voxels_need_a_plane_for_each_slice(images) -> None:
    planes = tuple(plane_of(image) for image in images)
    with pytest.raises(ValueError, match="on 8 planes"):
        LesionVolume(voxels=np.ones((7, 64, 80), dtype=bool), planes=planes)
    with pytest.raises(ValueError, match="on 0 planes"):
        LesionVolume(voxels=np.ones((0, 64, 80), dtype=bool), planes=())
