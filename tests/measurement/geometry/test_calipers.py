import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from measurement.errors import AxesDoNotCrossError, PointOutsideImageError, PointShapeError, ZeroLengthError
from measurement.geometry.calipers import (
    BidirectionalMeasurement,
    LineMeasurement,
    Tolerances,
    measure_bidirectional,
    measure_line,
)
from measurement.geometry.plane import ImagePlane

PLANE = ImagePlane(
    position=(-60, 20, 5),
    row_direction=(1, 0, 0),
    column_direction=(0, 1, 0),
    row_spacing=2,
    column_spacing=1,
    rows=64,
    columns=64,
)
LONG = [(10, 20), (40, 20)]  # 30 mm along a row


def codes(measurement: LineMeasurement | BidirectionalMeasurement) -> list[str]:
    return [finding.code.value for finding in measurement.findings]


def test_a_line_knows_its_ends_in_the_patient() -> None:
    line = measure_line(PLANE, (10, 20), (13, 22))
    assert line.start_mm == (-50, 60, 5)
    assert line.end_mm == (-47, 64, 5)
    assert line.length_mm == pytest.approx(5)


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        (None, []),
        (5.0, []),
        (5.1, []),
        (4.9, []),
        (5.11, ["claim_differs"]),
        (4.89, ["claim_differs"]),
        (40**0.5, ["claim_swaps_spacings"]),  # 3 columns of 2 and 2 rows of 1
        (0.0, ["claim_differs"]),
        (float("nan"), ["claim_differs"]),
    ],
)
def test_a_claimed_length_is_compared_and_never_used(claimed, expected) -> None:
    line = measure_line(PLANE, (10, 20), (13, 22), claimed_mm=claimed)
    assert line.length_mm == pytest.approx(5)
    assert codes(line) == expected


def test_the_sentence_about_a_claim_names_both_lengths() -> None:
    (finding,) = measure_line(PLANE, (10, 20), (13, 22), claimed_mm=6.5).findings
    assert finding.sentence == "The client shows 6.50 mm, the points give 5.00 mm; 0.1 mm are tolerated."


@pytest.mark.parametrize(
    ("start", "end", "error"),
    [
        ((3, 3), (3, 3), ZeroLengthError),
        ((-1, 3), (3, 3), PointOutsideImageError),
        ((3, 3), (3, 64), PointOutsideImageError),
        ((3, float("nan")), (3, 4), PointShapeError),
        ((3, float("inf")), (3, 4), PointShapeError),
        ((3, 3, 3), (3, 4, 3), PointShapeError),
        ((3,), (3, 4), PointShapeError),
        ("ab", "cd", PointShapeError),
    ],
)
def test_a_line_that_is_none_is_refused(start, end, error) -> None:
    with pytest.raises(error):
        measure_line(PLANE, start, end)


def test_two_axes_that_cross_are_measured_as_drawn() -> None:
    found = measure_bidirectional(PLANE, LONG, [(25, 15), (25, 25)])
    assert (found.long_axis.length_mm, found.short_axis.length_mm) == pytest.approx((30, 20))
    assert found.angle_degrees == pytest.approx(90)
    assert found.crossing == pytest.approx((25, 20))
    assert found.findings == ()


@pytest.mark.parametrize(
    ("short_axis", "expected"),
    [
        ([(25, 15), (28, 25)], []),  # 3 mm over 20 mm: 8.5 degrees off
        ([(25, 15), (29, 25)], ["not_perpendicular"]),  # 4 mm over 20 mm: 11.3 degrees off
        ([(25, 10), (25, 30)], ["short_axis_longer"]),
        ([(25, 12.5), (25, 27.5)], []),  # as long as the long axis
        ([(12, 10), (38, 30)], ["not_perpendicular", "short_axis_longer"]),
    ],
)
def test_odd_axes_are_findings_and_never_refused(short_axis, expected) -> None:
    assert codes(measure_bidirectional(PLANE, LONG, short_axis)) == expected


def test_exactly_ten_degrees_from_perpendicular_is_tolerated() -> None:
    lean = 10 * 2 * 0.17632698070846498  # tan 10 degrees, 10 rows of 2 mm
    assert codes(measure_bidirectional(PLANE, LONG, [(25, 15), (25 + lean, 25)])) == []


def test_a_protocol_may_tolerate_more_or_less() -> None:
    short_axis = [(25, 15), (29, 25)]  # 11.3 degrees off
    lax, strict = (
        Tolerances(claim_mm=1.5, perpendicular_degrees=12),
        Tolerances(claim_mm=0.5, perpendicular_degrees=11),
    )
    true = measure_bidirectional(PLANE, LONG, short_axis).long_axis.length_mm
    claim = true + 1
    assert codes(measure_bidirectional(PLANE, LONG, short_axis, long_claimed_mm=claim, tolerances=lax)) == []
    told = codes(measure_bidirectional(PLANE, LONG, short_axis, long_claimed_mm=claim, tolerances=strict))
    assert told == ["claim_differs", "not_perpendicular"]


def test_the_angle_is_the_one_in_the_patient_and_not_the_one_on_the_screen() -> None:
    # on the screen 26.6 and 116.6 degrees; in the patient the rows are twice as far apart
    found = measure_bidirectional(PLANE, [(10, 20), (30, 30)], [(15, 27.5), (25, 22.5)])
    assert found.angle_degrees == pytest.approx(90)


@pytest.mark.parametrize(
    "short_axis",
    [
        [(25, 20), (25, 28)],  # begins on the long axis
        [(25, 20.04), (25, 28)],  # 0.08 mm beside it
        [(10, 15), (10, 25)],  # through its end
        [(9.95, 15), (9.95, 25)],  # 0.05 mm beside its end
        [(35, 20), (50, 20)],  # along it
    ],
)
def test_axes_that_touch_cross(short_axis) -> None:
    measure_bidirectional(PLANE, LONG, short_axis)


@pytest.mark.parametrize(
    ("short_axis", "gap"),
    [
        ([(25, 21), (25, 28)], "2.00"),
        ([(8, 15), (8, 25)], "2.00"),
        ([(41, 20), (50, 20)], "1.00"),
        ([(10, 22), (40, 22)], "4.00"),
    ],
)
def test_axes_that_miss_each_other_are_refused(short_axis, gap) -> None:
    with pytest.raises(AxesDoNotCrossError, match=f"{gap} mm apart"):
        measure_bidirectional(PLANE, LONG, short_axis)


@pytest.mark.parametrize("axis", [[(1, 1)], [(1, 1), (2, 2), (3, 3)], []])
def test_an_axis_has_two_points(axis) -> None:
    with pytest.raises(PointShapeError, match="two are wanted"):
        measure_bidirectional(PLANE, LONG, axis)


def test_claims_of_both_axes_are_compared() -> None:
    found = measure_bidirectional(PLANE, LONG, [(25, 15), (25, 25)], long_claimed_mm=31, short_claimed_mm=10)
    assert codes(found) == ["claim_differs", "claim_swaps_spacings"]


points = st.tuples(st.floats(0, 63), st.floats(0, 63))


@given(points, points)
def test_a_line_is_as_long_both_ways_round(start, end) -> None:
    assume(start != end)
    there, back = measure_line(PLANE, start, end), measure_line(PLANE, end, start)
    assert there.length_mm == back.length_mm
    assert (there.start_mm, there.end_mm) == (back.end_mm, back.start_mm)
