"""A reading room whose images have pixels: phantoms that came in through the archive."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fixtures.dicom.phantom import LesionPlan, PhantomStudy, StudyPlan, build_study
from tests.builders.arrivals import TRIAL, TrialHouse, trial_house
from tests.builders.service import PASSWORD

LESION = LesionPlan(
    lesion_id="T01", slice_index=4, right_mm=10, down_mm=-5, longest_diameter_mm=32, short_axis_mm=20
)
SHRUNK = replace(LESION, right_mm=14, down_mm=-3, longest_diameter_mm=24, short_axis_mm=16)
WITH_FAT = ("background_fraction = 0.6", "background_fraction = 0.3")
"""The phantom's fat is not suppressed, so its tumours are darker before contrast than fat is."""

BASELINE, FOLLOW_UP = date(2024, 12, 20), date(2025, 2, 12)


@dataclass(kw_only=True)
class Case:
    """A subject with a baseline and a follow-up, and its first reader."""

    house: TrialHouse
    studies: dict[date, PhantomStudy]

    def open(self, on: date, account: str = "reader1") -> str:
        """Open the account's read of the timepoint of a day, and return its key."""
        uid = self.studies[on].plan.study_instance_uid
        timepoint_id = self.house.timepoint_of(uid)["timepoint_id"]
        answer = self.house.service.post(f"/timepoints/{timepoint_id}/reads", account)
        assert answer.status_code in {200, 201}, answer.text
        return str(answer.json()["read_id"])

    def middle(self, on: date) -> tuple[str, list[float]]:
        """Return the instance that shows T01 best, and the middle of its long axis, (column, row)."""
        truth = self.studies[on].truth.of("T01")
        (a, b), (c, d) = truth.long_axis.start_pixel, truth.long_axis.end_pixel
        return truth.sop_instance_uid, [(a + c) / 2, (b + d) / 2]

    def ask(self, read_id: str, account: str = "reader1", **body: Any) -> Any:
        """Ask for an outline of T01 at baseline, unless said otherwise; a second later each time."""
        self.house.service.clock.advance(timedelta(seconds=1))
        instance, middle = self.middle(BASELINE)
        usual = {"lesion_id": "T01", "sop_instance_uid": instance, "points": [middle]}
        return self.house.service.post(f"/reads/{read_id}/proposals", account, json=usual | body)

    def enter(self, read_id: str, **body: Any) -> None:
        """Enter T01."""
        usual = {"state": "measured", "location": "liver, segment VII"}
        answer = self.house.service.put(f"/reads/{read_id}/lesions/T01", "reader1", json=usual | body)
        assert answer.status_code in {200, 201}, answer.text

    def sign(self, read_id: str) -> None:
        """Sign."""
        body = {"password": PASSWORD, "meaning": "I confirm this read."}
        answer = self.house.service.post(f"/reads/{read_id}/signature", "reader1", json=body)
        assert answer.status_code == 201, answer.text


@cache
def _studies() -> dict[date, PhantomStudy]:
    return {
        on: build_study(StudyPlan(subject_id="01-001", patient_id="P-1", study_on=on, lesions=(lesion,)))
        for on, lesion in ((BASELINE, LESION), (FOLLOW_UP, SHRUNK))
    }


@pytest.fixture
def case(sqlite_url: str, tmp_path: Path) -> Iterator[Case]:
    """Give a subject with a baseline and a follow-up on which the lesion has shrunk and moved."""
    studies = _studies()
    with trial_house(sqlite_url, tmp_path, amended=WITH_FAT) as house:
        house.enrol()
        for slot in (1, 2):
            house.service.grant(f"reader{slot}", TRIAL, reader_slot=slot)
        for study in studies.values():
            house.receive(*study.datasets)
        yield Case(house=house, studies=studies)
