import pytest

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.records import ChangeKind
from dicom_listener.intake.receive import Intake
from dicom_listener.intake.settle import Settler, close_all, close_ended
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.instances import mr_instance

STUDY = "1.2.826.0.1.3680043.8.498.1"
QUIET = 60.0


class HandClock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def settler(archive: Archive, clock: HandClock) -> Settler:
    return Settler(archive.database, QUIET, clock=clock)


def kinds(archive: Archive) -> list[ChangeKind]:
    return [change.kind for change in archive.changes_after(0)]


def settles(settler: Settler, clock: HandClock, after: float) -> bool:
    clock.now += after
    return bool(settler.settle())


def test_a_study_is_settled_after_the_quiet_period_and_once(
    intake: Intake, settler: Settler, clock: HandClock
) -> None:
    intake.receive(arrival(mr_instance()))
    steps = [settles(settler, clock, seconds) for seconds in (0, QUIET - 1, 1, QUIET)]
    assert steps == [False, False, True, False]
    assert kinds(intake.archive) == [ChangeKind.STUDY_SETTLED]
    study = intake.archive.study(STUDY)
    assert study is not None
    assert study.settled_at is not None


def test_a_study_of_which_an_instance_was_acknowledged_but_not_indexed_is_not_settled(
    intake: Intake, clock: HandClock
) -> None:
    unplaced = [arrival(mr_instance())]

    def catch_up() -> bool:
        while unplaced:
            intake.receive(unplaced.pop())
        return True

    settler = Settler(intake.archive.database, QUIET, catch_up=catch_up, clock=clock)
    intake.receive(arrival(mr_instance()))
    assert [settles(settler, clock, seconds) for seconds in (0, QUIET, QUIET)] == [False, False, False]
    assert settles(settler, clock, QUIET)
    stalled = Settler(intake.archive.database, QUIET, catch_up=lambda: False, clock=clock)
    intake.receive(arrival(mr_instance()))
    assert not any(settles(stalled, clock, QUIET) for _ in range(3))


def test_each_new_instance_begins_the_period_again_but_the_same_one_does_not(
    intake: Intake, settler: Settler, clock: HandClock
) -> None:
    first = arrival(mr_instance())
    intake.receive(first)
    assert not settles(settler, clock, 0)
    intake.receive(arrival(mr_instance()))
    assert not settles(settler, clock, QUIET)
    intake.receive(first)
    assert settles(settler, clock, QUIET)


def test_a_late_instance_opens_the_study_again(intake: Intake, settler: Settler, clock: HandClock) -> None:
    intake.receive(arrival(mr_instance()))
    settles(settler, clock, 0)
    assert settles(settler, clock, QUIET)
    intake.receive(arrival(mr_instance()))
    study = intake.archive.study(STUDY)
    assert study is not None
    assert study.settled_at is None
    settles(settler, clock, 0)
    assert settles(settler, clock, QUIET)
    assert kinds(intake.archive) == [
        ChangeKind.STUDY_SETTLED,
        ChangeKind.STUDY_REOPENED,
        ChangeKind.STUDY_SETTLED,
    ]


def test_a_study_is_not_settled_while_an_association_that_sent_it_is_open(
    intake: Intake, settler: Settler, clock: HandClock
) -> None:
    intake.receive(arrival(mr_instance(), association_id="a1", process="p1"))
    assert [settles(settler, clock, seconds) for seconds in (0, QUIET, QUIET)] == [False] * 3
    close_ended(intake.archive.database, "p1", {"a1"})
    assert [settles(settler, clock, seconds) for seconds in (0, QUIET)] == [False] * 2
    close_ended(intake.archive.database, "p1", set())
    assert [settles(settler, clock, seconds) for seconds in (0, QUIET)] == [False, True]


def test_another_process_keeps_its_own_associations_open(
    intake: Intake, settler: Settler, clock: HandClock
) -> None:
    intake.receive(arrival(mr_instance(), association_id="a1", process="p1"))
    close_ended(intake.archive.database, "p2", set())
    assert [settles(settler, clock, seconds) for seconds in (0, QUIET)] == [False, False]
    close_all(intake.archive.database)
    assert [settles(settler, clock, seconds) for seconds in (0, QUIET)] == [False, True]


def test_a_restart_begins_the_period_again_and_loses_no_study(
    intake: Intake, settler: Settler, clock: HandClock
) -> None:
    intake.receive(arrival(mr_instance()))
    settles(settler, clock, 0)
    settles(settler, clock, QUIET - 1)
    restarted = Settler(intake.archive.database, QUIET, clock=clock)
    assert [settles(restarted, clock, seconds) for seconds in (1, QUIET)] == [False, True]


def test_changes_follow_a_cursor(intake: Intake, settler: Settler, clock: HandClock) -> None:
    for number in (1, 2, 3):
        values = {"StudyInstanceUID": f"1.2.{number}", "SeriesInstanceUID": f"1.2.{number}.1"}
        intake.receive(arrival(mr_instance(**values)))
    settles(settler, clock, 0)
    settles(settler, clock, QUIET)
    changes = intake.archive.changes_after(0)
    assert [change.study_instance_uid for change in changes] == ["1.2.1", "1.2.2", "1.2.3"]
    assert intake.archive.changes_after(changes[0].sequence, limit=1) == changes[1:2]
    assert intake.archive.changes_after(changes[-1].sequence) == ()
