"""Following the archive: replay, crashes, late and conflicting instances."""

from threading import Thread

import pytest
from sqlalchemy import func, select, update

from dicom_listener.archive.archive import Archive
from imaging_service.accounts.act import Act
from imaging_service.subjects.service import calendar_job
from imaging_service.timepoints import feed, repository, service
from imaging_service.timepoints.facts import StudyFacts
from imaging_service.timepoints.feed import follow_feed, missing_jobs
from imaging_service.timepoints.matching import take_in
from imaging_service.timepoints.tables import FeedCursorRow, StudyDecisionRow, StudyInstanceRow
from tests.builders.arrivals import STUDY, TRIAL, TrialHouse, mr_instance


def follow(house: TrialHouse) -> bool:
    return follow_feed(house.service.database, house.archive, house.service.clock, house.queue)


def counted(house: TrialHouse) -> tuple[int, int]:
    with house.service.database.read() as session:
        decisions = session.scalar(select(func.count()).select_from(StudyDecisionRow))
        instances = session.scalar(select(func.count()).select_from(StudyInstanceRow))
    return decisions or 0, instances or 0


def start_reading(house: TrialHouse, timepoint_id: str, *, is_finished: bool = False) -> None:
    with house.service.database.write() as session:
        act = Act.of_worker(session, house.queue, house.service.clock.now())
        service.begin_reading(act, timepoint_id)
        if is_finished:
            service.finish_reading(act, timepoint_id)


def test_a_feed_followed_again_from_the_start_changes_nothing(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212"), mr_instance("20250212", number=2))
    before = house.study(), counted(house)
    rewind(house)
    assert follow(house) is False
    assert (house.study(), counted(house)) == before
    assert counted(house) == (1, 2)


def rewind(house: TrialHouse) -> None:
    with house.service.database.write() as session:
        session.execute(update(FeedCursorRow).values(sequence=0))


def test_a_crash_between_the_study_and_its_decision_leaves_nothing(
    house: TrialHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.enrol()
    house.push(mr_instance("20250212"))
    house.settle()

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(repository, "receive", crash)
        with pytest.raises(KeyboardInterrupt):
            follow(house)
    assert counted(house) == (0, 0)
    house.follow()
    assert house.study()["state"] == "matched"
    assert counted(house) == (1, 1)


def test_two_followers_deal_with_each_change_once(house: TrialHouse) -> None:
    house.enrol()
    for number in range(1, 6):
        house.push(mr_instance("20250212", study=f"1.2.{number}"))
    house.settle()
    followers = [Thread(target=follow, args=(house,)) for _ in range(2)]
    for each in followers:
        each.start()
    for each in followers:
        each.join()
    house.follow()
    assert counted(house) == (5, 5)
    assert sorted(house.queued().values()) == ["second_study"] * 4


def test_a_long_feed_is_followed_in_parts(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    for number in range(1, 4):
        house.push(mr_instance("20250212", study=f"1.2.{number}"))
    house.settle()
    parts = [
        follow_feed(house.service.database, house.archive, house.service.clock, house.queue, limit=2)
        for _ in range(2)
    ]
    assert parts == [True, False]
    assert len(house.queued()) == 3


class AwayArchive(Archive):
    """An archive whose bytes cannot be read just now."""

    def read(self, sop_instance_uid: str) -> bytes:
        message = f"the bytes of {sop_instance_uid} are away"
        raise OSError(message)


def test_an_archive_that_is_away_loses_nothing(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.enrol()
    house.push(mr_instance("20250212"))
    house.settle()
    away = AwayArchive(house.archive.database, house.archive.objects)
    with pytest.raises(OSError, match="are away"):
        follow_feed(house.service.database, away, house.service.clock, house.queue)
    assert counted(house) == (0, 0)
    house.follow()
    assert house.study()["state"] == "matched"


def test_a_study_that_cannot_be_taken_in_does_not_hold_up_the_others(
    house: TrialHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.enrol()
    house.push(mr_instance("20250212"))
    house.push(mr_instance("20250326", study="1.2.5"))
    house.settle()

    def fail_once(act: Act, facts: StudyFacts) -> None:
        if facts.record.study_instance_uid == STUDY:
            raise ZeroDivisionError
        take_in(act, facts)

    with monkeypatch.context() as patched:
        patched.setattr(feed, "take_in", fail_once)
        assert follow(house) is False
    assert house.study("1.2.5")["state"] == "matched"
    assert [each["log_level"] for each in house.service.logs if each["event"] == "change_set_aside"] == [
        "error"
    ]
    house.follow()
    assert house.study()["state"] == "matched"


def test_hostile_texts_and_numbers_are_taken_in(house: TrialHouse) -> None:
    house.enrol()
    house.receive(
        mr_instance(
            "20250212",
            InstanceNumber=999_999_999_999,
            FrameOfReferenceUID="1.2\x003",
            SeriesDescription="a\x00b",
            EchoTime="nan",
        )
    )
    assert house.study()["state"] == "matched"


def test_late_instances_are_added_and_flagged(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212"))
    house.receive(mr_instance("20250212", number=2), mr_instance("20250212", series=2))
    timepoint, study = house.timepoint_of(), house.study()
    assert (timepoint["number"], timepoint["late_instances"], timepoint["status"]) == (1, 2, "received")
    assert (study["code"], study["instances"], study["series"]) == ("late_instances", 3, 2)
    assert "2 instances arrived after Timepoint 1 had its images" in study["reason"]


def test_late_instances_leave_a_timepoint_that_is_read(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212"))
    start_reading(house, house.timepoint_of()["timepoint_id"], is_finished=True)
    house.receive(mr_instance("20250212", number=2, patient_id="P-2"))
    timepoint, study = house.timepoint_of(), house.study()
    assert (timepoint["status"], timepoint["late_instances"]) == ("read", 1)
    assert (study["state"], study["code"], study["confidence"]) == ("matched", "several_patients", "low")


def test_a_late_instance_of_another_patient_takes_an_unread_study_back(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212"))
    timepoint_id = house.timepoint_of()["timepoint_id"]
    house.receive(mr_instance("20250212", number=2, patient_id="P-2"))
    assert house.queued() == {STUDY: "several_patients"}
    freed = house.get(f"/timepoints/{timepoint_id}")
    assert (freed["imaged_on"], freed["study_instance_uids"]) == (None, [])


def test_a_reopened_study_is_not_settled(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.enrol()
    house.receive(mr_instance("20250212"))
    assert house.study()["settled_at"] is not None
    house.push(mr_instance("20250212", number=2))
    house.follow()
    assert house.study()["settled_at"] is None


def test_a_conflict_is_counted_and_changes_nothing_else(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.enrol()
    house.receive(mr_instance("20250212"))
    house.push(mr_instance("20250212", PixelData=bytes(32)))
    house.follow()
    study = house.study()
    assert (study["conflicts"], study["state"], study["instances"]) == (1, "matched", 1)


def test_what_a_reader_has_opened_stays_when_dates_are_corrected(house: TrialHouse) -> None:
    house.enrol()
    house.receive(mr_instance("20250212"))
    timepoint_id = house.timepoint_of()["timepoint_id"]
    start_reading(house, timepoint_id)
    house.correct(first_dose_on="2025-02-12")
    timepoint = house.timepoint_of()
    assert (timepoint["timepoint_id"], timepoint["number"], timepoint["status"]) == (
        timepoint_id,
        1,
        "in_reading",
    )


def test_a_calendar_that_lags_behind_is_found(house: TrialHouse) -> None:
    house.enrol()
    derive = missing_jobs(house.service.clock)
    with house.service.database.read() as session:
        assert list(derive(session)) == []
    body = {"first_dose_on": "2025-01-08", "reason": "Delayed by a week"}
    house.service.patch(house.path("/subjects/01-001"), "coordinator", json=body)
    with house.service.database.read() as session:
        assert list(derive(session)) == [calendar_job(TRIAL, "01-001")]
    house.follow()
    with house.service.database.read() as session:
        assert list(derive(session)) == []


def test_an_amendment_renews_calendars_from_its_day_on(house: TrialHouse) -> None:
    house.enrol()
    protocol = house.get("/protocol")["protocol"]
    protocol |= {"version": "2.0", "effective_on": "2026-02-01"}
    protocol["schedule"]["window_after_days"] = 10
    filed = house.service.post("/trials", "coordinator", json=protocol)
    assert filed.status_code == 201, filed.text
    derive = missing_jobs(house.service.clock)
    with house.service.database.read() as session:
        assert list(derive(session)) == []
    house.service.clock.set(house.service.clock.now().replace(month=2))
    with house.service.database.write() as session:
        for job in derive(session):
            house.queue.enqueue(session, job)
    house.follow()
    first = next(each for each in house.get("/timepoints")["items"] if each["number"] == 1)
    assert first["closes_on"] == "2025-02-22"
