"""What is copied of a study: the planes of its frames, or why they have none."""

from typing import Any

import pytest

from imaging_service.timepoints.facts import gather, stored_plane
from tests.builders.arrivals import STUDY, TrialHouse, mr_instance


def frames_of(house: TrialHouse, **attributes: Any) -> Any:
    house.push(mr_instance("20250212", **attributes))
    facts = gather(house.archive, STUDY, known=frozenset())
    assert facts is not None
    return facts.series[0].instances[0].frames


def test_the_plane_of_a_frame_is_copied(sqlite_house: TrialHouse) -> None:
    (frame,) = frames_of(sqlite_house)
    plane = stored_plane(frame["plane"])
    assert (plane.row_spacing, plane.column_spacing) == (0.8, 0.5)
    assert (plane.rows, plane.columns, plane.slice_thickness) == (4, 4, 3.0)
    assert plane.position == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"PixelSpacing": None}, "A length in mm needs Pixel Spacing (0028,0030)"),
        ({"PixelSpacing": None, "ImagerPixelSpacing": [1, 1]}, "found only ImagerPixelSpacing"),
        ({"PixelSpacing": [0, 1]}, "two positive numbers"),
        ({"ImageOrientationPatient": None}, "Image Orientation (Patient) (0020,0037)"),
        ({"ImagePositionPatient": None}, "Image Position (Patient) (0020,0032)"),
    ],
)
def test_a_frame_without_geometry_says_why(
    sqlite_house: TrialHouse, attributes: dict[str, Any], words: str
) -> None:
    (frame,) = frames_of(sqlite_house, **attributes)
    assert words in frame["refused"]


def test_known_instances_are_not_read_again(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.push(mr_instance("20250212"), mr_instance("20250212", number=2))
    facts = gather(house.archive, STUDY, known={f"{STUDY}.1.1"})
    assert facts is not None
    assert [each.record.sop_instance_uid for each in facts.series[0].instances] == [f"{STUDY}.1.2"]


def test_a_series_is_described_by_codes_and_never_by_words(
    sqlite_house: TrialHouse, caplog: pytest.LogCaptureFixture
) -> None:
    house = sqlite_house
    house.push(
        mr_instance(
            "20250212",
            ScanningSequence=["GR", "SE"],
            ImageType=["ORIGINAL", "PRIMARY", "Mrs Canary"],
            EchoTime="2.5",
            ContrastBolusAgent="Canary 10 ml",
        )
    )
    facts = gather(house.archive, STUDY, known=frozenset())
    assert facts is not None
    assert facts.series[0].coded == {
        "image_type": ["ORIGINAL", "PRIMARY"],
        "scanning_sequence": ["GR", "SE"],
        "echo_time_ms": 2.5,
        "has_contrast": True,
        "is_identity_removed": False,
    }
    assert "Canary" not in caplog.text


def test_an_unknown_study_has_no_facts(sqlite_house: TrialHouse) -> None:
    assert gather(sqlite_house.archive, "1.2.3", known=frozenset()) is None
