"""``imaging-service score`` as a statistician meets it."""

import shutil

import pytest

from imaging_service import cli
from tests.imaging_service.cdisc.conftest import EXAMPLE, change, read

PROTOCOL = str(EXAMPLE / "protocol.toml")


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = cli.run(["score", *map(str, arguments)])
    printed = capsys.readouterr()
    assert "Traceback" not in printed.out + printed.err
    return code, printed.out, printed.err


def test_open_questions_end_with_1(capsys, tmp_path):
    code, out, err = run(capsys, EXAMPLE, "--protocol", PROTOCOL, "--out", tmp_path)
    assert (code, err) == (1, "")
    assert out.startswith(
        "1 queries, 2 findings, 1 differences, 0 notes\nInvestigator: 18 subjects, confirmed"
    )
    assert "ORR  5/18  27.8% (9.7% to 53.5%)" in out
    assert out.endswith(f"The answers and the report are in {tmp_path}.\n")
    assert {path.name for path in tmp_path.iterdir()} == {
        "rs.csv", "sumdiam.csv", "adrs.csv", "adtr.csv", "adtte.csv", "report.txt", "report.json",
    }  # fmt: skip


def test_data_without_questions_ends_with_0(capsys, tmp_path, example):
    keep = {"EX-001", "EX-002", "EX-011"}
    for name in ("tu", "tr", "rs", "dm", "ex", "ds"):
        change(example, name, lambda rows: [row for row in rows if row["USUBJID"] in keep])
    code, _, err = run(capsys, example, "--protocol", PROTOCOL, "--out", tmp_path / "out")
    assert (code, err) == (0, "")


def test_data_that_cannot_be_scored_ends_with_2(capsys, tmp_path, example):
    change(example, "tr", lambda rows: [{**row, "TRSTRESU": "inch"} for row in rows])
    code, out, err = run(capsys, example, "--protocol", PROTOCOL, "--out", tmp_path / "out")
    assert (code, out) == (2, "")
    assert err.splitlines()[0] == "tr.csv, row 2, column TRSTRESU: found 'inch'; wanted mm or cm."


USUAL = (EXAMPLE, "--protocol", PROTOCOL)
WRONG_ARGUMENTS = [
    (("nowhere", *USUAL[1:]), "nowhere cannot be read: it is no folder."),
    (USUAL[1:], "TR cannot be read: there is no such data set"),
    ((EXAMPLE, "--protocol", "no.toml"), "no.toml cannot be read: no such file or directory."),
    (
        (EXAMPLE, "--protocol", EXAMPLE / "tr.csv"),
        "tr.csv cannot be read: its name ends in '.csv'; wanted is .toml or .json.",
    ),
    (
        (*USUAL, "--format", "sas7bdat"),
        "Data sets are written as csv, xpt, json, ndjson, json-1.0; found 'sas7bdat'.",
    ),
    (
        (*USUAL, "--tr", "tr.xlsx"),
        "tr.xlsx cannot be read: its name ends in '.xlsx'; wanted is one of .csv, .xpt, .json, .ndjson.",
    ),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG_ARGUMENTS, ids=[row[1] for row in WRONG_ARGUMENTS])
def test_a_wrong_argument_is_a_sentence(capsys, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(sentence)


def test_a_protocol_with_an_unknown_parameter_is_a_sentence(capsys, tmp_path):
    wrong = tmp_path / "protocol.toml"
    wrong.write_text('trial_id = "X"\nversion = "1"\ntitle = "X"\npr_hold = true\n')
    code, _, err = run(capsys, EXAMPLE, "--protocol", wrong, "--out", tmp_path / "out")
    assert code == 2
    assert err.startswith("The protocol has no parameter 'pr_hold'; it knows trial_id")


def test_one_evaluator_alone_has_plain_parameters(capsys, tmp_path):
    arguments = (EXAMPLE, "--protocol", PROTOCOL, "--out", tmp_path, "--evaluator", "radiologist 2")
    code, _, _ = run(capsys, *arguments)
    assert code == 0
    codes = {row["PARAMCD"] for row in read(tmp_path / "adrs.csv")}
    assert {"OVR", "BOR", "CBOR", "RSP", "CB", "PD", "DEATH"} <= codes
    assert not {code for code in codes if code.endswith("R2")}


def test_files_may_be_named_one_by_one_and_the_answer_as_of_a_day(capsys, tmp_path):
    moved = tmp_path / "results.csv"
    shutil.copy(EXAMPLE / "tr.csv", moved)
    out = tmp_path / "out"
    code, _, _ = run(
        capsys, "--tr", moved, "--dm", EXAMPLE / "dm.csv", "--protocol", PROTOCOL,
        "--out", out, "--data-cut", "2026-02-20", "--format", "csv", "--format", "xpt",
    )  # fmt: skip
    assert code in {0, 1}
    assert max(row["RSDTC"] for row in read(out / "rs.csv")) == "2026-02-16"
    assert (out / "rs.xpt").is_file()
