"""What is pinned is pinned whole, and names no place to download from."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINS = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==\S+", re.MULTILINE)


@pytest.mark.parametrize("path", PINS, ids=lambda path: path.name)
def test_every_pin_has_a_hash(path: Path) -> None:
    requirements = re.split(r"\n(?=\S)", path.read_text().strip())
    without = [entry.splitlines()[0] for entry in requirements if "--hash=sha256:" not in entry]
    assert without == []


@pytest.mark.parametrize("path", PINS, ids=lambda path: path.name)
def test_no_pin_names_an_address(path: Path) -> None:
    assert "://" not in path.read_text()


def test_every_dependency_of_the_project_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[<>=!~ ]", line)[0].lower().replace("_", "-") for line in project["dependencies"]}
    pinned = {
        match["name"].lower() for match in PIN.finditer((ROOT / "requirements/runtime.txt").read_text())
    }
    assert wanted - pinned == set()
