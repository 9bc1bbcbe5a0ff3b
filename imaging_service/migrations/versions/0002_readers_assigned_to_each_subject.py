"""Readers assigned to each subject."""

import sqlalchemy as sa
from alembic import op

from imaging_service.database import Json, UtcDateTime
from imaging_service.migrations.guards import execute_on

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915  one step after the other
    op.create_table(
        "reader_plans",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("assignment", sa.String(), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("drawn_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["trials.trial_id"], name=op.f("fk_reader_plans_trial_id_trials")
        ),
        sa.PrimaryKeyConstraint("trial_id", name=op.f("pk_reader_plans")),
    )
    op.create_table(
        "reader_assignments",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("candidates", Json, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("assigned_by", sa.String(), nullable=False),
        sa.Column("assigned_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("slot > 0", name=op.f("ck_reader_assignments_slot")),
        sa.ForeignKeyConstraint(
            ["trial_id", "subject_id"],
            ["subjects.trial_id", "subjects.subject_id"],
            name=op.f("fk_reader_assignments_trial_id_subjects"),
        ),
        sa.PrimaryKeyConstraint(
            "trial_id", "subject_id", "slot", "edition", name=op.f("pk_reader_assignments")
        ),
    )
    op.create_index(
        "ix_reader_assignments_account_id", "reader_assignments", ["account_id", "trial_id"], unique=False
    )
    with op.batch_alter_table("account_grants", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_account_grants_reader_slot"), type_="unique")
        batch_op.create_index(
            "uq_account_grants_reader_slot",
            ["trial_id", "reader_slot"],
            unique=True,
            sqlite_where=sa.text("reader_slot > 0"),
            postgresql_where=sa.text("reader_slot > 0"),
        )

    with op.batch_alter_table("reads", schema=None) as batch_op:
        batch_op.add_column(sa.Column("closed_at", UtcDateTime(), nullable=True))
        batch_op.drop_index("uq_reads_one_draft")
        batch_op.create_index(
            "uq_reads_one_draft",
            ["timepoint_id", "slot"],
            unique=True,
            sqlite_where=sa.text("signed_at IS NULL AND closed_at IS NULL"),
            postgresql_where=sa.text("signed_at IS NULL AND closed_at IS NULL"),
        )

    execute_on("sqlite", "DROP TRIGGER read_axes_final_delete")
    execute_on("postgresql", "DROP TRIGGER read_axes_final_delete ON read_axes")
    execute_on("sqlite", "DROP TRIGGER read_axes_final_insert")
    execute_on("postgresql", "DROP TRIGGER read_axes_final_insert ON read_axes")
    execute_on("sqlite", "DROP TRIGGER read_axes_final_update")
    execute_on("postgresql", "DROP TRIGGER read_axes_final_update ON read_axes")
    execute_on("sqlite", "DROP TRIGGER read_lesions_final_delete")
    execute_on("postgresql", "DROP TRIGGER read_lesions_final_delete ON read_lesions")
    execute_on("sqlite", "DROP TRIGGER read_lesions_final_insert")
    execute_on("postgresql", "DROP TRIGGER read_lesions_final_insert ON read_lesions")
    execute_on("sqlite", "DROP TRIGGER read_lesions_final_update")
    execute_on("postgresql", "DROP TRIGGER read_lesions_final_update ON read_lesions")
    execute_on("sqlite", "DROP TRIGGER reads_final_delete")
    execute_on("postgresql", "DROP TRIGGER reads_final_delete ON reads")
    execute_on("sqlite", "DROP TRIGGER reads_final_update")
    execute_on("postgresql", "DROP TRIGGER reads_final_update ON reads")
    execute_on(
        "sqlite",
        "CREATE TRIGGER reader_plans_final_update BEFORE UPDATE ON reader_plans WHEN 1 = 1 BEGIN "
        "SELECT RAISE(ABORT, 'the plan by which readers are assigned never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER reader_plans_final_delete BEFORE DELETE ON reader_plans WHEN 1 = 1 BEGIN "
        "SELECT RAISE(ABORT, 'the plan by which readers are assigned never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER reads_final_update BEFORE UPDATE ON reads WHEN (OLD.signed_at IS NOT NULL "
        "OR OLD.closed_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'a signed read never changes'); "
        "END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER reads_final_delete BEFORE DELETE ON reads WHEN (OLD.signed_at IS NOT NULL "
        "OR OLD.closed_at IS NOT NULL) BEGIN SELECT RAISE(ABORT, 'a signed read never changes'); "
        "END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER read_lesions_final_update BEFORE UPDATE ON read_lesions WHEN EXISTS (SELECT"
        " 1 FROM reads WHERE reads.read_id = OLD.read_id AND (reads.signed_at IS NOT NULL OR "
        "reads.closed_at IS NOT NULL)) BEGIN SELECT RAISE(ABORT, 'a signed read never changes'); "
        "END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER read_lesions_final_delete BEFORE DELETE ON read_lesions WHEN EXISTS (SELECT"
        " 1 FROM reads WHERE reads.read_id = OLD.read_id AND (reads.signed_at IS NOT NULL OR "
        "reads.closed_at IS NOT NULL)) BEGIN SELECT RAISE(ABORT, 'a signed read never changes'); "
        "END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER read_lesions_final_insert BEFORE INSERT ON read_lesions WHEN EXISTS (SELECT"
        " 1 FROM reads WHERE reads.read_id = NEW.read_id AND (reads.signed_at IS NOT NULL OR "
        "reads.closed_at IS NOT NULL)) BEGIN SELECT RAISE(ABORT, 'a signed read never changes'); "
        "END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER read_axes_final_update BEFORE UPDATE ON read_axes WHEN EXISTS (SELECT 1 "
        "FROM reads WHERE reads.read_id = OLD.read_id AND (reads.signed_at IS NOT NULL OR "
        "reads.closed_at IS NOT NULL)) BEGIN SELECT RAISE(ABORT, 'a signed read never changes'); "
        "END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER read_axes_final_delete BEFORE DELETE ON read_axes WHEN EXISTS (SELECT 1 "
        "FROM reads WHERE reads.read_id = OLD.read_id AND (reads.signed_at IS NOT NULL OR "
        "reads.closed_at IS NOT NULL)) BEGIN SELECT RAISE(ABORT, 'a signed read never changes'); "
        "END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER read_axes_final_insert BEFORE INSERT ON read_axes WHEN EXISTS (SELECT 1 "
        "FROM reads WHERE reads.read_id = NEW.read_id AND (reads.signed_at IS NOT NULL OR "
        "reads.closed_at IS NOT NULL)) BEGIN SELECT RAISE(ABORT, 'a signed read never changes'); "
        "END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER reader_assignments_final_update BEFORE UPDATE ON reader_assignments WHEN 1 "
        "= 1 BEGIN SELECT RAISE(ABORT, 'an assignment of a reader never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER reader_assignments_final_delete BEFORE DELETE ON reader_assignments WHEN 1 "
        "= 1 BEGIN SELECT RAISE(ABORT, 'an assignment of a reader never changes'); END",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION reader_plans_final_truncate() RETURNS trigger LANGUAGE plpgsql "
        "AS $$ BEGIN RAISE EXCEPTION 'the plan by which readers are assigned never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER reader_plans_final_truncate BEFORE TRUNCATE ON reader_plans FOR EACH "
        "STATEMENT EXECUTE FUNCTION reader_plans_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION reader_plans_final_update() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'the plan by which readers are assigned never "
        "changes'; END IF; RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER reader_plans_final_update BEFORE UPDATE ON reader_plans FOR EACH ROW "
        "EXECUTE FUNCTION reader_plans_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION reader_plans_final_delete() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'the plan by which readers are assigned never "
        "changes'; END IF; RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER reader_plans_final_delete BEFORE DELETE ON reader_plans FOR EACH ROW "
        "EXECUTE FUNCTION reader_plans_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION reads_final_update() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF (OLD.signed_at IS NOT NULL OR OLD.closed_at IS NOT NULL) THEN RAISE EXCEPTION 'a "
        "signed read never changes'; END IF; RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER reads_final_update BEFORE UPDATE ON reads FOR EACH ROW EXECUTE FUNCTION "
        "reads_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION reads_final_delete() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF (OLD.signed_at IS NOT NULL OR OLD.closed_at IS NOT NULL) THEN RAISE EXCEPTION 'a "
        "signed read never changes'; END IF; RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER reads_final_delete BEFORE DELETE ON reads FOR EACH ROW EXECUTE FUNCTION "
        "reads_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION read_lesions_final_update() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF EXISTS (SELECT 1 FROM reads WHERE reads.read_id = OLD.read_id AND "
        "(reads.signed_at IS NOT NULL OR reads.closed_at IS NOT NULL)) THEN RAISE EXCEPTION 'a "
        "signed read never changes'; END IF; RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER read_lesions_final_update BEFORE UPDATE ON read_lesions FOR EACH ROW "
        "EXECUTE FUNCTION read_lesions_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION read_lesions_final_delete() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF EXISTS (SELECT 1 FROM reads WHERE reads.read_id = OLD.read_id AND "
        "(reads.signed_at IS NOT NULL OR reads.closed_at IS NOT NULL)) THEN RAISE EXCEPTION 'a "
        "signed read never changes'; END IF; RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER read_lesions_final_delete BEFORE DELETE ON read_lesions FOR EACH ROW "
        "EXECUTE FUNCTION read_lesions_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION read_lesions_final_insert() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF EXISTS (SELECT 1 FROM reads WHERE reads.read_id = NEW.read_id AND "
        "(reads.signed_at IS NOT NULL OR reads.closed_at IS NOT NULL)) THEN RAISE EXCEPTION 'a "
        "signed read never changes'; END IF; RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER read_lesions_final_insert BEFORE INSERT ON read_lesions FOR EACH ROW "
        "EXECUTE FUNCTION read_lesions_final_insert()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION read_axes_final_update() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN IF EXISTS (SELECT 1 FROM reads WHERE reads.read_id = OLD.read_id AND "
        "(reads.signed_at IS NOT NULL OR reads.closed_at IS NOT NULL)) THEN RAISE EXCEPTION 'a "
        "signed read never changes'; END IF; RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER read_axes_final_update BEFORE UPDATE ON read_axes FOR EACH ROW EXECUTE "
        "FUNCTION read_axes_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION read_axes_final_delete() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN IF EXISTS (SELECT 1 FROM reads WHERE reads.read_id = OLD.read_id AND "
        "(reads.signed_at IS NOT NULL OR reads.closed_at IS NOT NULL)) THEN RAISE EXCEPTION 'a "
        "signed read never changes'; END IF; RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER read_axes_final_delete BEFORE DELETE ON read_axes FOR EACH ROW EXECUTE "
        "FUNCTION read_axes_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION read_axes_final_insert() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN IF EXISTS (SELECT 1 FROM reads WHERE reads.read_id = NEW.read_id AND "
        "(reads.signed_at IS NOT NULL OR reads.closed_at IS NOT NULL)) THEN RAISE EXCEPTION 'a "
        "signed read never changes'; END IF; RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER read_axes_final_insert BEFORE INSERT ON read_axes FOR EACH ROW EXECUTE "
        "FUNCTION read_axes_final_insert()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION reader_assignments_final_truncate() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN RAISE EXCEPTION 'an assignment of a reader never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER reader_assignments_final_truncate BEFORE TRUNCATE ON reader_assignments FOR"
        " EACH STATEMENT EXECUTE FUNCTION reader_assignments_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION reader_assignments_final_update() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'an assignment of a reader never "
        "changes'; END IF; RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER reader_assignments_final_update BEFORE UPDATE ON reader_assignments FOR "
        "EACH ROW EXECUTE FUNCTION reader_assignments_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION reader_assignments_final_delete() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'an assignment of a reader never "
        "changes'; END IF; RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER reader_assignments_final_delete BEFORE DELETE ON reader_assignments FOR "
        "EACH ROW EXECUTE FUNCTION reader_assignments_final_delete()",
    )
