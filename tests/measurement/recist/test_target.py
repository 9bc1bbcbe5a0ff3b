from decimal import Decimal

import pytest

from measurement.recist.responses import TargetResponse
from measurement.recist.target import response_of_sums
from tests.measurement.known_answers import known_answers


@pytest.mark.parametrize("row", known_answers("recist/target_response.csv"))
def test_response_of_sums(row: dict[str, str]) -> None:
    response = response_of_sums(
        baseline=Decimal(row["baseline_mm"]),
        nadir=Decimal(row["nadir_mm"]),
        current=Decimal(row["current_mm"]),
    )
    assert response is TargetResponse(row["expected"])


def test_every_exact_30_percent_boundary_between_10_and_300_mm_is_pr_and_one_step_less_is_not() -> None:
    step = Decimal("0.1")
    for tenths in range(100, 3001):
        baseline = Decimal(tenths) / 10
        limit = baseline * 7 / 10
        if limit % step == 0:
            assert response_of_sums(baseline=baseline, nadir=baseline, current=limit) is TargetResponse.PR
        above = (limit // step + 1) * step
        assert response_of_sums(baseline=baseline, nadir=baseline, current=above) is TargetResponse.SD
