"""Give a trial whose reader has a baseline before and a follow-up behind the lock."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders.arrivals import TRIAL, TrialHouse, mr_instance, trial_house

FOLLOW_UP = "1.2.5"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialHouse]:
    """Give the trial, and the images of its first subject, to tests that only look at them."""
    folder = tmp_path_factory.mktemp("house")
    with trial_house(f"sqlite:///{folder}/house.sqlite", folder) as opened:
        yield with_images(opened)


@pytest.fixture
def each_house(database_url: str, tmp_path: Path) -> Iterator[TrialHouse]:
    """Give the same over SQLite and over PostgreSQL."""
    with trial_house(database_url, tmp_path) as opened:
        yield with_images(opened)


def with_images(house: TrialHouse) -> TrialHouse:
    house.service.grant("reader1", TRIAL, reader_slot=1)
    house.enrol()
    canaries: dict[str, Any] = {
        "PatientBirthDate": "19640203",
        "InstitutionName": "CANARY HOSPITAL",
        "ReferringPhysicianName": "CANARY^REFERRER",
        "StudyDescription": "CANARY STUDY",
        "AccessionNumber": "CANARY-7",
        "StudyTime": "101500",
        "StationName": "CANARY-MR1",
        "ImageComments": "CANARY COMMENT",
    }
    house.receive(
        mr_instance("20241220", **canaries),
        mr_instance("20241220", number=2, **canaries),
        mr_instance(
            "20241220",
            series=7,
            SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11",
            Modality="SR",
            SeriesDescription="CANARY REPORT",
            Rows=None,
            Columns=None,
            PixelData=None,
        ),
    )
    house.receive(mr_instance("20250212", study=FOLLOW_UP))
    return house
