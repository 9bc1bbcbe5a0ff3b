"""Values of a dynamic series, against ones worked out by hand."""

from decimal import Decimal

import numpy as np
import pytest

from measurement.assist.enhancement import (
    Signal,
    functional_tumour_volume,
    percentage_enhancement,
    signal_enhancement_ratio,
    subtraction,
)
from measurement.errors import MaskShapeError, ParameterValueError, SpacingInvalidError, VolumesDifferError
from measurement.protocol.enhancement import EnhancementThresholds

THRESHOLDS = EnhancementThresholds()


def dynamic_series() -> tuple[Signal, Signal, Signal]:
    """Return tissue of 100 with a cube of 4 x 4 x 4 voxels that doubles early and falls to 150 late."""
    before = np.full((8, 8, 8), 100.0)
    early, late = before.copy(), before.copy()
    early[2:6, 2:6, 2:6], late[2:6, 2:6, 2:6] = 200, 150
    return before, early, late


def test_a_cube_that_doubles_counts_whole() -> None:
    """64 voxels of 2 x 1 x 0.5 mm; early rise 100, late rise 50: ratio 2."""
    found = functional_tumour_volume(dynamic_series(), (2.0, 1.0, 0.5), THRESHOLDS)
    assert found.volume_ml == pytest.approx(0.064)
    assert found.median_signal_enhancement_ratio == pytest.approx(2.0)
    assert int(found.voxels.sum()) == 64


@pytest.mark.parametrize(
    ("early_signal", "voxels"), [(169.0, 0), (170.0, 64)], ids=["just below 70 %", "70 %"]
)
def test_the_threshold_itself_counts(early_signal, voxels) -> None:
    before, early, late = dynamic_series()
    early[early > 100] = early_signal
    assert int(functional_tumour_volume((before, early, late), (1, 1, 1), THRESHOLDS).voxels.sum()) == voxels


def test_a_voxel_with_too_few_neighbours_is_noise() -> None:
    """A line of three: its ends have one neighbour that enhances, its middle two."""
    before, early, late = (np.full((5, 5, 5), 100.0) for _ in range(3))
    early[2, 2, 1:4], late[2, 2, 1:4] = 200, 200
    assert functional_tumour_volume((before, early, late), (1, 1, 1), THRESHOLDS).volume_ml == 0
    two = EnhancementThresholds(min_neighbours=2)
    assert int(functional_tumour_volume((before, early, late), (1, 1, 1), two).voxels.sum()) == 1


def test_air_never_counts_however_much_its_noise_rises() -> None:
    before, early, late = dynamic_series()
    before[2:6, 2:6, 2:6] = 59.0  # below 0.6 of 100, the 95th percentile
    assert functional_tumour_volume((before, early, late), (1, 1, 1), THRESHOLDS).volume_ml == 0


def test_a_slow_riser_is_left_out_where_the_protocol_wants_wash_out() -> None:
    before, early, late = dynamic_series()
    late[late > 100] = 300
    wash_out = EnhancementThresholds(min_signal_enhancement_ratio=Decimal(1))
    assert functional_tumour_volume((before, early, late), (1, 1, 1), wash_out).volume_ml == 0


def test_only_the_region_is_looked_at() -> None:
    region = np.zeros((8, 8, 8), dtype=bool)
    region[:4] = True
    found = functional_tumour_volume(dynamic_series(), (1, 1, 1), THRESHOLDS, region)
    assert int(found.voxels.sum()) == 32


def test_where_nothing_enhances_there_is_no_ratio() -> None:
    still = np.full((4, 4, 4), 100.0)
    found = functional_tumour_volume((still, still, still), (1, 1, 1), THRESHOLDS)
    assert (found.volume_ml, found.median_signal_enhancement_ratio) == (0, None)


def test_no_signal_before_contrast_gives_no_percentage() -> None:
    assert np.isnan(percentage_enhancement([[0.0]], [[50.0]])).all()
    assert np.isnan(signal_enhancement_ratio([[100.0]], [[150.0]], [[90.0]])).all()


def test_a_subtraction_keeps_its_sign() -> None:
    assert subtraction([[100.0, 100.0]], [[160.0, 70.0]]).tolist() == [[60.0, -30.0]]


@pytest.mark.parametrize(
    ("phases", "error"),
    [
        ((np.zeros((2, 2)), np.zeros((2, 3))), VolumesDifferError),
        ((np.zeros(4), np.zeros(4)), MaskShapeError),
        ((np.array([[np.nan]]), np.zeros((1, 1))), MaskShapeError),
    ],
    ids=["two sizes", "one axis", "not a number"],
)
def test_phases_that_do_not_fit_are_refused(phases, error) -> None:
    with pytest.raises(error):
        subtraction(*phases)


def test_a_volume_needs_three_spacings_and_three_axes() -> None:
    with pytest.raises(SpacingInvalidError):
        functional_tumour_volume(dynamic_series(), (1, 1), THRESHOLDS)
    flat = np.full((4, 4), 100.0)
    with pytest.raises(MaskShapeError):
        functional_tumour_volume((flat, flat, flat), (1, 1, 1), THRESHOLDS)
    with pytest.raises(VolumesDifferError):
        functional_tumour_volume(dynamic_series(), (1, 1, 1), THRESHOLDS, np.ones((2, 2, 2)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("early_phase_seconds", 0),
        ("late_phase_seconds", 150),
        ("min_percentage_enhancement", Decimal(0)),
        ("background_percentile", Decimal(101)),
        ("background_fraction", Decimal(2)),
        ("min_neighbours", 27),
    ],
)
def test_thresholds_without_sense_are_refused(name, value) -> None:
    with pytest.raises(ParameterValueError, match=name):
        EnhancementThresholds(**{name: value})
