"""Data sets to score, and scoring them."""

import csv
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from imaging_service.cdisc.score import Summary, Task, find_files, score
from measurement.protocol.trial import protocol_from_toml

EXAMPLE = Path(__file__).parents[3] / "fixtures/cdisc/example"
INPUTS = ("tu", "tr", "rs", "dm", "ex", "ds", "ae", "dates")
MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)

Rows = list[dict[str, str]]


def read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def task_of(data: Path, out: Path) -> Task:
    protocol = protocol_from_toml((EXAMPLE / "protocol.toml").read_text())
    return Task(files=find_files(data), protocol=protocol, folder=out, created_at=MADE_AT)


def score_folder(data: Path, out: Path, **changes: Any) -> Summary:
    return score(replace(task_of(data, out), **changes))


@pytest.fixture(scope="session")
def scored(tmp_path_factory):
    """Give the folder of the example's answers."""
    out = tmp_path_factory.mktemp("scored")
    score_folder(EXAMPLE, out)
    return out


@pytest.fixture
def example(tmp_path):
    """Give a copy of the example's data sets to be changed."""
    data = tmp_path / "data"
    data.mkdir()
    for name in INPUTS:
        shutil.copy(EXAMPLE / f"{name}.csv", data)
    return data


Change = Callable[[Rows], Rows | None]


def change(data: Path, name: str, how: Change) -> None:
    """Change the rows of a data set."""
    rows = read(data / f"{name}.csv")
    write(data / f"{name}.csv", how(rows) or rows)


@pytest.fixture
def small(tmp_path):
    """Give a maker of folders with a TR of few rows, and a TU when there are any."""

    def make(tr: Sequence[dict[str, str]], tu: Sequence[dict[str, str]] = (), **others: Rows) -> Path:
        data = Path(tmp_path / "small")
        data.mkdir(exist_ok=True)
        for name, rows in (("tr", tr), ("tu", tu), *others.items()):
            if rows:
                columns = dict.fromkeys(column for row in rows for column in row)
                write(data / f"{name}.csv", [{**dict.fromkeys(columns, ""), **row} for row in rows])
        return data

    return make
