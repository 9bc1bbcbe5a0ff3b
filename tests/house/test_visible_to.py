"""Rows of a read are selected only through `reads.repository.visible_to`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "imaging_service"
ROWS = frozenset({"ReadRow", "LesionRow", "AxisRow", "SignatureRow", "AssessmentRow"})
TABLES = ("reads", "read_lesions", "read_axes", "read_signatures", "assessments")
AS_TEXT = re.compile(rf"\bselect\b[^;]*\bfrom\s+[\"`]?({'|'.join(TABLES)})\b", re.IGNORECASE)
SELECTING = frozenset({"select", "get", "get_one", "query", "exists", "aliased", "join", "outerjoin"})
DOORS = frozenset({"visible_to", "_visible"})
MODULES = sorted(path for path in ROOT.rglob("*.py") if "migrations" not in path.parts)


def names(node: ast.AST) -> set[str]:
    """Return every bare name and attribute below a node."""
    return {
        found.id if isinstance(found, ast.Name) else found.attr
        for found in ast.walk(node)
        if isinstance(found, ast.Name | ast.Attribute)
    }


def called(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def breaches(source: str) -> Iterator[str]:
    """Yield each function that selects a read's rows without going through the door."""
    tree = ast.parse(source)
    inside: set[ast.AST] = set()
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for function in functions:
        inside |= set(ast.walk(function))
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        selects = [node for node in calls if called(node) in SELECTING and names(node) & ROWS]
        goes_through = function.name == "visible_to" or any(called(node) in DOORS for node in calls)
        if selects and not goes_through:
            yield f"{function.name} selects {', '.join(sorted(names(selects[0]) & ROWS))}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node not in inside:
            if called(node) in SELECTING and names(node) & ROWS:
                yield f"line {node.lineno} selects outside any function"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = AS_TEXT.search(node.value)
            if found and "{row}" not in node.value:  # triggers look at the row that they guard
                yield f"line {node.lineno} selects from {found[1]} as text"


def test_no_other_way_to_a_read() -> None:
    found = {path.relative_to(ROOT).as_posix(): list(breaches(path.read_text())) for path in MODULES}
    assert {path: each for path, each in found.items() if each} == {}
    assert len(found) > 100


def test_the_row_classes_are_imported_only_by_repositories() -> None:
    importers = {
        path.relative_to(ROOT).as_posix()
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and ROWS & {alias.name for alias in node.names}
    }
    assert importers == {"reads/repository.py", "assessments/repository.py"}


def test_the_door_itself_is_in_one_place() -> None:
    definitions = [
        path.relative_to(ROOT).as_posix()
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name == "visible_to"
    ]
    assert definitions == ["reads/repository.py"]


@pytest.mark.parametrize(
    "source",
    [
        "def peek(session):\n    return session.get(ReadRow, 'x')",
        "def peek(session):\n    return session.scalars(select(LesionRow))",
        "def peek(session):\n    return session.execute(select(Other).join(tables.ReadRow))",
        "def peek(session):\n    return session.query(AxisRow.length_mm).all()",
        "EVERY = select(AssessmentRow)",
        "def peek(session):\n    return session.execute(text('SELECT * FROM reads'))",
    ],
)
def test_other_ways_would_be_found(source: str) -> None:
    assert list(breaches(source))


def test_the_door_is_let_through() -> None:
    source = (
        "def find(session, principal):\n"
        "    return select(LesionRow).where(LesionRow.read_id.in_(visible_to(principal)))"
    )
    assert list(breaches(source)) == []
