"""What has happened is told in the transaction in which it happens, and numbered when that is kept."""

import threading

import pytest

from imaging_service.notices import repository
from imaging_service.notices.kinds import Kind
from imaging_service.notices.service import publish
from tests.imaging_service.notices.conftest import SUBJECT, TRIAL, Told


def test_a_notice_is_numbered_when_its_change_is_kept(told: Told) -> None:
    with told.service.database.write() as session:
        publish(told.act(session), Kind.READ_SIGNED, TRIAL, subject_id=SUBJECT, reference="read-1")
        publish(told.act(session), Kind.PROGRESSION, TRIAL, subject_id=SUBJECT)
    assert [(each.sequence, each.kind) for each in told.notices()] == [
        (1, Kind.READ_SIGNED),
        (2, Kind.PROGRESSION),
    ]


def test_a_change_that_is_rolled_back_tells_nothing(told: Told) -> None:
    with told.service.database.writing_session() as session:
        publish(told.act(session), Kind.READ_SIGNED, TRIAL, subject_id=SUBJECT)
        session.rollback()
    told.publish(Kind.READ_UNLOCKED)
    assert [(each.sequence, each.kind) for each in told.notices()] == [(1, Kind.READ_UNLOCKED)]


def test_a_part_that_is_rolled_back_leaves_no_gap(told: Told) -> None:
    with told.service.database.write() as session:
        act = told.act(session)
        with session.begin_nested() as part:
            publish(act, Kind.READ_SIGNED, TRIAL, subject_id=SUBJECT)
            part.rollback()
        publish(act, Kind.READ_UNLOCKED, TRIAL, subject_id=SUBJECT)
    assert [each.kind for each in told.notices()] == [Kind.READ_UNLOCKED]


def test_what_is_told_once_is_told_once(told: Told) -> None:
    for _ in range(3):
        told.publish(Kind.TIMEPOINT_OVERDUE, timepoint_id="t-1", is_told_once=True)
    told.publish(Kind.TIMEPOINT_OVERDUE, timepoint_id="t-2", is_told_once=True)
    assert [each.timepoint_id for each in told.notices()] == ["t-1", "t-2"]


def test_who_has_read_up_to_a_number_has_missed_none_below_it(told: Told) -> None:
    """Many transactions at once: whenever the feed is read, its numbers are 1, 2, … without a gap."""
    seen: list[list[int]] = []

    def write(kind: Kind) -> None:
        for _ in range(10):
            told.publish(kind)

    kinds = (Kind.READ_SIGNED, Kind.READ_UNLOCKED)
    writers = [threading.Thread(target=write, args=(kind,)) for kind in kinds]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        seen.append([each.sequence for each in told.notices()])
    for writer in writers:
        writer.join()
    seen.append([each.sequence for each in told.notices()])
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in seen)
    assert len(seen[-1]) == 20


def test_a_notice_never_changes(told: Told) -> None:
    told.publish(Kind.READ_SIGNED)
    with pytest.raises(Exception, match="a notice never changes"), told.service.database.write() as session:
        repository.number(session, [told.notices()[0].notice_id])
