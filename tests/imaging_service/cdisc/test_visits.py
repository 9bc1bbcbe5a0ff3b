"""Which records are one timepoint, and which timepoint is baseline."""

import json
from datetime import date

import pytest

from imaging_service.cdisc.record import Place, Record
from imaging_service.cdisc.visits import sort_out, visit_key, visits_of
from measurement.protocol.schedule import Schedule
from measurement.protocol.trial import PartialDates
from tests.imaging_service.cdisc.conftest import read, score_folder

START = date(2026, 1, 5)
SCHEDULE = Schedule()


def record(visitnum: str, visit: str, day: str, **more: str) -> Record:
    values = {"VISITNUM": visitnum, "VISIT": visit, "TRDTC": day, "TRTESTCD": "LDIAM", **more}
    return Record(Place("tr.csv", 2), values)


def day_of(found: Record) -> date | None:
    return found.day("TRDTC", PartialDates.REFUSE)


SCREENING = record("1", "SCREENING", "2025-12-29")
WEEK_6 = record("2", "WEEK 6", "2026-02-16")
WEEK_12 = record("3", "WEEK 12", "2026-03-30")

BASELINES = [
    ("the last visit before the start", [SCREENING, WEEK_6], START, ["SCREENING"]),
    ("imaging on the day of the start", [record("1", "C1D1", "2026-01-05"), WEEK_6], START, ["C1D1"]),
    (
        "two visits within the protocol's 28 days together",
        [record("0.1", "SCREENING 1", "2025-12-20"), record("0.2", "SCREENING 2", "2025-12-29"), WEEK_6],
        START,
        ["SCREENING 1", "SCREENING 2"],
    ),
    (
        "not a scan of months before",
        [record("0.1", "HISTORY", "2025-06-01"), SCREENING, WEEK_6],
        START,
        ["SCREENING"],
    ),
    (
        "the last one, however old, when there is no other",
        [record("0.1", "HISTORY", "2025-06-01"), WEEK_6],
        START,
        ["HISTORY"],
    ),
    (
        "what is flagged, although it lies after the start",
        [record("1", "DAY 3", "2026-01-07", TRLOBXFL="Y"), WEEK_6],
        START,
        ["DAY 3"],
    ),
    (
        "what is flagged, although another lies before the start",
        [record("0.1", "SCREENING 1", "2025-12-20"), record("0.2", "SCREENING 2", "2025-12-29", TRBLFL="Y")],
        START,
        ["SCREENING 2"],
    ),
    (
        "what is named so, after a late start",
        [record("1", "BASELINE", "2026-01-07"), WEEK_6],
        START,
        ["BASELINE"],
    ),
    ("none, when the first scan is at week 6", [WEEK_6, WEEK_12], START, []),
    ("what is named so, without a start", [WEEK_6, SCREENING], None, ["SCREENING"]),
    ("the first one, without a start or a name", [WEEK_12, WEEK_6], None, ["WEEK 6"]),
]


@pytest.mark.parametrize("case", BASELINES, ids=[row[0] for row in BASELINES])
def test_baseline_is(case):
    _, records, start, wanted = case
    visits = visits_of(records, day_of, SCHEDULE)
    occasions = sort_out(visits, set(), start, SCHEDULE)
    assert [visit.timepoint_id for visit in occasions.baseline] == wanted
    assert {visit.number for visit in occasions.baseline} <= {0}


def test_baseline_is_where_the_lesions_were_identified_when_nothing_else_tells():
    visits = visits_of([WEEK_6, WEEK_12], day_of, SCHEDULE)
    occasions = sort_out(visits, {visit_key(WEEK_6)}, START, SCHEDULE)
    assert [visit.timepoint_id for visit in occasions.baseline] == ["WEEK 6"]


def test_scheduled_visits_are_numbered_by_rank_and_unscheduled_ones_are_not():
    records = [
        SCREENING,
        record("4", "WEEK 18", ""),
        WEEK_6,
        record("2.1", "UNSCHEDULED", "2026-03-06"),
        WEEK_12,
    ]
    occasions = sort_out(visits_of(records, day_of, SCHEDULE), set(), START, SCHEDULE)
    assert [(visit.timepoint_id, visit.number) for visit in occasions.follow_ups] == [
        ("WEEK 6", 1),
        ("UNSCHEDULED", None),
        ("WEEK 12", 2),
        ("WEEK 18", 3),
    ]


def test_unscheduled_visits_with_one_number_are_taken_apart_by_their_days():
    records = [
        record("99", "UNSCHEDULED", "2026-03-06"),
        record("99", "UNSCHEDULED", "2026-03-08"),
        record("99", "UNSCHEDULED", "2026-06-01"),
    ]
    visits = visits_of(records, day_of, SCHEDULE)
    assert [(visit.timepoint_id, visit.first_on, visit.last_on) for visit in visits] == [
        ("UNSCHEDULED on 2026-03-06", date(2026, 3, 6), date(2026, 3, 8)),
        ("UNSCHEDULED on 2026-06-01", date(2026, 6, 1), date(2026, 6, 1)),
    ]


def test_without_visits_the_days_tell_the_timepoints_apart():
    visits = visits_of([record("", "", "2026-02-16"), record("", "", "2025-12-29")], day_of, SCHEDULE)
    assert [visit.timepoint_id for visit in visits] == ["day 2025-12-29", "day 2026-02-16"]


def row(lesion: str, visit: str, result: str, day: str, **more: str) -> dict[str, str]:
    test = "TUMSTATE" if result.isalpha() or " " in result else "LDIAM"
    unit = "" if test == "TUMSTATE" else "mm"
    return {
        "USUBJID": "S1",
        "TRLNKID": lesion,
        "TRTESTCD": test,
        "TRORRES": result,
        "TRSTRESC": result,
        "TRSTRESU": unit,
        "VISIT": visit,
        "TRDTC": day,
        **more,
    }


def test_a_timepoint_of_several_days_is_dated_by_what_decides(small, tmp_path):
    data = small(
        [
            row("T01", "BASELINE", "50", "2025-12-29"),
            row("NT01", "BASELINE", "PRESENT", "2025-12-30"),
            row("T01", "WEEK 6", "30", "2026-02-14"),
            row("NT01", "WEEK 6", "PRESENT", "2026-02-18"),
            row("T01", "WEEK 12", "40", "2026-03-28"),
            row("NT01", "WEEK 12", "PRESENT", "2026-04-01"),
        ]
    )
    score_folder(data, tmp_path / "out")
    days = [
        (found["RSSTRESC"], found["RSDTC"])
        for found in read(tmp_path / "out" / "rs.csv")
        if found["RSTESTCD"] == "OVRLRESP"
    ]
    # SD and PR have the last day of the imaging, PD that of the last scan of the sum (FDA, PFS appendix).
    assert days == [("PR", "2026-02-18"), ("PD", "2026-03-28")]


def test_a_visit_longer_than_a_window_is_a_query(small, tmp_path):
    data = small(
        [
            row("T01", "BASELINE", "50", "2025-12-29"),
            row("NT01", "BASELINE", "PRESENT", "2025-12-29"),
            row("T01", "WEEK 6", "50", "2026-02-01"),
            row("NT01", "WEEK 6", "PRESENT", "2026-03-01"),
        ]
    )
    score_folder(data, tmp_path / "out")
    told = json.loads((tmp_path / "out/report.json").read_text())["remarks"]
    assert ("visit_too_long", "WEEK 6") in {(each["code"], each["visit"]) for each in told}
