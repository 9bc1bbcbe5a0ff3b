"""A study that was de-identified at the gate finds its subject and its timepoint by its real day."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dicom_listener.archive import senders
from dicom_listener.archive.senders import Deidentify, Sender, networks_from
from dicom_listener.deidentification.engine import subject_of
from dicom_listener.deidentification.key import Key
from dicom_listener.intake.door import open_intake
from dicom_listener.settings import ListenerSettings
from tests.builders.arrivals import STUDY, TrialHouse, mr_instance, trial_house

SECRET = b"thirty-two bytes and a few more of them"
KEY = Key(secret=SECRET)


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[TrialHouse]:
    """Give a trial whose site 01 is de-identified at the gate."""
    (tmp_path / "key").write_bytes(SECRET)
    with trial_house(sqlite_url, tmp_path) as opened:
        sender = Sender(
            calling_ae="PACS_01",
            called_ae="IMAGING",
            networks=networks_from(["10.0.0.0/8"]),
            site_id="01",
            deidentify=Deidentify.REQUIRED,
        )
        senders.add(opened.archive.database, sender)
        yield opened


def test_it_is_matched_by_its_new_name_and_placed_by_its_real_day(house: TrialHouse, tmp_path: Path) -> None:
    name = KEY.name(subject_of("P-1", ""))
    house.enrol(patient_ids=[name])
    settings = ListenerSettings(
        deidentification_key_file=str(tmp_path / "key"), originals=str(tmp_path / "originals")
    )
    intake = open_intake(settings, house.archive)
    house.push(mr_instance("20241220"), mr_instance("20241220", number=2), intake=intake)
    house.settle()
    house.follow()
    (record,) = house.archive.studies()
    assert record.study_instance_uid == KEY.uid(STUDY)
    study = house.study(record.study_instance_uid)
    assert (study["study_date"], study["patient_ids"]) == ("2024-12-20", [name])
    assert house.timepoint_of(record.study_instance_uid)["number"] == 0
    assert f"{record.study_date:%Y}" < "2024"
    assert house.archive.days_moved(record.study_instance_uid) == KEY.moved_by(subject_of("P-1", "")).days
