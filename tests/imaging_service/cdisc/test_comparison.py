"""What was submitted beside what is derived."""

import json
from datetime import date
from pathlib import Path

import pytest

from tests.imaging_service.cdisc.conftest import Change, Rows, change, read, score_folder


def differences(data: Path, out: Path, **changes: object) -> list[tuple[str, str, str]]:
    score_folder(data, out, **changes)
    remarks = json.loads((out / "report.json").read_text())["remarks"]
    return [
        (each["code"], each["visit"], each["sentence"].partition(". ")[0])
        for each in remarks
        if each["kind"] == "difference" and each["subject_id"] == "EX-001"
    ]


def submit(test: str, visit: str, answer: str) -> Change:
    """Submit another answer for EX-001."""

    def how(rows: Rows) -> None:
        for row in rows:
            if (row["USUBJID"], row["RSTESTCD"], row["VISIT"]) == ("EX-001", test, visit):
                row["RSORRES"] = row["RSSTRESC"] = answer

    return how


def test_the_same_answers_are_no_differences(example, tmp_path):
    assert differences(example, tmp_path / "out") == []


ANSWERS = [
    ("OVRLRESP", "WEEK 6", "SD", "OVRLRESP was submitted as SD; derived is PR"),
    ("OVRLRESP", "WEEK 18", "Not Evaluable", "OVRLRESP was submitted as NE; derived is PD"),
    ("BESTRSP", "", "SD", "BESTRSP was submitted as SD; derived is PR"),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=[row[3] for row in ANSWERS])
def test_another_answer_is_a_difference(example, tmp_path, answer):
    test, visit, submitted, told = answer
    change(example, "rs", submit(test, visit, submitted))
    assert differences(example, tmp_path / "out") == [("response_differs", visit, told)]


def test_an_answer_that_was_left_out_is_a_difference(example, tmp_path):
    change(
        example,
        "rs",
        lambda rows: [row for row in rows if (row["USUBJID"], row["VISIT"]) != ("EX-001", "WEEK 12")],
    )
    told = [("response_not_submitted", "WEEK 12", "OVRLRESP was not submitted; derived is PR.")]
    assert differences(example, tmp_path / "out") == told


def test_an_answer_without_results_is_a_difference(example, tmp_path):
    def more(rows: Rows) -> None:
        rows.append({**rows[0], "RSSEQ": "9", "VISITNUM": "9", "VISIT": "WEEK 48", "RSDTC": "2026-12-07"})

    change(example, "rs", more)
    told = "OVRLRESP was submitted as PR, but there are no lesion results to derive it from."
    assert differences(example, tmp_path / "out") == [("response_underived", "WEEK 48", told)]


def test_the_day_tells_the_visit_when_nothing_else_does(example, tmp_path):
    change(example, "rs", lambda rows: [{**row, "VISITNUM": "", "VISIT": ""} for row in rows])
    assert differences(example, tmp_path / "out") == []


def test_what_was_submitted_after_the_cut_is_no_difference(example, tmp_path):
    told = differences(example, tmp_path / "out", as_of=date(2026, 4, 1))
    assert told == []


@pytest.mark.parametrize(
    ("submitted", "told"),
    [
        ("32", []),
        ("32.0", []),
        ("3.2", [("sum_differs", "WEEK 6", "SUMDIAM was submitted as 3.2 mm; derived is 32 mm.")]),
        ("32.4", [("sum_differs", "WEEK 6", "SUMDIAM was submitted as 32.4 mm; derived is 32 mm.")]),
    ],
)
def test_a_submitted_sum_is_compared_in_its_own_precision(example, tmp_path, submitted, told):
    def how(rows: Rows) -> None:
        for row in rows:
            if (row["USUBJID"], row["TRTESTCD"], row["VISIT"]) == ("EX-001", "SUMDIAM", "WEEK 6"):
                row["TRORRES"] = row["TRSTRESC"] = row["TRSTRESN"] = submitted

    change(example, "tr", how)
    assert differences(example, tmp_path / "out") == told


def test_sums_never_count_as_lesions(scored, example, tmp_path):
    change(example, "tr", lambda rows: [row for row in rows if row["TRTESTCD"] != "SUMDIAM"])
    score_folder(example, tmp_path / "out")
    assert (tmp_path / "out/rs.csv").read_text() == (scored / "rs.csv").read_text()


def test_the_accepted_reader_stays_marked(scored):
    accepted = {
        (row["USUBJID"], row["RSEVALID"]) for row in read(scored / "rs.csv") if row["RSACPTFL"] == "Y"
    }
    assert accepted == {("EX-015", "RADIOLOGIST 1")}


def of_record(folder: Path) -> set[tuple[str, str]]:
    """Return the times that are marked as the ones of record."""
    return {(row["USUBJID"], row["PARAMCD"]) for row in read(folder / "adtte.csv") if row["ANL02FL"] == "Y"}


def test_the_times_by_the_accepted_reader_are_marked_as_of_record(scored):
    """EX-015 was read twice, and TU and TR flag what radiologist 1 saw."""
    times = {row["PARAMCD"] for row in read(scored / "adtte.csv") if row["USUBJID"] == "EX-015"}
    assert "PFSR2" in times
    assert of_record(scored) == {("EX-015", name) for name in times if name.endswith("R1") or name == "OS"}
    assert ("EX-015", "PFSR1") in of_record(scored)


def unflagged(domain: str) -> Change:
    return lambda rows: [{**row, f"{domain}ACPTFL": ""} for row in rows]


def flagged_response(reader: int) -> Change:
    """Return a submitted best response of EX-015 by a reader, flagged as accepted."""

    def how(rows: Rows) -> Rows:
        of_reader = {"RSEVAL": "INDEPENDENT ASSESSOR", "RSEVALID": f"RADIOLOGIST {reader}"}
        answer = {"USUBJID": "EX-015", "RSTESTCD": "BESTRSP", "RSSTRESC": "SD", "RSACPTFL": "Y"}
        return [
            *({**row, "RSACPTFL": ""} for row in rows),
            {**dict.fromkeys(rows[0], ""), **of_reader, **answer},
        ]

    return how


def test_a_flag_on_a_submitted_response_says_it_too(example, tmp_path):
    for domain in ("tu", "tr"):
        change(example, domain, unflagged(domain.upper()))
    score_folder(example, tmp_path / "none")
    assert of_record(tmp_path / "none") == set()
    change(example, "rs", flagged_response(2))
    score_folder(example, tmp_path / "out")
    assert {("EX-015", "PFSR2"), ("EX-015", "OS")} <= of_record(tmp_path / "out")
    assert not any(name.endswith("R1") for _, name in of_record(tmp_path / "out"))
    best = {
        row["RSEVALID"]: row["RSACPTFL"]
        for row in read(tmp_path / "out/rs.csv")
        if row["RSTESTCD"] == "BESTRSP" and row["USUBJID"] == "EX-015"
    }
    assert (best["RADIOLOGIST 1"], best["RADIOLOGIST 2"]) == ("", "Y")


def test_two_flagged_readers_leave_nothing_of_record(example, tmp_path):
    change(example, "rs", flagged_response(2))
    score_folder(example, tmp_path / "out")
    assert of_record(tmp_path / "out") == set()
