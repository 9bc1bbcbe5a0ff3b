"""Triggers and the service's column types, as revisions write them.

The tables say in their metadata which statements make a row final; a revision that creates such a table,
or after which it is guarded otherwise, holds those statements as text, so that history does not change with
the code.
"""

import re
from collections.abc import Iterable, Mapping
from textwrap import wrap
from typing import Any, Literal

from alembic import op
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation
from alembic.operations.ops import CreateTableOp, MigrationScript
from sqlalchemy import Connection, text
from sqlalchemy.types import TypeEngine

from imaging_service.database import DecimalText, Json, UtcDateTime
from imaging_service.tables import all_guards

_WIDTH = 90  # of a statement's lines in a revision
_TRIGGER = re.compile(r"CREATE TRIGGER (?P<name>\w+) .*? ON (?P<table>\w+)")
_NAME = re.compile(r"(TRIGGER|FUNCTION) (?P<name>\w+)")
_PRESENT = "SELECT sql FROM sqlite_master WHERE type = 'trigger'"
_OWN_TYPES = {UtcDateTime: "UtcDateTime()", DecimalText: "DecimalText()"}


class ExecuteOnOp(MigrateOperation):
    """One statement for one kind of database, to be written into a revision."""

    def __init__(self, dialect: str, statement: str) -> None:
        self.dialect = dialect
        self.statement = statement


def execute_on(dialect: str, statement: str) -> None:
    """Execute `statement` where the database is of the kind `dialect`."""
    connection = op.get_bind()
    if connection.dialect.name == dialect:
        connection.exec_driver_sql(statement)


@renderers.dispatch_for(ExecuteOnOp)
def _render(context: AutogenContext, operation: ExecuteOnOp) -> str:
    context.imports.add("from imaging_service.migrations.guards import execute_on")
    parts = [repr(part) for part in wrap(operation.statement, _WIDTH, drop_whitespace=False)]
    return f"execute_on({operation.dialect!r},\n{chr(10).join(parts)}\n)"


def add_guards(script: MigrationScript, connection: Connection) -> None:
    """Append the guards of the tables that a revision creates, and those that are others now.

    Parameters
    ----------
    script
        The revision.
    connection
        To an SQLite database at the revision before: what it has says which guards are others now.
    """
    steps = script.upgrade_ops
    if steps is None:
        return
    created = {step.table_name for step in steps.ops if isinstance(step, CreateTableOp)}
    before = _guards_of(row.sql for row in connection.execute(text(_PRESENT)))
    wanted = _guards_of(all_guards()["sqlite"])
    for name, (table, _) in sorted(before.items()):
        if wanted.get(name) != before[name]:
            steps.ops.append(ExecuteOnOp("sqlite", f"DROP TRIGGER {name}"))
            steps.ops.append(ExecuteOnOp("postgresql", f"DROP TRIGGER {name} ON {table}"))
    changed = {name for name, guard in wanted.items() if before.get(name) != guard}
    for dialect, statements in all_guards().items():
        for statement in statements:
            if any(_guards(statement, table) for table in created) or _named(statement) in changed:
                steps.ops.append(ExecuteOnOp(dialect, _in_one_line(statement)))


def _guards_of(statements: Iterable[str]) -> Mapping[str, tuple[str, str]]:
    """Return the table and the statement of each of SQLite's triggers, by name."""
    found = {}
    for statement in statements:
        line = _in_one_line(statement)
        trigger = _TRIGGER.match(line)
        assert trigger is not None, line  # noqa: S101  the statements are the house's own
        found[trigger["name"]] = (trigger["table"], line)
    return found


def _named(statement: str) -> str | None:
    """Return the name of the trigger, or of its function, that a statement makes."""
    found = _NAME.search(statement)
    return None if found is None else found["name"]


def _in_one_line(statement: str) -> str:
    return " ".join(statement.split())


def _guards(statement: str, table: str) -> bool:
    """Whether a statement makes a trigger on the table, or a function named after it."""
    return re.search(rf"\b(ON {table}|FUNCTION {table}_\w+\(\) RETURNS)\b", statement) is not None


def render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:  # noqa: ANN401  Alembic's
    """Write the service's column types by their names."""
    if kind != "type" or not isinstance(item, TypeEngine):
        return False
    for own, written in _OWN_TYPES.items():
        if isinstance(item, own):
            context.imports.add(f"from imaging_service.database import {own.__name__}")
            return written
    if repr(item) == repr(Json):
        context.imports.add("from imaging_service.database import Json")
        return "Json"
    return False
