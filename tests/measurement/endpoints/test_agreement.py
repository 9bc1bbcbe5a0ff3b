import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from measurement.endpoints.agreement import (
    Estimate,
    IccForm,
    ReaderRecord,
    TooFewPairsError,
    UnknownCategoryError,
    Weights,
    intraclass_correlation,
    kappa,
    limits_of_agreement,
)
from measurement.endpoints.proportion import CountOutOfRangeError, Proportion

FIXTURES = Path(__file__).parents[3] / "fixtures/endpoints"


def read(name: str) -> list[dict[str, str]]:
    with (FIXTURES / name).open(newline="") as file:
        return list(csv.DictReader(file))


def tables() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in read("agreement_tables.csv"):
        found[row["set"]] += [(row["first"], row["second"])] * int(row["count"])
    return found


def lengths() -> dict[str, np.ndarray]:
    rows = read("agreement_lengths.csv")
    found = {}
    for name in {row["set"] for row in rows}:
        of = [row for row in rows if row["set"] == name]
        values = np.empty((max(int(row["lesion"]) for row in of), max(int(row["reader"]) for row in of)))
        for row in of:
            values[int(row["lesion"]) - 1, int(row["reader"]) - 1] = float(row["length_mm"])
        found[name] = values
    return found


TABLES, LENGTHS = tables(), lengths()
ANSWERS = [pytest.param(row, id=f"{row['set']}: {row['statistic']}") for row in read("agreement.csv")]


def statistic(row: dict[str, str]) -> Estimate:
    name, what = row["set"], row["statistic"]
    if what.startswith("kappa"):
        categories = sorted({rating for pair in TABLES[name] for rating in pair})
        return kappa(TABLES[name], categories=categories, weights=Weights(what.split()[1])).estimate
    if what.startswith("ICC"):
        return intraclass_correlation(LENGTHS[name], form=IccForm(what.replace("_", ",")))
    limits = limits_of_agreement([tuple(pair) for pair in LENGTHS[name]])
    return {"bias": limits.bias, "lower limit": limits.lower_limit, "upper limit": limits.upper_limit}[what]


@pytest.mark.parametrize("row", ANSWERS)
def test_agreement_is_that_of_the_reference_software(row: dict[str, str]) -> None:
    found = statistic(row)
    expected = [pytest.approx(float(row[column]), abs=1e-9) for column in ("value", "lower", "upper")]
    assert [found.value, found.lower, found.upper] == expected


@pytest.mark.parametrize("row", [pytest.param(row, id=row["source"]) for row in read("proportion.csv")])
def test_the_interval_of_a_proportion_is_exact(row: dict[str, str]) -> None:
    limits = Proportion(count=int(row["count"]), of=int(row["of"]), level=float(row["level"])).limits
    assert limits == pytest.approx((float(row["lower"]), float(row["upper"])), abs=1e-9)


def test_readers_who_always_say_the_same_one_thing_have_no_kappa() -> None:
    found = kappa([("SD", "SD")] * 7, categories=["PR", "SD"])
    assert (found.observed, found.estimate.value) == (1.0, None)


def test_readers_without_a_pair_have_no_kappa() -> None:
    with pytest.raises(TooFewPairsError, match="at least 1 pairs of readings here; found 0"):
        kappa([], categories=["PR"])


def test_a_rating_outside_the_categories_is_named() -> None:
    with pytest.raises(UnknownCategoryError, match="must be one of PR, SD; found PD"):
        kappa([("PD", "SD")], categories=["PR", "SD"])


def test_one_lesion_has_no_limits_of_agreement() -> None:
    with pytest.raises(TooFewPairsError, match="found 1"):
        limits_of_agreement([(10.0, 11.0)])


def test_one_reader_has_no_intraclass_correlation() -> None:
    with pytest.raises(TooFewPairsError, match="found 1"):
        intraclass_correlation([[10.0], [20.0]])


@pytest.mark.parametrize("form", IccForm)
def test_readers_who_draw_alike_agree_wholly(form: IccForm) -> None:
    assert intraclass_correlation([[10.0, 10.0], [20.0, 20.0], [35.0, 35.0]], form=form).value == 1.0


def test_lesions_that_are_all_alike_leave_the_correlation_undefined() -> None:
    assert intraclass_correlation([[10.0, 10.0], [10.0, 10.0]]) == Estimate()


def test_two_lesions_with_swapped_lengths_have_no_intraclass_correlation() -> None:
    assert intraclass_correlation([[10.0, 20.0], [20.0, 10.0]]) == Estimate()


def test_a_reader_is_told_by_adjudications_and_by_who_was_chosen() -> None:
    reader = ReaderRecord(cases_read=100, adjudicated=42, overruled=21)
    assert reader.adjudication_rate.estimate == 0.42
    assert reader.acceptance_rate.estimate == 0.5
    assert reader.disagreement_index.estimate == 0.21


def test_more_overruled_than_adjudicated_is_refused() -> None:
    with pytest.raises(CountOutOfRangeError, match="found -1 of 3"):
        _ = ReaderRecord(cases_read=10, adjudicated=3, overruled=4).acceptance_rate


def test_of_nobody_every_rate_is_possible() -> None:
    nobody = Proportion(count=0, of=0)
    assert (nobody.estimate, nobody.limits) == (None, (0.0, 1.0))
