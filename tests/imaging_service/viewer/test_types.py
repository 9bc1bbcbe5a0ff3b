"""The pages' modules have types, in JSDoc, and TypeScript's compiler accepts them in its strictest mode."""

import subprocess
from pathlib import Path

import pytest

from tests.builders.peers import NPM_MODULES

PROJECT = Path(__file__).with_name("tsconfig.json")


@pytest.mark.peer("typescript")
def test_every_module_passes_the_type_checker():
    compiler = NPM_MODULES / "typescript" / "bin" / "tsc"
    run = subprocess.run(["node", compiler, "-p", PROJECT], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
