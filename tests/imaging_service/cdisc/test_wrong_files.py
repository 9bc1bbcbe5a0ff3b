"""What is wrong with a file is said in one sentence: file, row, column, what was found, what was wanted."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from imaging_service.cdisc.errors import DataSetError, SeveralErrors
from imaging_service.cdisc.score import score
from measurement.protocol.trial import PartialDates
from tests.imaging_service.cdisc.conftest import (
    EXAMPLE,
    Change,
    Rows,
    change,
    read,
    score_folder,
    task_of,
    write,
)

TR = read(EXAMPLE / "tr.csv")


def cell(column: str, value: str, row: int = 2) -> Change:
    def how(rows: Rows) -> None:
        rows[row - 2][column] = value

    return how


def without(*columns: str) -> Change:
    return lambda rows: [{key: value for key, value in row.items() if key not in columns} for row in rows]


def twice(rows: Rows) -> Rows:
    return [rows[0], *rows]


WRONG_CELLS = [
    ("tr", cell("TRSTRESN", "3o"), "tr.csv, row 2, column TRSTRESN: found '3o'; wanted a number."),
    (
        "tr",
        cell("TRSTRESN", "-3", 3),
        "tr.csv, row 3, column TRSTRESN: found '-3'; wanted a length of at least 0.",
    ),
    ("tr", cell("TRSTRESU", "inch", 4), "tr.csv, row 4, column TRSTRESU: found 'inch'; wanted mm or cm."),
    (
        "tr",
        cell("TRDTC", "29/12/2025"),
        "tr.csv, row 2, column TRDTC: found '29/12/2025'; wanted a date that exists, as YYYY-MM-DD.",
    ),
    (
        "tr",
        cell("TRDTC", "2025-02-30"),
        "tr.csv, row 2, column TRDTC: found '2025-02-30'; wanted a date that exists, as YYYY-MM-DD.",
    ),
    (
        "dm",
        cell("RFXSTDTC", "9999-12-31"),
        "dm.csv, row 2, column RFXSTDTC: found '9999-12-31'; wanted a year from 1900 to 2199.",
    ),
    ("tr", cell("VISITNUM", "two"), "tr.csv, row 2, column VISITNUM: found 'two'; wanted a number."),
    ("tr", cell("USUBJID", "", 5), "tr.csv, row 5, column USUBJID: found ''; wanted a subject."),
    ("tr", cell("TRSEQ", "x"), "tr.csv, row 2, column TRSEQ: found 'x'; wanted a number."),
    ("tu", cell("TUDTC", "soon"), ""),
    (
        "dm",
        cell("DTHDTC", "yesterday", 5),
        "dm.csv, row 5, column DTHDTC: found 'yesterday'; wanted a date that exists, as YYYY-MM-DD.",
    ),
    ("dm", twice, "dm.csv, row 3, column USUBJID: found 'EX-001'; wanted one record a subject."),
    ("ex", cell("EXDOSE", "much"), "ex.csv, row 2, column EXDOSE: found 'much'; wanted a number."),
    ("ae", cell("AETOXGR", "6"), "ae.csv, row 2, column AETOXGR: found '6'; wanted a grade from 1 to 5."),
    (
        "dates",
        cell("NEWTXDTC", "?"),
        "dates.csv, row 2, column NEWTXDTC: found '?'; wanted a date that exists, as YYYY-MM-DD.",
    ),
]


@pytest.mark.parametrize(
    ("name", "how", "sentence"), WRONG_CELLS, ids=[row[2] or "TU" for row in WRONG_CELLS]
)
def test_a_cell_that_cannot_be_read_is_named(example, tmp_path, name, how, sentence):
    change(example, name, how)
    out = tmp_path / "out"
    if not sentence:  # the day of a lesion of baseline is never asked
        score_folder(example, out)
        return
    with pytest.raises(DataSetError, match=f"^{re.escape(sentence)}$"):
        score_folder(example, out)
    assert list(out.iterdir()) == []


WRONG_COLUMNS = [
    ("tr", "TRLNKID", "tr.csv needs a column TRLNKID; found are STUDYID, DOMAIN, USUBJID"),
    ("tr", "TRTESTCD", "tr.csv needs a column TRTESTCD; found are"),
    ("tr", "TRDTC", "tr.csv needs a column TRDTC; found are"),
    (
        "tr",
        ("TRSTRESN", "TRSTRESC", "TRORRES"),
        "tr.csv needs a column TRSTRESN or TRSTRESC or TRORRES; found are",
    ),
    ("tu", "TULNKID", "tu.csv needs a column TULNKID; found are"),
    ("rs", "RSTESTCD", "rs.csv needs a column RSTESTCD; found are"),
    ("dm", "USUBJID", "dm.csv needs a column USUBJID; found are"),
    ("ae", "AESTDTC", "ae.csv needs a column AESTDTC; found are"),
]


@pytest.mark.parametrize(
    ("name", "columns", "sentence"), WRONG_COLUMNS, ids=[row[2] for row in WRONG_COLUMNS]
)
def test_a_column_that_is_missing_is_named(example, tmp_path, name, columns, sentence):
    change(example, name, without(*([columns] if isinstance(columns, str) else columns)))
    with pytest.raises(DataSetError, match=f"^{re.escape(sentence)}"):
        score_folder(example, tmp_path / "out")


def broken(content: bytes, name: str = "tr.csv") -> Callable[[Path], None]:
    def make(data: Path) -> None:
        (data / "tr.csv").unlink()
        (data / name).write_bytes(content)

    return make


JSON_HEAD = b'{"datasetJSONVersion": "1.1.0", "columns": [{"name": "USUBJID"}, {"name": "TRLNKID"}], "rows": '
BROKEN_FILES = [
    (broken(b""), "tr.csv cannot be read: it is empty; wanted is a header row of column names."),
    (broken("USUBJID,Größe\n".encode("latin-1")), "tr.csv cannot be read: it is not UTF-8 text."),
    (
        broken(b"USUBJID,TRLNKID,TRTESTCD,TRORRES,TRDTC\nA,T01,LDIAM\n"),
        "tr.csv cannot be read: row 2 has 3 cells; wanted are 5, as in the header.",
    ),
    (
        broken(b'USUBJID,TRLNKID,TRTESTCD,TRORRES,TRDTC\nA,T01,"LDIAM,1,2026\n'),
        "tr.csv cannot be read: after row 1, it is not CSV (unexpected end of data).",
    ),
    (
        broken(b"USUBJID,USUBJID\n"),
        "tr.csv cannot be read: the column USUBJID is there more than once.",
    ),
    (broken(b"USUBJID;TRLNKID\n"), "tr.csv needs a column USUBJID; found are USUBJID;TRLNKID."),
    (broken(b"no transport", "tr.xpt"), "tr.xpt cannot be read: it is not a SAS transport file."),
    (
        broken(b"{", "tr.json"),
        (
            "tr.json cannot be read: the document is not JSON "
            "(Expecting property name enclosed in double quotes, line 1, column 2)."
        ),
    ),
    (broken(b"[]", "tr.json"), "tr.json cannot be read: it is not Dataset-JSON; wanted is a JSON object."),
    (
        broken(b"{}", "tr.json"),
        (
            "tr.json cannot be read: it is not Dataset-JSON; "
            "wanted is columns, or one data set in itemGroupData."
        ),
    ),
    (
        broken(b'{"columns": [1]}', "tr.json"),
        "tr.json cannot be read: it is not Dataset-JSON; wanted is columns that each have a name.",
    ),
    (
        broken(JSON_HEAD + b"[[1]]}", "tr.json"),
        "tr.json needs a column TRTESTCD; found are USUBJID, TRLNKID.",
    ),
    (
        broken(b'{"columns": []}\n', "tr.ndjson"),
        "tr.ndjson cannot be read: it is not Dataset-JSON; wanted is columns that each have a name.",
    ),
    (
        lambda data: (data / "tr.csv").unlink(),
        "TR cannot be read: there is no such data set; wanted is a file tr.csv, .xpt, .json or .ndjson.",
    ),
    (
        lambda data: (data / "tr.json").write_text("{}"),
        "tr.json cannot be read: TR is there as tr.csv too; wanted is one of them.",
    ),
    (
        lambda data: change(data, "dates", lambda rows: [{**row, "NEWTHERAPY": ""} for row in rows]),
        (
            "dates.csv has a column 'NEWTHERAPY'; known are STUDYID, USUBJID, RFXSTDTC, RANDDTC, ENRLDTC, "
            "RFICDTC, DTHDTC, NEWTXDTC, LSTALDTC, RFXENDTC."
        ),
    ),
    (
        lambda data: change(data, "tr", lambda rows: [{**row, "TRTESTCD": "VOLUME"} for row in rows]),
        (
            "tr.csv cannot be read: it has no result of a lesion; wanted is a TRTESTCD of "
            "DIAMETER, LDIAM, LNSTATE, LPERP, SAXIS, TUMSTATE."
        ),
    ),
]


@pytest.mark.parametrize(("harm", "sentence"), BROKEN_FILES, ids=[row[1] for row in BROKEN_FILES])
def test_a_file_that_is_no_data_set_is_a_sentence(example, tmp_path, harm, sentence):
    harm(example)
    with pytest.raises(DataSetError, match=f"^{re.escape(sentence)}$"):
        score_folder(example, tmp_path / "out")


def test_a_short_row_of_dataset_json_is_named(tmp_path):
    columns = ", ".join(
        f'{{"name": "{name}"}}' for name in ("USUBJID", "TRLNKID", "TRTESTCD", "TRORRES", "TRDTC")
    )
    (tmp_path / "tr.json").write_text(f'{{"columns": [{columns}], "rows": [["A", "T01", "LDIAM"]]}}')
    with pytest.raises(
        DataSetError, match=r"^tr.json cannot be read: row 1 has 3 values; wanted is a list of 5 values.$"
    ):
        score_folder(tmp_path, tmp_path / "out")


def test_several_wrong_cells_are_told_at_once_and_nothing_is_written(example, tmp_path):
    rows = read(example / "tr.csv")
    for row in rows:
        if row["TRTESTCD"] == "LDIAM" and row["TRSTRESN"]:
            row["TRSTRESN"] = "?"
    write(example / "tr.csv", rows)
    out = tmp_path / "out"
    with pytest.raises(SeveralErrors) as told:
        score_folder(example, out)
    lines = str(told.value).splitlines()
    assert len(lines) == 17  # one a subject, EX-006 having non-targets only
    assert all(
        re.fullmatch(r"tr\.csv, row \d+, column TRSTRESN: found '\?'; wanted a number\.", line)
        for line in lines
    )
    assert list(out.iterdir()) == []


def test_an_incomplete_date_is_refused_where_the_protocol_says_so(example, tmp_path):
    task = task_of(example, tmp_path / "out")
    endpoints = replace(task.protocol.endpoints, partial_dates=PartialDates.REFUSE)
    sentence = (
        r"^tr.csv, row \d+, column TRDTC: found '2026-02'; "
        "wanted a whole date, as the protocol's endpoints.partial_dates is refuse.$"
    )
    with pytest.raises(DataSetError) as told:
        score(replace(task, protocol=replace(task.protocol, endpoints=endpoints)))
    assert re.match(sentence, str(told.value))


def test_an_evaluator_whom_nobody_knows_is_answered_with_those_there_are(tmp_path):
    sentence = "nobody in it is called 'READER 9'; it holds assessments by Investigator, Radiologist 1, "
    with pytest.raises(DataSetError, match=sentence):
        score_folder(EXAMPLE, tmp_path, evaluators=("READER 9",))
