from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from measurement.errors import ObservationError
from measurement.lesions.eligibility import baseline_findings
from measurement.lesions.lesion import Lesion, Method, Nature, Role
from measurement.lesions.organs import organ_of
from measurement.units import ReportedMillimetres
from tests.measurement.known_answers import known_answers
from tests.measurement.recist.switches import criteria_with


def mm(text: str) -> ReportedMillimetres | None:
    return ReportedMillimetres(Decimal(text)) if text else None


def lesion(row: dict[str, str]) -> Lesion:
    return Lesion(
        lesion_id="L01",
        role=Role(row["role"]),
        location=row["location"],
        is_nodal=row["nodal"] == "yes",
        nature=Nature(row["nature"] or "soft_tissue"),
        method=Method(row["method"]) if row["method"] else None,
        slice_thickness_mm=Decimal(row["slice_mm"]) if row["slice_mm"] else None,
        is_irradiated=bool(row["irradiated"]),
        progressed_since_irradiation=row["irradiated"] == "progressed",
        diameter=mm(row["diameter"]),
        soft_tissue_part=mm(row["soft_tissue"]),
    )


@pytest.mark.parametrize("row", known_answers("recist/eligibility.csv"))
def test_a_lesion_at_baseline(row: dict[str, str]) -> None:
    findings = baseline_findings([lesion(row)], criteria_with(row["switches"]).measurability)
    assert [finding.code for finding in findings] == row["findings"].split()


@pytest.mark.parametrize("row", known_answers("recist/organs.csv"))
def test_organ_of(row: dict[str, str]) -> None:
    assert organ_of(row["location"], is_nodal=row["nodal"] == "yes") == row["organ"]


def target(number: int, location: str, *, is_nodal: bool = False) -> Lesion:
    return Lesion(
        lesion_id=f"T0{number}", role=Role.TARGET, location=location, is_nodal=is_nodal, diameter=mm("20")
    )


def test_five_targets_two_in_an_organ_are_allowed() -> None:
    places = ["LUNG, LEFT", "LUNG, RIGHT", "LIVER", "LIVER", "BRAIN"]
    assert baseline_findings([target(number, place) for number, place in enumerate(places)]) == ()


def test_a_sixth_target_is_one_too_many() -> None:
    places = ["LUNG", "LUNG", "LIVER", "LIVER", "BRAIN", "SPLEEN"]
    (finding,) = baseline_findings([target(number, place) for number, place in enumerate(places)])
    assert finding.sentence == "6 target lesions were chosen; at most 5 are allowed."


def test_a_third_target_in_a_paired_organ_is_one_too_many() -> None:
    places = ["LUNG, LEFT", "LUNG, RIGHT", "LUNG, LEFT LOWER LOBE"]
    (finding,) = baseline_findings([target(number, place) for number, place in enumerate(places)])
    assert finding.sentence == "3 targets in lung; at most 2 are allowed in an organ."


def test_all_lymph_nodes_are_one_organ() -> None:
    places = ["Axilla", "Mediastinum", "Neck"]
    nodes = [target(number, place, is_nodal=True) for number, place in enumerate(places)]
    (finding,) = baseline_findings(nodes)
    assert finding.code == "too_many_targets_in_organ"
    assert finding.sentence == "3 targets in lymph nodes; at most 2 are allowed in an organ."


def test_an_organ_given_by_the_reader_outweighs_the_location() -> None:
    lesions = [replace(target(number, "LIVER"), organ=f"organ {number}") for number in range(3)]
    assert baseline_findings(lesions) == ()


def test_non_targets_are_not_counted() -> None:
    lesions = [replace(target(number, "LIVER"), role=Role.NON_TARGET) for number in range(9)]
    assert baseline_findings(lesions) == ()


@pytest.mark.parametrize(
    ("imaged_on", "codes"),
    [
        (date(2026, 1, 3), ["baseline_too_early"]),
        (date(2026, 1, 4), []),
        (date(2026, 2, 1), []),
        (date(2026, 2, 2), ["baseline_after_start"]),
    ],
    ids=["29 days before", "28 days before", "on the day", "the day after"],
)
def test_baseline_lies_at_most_28_days_before_the_start(imaged_on: date, codes: list[str]) -> None:
    findings = baseline_findings([], imaged_on=imaged_on, anchor_on=date(2026, 2, 1))
    assert [finding.code for finding in findings] == codes


def test_without_both_days_the_interval_is_not_judged() -> None:
    assert baseline_findings([], imaged_on=date(2020, 1, 1)) == ()


@pytest.mark.parametrize("text", ["-1", "NaN", "Infinity"])
def test_a_lesion_with_an_impossible_diameter_cannot_be_built(text: str) -> None:
    with pytest.raises(ObservationError, match="a length is finite and not negative"):
        replace(target(1, "LIVER"), diameter=mm(text))
