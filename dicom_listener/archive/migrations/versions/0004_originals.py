"""Which senders are de-identified, and where the originals are."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SCHEMA = "archive"  # on SQLite the connection translates it away, except from ALTER TABLE


def upgrade() -> None:
    altered = None if op.get_bind().dialect.name == "sqlite" else _SCHEMA
    for table, column in (
        ("senders", sa.Column("deidentify", sa.String(length=16), server_default="off", nullable=False)),
        ("senders", sa.Column("trial_protocol", sa.Text(), server_default="", nullable=False)),
        ("senders", sa.Column("trial_sponsor", sa.Text(), server_default="", nullable=False)),
        ("receipts", sa.Column("original_digest", sa.Text(), server_default="", nullable=False)),
    ):
        op.add_column(table, column, schema=altered)
    op.create_table(
        "originals",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("copy_digest", sa.String(length=64), nullable=False),
        sa.Column("original_sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("days_moved", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sentence", sa.Text(), server_default="", nullable=False),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.Column("site_id", sa.Text(), server_default="", nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_originals")),
        sa.UniqueConstraint("digest", name=op.f("uq_originals_digest")),
        schema=_SCHEMA,
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_originals_original_sop_instance_uid"),
        "originals",
        ["original_sop_instance_uid"],
        schema=_SCHEMA,
    )
    op.create_index(
        op.f("ix_originals_study_instance_uid_state"),
        "originals",
        ["study_instance_uid", "state"],
        schema=_SCHEMA,
    )
