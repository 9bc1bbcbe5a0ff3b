"""Every table of the service, for migrations: importing this module fills the metadata."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec

from sqlalchemy import MetaData

from imaging_service.database import Base

_CHAPTERS = (
    "jobs",
    "http",
    "accounts",
    "audit",
    "trials",
    "subjects",
    "notices",
    "timepoints",
    "site_queries",
    "quality",
    "images",
    "reads",
    "assistance",
    "assessments",
    "adjudication",
    "evaluations",
    "outcomes",
    "exports",
    "derived",
)


def all_tables() -> MetaData:
    """Return the metadata with the tables of every chapter that has any."""
    for chapter in _CHAPTERS:
        name = f"imaging_service.{chapter}.tables"
        if find_spec(name):
            import_module(name)
    return Base.metadata


def all_guards() -> Mapping[str, Sequence[str]]:
    """Return the statements that make rows final, by dialect, in the order in which they are executed.

    A chapter's tables name theirs in ``TRIGGERS``.
    """
    all_tables()
    found: dict[str, list[str]] = {"sqlite": [], "postgresql": []}
    for chapter in _CHAPTERS:
        module = sys.modules.get(f"imaging_service.{chapter}.tables")
        for dialect, statements in getattr(module, "TRIGGERS", {}).items():
            found[dialect].extend(statements)
    return found
