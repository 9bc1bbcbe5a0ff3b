"""The papers tell the truth: commands exist, folders exist, words are the glossary's."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("measurement", "dicom_listener", "imaging_service")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listing.decode().split("\0") if name and (ROOT / name).is_file()]


def test_every_make_command_in_the_papers_is_a_target() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        command
        for path in DOCUMENTS
        for command in re.findall(r"(?:^|`)make ([a-z]+)", path.read_text(), re.MULTILINE)
    }
    assert named - targets == set()


def test_every_path_in_the_papers_exists() -> None:
    missing = [
        f"{document.name}: {path}"
        for document in DOCUMENTS
        for path in re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", document.read_text())
        if path.split("/")[0] in {*PACKAGES, "docs", "fixtures", "tests", "benchmarks"}
        and not (ROOT / path).exists()
    ]
    assert missing == []


def test_every_decision_is_listed_in_order() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs/adr").glob("[0-9]*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_no_file_names_a_registry_or_a_machine() -> None:
    # Spelled in pieces, so that this file does not name them either.
    forbidden = re.compile(
        "|".join(["py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.org", "/wo" + "rk/"])
    )
    found = [
        path.relative_to(ROOT).as_posix()
        for path in tracked_files()
        if path.suffix in {".py", ".md", ".toml", ".txt", ".sh", ".csv", ".json", ""}
        and forbidden.search(path.read_text(errors="ignore"))
    ]
    assert found == []


def test_code_says_tumour_and_lesion_as_the_glossary_does() -> None:
    wrong = re.compile(r"\b(tumor|tumors|ROI)\b")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if wrong.search(line)
    ]
    assert found == []
