"""One click or a rough box gives the outline of a phantom's lesion, or says that it is in doubt."""

import math

import numpy as np
import pytest

from measurement.assist.confidence import Confidence
from measurement.assist.proposal import TOLERANCE, TOLERANCE_SHARE, Proposal, propose_outline
from measurement.assist.seed import Box, Click, Seed
from measurement.errors import (
    BoxTooSmallError,
    LesionNotFoundError,
    MaskShapeError,
    PointOutsideImageError,
    PointShapeError,
)
from measurement.geometry.diameters import LesionDiameters
from measurement.geometry.plane import ImagePlane
from tests.measurement.assist.phantoms import Hardship, Kind, LesionPhantom, lesion_phantom

EACH = 8
ORDINARY = [(kind, seed) for kind in Kind for seed in range(EACH)]
HARD = [(hardship, seed) for hardship in Hardship if hardship is not Hardship.NONE for seed in range(EACH)]


def box_around(phantom: LesionPhantom) -> Box:
    """Return a rough box: 15 % too wide on one side, 10 % on the other."""
    low, high = phantom.outline.min(axis=0), phantom.outline.max(axis=0)
    (left, top), (right, bottom) = low - 0.15 * (high - low), high + 0.1 * (high - low)
    return Box(first=(left, top), second=(right, bottom))


def seeds_of(phantom: LesionPhantom) -> dict[str, Seed]:
    return {"click": Click(point=phantom.click), "box": box_around(phantom)}


def is_right(found: float, truth: float) -> bool:
    return abs(found - truth) <= max(TOLERANCE, TOLERANCE_SHARE * truth)


def is_proposal_right(proposal: Proposal, truth: LesionDiameters) -> bool:
    return is_right(
        proposal.diameters.longest_diameter.length_mm, truth.longest_diameter.length_mm
    ) and is_right(proposal.diameters.short_axis.length_mm, truth.short_axis.length_mm)


@pytest.mark.parametrize("way", ["click", "box"])
def test_nine_of_ten_ordinary_lesions_are_outlined_within_the_tolerance(way: str) -> None:
    right = []
    for kind, seed in ORDINARY:
        phantom = lesion_phantom(seed, kind)
        proposal = propose_outline(phantom.image, phantom.plane, seeds_of(phantom)[way])
        right.append(is_proposal_right(proposal, phantom.truth))
    assert np.mean(right) >= 0.9


@pytest.mark.parametrize("way", ["click", "box"])
def test_what_is_wrong_is_said_to_be_in_doubt(way: str) -> None:
    confident_and_wrong, confident = 0, 0
    for hardship, seed in HARD:
        phantom = lesion_phantom(seed, Kind.LOBULATED, hardship)
        try:
            proposal = propose_outline(phantom.image, phantom.plane, seeds_of(phantom)[way])
        except LesionNotFoundError:
            continue
        if proposal.confidence is Confidence.CONFIDENT:
            confident += 1
            confident_and_wrong += not is_proposal_right(proposal, phantom.truth)
    assert confident > 0
    assert confident_and_wrong <= 0.05 * len(HARD)


def test_a_doubt_is_told_in_a_sentence() -> None:
    doubtful = [
        proposal
        for seed in range(EACH)
        for phantom in [lesion_phantom(seed, Kind.LOBULATED, Hardship.BACKGROUND)]
        for proposal in [propose_outline(phantom.image, phantom.plane, Click(point=phantom.click))]
        if proposal.confidence is Confidence.DOUBTFUL
    ]
    assert doubtful
    assert all(doubt.endswith(".") for proposal in doubtful for doubt in proposal.doubts)


def test_where_in_the_lesion_one_clicks_hardly_matters() -> None:
    phantom = lesion_phantom(3, Kind.LOBULATED)
    middle = phantom.outline.mean(axis=0)
    lengths = []
    for column, row in middle + 0.5 * (phantom.outline[::90] - middle):
        proposal = propose_outline(phantom.image, phantom.plane, Click(point=(column, row)))
        lengths.append(proposal.diameters.longest_diameter.length_mm)
    assert np.ptp(lengths) < 0.5


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turning_the_image_turns_the_proposal(turns: int) -> None:
    """By quarter turns of a square grid with square pixels nothing may change but the direction."""
    row, column = np.mgrid[:101, :101] - 50.0
    image = 100.0 * (np.hypot(row / 1.6, column) <= 10) + 5
    plane = ImagePlane(
        position=(0, 0, 0),
        row_direction=(1, 0, 0),
        column_direction=(0, 1, 0),
        row_spacing=1,
        column_spacing=1,
        rows=101,
        columns=101,
    )
    straight = propose_outline(image, plane, Click(point=(50, 50))).diameters
    turned = propose_outline(np.rot90(image, turns), plane, Click(point=(50, 50))).diameters
    assert turned.longest_diameter.length_mm == pytest.approx(straight.longest_diameter.length_mm, abs=0.05)
    assert turned.short_axis.length_mm == pytest.approx(straight.short_axis.length_mm, abs=0.05)


def test_the_same_click_gives_the_same_answer() -> None:
    phantom = lesion_phantom(1, Kind.SPICULATED)
    first, second = (
        propose_outline(phantom.image, phantom.plane, Click(point=phantom.click)) for _ in range(2)
    )
    assert first == second


def test_nothing_is_made_up_where_there_is_nothing() -> None:
    phantom = lesion_phantom(1, Kind.SMOOTH)
    with pytest.raises(LesionNotFoundError, match="all values around it are alike"):
        propose_outline(np.full((160, 160), 7.0), phantom.plane, Click(point=(80, 80)))


def test_pure_noise_is_never_outlined_with_confidence() -> None:
    phantom = lesion_phantom(1, Kind.SMOOTH)
    for seed in range(20):
        noise = np.random.default_rng(seed).rayleigh(50, (160, 160))
        try:
            proposal = propose_outline(noise, phantom.plane, Click(point=(80, 80)))
        except LesionNotFoundError:
            continue
        assert proposal.confidence is Confidence.DOUBTFUL


def test_an_image_of_another_size_is_refused() -> None:
    phantom = lesion_phantom(1, Kind.SMOOTH)
    with pytest.raises(MaskShapeError, match="160 by 160"):
        propose_outline(phantom.image[:100], phantom.plane, Click(point=(80, 80)))


def test_a_click_beside_the_image_is_refused() -> None:
    phantom = lesion_phantom(1, Kind.SMOOTH)
    with pytest.raises(PointOutsideImageError):
        propose_outline(phantom.image, phantom.plane, Click(point=(200, 80)))


def test_a_seed_is_a_place() -> None:
    with pytest.raises(PointShapeError):
        Click(point=(math.nan, 3))
    with pytest.raises(BoxTooSmallError, match=r"1\.0 by 9\.0"):
        Box(first=(3, 3), second=(4, 12))
