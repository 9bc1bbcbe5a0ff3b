"""Many subjects at once: looked at first, then all of it or nothing, and the same again changes nothing."""

from pathlib import Path
from typing import Any

import pytest

from imaging_service import cli
from imaging_service.cdisc.data_set import DataSet, Variable
from imaging_service.cdisc.write_xport import XportSink
from imaging_service.jobs.embedded import EmbeddedQueue
from imaging_service.processes import operation
from imaging_service.subjects.import_rows import records_of, rows_of_sdtm
from tests.builders.reading import PROTOCOL, TRIAL
from tests.builders.service import ACCOUNTS, MONDAY, TestService

IMPORT = f"/trials/{TRIAL}/subjects/import"
HEADER = "subject_id,site_id,patient_ids,consent_on,first_dose_on,death_on\r\n"
TWO = (
    HEADER + "S1-001,01,N-1;N-2,2025-01-02,2025-01-10,\r\nS1-002,01,N-3,2025-02-02,2025-02-10,2025-08-01\r\n"
)


def open_trial(service: TestService) -> TestService:
    service.app.state.jobs = EmbeddedQueue(service.clock)
    headers = {"Content-Type": "application/toml"}
    service.post("/trials", "administrator", content=PROTOCOL.read_bytes(), headers=headers)
    for site in ("01", "02"):
        body = {"site_id": site, "name": f"Hospital {site}"}
        assert service.post(f"/trials/{TRIAL}/sites", "administrator", json=body).status_code == 201
    service.grant("coordinator", TRIAL)
    return service


@pytest.fixture
def trial(service: TestService) -> TestService:
    """Give a trial with two sites over each kind of database."""
    return open_trial(service)


@pytest.fixture
def quick_trial(sqlite_service: TestService) -> TestService:
    """Give the same over SQLite."""
    return open_trial(sqlite_service)


def send(trial: TestService, text: str, *, dry_run: bool = False, account: str = "coordinator") -> Any:
    query = {"reason": "Transfer of 5 January.", **({"dry_run": "true"} if dry_run else {})}
    headers = {"Content-Type": "text/csv"}
    return trial.post(IMPORT, account, content=text.encode(), headers=headers, params=query)


def subjects(trial: TestService) -> dict[str, dict[str, Any]]:
    items = trial.get(f"/trials/{TRIAL}/subjects", "coordinator").json()["items"]
    return {each["subject_id"]: each for each in items}


def fates(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["fate"] for each in answer.json()["subjects"]]


def test_a_file_enrols_corrects_and_leaves_alone(trial: TestService) -> None:
    assert fates(send(trial, TWO, dry_run=True)) == ["enrolled", "enrolled"]
    assert subjects(trial) == {}
    assert fates(send(trial, TWO)) == ["enrolled", "enrolled"]
    known = subjects(trial)
    assert known["S1-002"]["death_on"] == "2025-08-01"
    assert [each["patient_id"] for each in known["S1-001"]["patient_ids"]] == ["N-1", "N-2"]
    assert fates(send(trial, TWO)) == ["unchanged", "unchanged"]
    later = TWO.replace("2025-08-01", "2025-08-03")
    assert fates(send(trial, later)) == ["unchanged", "corrected"]
    versions = trial.get(f"/trials/{TRIAL}/subjects/S1-002/versions", "coordinator").json()
    assert [(each["death_on"], each["reason"]) for each in versions] == [
        ("2025-08-01", "Enrolment"),
        ("2025-08-03", "Transfer of 5 January."),
    ]
    assert subjects(trial)["S1-001"]["version"] == 1


def test_one_bad_row_and_nothing_is_imported(trial: TestService) -> None:
    text = TWO + "S1-003,01,,2025-03-01,2025-02-01,\r\n"
    answer = send(trial, text)
    assert answer.status_code == 422
    assert answer.json()["findings"] == [
        {
            "code": "import_row",
            "row": 4,
            "subject_id": "S1-003",
            "sentence": "The first dose is dated 2025-02-01, before the consent on 2025-03-01.",
        }
    ]
    assert subjects(trial) == {}


MISTAKES = {
    "a death before the first dose": (
        "S1-9,01,,,2025-03-01,2025-02-01",
        "The death is dated 2025-02-01, before the first dose on 2025-03-01.",
    ),
    "a date in the future": ("S1-9,01,,,2031-01-01,", "which is in the future"),
    "a date that is none": ("S1-9,01,,,2025-02-30,", "first_dose_on is '2025-02-30'; a date as YYYY-MM-DD"),
    "an incomplete date": ("S1-9,01,,,2025-02,", "first_dose_on is '2025-02'"),
    "a site that is not there": ("S1-9,77,,,,", f"Trial {TRIAL!r} has no site '77'."),
    "no site for who is new": ("S1-9,,,,,", "its site_id was wanted, found none"),
    "a name that no subject has": ("S1 9,01,,,,", "subject_id is 'S1 9'"),
    "no name": (",01,,,,", "subject_id is ''"),
    "a PatientID of somebody else": ("S1-9,01,N-1,,,", "has registered the PatientID 'N-1'"),
    "another site than before": ("S1-001,02,,,,", "is at site '01', not '02'; an import moves nobody"),
    "a row too short": ("S1-9,01", "The row has 2 cells; 6 were wanted"),
    "the same subject twice": ("S1-9,01,,,,\r\nS1-9,01,,,,", "Row 2 says something about the same subject"),
    "one PatientID for two": (
        "S1-8,01,N-9,,,\r\nS1-9,01,N-9,,,",
        "stands for subject 'S1-8' in an earlier row",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_row_with_a_mistake_is_refused_with_its_reason(quick_trial: TestService, mistake: str) -> None:
    assert send(quick_trial, TWO).status_code == 200
    rows, sentence = MISTAKES[mistake]
    dry = send(quick_trial, HEADER + rows + "\r\n", dry_run=True)
    told = [each for found in dry.json()["subjects"] for each in found["refusals"]]
    assert any(sentence in each for each in told), told
    assert send(quick_trial, HEADER + rows + "\r\n").status_code == 422
    assert sorted(subjects(quick_trial)) == ["S1-001", "S1-002"]


FILES = {
    "nothing": ("", "import_unreadable"),
    "a column that is none": ("subject_id,weight\r\nS1,70\r\n", "import_columns"),
    "no name of a subject": ("site_id\r\n01\r\n", "import_columns"),
    "a column twice": ("subject_id,subject_id\r\na,b\r\n", "import_columns"),
    "an open quotation mark": ('subject_id\r\n"S1', "import_unreadable"),
}


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_none_is_refused(quick_trial: TestService, file: str) -> None:
    text, code = FILES[file]
    answer = send(quick_trial, text)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


def test_who_may_not_enrol_imports_nothing(quick_trial: TestService) -> None:
    quick_trial.grant("sponsor", TRIAL)
    assert send(quick_trial, TWO, account="sponsor").status_code == 403
    quick_trial.add_account("local", *ACCOUNTS["coordinator"])
    quick_trial.grant("local", TRIAL, site_id="02")
    answer = send(quick_trial, TWO, account="local")
    assert answer.status_code == 422
    assert "has no site '01'" in answer.json()["detail"]


SDTM = {
    "DM": [
        {
            "STUDYID": TRIAL,
            "USUBJID": "S1-001",
            "SITEID": "01",
            "RFICDTC": "2025-01-02",
            "RFXSTDTC": "2025-01-10",
        },
        {
            "STUDYID": TRIAL,
            "USUBJID": "S1-002",
            "SITEID": "02",
            "RFICDTC": "2025-02-02",
            "DTHDTC": "2025-08-01",
        },
    ],
    "DS": [
        {
            "USUBJID": "S1-001",
            "DSCAT": "DISPOSITION EVENT",
            "DSDECOD": "WITHDRAWAL BY SUBJECT",
            "DSSTDTC": "2025-06-01",
        }
    ],
    "EX": [
        {"USUBJID": "S1-002", "EXDOSE": "8", "EXSTDTC": "2025-02-10"},
        {"USUBJID": "S1-002", "EXDOSE": "8", "EXSTDTC": "2025-03-03"},
    ],
}
"""By hand: S1-001 left on 1 June; the first dose of S1-002 is the first of two in EX."""


def test_sdtm_says_the_same(trial: TestService) -> None:
    query = {"reason": "Transfer of 5 January."}
    answer = trial.post(IMPORT, "coordinator", json={"domains": SDTM}, params=query)
    assert fates(answer) == ["enrolled", "enrolled"]
    known = subjects(trial)
    names = ("site_id", "consent_on", "first_dose_on", "withdrawal_on", "withdrawal_reason", "death_on")
    assert [known["S1-001"][name] for name in names] == [
        *("01", "2025-01-02", "2025-01-10", "2025-06-01", "consent_withdrawn", None),
    ]
    assert [known["S1-002"][name] for name in names] == [
        *("02", "2025-02-02", "2025-02-10", None, None, "2025-08-01"),
    ]
    again = trial.post(IMPORT, "coordinator", json={"domains": SDTM}, params=query)
    assert fates(again) == ["unchanged", "unchanged"]


SDTM_MISTAKES = {
    "no DM": ({"DS": []}, "import_domains", "DM was wanted"),
    "another trial": (
        {"DM": [{"STUDYID": "X", "USUBJID": "S1", "SITEID": "01"}]},
        "import_refused",
        "STUDYID is 'X'",
    ),
    "records without DM": (
        {"DM": [], "EX": [{"USUBJID": "S1", "EXSTDTC": "2025-01-01"}]},
        "import_refused",
        "has records in EX and none in DM",
    ),
    "an incomplete day": (
        {"DM": [{"USUBJID": "S1", "SITEID": "01", "DTHDTC": "2025-02"}]},
        "import_refused",
        "DTHDTC",
    ),
    "an unknown domain": ({"DM": [], "AE": []}, "import_unreadable", "cannot be read"),
    "a cell that is no text": ({"DM": [{"USUBJID": 7}]}, "import_unreadable", "cannot be read"),
}


@pytest.mark.parametrize("mistake", SDTM_MISTAKES)
def test_sdtm_with_a_mistake_is_refused(quick_trial: TestService, mistake: str) -> None:
    domains, code, sentence = SDTM_MISTAKES[mistake]
    answer = quick_trial.post(
        IMPORT, "coordinator", json={"domains": domains}, params={"reason": "Transfer."}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert sentence in answer.json()["detail"]


def test_no_reason_no_import(quick_trial: TestService) -> None:
    headers = {"Content-Type": "text/csv"}
    assert quick_trial.post(IMPORT, "coordinator", content=TWO.encode(), headers=headers).status_code == 422


def test_dispositions_are_read_by_category_and_day() -> None:
    ds = [
        {"USUBJID": "S1", "DSCAT": "PROTOCOL MILESTONE", "DSDECOD": "COMPLETED", "DSSTDTC": "2025-01-01"},
        {
            "USUBJID": "S1",
            "DSCAT": "DISPOSITION EVENT",
            "DSDECOD": "PROGRESSIVE DISEASE",
            "DSSTDTC": "2025-09-01",
        },
        {"USUBJID": "S1", "DSCAT": "DISPOSITION EVENT", "DSDECOD": "DEATH", "DSSTDTC": "2025-10-01"},
    ]
    dm = [{"USUBJID": "S1", "SITEID": "01"}]
    (row,) = rows_of_sdtm({"DM": records_of("DM", dm), "DS": records_of("DS", ds)}, TRIAL)
    assert (str(row.dates["withdrawal_on"]), row.dates["withdrawal_reason"]) == ("2025-09-01", "progression")
    assert str(row.dates["death_on"]) == "2025-10-01"


def test_a_command_imports_from_files(
    quick_trial: TestService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(operation, "require_migrated", lambda _: None)  # a test's database has no revision
    monkeypatch.setattr(operation, "configure_logs", lambda _: None)
    monkeypatch.setenv("IMAGING_SERVICE_DATABASE_URL", quick_trial.settings.database_url)
    names = ("USUBJID", "SITEID", "RFICDTC", "DTHDTC")
    variables = tuple(Variable(name, name) for name in names)
    data_set = DataSet(name="DM", label="Demographics", variables=variables)
    sink = XportSink(tmp_path / "dm.xpt", data_set, MONDAY)
    for row in SDTM["DM"]:
        sink.write({name: row.get(name) for name in names})
    sink.close()
    (tmp_path / "ex.csv").write_text("USUBJID,EXDOSE,EXSTDTC\nS1-002,8,2025-02-10\n")
    files = ["--dm", str(tmp_path / "dm.xpt"), "--ex", str(tmp_path / "ex.csv")]
    command = ["subjects", "import", TRIAL, *files]
    assert cli.run([*command, "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "2 subjects: 2 enrolled, 0 corrected, 0 unchanged, 0 refused."
    )
    assert subjects(quick_trial) == {}
    assert cli.run([*command, "--reason", "Transfer of 5 January."]) == 0
    assert subjects(quick_trial)["S1-002"]["first_dose_on"] == "2025-02-10"
    capsys.readouterr()
    assert cli.run(command) == 2
    assert "at least 3 characters were wanted" in capsys.readouterr().err
