"""What headers say of how a frame was acquired: times on one clock, phases, b-values, regions."""

from typing import Any

import pytest
from pydicom import DataElement, Dataset, config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.sequence import Sequence

from imaging_service.timepoints.acquisition_facts import body_part, frame_acquisition, scanning_sequences


def header(**values: Any) -> Dataset:
    made = Dataset()
    for name, value in values.items():
        setattr(made, name, Sequence(value) if isinstance(value, list) else value)
    return made


NINE = 1_734_685_200.0
"""2024-12-20 09:00:00 as seconds."""


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"AcquisitionDate": "20241220", "AcquisitionTime": "090000"}, NINE),
        ({"AcquisitionDate": "20241220", "AcquisitionTime": "090000.25"}, NINE + 0.25),
        ({"StudyDate": "20241220", "AcquisitionTime": "090001"}, NINE + 1),
        ({"AcquisitionDateTime": "20241220090000.5"}, NINE + 0.5),
        ({"AcquisitionDateTime": "20241220100000+0100"}, NINE),
        ({"AcquisitionTime": "090000"}, None),
        ({"AcquisitionDate": "20241220"}, None),
        ({"AcquisitionDate": "20241220", "AcquisitionTime": "late"}, None),
        ({}, None),
    ],
)
def test_when_a_frame_was_acquired(stated: dict[str, Any], expected: float | None):
    made = Dataset()
    for name, value in stated.items():
        tag = tag_for_keyword(name)
        assert tag is not None
        made[tag] = DataElement(tag, dictionary_VR(tag), value, validation_mode=config.IGNORE)
    assert frame_acquisition(made, 1).get("acquired_at_seconds") == expected


def test_contrast_is_on_the_clock_of_the_frames():
    classic = header(AcquisitionDate="20241220", AcquisitionTime="090130", ContrastBolusStartTime="090100")
    facts = frame_acquisition(classic, 1)
    assert facts["acquired_at_seconds"] - facts["contrast_at_seconds"] == 30
    profile = header(ContrastBolusStartTime="090000")
    agent = header(ContrastAdministrationProfileSequence=[profile])
    enhanced = header(
        ContrastBolusAgentSequence=[agent],
        PerFrameFunctionalGroupsSequence=[
            header(FrameContentSequence=[header(FrameAcquisitionDateTime="20241220090215")])
        ],
    )
    facts = frame_acquisition(enhanced, 1)
    assert facts["acquired_at_seconds"] - facts["contrast_at_seconds"] == 135


def test_the_frames_own_group_comes_before_the_shared_one():
    enhanced = header(
        SharedFunctionalGroupsSequence=[header(MRDiffusionSequence=[header(DiffusionBValue=0.0)])],
        PerFrameFunctionalGroupsSequence=[
            header(FrameContentSequence=[header(TemporalPositionIndex=2)]),
            header(MRDiffusionSequence=[header(DiffusionBValue=800.0)]),
        ],
    )
    assert frame_acquisition(enhanced, 1) == {"temporal_position": 2, "b_value": 0.0}
    assert frame_acquisition(enhanced, 2) == {"b_value": 800.0}


def test_classic_phases_and_b_values_stand_at_the_top():
    assert frame_acquisition(header(TemporalPositionIdentifier=3, DiffusionBValue=50.0), 1) == {
        "temporal_position": 3,
        "b_value": 50.0,
    }


@pytest.mark.parametrize(
    ("stated", "codes"),
    [
        ({"EchoPulseSequence": "GRADIENT"}, ["GR"]),
        ({"EchoPulseSequence": "BOTH", "EchoPlanarPulseSequence": "YES"}, ["SE", "GR", "EP"]),
        ({"EchoPulseSequence": "CANARY^NAME"}, []),
        ({}, []),
    ],
)
def test_enhanced_sequences_in_the_codes_of_classic_ones(stated: dict[str, Any], codes: list[str]):
    assert scanning_sequences(header(**stated)) == codes


def test_the_region_is_the_stated_one_or_the_codes_meaning():
    assert body_part(header(BodyPartExamined="BREAST")) == "BREAST"
    region = header(AnatomicRegionSequence=[header(CodeMeaning="Liver")])
    assert body_part(region) == "LIVER"
    assert (
        body_part(header(SharedFunctionalGroupsSequence=[header(FrameAnatomySequence=[region])])) == "LIVER"
    )
    assert body_part(header()) == ""
