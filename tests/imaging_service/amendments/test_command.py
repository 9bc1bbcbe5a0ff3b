"""The operator tries an amendment on the machine's own console."""

from pathlib import Path

import pytest

from imaging_service import cli
from imaging_service.processes import operation
from tests.builders.adjudicating import read_by_both
from tests.builders.reading import TRIAL, reading_room
from tests.builders.service import running_service
from tests.imaging_service.amendments.conftest import amendment, send


def test_a_dry_run_prints_what_would_change(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = amendment(("progression_increase = 0.20", "progression_increase = 0.30"))
    file = tmp_path / "new.toml"
    file.write_text(text)
    with running_service(sqlite_url) as service:
        room = reading_room(service)
        subject, _ = read_by_both(room, [40.0, 50.0], [40.0, 50.0])
        monkeypatch.setattr(
            operation, "require_migrated", lambda _: None
        )  # a test's database has no revision
        monkeypatch.setenv("IMAGING_SERVICE_DATABASE_URL", sqlite_url)
        monkeypatch.setattr(operation, "configure_logs", lambda _: None)
        capsys.readouterr()
        code = cli.run(["trial", "dry-run", str(file)])
        lines = capsys.readouterr().out.splitlines()
        told = send(room, f"/trials/{TRIAL}/protocols/dry-run", text).json()
    assert code == 0
    assert lines[0] == "parameter  criteria.sums.progression_increase: 0.2 becomes 0.3"
    assert any(f"{subject} reader 1 timepoint 2: PD becomes SD." in each for each in lines)
    count, digest = len(told["changes"]), told["digest"]
    assert lines[-1] == f"{count} stored answers would change. The dry run has the digest {digest}."
