"""The first tables of the archive; receipts and changes can be added to, never altered."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SCHEMA = "archive"  # on SQLite the connection translates it away
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_APPEND_ONLY = ("receipts", "changes")


def upgrade() -> None:
    _create_study_tables()
    _create_feed_tables()
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_sqlite() -> None:
    for table in _APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END"
            )


def _guard_postgresql() -> None:
    op.execute(
        f"CREATE FUNCTION {_SCHEMA}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% are append-only', TG_TABLE_NAME; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {_SCHEMA}.{table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {_SCHEMA}.refuse_change()"
        )


def _create_study_tables() -> None:
    op.create_table(
        "instances",
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_class_uid", sa.String(length=64), nullable=False),
        sa.Column("series_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.Text(), server_default="", nullable=False),
        sa.Column("instance_number", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("columns", sa.Integer(), nullable=True),
        sa.Column("number_of_frames", sa.BigInteger(), nullable=False),
        sa.Column("acquired_on", sa.Date(), nullable=True),
        sa.Column("transfer_syntax_uid", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("header_digest", sa.String(length=64), nullable=False),
        sa.Column("header_length", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sop_instance_uid", name=op.f("pk_instances")),
        sa.UniqueConstraint("digest", name=op.f("uq_instances_digest")),
        schema=_SCHEMA,
    )
    op.create_index(
        op.f("ix_instances_series_instance_uid"), "instances", ["series_instance_uid"], schema=_SCHEMA
    )
    op.create_index(
        op.f("ix_instances_study_instance_uid"), "instances", ["study_instance_uid"], schema=_SCHEMA
    )
    op.create_table(
        "series",
        sa.Column("series_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("modality", sa.Text(), server_default="", nullable=False),
        sa.Column("series_number", sa.BigInteger(), nullable=True),
        sa.Column("series_description", sa.Text(), server_default="", nullable=False),
        sa.Column("series_date", sa.Date(), nullable=True),
        sa.Column("body_part_examined", sa.Text(), server_default="", nullable=False),
        sa.Column("manufacturer", sa.Text(), server_default="", nullable=False),
        sa.Column("manufacturer_model_name", sa.Text(), server_default="", nullable=False),
        sa.Column("frame_of_reference_uid", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("series_instance_uid", name=op.f("pk_series")),
        schema=_SCHEMA,
    )
    op.create_index(op.f("ix_series_study_instance_uid"), "series", ["study_instance_uid"], schema=_SCHEMA)
    op.create_table(
        "sources",
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("calling_ae", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("study_instance_uid", "site_id", "calling_ae", name=op.f("pk_sources")),
        schema=_SCHEMA,
    )
    op.create_table(
        "studies",
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.Text(), server_default="", nullable=False),
        sa.Column("issuer_of_patient_id", sa.Text(), server_default="", nullable=False),
        sa.Column("patient_name", sa.Text(), server_default="", nullable=False),
        sa.Column("patient_birth_date", sa.Text(), server_default="", nullable=False),
        sa.Column("patient_sex", sa.Text(), server_default="", nullable=False),
        sa.Column("study_date", sa.Date(), nullable=True),
        sa.Column("study_time", sa.Text(), server_default="", nullable=False),
        sa.Column("study_id", sa.Text(), server_default="", nullable=False),
        sa.Column("study_description", sa.Text(), server_default="", nullable=False),
        sa.Column("accession_number", sa.Text(), server_default="", nullable=False),
        sa.Column("referring_physician_name", sa.Text(), server_default="", nullable=False),
        sa.Column("clinical_trial_protocol_id", sa.Text(), server_default="", nullable=False),
        sa.Column("clinical_trial_subject_id", sa.Text(), server_default="", nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_receipt", _SEQUENCE, nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("study_instance_uid", name=op.f("pk_studies")),
        schema=_SCHEMA,
    )
    op.create_index(op.f("ix_studies_patient_id"), "studies", ["patient_id"], schema=_SCHEMA)
    op.create_index(op.f("ix_studies_settled_at"), "studies", ["settled_at"], schema=_SCHEMA)
    op.create_index(op.f("ix_studies_study_date"), "studies", ["study_date"], schema=_SCHEMA)


def _create_feed_tables() -> None:
    op.create_table(
        "changes",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_changes")),
        schema=_SCHEMA,
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_changes_study_instance_uid"), "changes", ["study_instance_uid"], schema=_SCHEMA)
    op.create_table(
        "conflicts",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("transfer_syntax_uid", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("header_digest", sa.String(length=64), nullable=False),
        sa.Column("header_length", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.Text(), server_default="", nullable=False),
        sa.Column("calling_ae", sa.Text(), server_default="", nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_conflicts")),
        sa.UniqueConstraint("sop_instance_uid", "digest", name=op.f("uq_conflicts_sop_instance_uid_digest")),
        schema=_SCHEMA,
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_conflicts_sop_instance_uid"), "conflicts", ["sop_instance_uid"], schema=_SCHEMA)
    op.create_index(
        op.f("ix_conflicts_study_instance_uid"), "conflicts", ["study_instance_uid"], schema=_SCHEMA
    )
    op.create_table(
        "findings",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("sentence", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_findings")),
        sa.UniqueConstraint(
            "study_instance_uid",
            "sop_instance_uid",
            "code",
            name=op.f("uq_findings_study_instance_uid_sop_instance_uid_code"),
        ),
        schema=_SCHEMA,
        sqlite_autoincrement=True,
    )
    op.create_table(
        "open_studies",
        sa.Column("association_id", sa.String(length=36), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("process", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("association_id", "study_instance_uid", name=op.f("pk_open_studies")),
        schema=_SCHEMA,
    )
    op.create_index(
        op.f("ix_open_studies_study_instance_uid"), "open_studies", ["study_instance_uid"], schema=_SCHEMA
    )
    op.create_table(
        "receipts",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("sop_instance_uid", sa.Text(), server_default="", nullable=False),
        sa.Column("study_instance_uid", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("calling_ae", sa.Text(), server_default="", nullable=False),
        sa.Column("called_ae", sa.Text(), server_default="", nullable=False),
        sa.Column("peer_address", sa.Text(), server_default="", nullable=False),
        sa.Column("site_id", sa.Text(), server_default="", nullable=False),
        sa.Column("association_id", sa.Text(), server_default="", nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_receipts")),
        schema=_SCHEMA,
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_receipts_sop_instance_uid"), "receipts", ["sop_instance_uid"], schema=_SCHEMA)
    op.create_table(
        "senders",
        sa.Column("calling_ae", sa.String(length=16), nullable=False),
        sa.Column("called_ae", sa.String(length=16), nullable=False),
        sa.Column("networks", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("calling_ae", "called_ae", name=op.f("pk_senders")),
        schema=_SCHEMA,
    )
