"""Every table of the service, for migrations: importing this module fills the metadata."""

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
    "timepoints",
    "images",
    "reads",
    "assessments",
    "outcomes",
    "exports",
)


def all_tables() -> MetaData:
    """Return the metadata with the tables of every chapter that has any."""
    for chapter in _CHAPTERS:
        name = f"imaging_service.{chapter}.tables"
        if find_spec(name):
            import_module(name)
    return Base.metadata
