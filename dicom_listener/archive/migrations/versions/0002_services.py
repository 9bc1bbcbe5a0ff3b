"""What the query, retrieve and commitment services need to know."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SCHEMA = "archive"  # on SQLite the connection translates it away, except from ALTER TABLE


def upgrade() -> None:
    altered = None if op.get_bind().dialect.name == "sqlite" else _SCHEMA
    op.add_column(
        "senders",
        sa.Column("retrieves", sa.String(length=16), server_default="nothing", nullable=False),
        schema=altered,
    )
    op.add_column(
        "senders", sa.Column("certificate", sa.Text(), server_default="", nullable=False), schema=altered
    )
    op.create_table(
        "destinations",
        sa.Column("ae_title", sa.String(length=16), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("is_tls", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("ae_title", name=op.f("pk_destinations")),
        schema=_SCHEMA,
    )
    op.create_table(
        "commitments",
        sa.Column("transaction_uid", sa.String(length=64), nullable=False),
        sa.Column("calling_ae", sa.String(length=16), nullable=False),
        sa.Column("called_ae", sa.String(length=16), nullable=False),
        sa.Column("referenced", sa.Text(), server_default="", nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("transaction_uid", "calling_ae", name=op.f("pk_commitments")),
        schema=_SCHEMA,
    )
    op.create_index(op.f("ix_commitments_reported_at"), "commitments", ["reported_at"], schema=_SCHEMA)
