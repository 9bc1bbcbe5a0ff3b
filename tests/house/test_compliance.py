"""The page on electronic records claims only what a test shows."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "compliance.md"
NAMED = re.compile(r"`([\w/.]+\.py)::(\w+)`")
ROW = re.compile(r"^\| (?!requirement|---)(.+?) \| (.+?) \|(.*)\|$", re.MULTILINE)
WITHOUT_TEST = re.compile(r"^user|does not apply")


def names_in(path: Path) -> set[str]:
    if not path.exists():
        return set()
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_named_test_exists() -> None:
    named = NAMED.findall(PAGE.read_text())
    missing = [f"{file}::{name}" for file, name in named if name not in names_in(TESTS / file)]
    assert missing == []
    assert len(named) > 50


def test_every_requirement_has_its_test_or_is_the_users() -> None:
    rows = ROW.findall(PAGE.read_text())
    assert len(rows) > 40
    bare = [
        what for what, support, shown in rows if not NAMED.search(shown) and not WITHOUT_TEST.search(support)
    ]
    assert bare == []


def test_the_page_says_supports_and_never_more() -> None:
    text = PAGE.read_text().lower()
    assert "supports" in text
    assert (
        re.findall(r"\b(?:is|are|fully) (?:\w+ )?(?:compliant|certified|validated)\b|guarantee", text) == []
    )
