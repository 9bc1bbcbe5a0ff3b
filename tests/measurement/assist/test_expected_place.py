"""A lesion of the prior examination is looked for where the current one has the same tissue."""

import numpy as np
import pytest

from measurement.assist.confidence import Confidence
from measurement.assist.expected_place import ExpectedPlace, expected_place
from measurement.assist.registration import register
from measurement.assist.series_volume import volume_of
from measurement.errors import MaskShapeError, PlanesNotParallelError, StackUnevenError
from measurement.geometry.plane import ImagePlane, Vector
from tests.measurement.assist.follow_up import FollowUp, follow_up

PAIRS = range(10)


def place_of(pair: FollowUp) -> ExpectedPlace | None:
    return expected_place(register(pair.prior, pair.current), pair.current, pair.lesion_before)


def plane_at(z: float, *, rows: int = 4, row_direction: Vector = (1, 0, 0)) -> ImagePlane:
    return ImagePlane(
        position=(0, 0, z),
        row_direction=row_direction,
        column_direction=(0, 1, 0),
        row_spacing=1,
        column_spacing=1,
        rows=rows,
        columns=5,
    )


def test_nine_of_ten_marks_lie_within_5_mm_of_the_lesion() -> None:
    away = []
    for seed in PAIRS:
        pair = follow_up(seed)
        place = place_of(pair)
        assert place is not None
        away.append(float(np.linalg.norm(np.subtract(place.patient_point, pair.lesion_now))))
    assert np.mean(np.array(away) <= 5) >= 0.9


def test_the_mark_is_on_the_slice_and_pixel_of_its_patient_point() -> None:
    pair = follow_up(0)
    place = place_of(pair)
    assert place is not None
    plane = pair.current.planes[pair.current.order.index(place.slice_index)]
    shown = plane.to_patient([place.point])[0]
    assert np.linalg.norm(shown - place.patient_point) <= pair.current.spacing_mm / 2 + 1e-6


def test_another_body_is_never_marked_with_confidence() -> None:
    for seed in range(2):
        pair = follow_up(seed, is_same_body=False)
        place = place_of(pair)
        assert place is None or place.confidence is Confidence.DOUBTFUL


def test_the_same_pair_gives_the_same_mark() -> None:
    first, second = place_of(follow_up(1)), place_of(follow_up(1))
    assert first is not None
    assert second is not None
    assert second.patient_point == pytest.approx(first.patient_point, abs=1e-6)


def test_a_place_beyond_the_current_slices_is_not_marked() -> None:
    pair = follow_up(2)
    registration = register(pair.prior, pair.current)
    assert expected_place(registration, pair.current, (0.0, 0.0, 500.0)) is None


def test_slices_are_put_in_order_by_their_place() -> None:
    voxels = np.arange(3)[:, None, None] * np.ones((3, 4, 5))
    volume = volume_of(voxels, [plane_at(6), plane_at(0), plane_at(3)])
    assert volume.order == (1, 2, 0)
    assert volume.voxels[:, 0, 0].tolist() == [1, 2, 0]
    spacing = volume.to_simpleitk().GetSpacing()  # type: ignore[no-untyped-call] # untyped library
    assert spacing == (1, 1, 3)
    assert volume.nearest_slice((0, 0, 5.0)) == (2, 1.0)


@pytest.mark.parametrize(
    ("places", "sentence"),
    [
        ([0.0], "found 1 at distances of 0.00 to 0.00 mm"),
        ([0.0, 3.0, 9.0], "found 3 at distances of 3.00 to 6.00 mm"),
        ([0.0, 0.0, 3.0], "found 3 at distances of 0.00 to 3.00 mm"),
    ],
    ids=["one slice", "a slice missing", "a slice twice"],
)
def test_uneven_slices_are_no_volume(places, sentence) -> None:
    with pytest.raises(StackUnevenError, match=sentence):
        volume_of(np.zeros((len(places), 4, 5)), [plane_at(z) for z in places])


def test_slices_of_two_sizes_are_no_volume() -> None:
    with pytest.raises(MaskShapeError):
        volume_of(np.zeros((2, 4, 5)), [plane_at(0), plane_at(3, rows=6)])


def test_slices_of_two_directions_are_no_volume() -> None:
    with pytest.raises(PlanesNotParallelError):
        volume_of(np.zeros((2, 4, 5)), [plane_at(0), plane_at(3, row_direction=(0, 0, 1))])
