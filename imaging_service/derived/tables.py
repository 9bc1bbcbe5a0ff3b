"""Which subjects' derived rows are out of date: the database itself notes it at every change.

A trigger cannot be forgotten by whoever writes the next change. The list of sources is the one place that
says what derived rows follow from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import DDL, Connection, Index, MetaData, event, text
from sqlalchemy.orm import Mapped, mapped_column

from imaging_service.database import Base
from imaging_service.final_rows import Triggers, all_of

DUE = ""
"""Basis of rows that must be derived anew."""


class DerivedRow(Base):
    """From what a subject's derived rows follow; empty when something has changed since."""

    __tablename__ = "derived_subjects"

    trial_id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    basis: Mapped[str]
    """Version of the protocol, of the rules and of the rows' own form."""

    __table_args__ = (
        Index("ix_derived_subjects_trial_id_basis", "trial_id", "basis", "subject_id"),
        Index(
            "ix_derived_subjects_due",
            "trial_id",
            "subject_id",
            sqlite_where=text("basis = ''"),
            postgresql_where=text("basis = ''"),
        ),
        {"info": {"audited": False}},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A table that derived rows follow from."""

    table: str
    updates_of: Sequence[str] = ()
    """Columns whose update counts; rows of most tables are only added."""
    with_deletion: bool = False


SOURCES = (
    Source(table="subjects", updates_of=("version", "site_id", "reading_id")),
    Source(
        table="timepoints",
        updates_of=("subject_id", "number", "imaged_on", "closes_on", "progress"),
        with_deletion=True,
    ),
    Source(table="reads", updates_of=("signed_at",), with_deletion=True),
    Source(table="assessments"),
    Source(table="adjudication_decisions"),
    Source(table="site_evaluations"),
)

_NOTE = (
    "INSERT INTO derived_subjects (trial_id, subject_id, basis) "
    "VALUES ({row}.trial_id, {row}.subject_id, '') "
    "ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE derived_subjects.basis <> '';"
)


def _operations(source: Source) -> Iterator[tuple[str, str, str]]:
    """Yield each operation's word, its clause, and the row that says which subject it is about."""
    yield "insert", "INSERT", "NEW"
    if source.updates_of:
        yield "update", f"UPDATE OF {', '.join(source.updates_of)}", "NEW"
    if source.with_deletion:
        yield "delete", "DELETE", "OLD"


def _triggers(source: Source) -> Triggers:
    sqlite, postgresql = [], []
    for word, clause, row in _operations(source):
        name, note = f"{source.table}_derived_{word}", _NOTE.format(row=row)
        trigger = f"CREATE TRIGGER {name} AFTER {clause} ON {source.table}"
        sqlite.append(f"{trigger} BEGIN {note} END")
        function = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
        postgresql += [
            f"{function} $$ BEGIN {note} RETURN NULL; END $$",
            f"{trigger} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
    return {"sqlite": tuple(sqlite), "postgresql": tuple(postgresql)}


TRIGGERS = all_of(*map(_triggers, SOURCES))
"""Statements of each dialect; a migration executes them after it has created the tables."""


@event.listens_for(Base.metadata, "after_create")
def _create(_metadata: MetaData, connection: Connection, **named: Any) -> None:  # noqa: ANN401  SQLAlchemy's
    """Create the triggers of the sources that were created."""
    created = {table.name for table in named.get("tables") or ()}
    if DerivedRow.__tablename__ not in created:
        return
    for source in SOURCES:
        if source.table in created:
            for statement in _triggers(source)[connection.dialect.name]:
                connection.execute(DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call]
