"""Which diameters of two readers are of one lesion, and in which groups they are summed up."""

from datetime import date
from decimal import Decimal

import pytest

from measurement.endpoints.agreement import PairSums, intraclass_correlation_of_sums, limits_of_sums
from measurement.endpoints.paired_diameters import (
    DrawnDiameter,
    Grouping,
    Occasion,
    grouped,
    quarter,
    same_lesions,
    thickness_group,
)
from measurement.units import ReportedMillimetres


def drawn(
    name: str,
    mm: str,
    at: tuple[float, float, float] = (0, 0, 0),
    *,
    organ: str = "liver",
    is_nodal: bool = False,
    space: str = "1.2.3",
    thickness: float | None = 3.0,
) -> DrawnDiameter:
    return DrawnDiameter(
        lesion_id=name,
        organ=organ,
        is_nodal=is_nodal,
        diameter=ReportedMillimetres(Decimal(mm)),
        space=space,
        centre=at,
        slice_thickness_mm=thickness,
    )


def names(first: list[DrawnDiameter], second: list[DrawnDiameter]) -> list[tuple[str, str]]:
    return [(one.lesion_id, other.lesion_id) for one, other in same_lesions(first, second)]


@pytest.mark.parametrize(
    ("apart", "pairs"), [((10, 0, 0), 1), ((6, 8, 0), 1), ((0, 0, 10.1), 0), ((8, 8, 0), 0)], ids=str
)
def test_two_diameters_are_of_one_lesion_when_a_middle_lies_in_the_other(
    apart: tuple[float, float, float], pairs: int
) -> None:
    assert len(names([drawn("T01", "12")], [drawn("T01", "20", apart)])) == pairs


@pytest.mark.parametrize(
    "other",
    [
        drawn("T01", "20", organ="lung"),
        drawn("T01", "20", is_nodal=True),
        drawn("T01", "20", space="1.2.4"),
    ],
    ids=["another organ", "a node", "other coordinates"],
)
def test_what_differs_otherwise_is_another_lesion(other: DrawnDiameter) -> None:
    assert names([drawn("T01", "20")], [other]) == []


def test_names_pair_nothing_and_the_closest_are_paired_first() -> None:
    first = [drawn("T01", "20", (0, 0, 0)), drawn("T02", "20", (8, 0, 0))]
    second = [drawn("T01", "20", (9, 0, 0)), drawn("T02", "20", (3, 0, 0)), drawn("T03", "20", (4, 0, 0))]
    assert names(first, second) == [("T02", "T01"), ("T01", "T02")]


def test_every_pair_is_in_one_group_of_each_grouping() -> None:
    liver = (drawn("T01", "20.0", thickness=3.0), drawn("T02", "18.0", thickness=5.0))
    lung = (drawn("T02", "11", organ="lung"), drawn("T01", "12", organ="lung", thickness=None))
    found = grouped(
        [
            Occasion(is_baseline=True, read_on=date(2026, 3, 31), pairs=[liver, lung]),
            Occasion(is_baseline=False, read_on=date(2026, 4, 1), pairs=[liver]),
        ]
    )
    assert {(grouping.value, name): sums.pairs for (grouping, name), sums in found.items()} == {
        ("timepoint", "baseline"): 2,
        ("timepoint", "later"): 1,
        ("organ", "liver"): 2,
        ("organ", "lung"): 1,
        ("slice_thickness", "over_3_to_5_mm"): 2,
        ("slice_thickness", "unknown"): 1,
        ("quarter", "2026-Q1"): 2,
        ("quarter", "2026-Q2"): 1,
    }
    assert limits_of_sums(found[Grouping.ORGAN, "liver"]).bias.value == 2.0


@pytest.mark.parametrize(("mm", "name"), [(3.0, "up_to_3_mm"), (3.1, "over_3_to_5_mm"), (5.1, "over_5_mm")])
def test_a_thickness_at_a_limit_is_in_the_thinner_group(mm: float, name: str) -> None:
    assert thickness_group(mm) == name


@pytest.mark.parametrize("month", range(1, 13))
def test_a_quarter_has_three_months(month: int) -> None:
    assert quarter(date(2026, month, 1)) == f"2026-Q{1 + (month - 1) // 3}"


def test_the_correlation_of_summed_pairs_is_that_of_two_of_the_four_judges() -> None:
    """Shrout and Fleiss, Psychol Bull 1979;86:420-428, table 2, judges 1 and 2 of the six targets.

    Rows' means 5.5, 3.5, 6, 4, 7.5, 4; columns' means 46/6 and 15/6; grand mean 61/12. MSR = 281/60,
    MSC = 961/12; half the squared differences 83.5 less MSC, by 5: MSE = 41/60.
    ICC(2,1) = (MSR - MSE) / (MSR + MSE + 2/6 (MSC - MSE)) = 4 / (191/6) = 24/191.
    """
    first, second = (9, 6, 8, 7, 10, 6), (2, 1, 4, 1, 5, 2)
    pairs = [(Decimal(one), Decimal(other)) for one, other in zip(first, second, strict=True)]
    found = intraclass_correlation_of_sums(PairSums.of(pairs))
    assert found.value == pytest.approx(24 / 191)
