"""Which tables of the database the service's own history describes."""

from typing import Any


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:  # noqa: ANN401  as Alembic declares it
    """Leave out Procrastinate's tables, whose history is its own."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))
