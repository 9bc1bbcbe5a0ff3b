"""Whatever stands in the cells, the answer is an answer or a sentence."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imaging_service.cdisc.errors import DataSetError
from tests.imaging_service.cdisc.conftest import EXAMPLE, INPUTS, read, score_folder, write

JUNK = (
    "", "0", "x", "-1", "1e400", "NaN", "9" * 40, "2026", "2026-02", "2025-06-01", "9999-12-31",
    "NOT DONE", "Y",
    "T01", "T02", "T01/T02", "T01/", "/", "T01.1", "NT01", "NEW01", "TARGET", "NON-TARGET", "NEW", "MERGED",
    "SPLIT", "ABSENT", "PRESENT", "EQUIVOCAL", "REFUTED", "INDEPENDENT ASSESSOR", "LPERP", "LDIAM", "LNSTATE",
    "TUMSTATE", "SUMDIAM", "TUSPLIT", "TUMERGE", "LYMPH NODE", "UNSCHEDULED",
    "EX-001", "EX-015", "\uff11", "cm",
)  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=st.integers(), cells=st.integers(1, 6))
def test_nothing_but_answers_and_sentences(tmp_path_factory, seed, cells):
    folder = tmp_path_factory.mktemp("any")
    choice = random.Random(seed)  # noqa: S311 - a choice of cells, no secret
    data = folder / "data"
    data.mkdir()
    tables = {name: read(EXAMPLE / f"{name}.csv") for name in INPUTS}
    for _ in range(cells):
        row = choice.choice(tables[choice.choice(["tr", "tr", "tu", *INPUTS])])
        row[choice.choice(list(row))] = choice.choice(JUNK)
    for name, rows in tables.items():
        write(data / f"{name}.csv", rows)
    try:
        score_folder(data, folder / "out")
    except DataSetError as refused:
        assert str(refused)  # noqa: PT017 - either way is right
        assert list((folder / "out").iterdir()) == []
    else:
        assert read(folder / "out/rs.csv")
