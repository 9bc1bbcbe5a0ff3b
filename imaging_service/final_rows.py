"""Triggers by which the database itself refuses to change what is final, in SQLite and in PostgreSQL."""

from collections.abc import Mapping
from typing import TypeAlias

from sqlalchemy import DDL, Table, event

from imaging_service.database import Base

Triggers: TypeAlias = Mapping[str, tuple[str, ...]]
"""Statements by dialect."""

_DIALECTS = ("sqlite", "postgresql")


def final_when(row: type[Base], condition: str, sentence: str, *, with_insert: bool = False) -> Triggers:
    """Refuse every change of a row for which `condition` holds, from the table's creation on.

    Parameters
    ----------
    row
        The table's class.
    condition
        SQL about ``{row}``, which stands for the row before an update or a deletion, and for
        the new row at an insertion.
    sentence
        What the refusal says.
    with_insert
        Whether new rows are refused too.

    Returns
    -------
    mapping
        The statements of each dialect, for migrations.
    """
    table = row.__table__
    assert isinstance(table, Table)  # noqa: S101  SQLAlchemy types it as any selectable
    triggers = {
        "sqlite": _sqlite(table.name, condition, sentence, with_insert=with_insert),
        "postgresql": _postgresql(table.name, condition, sentence, with_insert=with_insert),
    }
    for dialect, statements in triggers.items():
        for statement in statements:
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))
    return triggers


def always_final(row: type[Base], sentence: str) -> Triggers:
    """Refuse every update and deletion: the table only grows."""
    return final_when(row, "1 = 1", sentence)


def all_of(*triggers: Triggers) -> Triggers:
    """Return several tables' statements together."""
    return {dialect: tuple(each for part in triggers for each in part[dialect]) for dialect in _DIALECTS}


def _changes(*, with_insert: bool) -> list[tuple[str, str]]:
    """Return each operation with the name of the row that it is judged by."""
    return [("UPDATE", "OLD"), ("DELETE", "OLD"), *([("INSERT", "NEW")] if with_insert else [])]


def _sqlite(table: str, condition: str, sentence: str, *, with_insert: bool) -> tuple[str, ...]:
    return tuple(
        f"CREATE TRIGGER {table}_final_{operation.lower()} BEFORE {operation} ON {table} "
        f"WHEN {condition.format(row=judged)} BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
        for operation, judged in _changes(with_insert=with_insert)
    )


def _postgresql(table: str, condition: str, sentence: str, *, with_insert: bool) -> tuple[str, ...]:
    """Use one function for each operation: a trigger's own WHEN may not look at other tables."""
    refusal = f"RAISE EXCEPTION '{sentence}'"
    name = f"{table}_final_truncate"
    statements = [
        _function(name, f"{refusal};"),
        f"CREATE TRIGGER {name} BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {name}()",
    ]
    for operation, judged in _changes(with_insert=with_insert):
        name = f"{table}_final_{operation.lower()}"
        kept = "OLD" if operation == "DELETE" else "NEW"
        body = f"IF {condition.format(row=judged)} THEN {refusal}; END IF; RETURN {kept};"
        statements += [
            _function(name, body),
            f"CREATE TRIGGER {name} BEFORE {operation} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
    return tuple(statements)


def _function(name: str, body: str) -> str:
    return f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
