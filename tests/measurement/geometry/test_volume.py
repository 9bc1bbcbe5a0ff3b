import pytest
from hypothesis import given
from hypothesis import strategies as st

from measurement.errors import PlanesNotParallelError
from measurement.geometry.plane import ImagePlane, Vector
from measurement.geometry.volume import SliceStack, stack_of


def plane(
    offset: float,
    *,
    thickness: float | None = 3.0,
    frame: str = "1.2.3",
    row_direction: Vector = (0.6, 0.8, 0.0),
    shift: float = 0.0,
) -> ImagePlane:
    """Make an oblique slice at a distance from the origin along its normal, shifted along its rows."""
    normal = (-0.8, 0.6, 0.0)
    x, y, z = (offset * n + shift * r for n, r in zip(normal, row_direction, strict=True))
    return ImagePlane(
        position=(x, y, z),
        row_direction=row_direction,
        column_direction=(0.0, 0.0, -1.0),
        row_spacing=1,
        column_spacing=1,
        rows=8,
        columns=8,
        slice_thickness=thickness,
        frame_of_reference_uid=frame,
    )


def codes(stack: SliceStack) -> list[str]:
    return [finding.code.value for finding in stack.findings]


def test_the_normal_points_as_assumed_here() -> None:
    assert plane(7).offset == pytest.approx(-plane(-7).offset)
    assert abs(plane(7).offset) == pytest.approx(7)


@pytest.mark.parametrize(
    ("offsets", "thickness", "spacing", "gap", "expected"),
    [
        ([0, 3, 6, 9], 3.0, 3, 0, []),
        ([9, 0, 6, 3], 3.0, 3, 0, []),
        ([0, 3.3, 6.6], 3.0, 3.3, 0.3, ["slices_apart"]),
        ([0, 3.1, 6.2], 3.0, 3.1, 0.1, []),
        ([0, 2, 4], 3.0, 2, -1, ["slices_overlap"]),
        ([0, 3, 6, 12, 15], 3.0, 3, 0, ["slices_missing"]),
        ([0, 3, 6.3, 9], 3.0, 3, 0, ["slices_uneven"]),
        ([0, 3, 3, 6], 3.0, 3, 0, ["slices_repeated"]),
        ([0, 3, 6], None, 3, None, []),
        ([5], 3.0, None, None, []),
        ([5, 5], 3.0, None, None, ["slices_repeated"]),
    ],
)
def test_distances_of_slices_are_told(offsets, thickness, spacing, gap, expected) -> None:
    stack = stack_of([plane(offset, thickness=thickness) for offset in offsets])
    assert stack.spacing_mm == (None if spacing is None else pytest.approx(spacing))
    assert stack.gap_mm == (None if gap is None else pytest.approx(gap, abs=1e-9))
    assert codes(stack) == expected


def test_sentences_name_the_distances() -> None:
    missing = stack_of([plane(offset) for offset in (0, 3, 6, 12)])
    assert missing.findings[0].sentence == (
        "Slices are missing: two neighbours lie 6.00 mm apart where 3.00 mm are usual."
    )
    apart = stack_of([plane(offset) for offset in (0, 4, 8)])
    assert apart.findings[0].sentence == (
        "Slices of 3.00 mm lie 4.00 mm apart: 1.00 mm between two are not imaged."
    )


@given(st.permutations(range(6)), st.floats(-50, 50))
def test_slices_are_put_in_order_along_their_normal(order, shift) -> None:
    slices = [plane(3 * place, shift=shift * place) for place in order]
    offsets = [slices[index].offset for index in stack_of(slices).order]
    assert offsets == sorted(offsets)


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([plane(0), plane(3, frame="9.9.9")], "2 frames of reference"),
        ([plane(0), plane(3, row_direction=(1.0, 0.0, 0.0))], "0.8 difference of a direction cosine"),
        ([], "0 slices"),
    ],
)
def test_slices_of_several_stacks_are_refused(others, words) -> None:
    with pytest.raises(PlanesNotParallelError, match=words):
        stack_of(others)
