"""Answers as of a day: what lies later is not known, and what lies before stays as it is."""

from datetime import date
from pathlib import Path

import pytest

from tests.imaging_service.cdisc.conftest import EXAMPLE, read, score_folder

CUTS = [date(2026, 2, 16), date(2026, 3, 30), date(2026, 5, 11)]


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_a_later_cut_never_changes_an_earlier_answer(scored, tmp_path, cut):
    score_folder(EXAMPLE, tmp_path, as_of=cut)
    as_of_cut = responses(tmp_path)
    later = responses(scored)
    assert as_of_cut
    assert {key: later[key] for key in as_of_cut} == as_of_cut
    known = {key for key, (_, day) in later.items() if day and date.fromisoformat(day) <= cut}
    assert known <= set(as_of_cut)
    assert all(not day or date.fromisoformat(day) <= cut for _, day in as_of_cut.values())


def responses(folder: Path) -> dict[tuple[str, ...], tuple[str, str]]:
    return {
        (row["USUBJID"], row["RSEVALID"], row["VISIT"], row["RSTESTCD"]): (row["RSSTRESC"], row["RSDTC"])
        for row in read(folder / "rs.csv")
        if row["VISIT"]
    }


@pytest.mark.parametrize(
    ("cut", "pfs"),
    [
        (date(2026, 2, 3), ("1", "1", "No adequate assessment after the start")),
        (date(2026, 2, 4), ("31", "0", "Death")),
    ],
)
def test_a_death_counts_from_its_day(tmp_path, cut, pfs):
    score_folder(EXAMPLE, tmp_path, as_of=cut)
    row = next(
        row for row in read(tmp_path / "adtte.csv") if (row["USUBJID"], row["PARAMCD"]) == ("EX-011", "PFS")
    )
    assert (row["AVAL"], row["CNSR"], row["EVNTDESC"]) == pfs
    deaths = [
        row["AVALC"]
        for row in read(tmp_path / "adrs.csv")
        if (row["USUBJID"], row["PARAMCD"]) == ("EX-011", "DEATH")
    ]
    assert deaths == ["Y" if pfs[1] == "0" else "N"]


def test_a_doubtful_lesion_is_no_progression_until_it_is_certain(tmp_path):
    score_folder(EXAMPLE, tmp_path, as_of=date(2026, 3, 29))
    row = next(
        row for row in read(tmp_path / "adtte.csv") if (row["USUBJID"], row["PARAMCD"]) == ("EX-004", "PFS")
    )
    assert (row["AVAL"], row["CNSR"]) == ("43", "1")
