"""How far each intake log has been placed into the archive."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SCHEMA = "archive"


def upgrade() -> None:
    op.create_table(
        "indexed_logs",
        sa.Column("log", sa.String(length=32), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log", name=op.f("pk_indexed_logs")),
        schema=_SCHEMA,
    )
