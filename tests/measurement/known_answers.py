"""Known answers are data: a story a row, with its source."""

import csv
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

FIXTURES = Path(__file__).parents[2] / "fixtures"


def known_answers(name: str) -> list[ParameterSet]:
    """Return the rows of a known-answer table as pytest parameters, each called by its story."""
    with (FIXTURES / name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["source"] for row in rows), f"every row of {name} needs a source"
    assert len({row["case"] for row in rows}) == len(rows), f"a story of {name} is told twice"
    return [pytest.param(row, id=row["case"]) for row in rows]
