"""The statistician's paper tells the truth."""

import re
import shlex
from pathlib import Path

import pytest

from imaging_service import cli
from imaging_service.cdisc.adrs import ADRS
from imaging_service.cdisc.adtr import ADTR
from imaging_service.cdisc.domains import DOMAINS
from imaging_service.cdisc.result import LENGTHS, STATE_TESTS
from imaging_service.cdisc.rs import TESTS
from imaging_service.cdisc.subject_dates import DATE_COLUMNS
from imaging_service.cdisc.words import STATES, bare
from imaging_service.cdisc.write import OUTPUTS
from measurement.endpoints.time_to_event import Endpoint
from tests.imaging_service.cdisc.conftest import read

ROOT = Path(__file__).parents[3]
PAPER = (ROOT / "docs/score.md").read_text()
EXAMPLES = re.findall(r"```console\n\$ (.*)\n((?:.+\n)*)```", PAPER)


def test_the_paper_has_examples_to_try():
    assert len(EXAMPLES) == 2


@pytest.fixture
def beside_the_fixtures(tmp_path, monkeypatch):
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("command", "printed"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_an_example_prints_what_the_paper_shows(beside_the_fixtures, capsys, command, printed):
    del beside_the_fixtures
    program, *arguments = shlex.split(command)
    assert program == "imaging-service"
    code = cli.run(arguments)
    assert code == int("0 queries" not in printed)
    assert capsys.readouterr().out.startswith(printed)


def test_the_report_holds_the_lines_that_the_paper_shows(beside_the_fixtures, capsys):
    cli.run(shlex.split(EXAMPLES[0][0])[1:])
    capsys.readouterr()
    (shown,) = re.findall(r"```text\n((?:.+\n)*)```", PAPER)
    assert shown in (beside_the_fixtures / "scored/report.txt").read_text()


def rows(header: str) -> list[str]:
    """Return the rows of the paper's table that begins so, without its header."""
    table = re.search(rf"^\| {re.escape(header)}.*\n\|[-|]+\n((?:\|.*\n)+)", PAPER, re.MULTILINE)
    assert table
    return table.group(1).splitlines()


def test_the_paper_lists_every_data_set_that_is_read():
    listed = rows("data set")
    assert [re.findall(r"`(\w+)`", row)[0] for row in listed] == ["tr", "tu", *list(DOMAINS)[2:]]
    named = " ".join(listed)
    assert {word for word in (*LENGTHS, *STATE_TESTS, *DATE_COLUMNS.values()) if word not in named} == set()


def test_the_paper_lists_every_file_that_is_written_and_what_is_in_it(scored):
    listed = {re.findall(r"`(\S+)`", row)[0]: row for row in rows("file | holds")}
    assert set(OUTPUTS) <= set(listed)
    assert {test for test in TESTS if test not in listed["rs"]} == set()
    assert {each.value for each in Endpoint if each.value not in listed["adtte"]} == set()
    codes = {row["PARAMCD"] for row in read(scored / "adrs.csv")}
    plain = {code for code in codes if not code.endswith(("R1", "R2"))}
    assert plain == set(re.findall(r"\b[A-Z]{2,5}\b", listed["adrs"].split("|")[2]))
    names = {variable.name for variable in ADTR.variables}
    assert set(re.findall(r"\b(?:[A-Z]+NAD|BASE|P?CHG|NADIR)\b", listed["adtr"])) <= names
    assert {variable.name for variable in ADRS.variables} >= {"ANL01FL"}


def test_every_word_of_the_paper_is_known():
    words = [word for row in rows("word in TUMSTATE") for word in row.split("|")[1].split(",")]
    unknown = [word for word in words if bare(word) not in STATES and "TRSTAT" not in word]
    assert len(words) > 15
    assert unknown == []
