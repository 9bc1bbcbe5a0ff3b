"""Where a row stands says nothing."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imaging_service.cdisc.write import OUTPUTS
from tests.imaging_service.cdisc.conftest import EXAMPLE, INPUTS, read, score_folder, write


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=st.integers())
def test_the_order_of_rows_changes_nothing(scored, tmp_path_factory, seed):
    shuffled = tmp_path_factory.mktemp("shuffled")
    data, out = shuffled / "data", shuffled / "out"
    data.mkdir()
    order = random.Random(seed)  # noqa: S311 - an order of rows, no secret
    for name in INPUTS:
        rows = read(EXAMPLE / f"{name}.csv")
        order.shuffle(rows)
        write(data / f"{name}.csv", rows)
    score_folder(data, out)
    for name in OUTPUTS:
        assert (out / f"{name}.csv").read_text() == (scored / f"{name}.csv").read_text(), name
    assert remarks(out) == remarks(scored)


def remarks(folder: Path) -> list[tuple[str, ...]]:
    told = json.loads((folder / "report.json").read_text())["remarks"]
    return sorted((each["kind"], each["subject_id"], each["visit"], each["sentence"]) for each in told)


@pytest.mark.parametrize("name", ["rs", "dm", "ex", "ds", "ae", "dates", "tu"])
def test_only_tr_is_needed(example, tmp_path, name):
    (example / f"{name}.csv").unlink()
    score_folder(example, tmp_path / "out")
    answers = {
        (row["USUBJID"], row["RSEVALID"], row["VISIT"]): row["RSSTRESC"]
        for row in read(tmp_path / "out" / "rs.csv")
        if row["RSTESTCD"] == "TRGRESP"
    }
    assert answers["EX-003", "", "WEEK 6"] == "PR"
    assert answers["EX-015", "RADIOLOGIST 2", "WEEK 6"] == "SD"
