from copy import deepcopy
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from pydicom.dataset import Dataset

from fixtures.dicom.phantom import LesionPlan, PhantomStudy, SeriesPlan, StudyPlan, build_study
from measurement.errors import (
    FrameMissingError,
    GeometryError,
    ImageSizeError,
    OrientationMissingError,
    PositionMissingError,
    SpacingMissingError,
)
from measurement.geometry.calipers import measure_bidirectional
from measurement.geometry.from_dicom import plane_of
from measurement.geometry.volume import stack_of

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
    tilt_degrees=(17.0, -11.0),
)
CLASSIC = SeriesPlan(sequence_name="DCE_EARLY")
ENHANCED = SeriesPlan(sequence_name="DCE_EARLY", is_enhanced=True)


def study_of(series: SeriesPlan) -> PhantomStudy:
    return build_study(replace(PLAN, series=(series,)))


@pytest.fixture(scope="module")
def classic():
    return study_of(CLASSIC)


@pytest.fixture(scope="module")
def enhanced():
    return study_of(ENHANCED)


def image(**changes: object) -> Dataset:
    """Make the geometry of a single-frame image; None leaves an attribute out."""
    attributes: dict[str, object] = {
        "Rows": 64,
        "Columns": 48,
        "PixelSpacing": [2.0, 0.5],
        "ImagePositionPatient": [1.0, 2.0, 3.0],
        "ImageOrientationPatient": [0.0, 1.0, 0.0, 0.0, 0.0, -1.0],
        "SliceThickness": 3.0,
        "FrameOfReferenceUID": "1.2.3",
    }
    dataset = Dataset()
    for keyword, value in {**attributes, **changes}.items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def test_row_spacing_is_the_first_value_and_lies_between_rows() -> None:
    plane = plane_of(image())
    assert (plane.row_spacing, plane.column_spacing) == (2.0, 0.5)
    assert plane.to_patient([(2, 0), (0, 2)]).tolist() == [[1, 3, 3], [1, 2, -1]]
    assert (plane.rows, plane.columns, plane.slice_thickness) == (64, 48, 3.0)
    assert (plane.spacing_between_slices, plane.frame_of_reference_uid) == (None, "1.2.3")


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"PixelSpacing": None}, SpacingMissingError, "found no PixelSpacing"),
        (
            {"PixelSpacing": None, "ImagerPixelSpacing": [0.1, 0.1]},
            SpacingMissingError,
            "only ImagerPixelSpacing",
        ),
        (
            {"PixelSpacing": None, "NominalScannedPixelSpacing": [0.1, 0.1]},
            SpacingMissingError,
            "only NominalScannedPixelSpacing",
        ),
        ({"PixelSpacing": ""}, SpacingMissingError, "found no PixelSpacing"),
        ({"PixelSpacing": 1.0}, SpacingMissingError, "PixelSpacing 1.0"),
        ({"PixelSpacing": [1.0, 1.0, 1.0]}, SpacingMissingError, r"\[1.0, 1.0, 1.0\]"),
        ({"PixelSpacing": [0.0, 1.0]}, SpacingMissingError, r"\[0.0, 1.0\]"),
        ({"PixelSpacing": [1.0, -1.0]}, SpacingMissingError, r"\[1.0, -1.0\]"),
        ({"PixelSpacing": [1.0, float("nan")]}, SpacingMissingError, "nan"),
        ({"PixelSpacing": [float("inf"), 1.0]}, SpacingMissingError, "inf"),
        ({"ImageOrientationPatient": None}, OrientationMissingError, "found no ImageOrientationPatient"),
        ({"ImageOrientationPatient": [1.0, 0.0, 0.0]}, OrientationMissingError, "1.0, 0.0, 0.0"),
        ({"ImageOrientationPatient": [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]}, OrientationMissingError, "right angle"),
        ({"ImageOrientationPatient": [2.0, 0.0, 0.0, 0.0, 1.0, 0.0]}, OrientationMissingError, "unit"),
        ({"ImagePositionPatient": None}, PositionMissingError, "found no ImagePositionPatient"),
        ({"ImagePositionPatient": [1.0, 2.0]}, PositionMissingError, "1.0, 2.0"),
        ({"Rows": None}, ImageSizeError, "0 by 48"),
        ({"NumberOfFrames": 2}, FrameMissingError, "Frame 1 has no plane"),
    ],
)
def test_an_image_without_a_measure_is_refused_with_what_was_found(changes, error, words) -> None:
    with pytest.raises(error, match=words):
        plane_of(image(**changes))


@pytest.mark.parametrize("frame_number", [0, 2, -1])
def test_a_single_frame_image_has_frame_1(frame_number) -> None:
    with pytest.raises(FrameMissingError, match=f"Frame {frame_number} has no plane"):
        plane_of(image(), frame_number)


def test_a_slice_thickness_that_is_none_counts_as_not_given() -> None:
    for thickness in (None, 0.0, -1.0, ""):
        assert plane_of(image(SliceThickness=thickness)).slice_thickness is None


def test_frames_of_an_enhanced_image_lie_where_the_single_frames_lie(classic, enhanced) -> None:
    (multi_frame,) = enhanced.datasets
    singles = [plane_of(dataset) for dataset in classic.datasets]
    frames = [plane_of(multi_frame, number) for number in range(1, multi_frame.NumberOfFrames + 1)]
    assert len(frames) == len(singles) == PLAN.slices
    by_offset = sorted(singles, key=lambda plane: plane.offset)
    for single, frame in zip(by_offset, sorted(frames, key=lambda plane: plane.offset), strict=True):
        assert frame.position == pytest.approx(single.position, abs=1e-9)
        assert frame.row_direction == pytest.approx(single.row_direction, abs=1e-9)
        assert frame.column_direction == pytest.approx(single.column_direction, abs=1e-9)
        assert (frame.row_spacing, frame.column_spacing) == (single.row_spacing, single.column_spacing)
        assert (frame.rows, frame.columns) == (single.rows, single.columns)
        assert frame.slice_thickness == single.slice_thickness
        assert frame.frame_of_reference_uid == single.frame_of_reference_uid


@pytest.mark.parametrize("series", ["classic", "enhanced"])
def test_an_oblique_lesion_has_its_true_diameters(series, request) -> None:
    study = request.getfixturevalue(series)
    truth = study.truth.of("T01", "DCE_EARLY")
    (dataset,) = [item for item in study.datasets if item.SOPInstanceUID == truth.sop_instance_uid]
    found = measure_bidirectional(
        plane_of(dataset, truth.frame_number),
        [truth.long_axis.start_pixel, truth.long_axis.end_pixel],
        [truth.short_axis.start_pixel, truth.short_axis.end_pixel],
    )
    assert found.long_axis.length_mm == pytest.approx(32, abs=1e-6)
    assert found.short_axis.length_mm == pytest.approx(20, abs=1e-6)
    assert found.long_axis.start_mm == pytest.approx(truth.long_axis.start_mm, abs=1e-6)
    assert found.short_axis.end_mm == pytest.approx(truth.short_axis.end_mm, abs=1e-6)
    assert found.findings == ()


def test_the_slices_of_a_series_form_a_stack_with_its_gap(classic) -> None:
    stack = stack_of([plane_of(dataset) for dataset in classic.datasets])
    assert stack.spacing_mm == pytest.approx(5, abs=1e-5)
    assert stack.gap_mm == pytest.approx(1, abs=1e-5)
    assert [finding.code for finding in stack.findings] == ["slices_apart"]


def test_a_frame_that_the_instance_does_not_have_is_refused(enhanced) -> None:
    (dataset,) = enhanced.datasets
    for number in (0, 9):
        with pytest.raises(FrameMissingError, match="states it for 8 frames"):
            plane_of(dataset, number)


@pytest.mark.parametrize(
    ("macro", "error"),
    [
        ("PixelMeasuresSequence", SpacingMissingError),
        ("PlaneOrientationSequence", OrientationMissingError),
        ("PlanePositionSequence", PositionMissingError),
    ],
)
@pytest.mark.parametrize("is_empty", [True, False])
def test_a_functional_group_that_is_missing_is_refused(enhanced, macro, error, is_empty) -> None:
    dataset = deepcopy(enhanced.datasets[0])
    for group in (*dataset.SharedFunctionalGroupsSequence, *dataset.PerFrameFunctionalGroupsSequence):
        if macro in group and is_empty:
            group[macro].value = []
        elif macro in group:
            del group[macro]
    with pytest.raises(error):
        plane_of(dataset, 3)


def test_a_frame_s_own_functional_group_may_hold_any_part(enhanced) -> None:
    dataset = deepcopy(enhanced.datasets[0])
    wanted = plane_of(dataset, 3)
    (shared,) = dataset.SharedFunctionalGroupsSequence
    own = dataset.PerFrameFunctionalGroupsSequence[2]
    for macro in ("PixelMeasuresSequence", "PlaneOrientationSequence"):
        own.add(shared[macro])
        del shared[macro]
    assert plane_of(dataset, 3) == wanted
    with pytest.raises(SpacingMissingError):
        plane_of(dataset, 4)


def test_without_per_frame_groups_no_frame_has_a_plane(enhanced) -> None:
    dataset = deepcopy(enhanced.datasets[0])
    del dataset.PerFrameFunctionalGroupsSequence
    with pytest.raises(FrameMissingError, match="states it for 0 frames"):
        plane_of(dataset)


def test_numbers_that_are_no_numbers_are_refused_in_a_sentence() -> None:
    dataset = image()
    dataset["PixelSpacing"]._value = ["one", "two"]  # noqa: SLF001  # as a careless sender writes it
    with pytest.raises(GeometryError):
        plane_of(dataset)


def test_pixels_and_rows_follow_numpy_order(classic) -> None:
    dataset = classic.datasets[0]
    plane = plane_of(dataset)
    assert np.shape(dataset.pixel_array) == (plane.rows, plane.columns)
