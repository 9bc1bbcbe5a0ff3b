"""Clocks that are set while a listener runs."""

import pytest

from dicom_listener.network.timing import ClockWatch

STEPS = {
    "forward by an hour": (3600.0, 3600.0),
    "back by an hour": (-3600.0, -3600.0),
    "by a correction of a tenth of a second": (0.1, 0.0),
    "not at all": (0.0, 0.0),
}


@pytest.mark.parametrize(("set_by", "noticed"), STEPS.values(), ids=STEPS)
def test_a_step_of_the_wall_clock_is_noticed_once(set_by: float, noticed: float) -> None:
    wall, steady = [1_000_000.0], [5.0]
    watch = ClockWatch(wall=lambda: wall[0], steady=lambda: steady[0])
    wall[0] += 10.0 + set_by
    steady[0] += 10.0
    assert watch.step() == pytest.approx(noticed)
    assert watch.step() == 0.0
