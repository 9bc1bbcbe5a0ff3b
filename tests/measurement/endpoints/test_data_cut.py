"""What had been seen by a day."""

from datetime import date
from decimal import Decimal

import pytest

from measurement.endpoints.data_cut import seen_by
from measurement.lesions.lesion import TargetObservation, TargetState
from measurement.recist.observations import TimepointObservations
from measurement.units import ReportedMillimetres


def timepoint(number: int, *days: int) -> TimepointObservations:
    if not days:
        return TimepointObservations(timepoint_id=f"TP{number}", number=number, not_done="no scan")
    targets = tuple(
        TargetObservation(
            lesion_id=f"T{position}",
            state=TargetState.MEASURED,
            diameter=ReportedMillimetres(Decimal(20)),
            imaged_on=date(2026, 1, day),
        )
        for position, day in enumerate(days)
    )
    return TimepointObservations(
        timepoint_id=f"TP{number}", number=number, imaged_on=date(2026, 1, days[0]), targets=targets
    )


TIMEPOINTS = (timepoint(0, 1), timepoint(1, 10, 12), timepoint(2), timepoint(3, 20))


@pytest.mark.parametrize(
    ("day", "numbers"),
    [
        (1, [0]),
        (10, [0]),  # half of timepoint 1
        (12, [0, 1]),
        (19, [0, 1]),  # whether timepoint 2 was missed is not known yet
        (20, [0, 1, 2, 3]),
    ],
)
def test_a_timepoint_counts_from_its_last_day(day, numbers):
    assert [each.number for each in seen_by(TIMEPOINTS, date(2026, 1, day))] == numbers


def test_without_a_cut_everything_counts():
    assert seen_by(iter(TIMEPOINTS), None) == TIMEPOINTS
