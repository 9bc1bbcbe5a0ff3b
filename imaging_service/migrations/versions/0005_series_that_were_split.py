"""Index the series that were split, and no others."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("study_series", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_study_series_timepoint_id"))
        batch_op.create_index(
            "ix_study_series_split",
            ["timepoint_id"],
            unique=False,
            sqlite_where=sa.text("timepoint_id IS NOT NULL"),
            postgresql_where=sa.text("timepoint_id IS NOT NULL"),
        )
