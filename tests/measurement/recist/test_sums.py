from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

import pytest

from measurement.errors import SumNotEvaluableError
from measurement.recist.sums import CompleteSum, IncompleteSum, complete_mm, sum_up
from tests.measurement.recist.stories import mm


def test_a_complete_sum_compares_with_a_complete_sum() -> None:
    assert CompleteSum(mm("20")) < CompleteSum(mm("20.1"))


@pytest.mark.parametrize("other", [CompleteSum(mm("20")), IncompleteSum(mm("9"), ("T02",)), mm("20")])
def test_an_incomplete_sum_compares_with_nothing(other: Any) -> None:
    incomplete: Any = IncompleteSum(mm("20"), ("T01",))
    for compare in (lt, le, gt, ge):
        with pytest.raises(TypeError):
            compare(incomplete, other)


def test_an_incomplete_sum_is_never_equal_to_a_complete_one() -> None:
    assert len({IncompleteSum(mm("20"), ("T01",)), CompleteSum(mm("20"))}) == 2


def test_a_sum_without_missing_targets_is_complete() -> None:
    assert sum_up(Decimal(50), ()) == CompleteSum(mm("50"))
    assert sum_up(Decimal(50), ("T03",)) == IncompleteSum(mm("50"), ("T03",))


def test_the_mm_of_an_incomplete_sum_are_refused_with_the_missing_targets() -> None:
    assert complete_mm(CompleteSum(mm("20"))) == 20
    with pytest.raises(SumNotEvaluableError, match="no diameter for T02, T03") as refusal:
        complete_mm(IncompleteSum(mm("20"), ("T02", "T03")))
    assert refusal.value.missing == ("T02", "T03")
