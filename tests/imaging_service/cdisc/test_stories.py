"""Whole subjects from SDTM to answers that were worked out by hand."""

import json
import math
from decimal import Decimal

import pytest

from tests.imaging_service.cdisc.conftest import EXAMPLE, read

TIMEPOINTS = read(EXAMPLE / "timepoints.csv")
OUTCOMES = read(EXAMPLE / "outcomes.csv")
SUFFIXES = {"INVESTIGATOR": "", "RADIOLOGIST 1": "R1", "RADIOLOGIST 2": "R2"}


def name_of(row: dict[str, str]) -> str:
    return " ".join(row[column] for column in ("subject", "evaluator", "visit") if column in row)


def evaluator_of(row: dict[str, str], domain: str) -> str:
    return row[f"{domain}EVALID"] or row[f"{domain}EVAL"]


@pytest.mark.parametrize("row", TIMEPOINTS, ids=name_of)
def test_a_timepoint_has_the_responses_that_its_rows_say(scored, row):
    rs = {
        found["RSTESTCD"]: found
        for found in read(scored / "rs.csv")
        if (found["USUBJID"], evaluator_of(found, "RS"), found["VISIT"])
        == (row["subject"], row["evaluator"], row["visit"])
    }
    answers = {test: rs[test]["RSSTRESC"] for test in ("TRGRESP", "NTRGRESP", "NEWLIND", "OVRLRESP")}
    assert answers == {
        "TRGRESP": row["target"],
        "NTRGRESP": row["non_target"],
        "NEWLIND": row["new"],
        "OVRLRESP": row["overall"],
    }
    assert rs["OVRLRESP"]["RSDTC"] == row["day"]


@pytest.mark.parametrize("row", TIMEPOINTS, ids=name_of)
def test_a_timepoint_has_the_sum_of_its_targets(scored, row):
    sums = [
        found
        for found in read(scored / "sumdiam.csv")
        if (found["USUBJID"], evaluator_of(found, "TR"), found["VISIT"])
        == (row["subject"], row["evaluator"], row["visit"])
    ]
    if not row["sum"]:
        assert sums == []
    elif row["sum"] == "incomplete":
        assert (sums[0]["TRSTRESN"], sums[0]["TRSTAT"]) == ("", "NOT DONE")
        assert sums[0]["TRREASND"].startswith("Not every target was assessed: T0")
    else:
        assert (Decimal(sums[0]["TRSTRESN"]), sums[0]["TRSTRESU"]) == (Decimal(row["sum"]), "mm")


@pytest.mark.parametrize("row", OUTCOMES, ids=name_of)
def test_a_subject_has_the_best_response_and_times_that_follow(scored, row):
    suffix = SUFFIXES[row["evaluator"]]
    answers = {
        found["PARAMCD"]: found["AVALC"]
        for found in read(scored / "adrs.csv")
        if found["USUBJID"] == row["subject"]
    }
    times = {
        found["PARAMCD"]: found for found in read(scored / "adtte.csv") if found["USUBJID"] == row["subject"]
    }
    assert answers[f"BOR{suffix}"] == row["best"]
    assert answers[f"CBOR{suffix}"] == row["confirmed"]
    assert _time(times[f"PFS{suffix}"]) == row["pfs"]
    assert times[f"PFS{suffix}"]["EVNTDESC"] == row["pfs_ending"]
    assert _time(times.get(f"DOR{suffix}")) == row["dor"]
    is_response = row["confirmed"] in {"CR", "PR"}
    assert answers[f"CRSP{suffix}"] == ("Y" if is_response else "N")
    assert answers[f"CBCP{suffix}"] == answers[f"CRSP{suffix}"]


def _time(row: dict[str, str] | None) -> str:
    return "" if row is None else row["AVAL"] + ("+" if row["CNSR"] == "1" else "")


def test_every_timepoint_and_subject_of_the_example_is_worked_out_by_hand(scored):
    told = {(row["subject"], row["evaluator"], row["visit"]) for row in TIMEPOINTS}
    derived = {
        (row["USUBJID"], evaluator_of(row, "RS"), row["VISIT"])
        for row in read(scored / "rs.csv")
        if row["RSTESTCD"] == "OVRLRESP"
    }
    assert derived == told
    assert {row["subject"] for row in OUTCOMES} == {row["USUBJID"] for row in read(scored / "adtte.csv")}


def test_what_dates_an_event_can_be_followed_to_its_record(scored):
    rs = {(row["USUBJID"], row["RSSEQ"]): row for row in read(scored / "rs.csv")}
    followed = 0
    for row in read(scored / "adtte.csv"):
        if row["SRCDOM"] == "RS":
            followed += 1
            assert rs[row["USUBJID"], row["SRCSEQ"]]["RSDTC"] == row["ADT"]
            assert rs[row["USUBJID"], row["SRCSEQ"]]["RSTESTCD"] == "OVRLRESP"
    assert followed > 30
    death = next(
        row for row in read(scored / "adtte.csv") if (row["USUBJID"], row["PARAMCD"]) == ("EX-011", "OS")
    )
    assert (death["SRCDOM"], death["SRCVAR"], death["AVAL"]) == ("DM", "DTHDTC", "31")


def test_diameters_are_compared_with_baseline_and_nadir(scored):
    sums = [
        (
            row["AVISIT"],
            row["AVAL"],
            row["BASE"],
            row["CHG"],
            row["PCHG"],
            row["NADIR"],
            row["CHGNAD"],
            row["ABLFL"],
        )
        for row in read(scored / "adtr.csv")
        if (row["USUBJID"], row["PARAMCD"]) == ("EX-001", "SDIAM")
    ]
    assert sums == [
        ("SCREENING", "48", "48", "", "", "", "", "Y"),
        ("WEEK 6", "32", "48", "-16", "-33.333333", "48", "-16", ""),
        ("WEEK 12", "31", "48", "-17", "-35.416667", "32", "-1", ""),
        ("WEEK 18", "42", "48", "-6", "-12.500000", "31", "11", ""),
    ]
    parts = [
        (row["TRLNKID"], row["AVAL"], row["TULOC"])
        for row in read(scored / "adtr.csv")
        if (row["USUBJID"], row["PARAMCD"]) == ("EX-009", "LDIAM1")
    ]
    assert parts == [("T01", "40", "LIVER"), ("T01", "25", "LIVER"), ("T01", "22", "LIVER")]


def test_new_rows_of_sums_are_numbered_after_those_of_the_subject(scored):
    last = max(int(row["TRSEQ"]) for row in read(EXAMPLE / "tr.csv") if row["USUBJID"] == "EX-001")
    rows = [int(row["TRSEQ"]) for row in read(scored / "sumdiam.csv") if row["USUBJID"] == "EX-001"]
    assert rows == [last + 1, last + 2, last + 3, last + 4]


def test_the_report_tells_what_is_open_and_where(scored):
    report = json.loads((scored / "report.json").read_text())
    told = [
        (each["kind"], each["code"], each["subject_id"], each["file"], each["row"])
        for each in report["remarks"]
    ]
    rows = read(EXAMPLE / "rs.csv")
    wrong = next(
        number
        for number, row in enumerate(rows, start=2)
        if (row["USUBJID"], row["VISIT"], row["RSSTRESC"]) == ("EX-003", "WEEK 12", "SD")
    )
    seen = next(
        number
        for number, row in enumerate(read(EXAMPLE / "tr.csv"), start=2)
        if (row["USUBJID"], row["VISIT"]) == ("EX-017", "WEEK 12")
    )
    assert ("difference", "response_differs", "EX-003", "rs.csv", wrong) in told
    assert ("query", "reappeared_after_cr", "EX-017", "tr.csv", seen) in told
    assert [each[1] for each in told if each[0] == "finding"] == ["too_small", "too_many_targets_in_organ"]
    assert len(told) == 4
    assert report["counts"] == {"query": 1, "finding": 2, "difference": 1, "note": 0}


def chance(count: int, of: int, share: float) -> float:
    return math.comb(of, count) * share**count * (1 - share) ** (of - count)


def test_the_cohort_counts_everybody_who_took_part(scored):
    report = json.loads((scored / "report.json").read_text())
    by_site = report["cohorts"][0]
    assert (by_site["evaluator"], by_site["subjects"]) == ("Investigator", 18)  # EX-099 failed screening
    assert by_site["orr"]["count"] == 5  # EX-001, 002, 003, 009 and 014 are confirmed
    low, high = by_site["orr"]["limits"]
    # Clopper and Pearson 1934: at either limit, what was seen or more extreme has a chance of 2.5 %.
    assert sum(chance(count, 18, low) for count in range(5, 19)) == pytest.approx(0.025)
    assert sum(chance(count, 18, high) for count in range(6)) == pytest.approx(0.025)
    # Everybody but EX-004, 007, 011 and 012.
    assert by_site["dcr"]["count"] == 14
    assert by_site["times"]["pfs"]["events"] == 6  # EX-001, 004, 007, 011, 016 and 017


def test_adverse_events_are_counted_from_consent_to_thirty_days_after_the_last_dose(scored):
    table = json.loads((scored / "report.json").read_text())["adverse_events"]
    assert (table["subjects"], table["any_term"]["events"], table["events_left_out"]) == (18, 4, 2)
    diarrhoea = table["terms"][0]
    assert (diarrhoea["term"], diarrhoea["subjects"], diarrhoea["events"]) == ("Diarrhoea", 2, 3)
    assert {grade: count for grade, count in diarrhoea["subjects_by_worst_grade"].items() if count} == {
        "2": 1,
        "3": 1,
    }
