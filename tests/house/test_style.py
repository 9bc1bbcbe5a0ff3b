"""Format, lint and types: what a change must pass, read from pyproject.toml."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECKS = [("ruff", "format", "--check", "."), ("ruff", "check", "."), ("mypy",)]


@pytest.mark.timeout(900)  # mypy from an empty cache, on a busy machine
@pytest.mark.parametrize("check", CHECKS, ids=" ".join)
def test_the_whole_tree_passes(check: tuple[str, ...]) -> None:
    program = Path(sys.executable).with_name(check[0])
    run = subprocess.run([program, *check[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
