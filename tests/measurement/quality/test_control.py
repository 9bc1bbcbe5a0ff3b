"""A timepoint's series against the acquisition rules: what is found, in which words."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from measurement.errors import ParameterValueError
from measurement.geometry.plane import ImagePlane, Vector
from measurement.protocol.acquisition import AcquisitionRule, QualityPlan, Severity
from measurement.quality.control import control
from measurement.quality.facts import AcquiredSeries, FrameFacts
from measurement.quality.findings import FindingCode

AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
OBLIQUE = ((1.0, 0.0, 0.0), (0.0, 0.8, 0.6))


def frame(offset: float, *, uid: str = "", directions: Any = AXIAL, **changes: Any) -> FrameFacts:
    """Return a frame `offset` mm along the normal of its directions."""
    across, down = directions
    normal = (
        across[1] * down[2] - across[2] * down[1],
        across[2] * down[0] - across[0] * down[2],
        across[0] * down[1] - across[1] * down[0],
    )
    position: Vector = (normal[0] * offset, normal[1] * offset, normal[2] * offset)
    geometry: dict[str, Any] = {"row_spacing": 0.8, "column_spacing": 0.5, "slice_thickness": 3.0}
    geometry |= {name: changes.pop(name) for name in list(changes) if name in geometry}
    plane = ImagePlane(
        position=position, row_direction=across, column_direction=down, rows=4, columns=4, **geometry
    )
    return FrameFacts(sop_instance_uid=uid or f"1.2.{offset:g}", plane=plane, **changes)


def series(*frames: FrameFacts, number: int = 4, **changes: Any) -> AcquiredSeries:
    stated: dict[str, Any] = {
        "series_instance_uid": f"1.9.{number}",
        "modality": "MR",
        "description": "AX T1 DCE",
        "field_tesla": 1.5,
    }
    return AcquiredSeries(number=number, frames=frames, **{**stated, **changes})


def rule(**limits: Any) -> AcquisitionRule:
    return AcquisitionRule(name="dynamic T1", **limits)


def codes(*parts: AcquiredSeries, baseline: tuple[AcquiredSeries, ...] = (), **limits: Any) -> list[str]:
    return [each.code.value for each in control(parts, [rule(**limits)], baseline)]


STACK = tuple(frame(offset) for offset in (0, 3, 6, 9))


@pytest.mark.parametrize(
    ("limits", "frames", "expected"),
    [
        ({"max_slice_thickness_mm": Decimal(3)}, STACK, []),
        ({"max_slice_thickness_mm": Decimal("2.5")}, STACK, ["slices_too_thick"]),
        ({"max_slice_thickness_mm": Decimal(3)}, (frame(0, slice_thickness=None),), ["thickness_unknown"]),
        ({"max_gap_mm": Decimal(0)}, STACK, []),
        ({"max_gap_mm": Decimal(0)}, tuple(frame(z) for z in (0, 4, 8)), ["gap_too_wide"]),
        ({"max_gap_mm": Decimal(1)}, tuple(frame(z) for z in (0, 4, 8)), []),
        ({"max_gap_mm": Decimal(0)}, tuple(frame(z) for z in (0, 2, 4)), []),
        ({"complete_stack": True}, STACK, []),
        ({"complete_stack": True}, tuple(frame(z) for z in (0, 3, 9, 12)), ["slices_missing"]),
        ({"complete_stack": True}, (frame(0),), []),
        ({"max_pixel_spacing_mm": Decimal(1)}, STACK, []),
        ({"max_pixel_spacing_mm": Decimal("0.7")}, STACK, ["pixels_too_coarse"]),
        ({"min_slices": 4}, STACK, []),
        ({"min_slices": 5}, STACK, ["too_few_slices"]),
        ({"min_coverage_mm": Decimal(12)}, STACK, []),
        ({"min_coverage_mm": Decimal(13)}, STACK, ["coverage_too_short"]),
        ({"b_values": (0, 800)}, (frame(0, b_value=0.0), frame(3, b_value=800.0)), []),
        ({"b_values": (0, 800)}, (frame(0, b_value=50.0), frame(3, b_value=780.0)), ["b_value_missing"]),
        ({}, (FrameFacts(sop_instance_uid="1.2.1"), *STACK), ["geometry_missing"]),
    ],
)
def test_limits_of_one_series(
    limits: dict[str, Any], frames: tuple[FrameFacts, ...], expected: list[str]
) -> None:
    assert codes(series(*frames), **limits) == expected


@pytest.mark.parametrize("directions", [AXIAL, SAGITTAL, OBLIQUE], ids=["axial", "sagittal", "oblique"])
def test_gaps_and_holes_are_found_along_the_normal_whatever_the_order(directions: Any) -> None:
    even = [frame(offset, directions=directions) for offset in (6, 0, 9, 3)]
    holed = [frame(offset, directions=directions) for offset in (6, 0, 15, 3)]
    limits: dict[str, Any] = {"max_gap_mm": Decimal(0), "complete_stack": True}
    assert codes(series(*even), **limits) == []
    assert codes(series(*holed), **limits) == ["gap_too_wide", "slices_missing"]


def test_a_finding_says_what_was_found_what_was_wanted_and_where() -> None:
    (found,) = control([series(*(frame(z) for z in (0, 3, 9, 12)))], [rule(max_gap_mm=Decimal(1))])
    assert found.sentence == (
        "Series 4 (dynamic T1) has 1 gaps between neighbouring slices, up to 3 mm; wanted: at most 1 mm."
    )
    assert (found.severity, found.series_instance_uids) == (Severity.BLOCKS, ("1.9.4",))
    assert found.sop_instance_uids == ("1.2.3", "1.2.9")


def test_a_slice_that_one_phase_lacks_is_not_made_good_by_another() -> None:
    whole = [replace(frame(z, uid=f"1.1.{z}"), temporal_position=1) for z in (0, 3, 6, 9)]
    holed = [replace(frame(z, uid=f"1.2.{z}"), temporal_position=2) for z in (0, 3, 9)]
    assert codes(series(*whole, *holed), complete_stack=True) == ["slices_missing"]


def test_repeated_places_of_echoes_and_b_values_are_no_gap() -> None:
    twice = [replace(each, sop_instance_uid=f"{each.sop_instance_uid}.1", b_value=800.0) for each in STACK]
    assert codes(series(*STACK, *twice), max_gap_mm=Decimal(0), complete_stack=True) == []


@pytest.mark.parametrize(
    ("choice", "is_there"),
    [
        ({"modality": "CT"}, False),
        ({"description_contains": ("dce", "dyn")}, True),
        ({"description_contains": ("T2",)}, False),
        ({"body_parts": ("BREAST", "LIVER")}, True),
        ({"body_parts": ("BRAIN",)}, False),
        ({"scanning_sequences": ("GR",)}, True),
        ({"scanning_sequences": ("SE", "IR")}, False),
        ({"acquisition_type": "3D"}, True),
        ({"acquisition_type": "2D"}, False),
        ({"has_contrast": True}, True),
        ({"has_contrast": False}, False),
    ],
)
def test_a_rule_chooses_its_series_by_codes_and_words(choice: dict[str, Any], *, is_there: bool) -> None:
    one = series(
        *STACK, body_part="breast", scanning_sequences=("GR",), acquisition_type="3D", has_contrast=True
    )
    assert codes(one, **choice) == ([] if is_there else ["series_missing"])
    assert codes(one, required=False, **choice) == []


def test_a_missing_series_is_named_with_all_that_it_should_be() -> None:
    wanted = rule(body_parts=("BREAST",), description_contains=("DCE",), has_contrast=True)
    (found,) = control([series(*STACK)], [wanted])
    assert found.sentence == (
        "None of the 1 series is a dynamic T1 (modality MR, body part BREAST, description with DCE, "
        "with contrast agent); one was wanted."
    )


def test_one_good_series_is_enough_unless_each_must_be() -> None:
    thick = series(frame(0, slice_thickness=8.0), number=1)
    good = series(*STACK, number=2)
    limit: dict[str, Any] = {"max_slice_thickness_mm": Decimal(5)}
    assert codes(thick, good, **limit) == []
    assert codes(thick, good, every_series=True, **limit) == ["slices_too_thick"]
    assert codes(thick, number_of_none := series(number=3), **limit) == ["slices_too_thick"]
    assert number_of_none.frames == ()


@pytest.mark.parametrize(("placed", "severity"), [((), Severity.BLOCKS), (STACK, Severity.WARNS)])
def test_frames_that_cannot_be_measured_block_when_there_are_no_others(
    placed: tuple[FrameFacts, ...], severity: Severity
) -> None:
    (found,) = control([series(FrameFacts(sop_instance_uid="1.2.1"), *placed)], [rule()])
    assert (found.code, found.severity) == (FindingCode.GEOMETRY_MISSING, severity)


def test_a_timepoint_without_images_blocks_whatever_the_rules() -> None:
    (found,) = control([series()], [])
    assert (found.code, found.severity) == (FindingCode.NO_SERIES, Severity.BLOCKS)


def phases(*starts: float, **changes: Any) -> list[FrameFacts]:
    """Return a stack imaged at each of these times, as a scanner numbers them."""
    return [
        replace(frame(z, uid=f"1.{at:g}.{z}"), temporal_position=number, acquired_at_seconds=at, **changes)
        for number, at in enumerate(starts, start=1)
        for z in (0, 3)
    ]


EARLY: dict[str, Any] = {"max_early_phase_seconds": 240}


@pytest.mark.parametrize(
    ("parts", "limits", "expected"),
    [
        pytest.param(
            (series(*phases(0, 90, 180), contrast_at_seconds=20),), EARLY | {"min_phases": 3}, [], id="in one"
        ),
        pytest.param(
            (series(*phases(0, 90), contrast_at_seconds=20),), {"min_phases": 3}, ["too_few_phases"], id="two"
        ),
        pytest.param(
            (series(*phases(0, 300), contrast_at_seconds=20),), EARLY, ["early_phase_too_late"], id="late"
        ),
        pytest.param((series(*phases(0, 260), contrast_at_seconds=20),), EARLY, [], id="at the limit"),
        pytest.param(
            (series(*phases(0), number=1), series(*phases(100), number=2, has_contrast=True)),
            EARLY | {"min_phases": 2},
            [],
            id="each its own series",
        ),
        pytest.param(
            (series(*phases(0), number=1), series(*phases(500), number=2, has_contrast=True)),
            EARLY,
            ["early_phase_unknown"],
            id="only a bound, and that is too long",
        ),
        pytest.param((series(*phases(0, 90)),), EARLY, ["early_phase_unknown"], id="no time of contrast"),
        pytest.param((series(*STACK),), {"min_phases": 2}, ["too_few_phases"], id="no phases at all"),
    ],
)
def test_dynamic_phases(
    parts: tuple[AcquiredSeries, ...], limits: dict[str, Any], expected: list[str]
) -> None:
    assert codes(*parts, **limits) == expected


def test_what_cannot_be_told_only_warns() -> None:
    (found,) = control([series(*phases(0, 90))], [rule(**EARLY)])
    assert found.severity is Severity.WARNS


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"slice_thickness": 3.5}, []),
        ({"slice_thickness": 5.0}, ["geometry_differs"]),
        ({"row_spacing": 1.6}, ["geometry_differs"]),
        ({"directions": SAGITTAL}, ["geometry_differs"]),
        ({"slice_thickness": None}, ["geometry_differs"]),
    ],
)
def test_geometry_is_of_the_same_family_as_baseline(changes: dict[str, Any], expected: list[str]) -> None:
    baseline = (series(*STACK),)
    now = series(*(frame(z, **changes) for z in (0, 3, 6)))
    assert codes(now, baseline=baseline, same_geometry_as_baseline=True) == expected
    assert codes(now, same_geometry_as_baseline=True) == []


def test_the_difference_from_baseline_is_told_in_words() -> None:
    now = series(*(frame(z, directions=SAGITTAL) for z in (0, 3)))
    (found,) = control([now], [rule(same_geometry_as_baseline=True)], [series(*STACK)])
    assert "sagittal slices of 3 mm, pixels of 0.8 x 0.5 mm" in found.sentence
    assert "as at baseline: axial slices of 3 mm" in found.sentence


@pytest.mark.parametrize(
    ("tesla", "expected"), [(1.494, []), (3.0, ["field_differs"]), (None, ["field_differs"])]
)
def test_the_field_is_that_of_baseline(tesla: float | None, expected: list[str]) -> None:
    now = series(*STACK, field_tesla=tesla)
    assert codes(now, baseline=(series(*STACK),), same_field_strength_as_baseline=True) == expected


def test_several_regions_have_rules_of_their_own() -> None:
    breast = series(*STACK, number=1, body_part="BREAST")
    liver = series(*(frame(z, slice_thickness=5.0) for z in (0, 5)), number=2, body_part="LIVER")
    rules = [
        AcquisitionRule(name="breast", body_parts=("BREAST",), max_slice_thickness_mm=Decimal(3)),
        AcquisitionRule(name="liver", body_parts=("LIVER",), max_slice_thickness_mm=Decimal(5)),
    ]
    assert control([breast, liver], rules) == ()
    assert [each.rule for each in control([breast], rules)] == ["liver"]


def test_impossible_rules_are_refused() -> None:
    with pytest.raises(ParameterValueError, match="acquisition_type"):
        rule(acquisition_type="4D")
    with pytest.raises(ParameterValueError, match="body_parts"):
        rule(body_parts=(" ",))
    with pytest.raises(ParameterValueError, match="b_values"):
        rule(b_values=(-1,))
    with pytest.raises(ParameterValueError, match="query_due_days"):
        QualityPlan(query_due_days=-1)
