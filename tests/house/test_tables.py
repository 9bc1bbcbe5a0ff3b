"""SQL lives in repositories: nothing else of a chapter touches its tables."""

import ast
from pathlib import Path

SERVICE = Path(__file__).parents[2] / "imaging_service"
CHAPTERS = [
    *(
        "accounts",
        "adjudication",
        "amendments",
        "assessments",
        "audit",
        "calendars",
        "derived",
        "evaluations",
        "exports",
        "images",
    ),
    *("notices", "outcomes", "quality", "reads", "site_queries", "subjects", "timepoints", "trials"),
]
MAY = ("repository.py", "tables.py")


def imports_of_tables(path: Path) -> list[str]:
    return [
        f"{path.relative_to(SERVICE)}:{node.lineno}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[-1] == "tables"
    ]


def test_tables_are_imported_by_repositories_only() -> None:
    found = [
        place
        for chapter in CHAPTERS
        for path in sorted((SERVICE / chapter).glob("*.py"))
        if not path.name.endswith(MAY)
        for place in imports_of_tables(path)
    ]
    assert found == []


def test_the_rule_sees_what_it_forbids() -> None:
    assert imports_of_tables(SERVICE / "trials/repository.py") != []
