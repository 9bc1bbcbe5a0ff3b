"""Collectors of audit messages."""

import sqlalchemy as sa
from alembic import op

from imaging_service.database import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_collectors",
        sa.Column("collector", sa.String(length=300), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("held_by", sa.String(length=36), nullable=True),
        sa.Column("held_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("collector", name=op.f("pk_audit_collectors")),
        info={"audited": False},
    )
