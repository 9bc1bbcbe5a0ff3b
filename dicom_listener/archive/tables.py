"""Tables of the archive's index, in the schema ``archive`` of PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

SCHEMA = "archive"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant in UTC, also where the database keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; SQLite keeps it without its zone."""
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware instant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)

_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")
_UID = String(64)


def _sequence() -> Column[int]:
    return Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _uid(name: str, **options: Any) -> Column[str]:  # noqa: ANN401 - a column's own options
    return Column(name, _UID, nullable=False, **options)


def _instant(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, UtcDateTime, nullable=nullable)


studies = Table(
    "studies",
    metadata,
    _uid("study_instance_uid", primary_key=True),
    _text("patient_id"),
    _text("issuer_of_patient_id"),
    _text("patient_name"),
    _text("patient_birth_date"),
    _text("patient_sex"),
    Column("study_date", Date),
    _text("study_time"),
    _text("study_id"),
    _text("study_description"),
    _text("accession_number"),
    _text("referring_physician_name"),
    _text("clinical_trial_protocol_id"),
    _text("clinical_trial_subject_id"),
    _instant("received_at"),
    _instant("last_received_at"),
    Column("last_receipt", _SEQUENCE, nullable=False),  # its latest new instance
    _instant("settled_at", nullable=True),
    Index(None, "patient_id"),
    Index(None, "study_date"),
    Index(None, "settled_at"),
)

sources = Table(
    "sources",
    metadata,
    _uid("study_instance_uid", primary_key=True),
    Column("site_id", Text, primary_key=True),
    Column("calling_ae", String(16), primary_key=True),
)

series = Table(
    "series",
    metadata,
    _uid("series_instance_uid", primary_key=True),
    _uid("study_instance_uid", index=True),
    _text("modality"),
    Column("series_number", BigInteger),
    _text("series_description"),
    Column("series_date", Date),
    _text("body_part_examined"),
    _text("manufacturer"),
    _text("manufacturer_model_name"),
    _text("frame_of_reference_uid"),
)

instances = Table(
    "instances",
    metadata,
    _uid("sop_instance_uid", primary_key=True),
    _uid("sop_class_uid"),
    _uid("series_instance_uid", index=True),
    _uid("study_instance_uid", index=True),
    _text("patient_id"),
    Column("instance_number", BigInteger),
    Column("rows", Integer),
    Column("columns", Integer),
    Column("number_of_frames", BigInteger, nullable=False),
    Column("acquired_on", Date),
    _uid("transfer_syntax_uid"),
    Column("digest", String(64), nullable=False, unique=True),
    Column("header_digest", String(64), nullable=False),
    Column("header_length", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    _instant("received_at"),
)

conflicts = Table(
    "conflicts",
    metadata,
    _sequence(),
    _uid("sop_instance_uid", index=True),
    _uid("study_instance_uid", index=True),
    _uid("transfer_syntax_uid"),
    Column("digest", String(64), nullable=False),
    Column("header_digest", String(64), nullable=False),
    Column("header_length", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    _text("site_id"),
    _text("calling_ae"),
    _instant("received_at"),
    UniqueConstraint("sop_instance_uid", "digest"),
    sqlite_autoincrement=True,
)

findings = Table(
    "findings",
    metadata,
    _sequence(),
    _uid("study_instance_uid"),
    _uid("sop_instance_uid"),
    Column("code", String(64), nullable=False),
    _text("sentence"),
    _instant("at"),
    UniqueConstraint("study_instance_uid", "sop_instance_uid", "code"),
    sqlite_autoincrement=True,
)

receipts = Table(
    "receipts",
    metadata,
    _sequence(),
    Column("outcome", String(64), nullable=False),
    _text("reason"),
    _text("sop_instance_uid"),
    _text("study_instance_uid"),
    _text("digest"),
    Column("size", BigInteger, nullable=False),
    _text("calling_ae"),
    _text("called_ae"),
    _text("peer_address"),
    _text("site_id"),
    _text("association_id"),
    _text("original_digest"),  # of the data set as it came, where what is kept is de-identified
    _instant("received_at"),
    Column("fingerprint", String(64), nullable=False),
    Index(None, "sop_instance_uid"),
    sqlite_autoincrement=True,
)

changes = Table(
    "changes",
    metadata,
    _sequence(),
    Column("kind", String(64), nullable=False),
    _uid("study_instance_uid", index=True),
    _instant("at"),
    sqlite_autoincrement=True,
)

open_studies = Table(
    "open_studies",
    metadata,
    Column("association_id", String(36), primary_key=True),
    _uid("study_instance_uid", primary_key=True),
    Column("process", String(64), nullable=False),
    Index(None, "study_instance_uid"),
)
"""Studies that an open association has sent to: such a study is not settled yet."""

senders = Table(
    "senders",
    metadata,
    Column("calling_ae", String(16), primary_key=True),
    Column("called_ae", String(16), primary_key=True),
    Column("networks", Text, nullable=False),  # CIDR notation, separated by blanks
    Column("site_id", Text, nullable=False),
    _instant("added_at"),
    Column("retrieves", String(16), nullable=False, server_default="nothing"),
    _text("certificate"),  # the one it must show over TLS: a fingerprint or a subject
    Column("deidentify", String(16), nullable=False, server_default="off"),
    _text("trial_protocol"),  # entered into (0012,0020) of what is de-identified
    _text("trial_sponsor"),  # and into (0012,0010)
)

destinations = Table(
    "destinations",
    metadata,
    Column("ae_title", String(16), primary_key=True),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("is_tls", Boolean, nullable=False),
    _instant("added_at"),
)
"""Where instances and commitment reports may be sent to, and nowhere else."""

commitments = Table(
    "commitments",
    metadata,
    _uid("transaction_uid", primary_key=True),
    Column("calling_ae", String(16), primary_key=True),
    Column("called_ae", String(16), nullable=False),
    _text("referenced"),  # JSON: pairs of SOP class and SOP instance UID
    _instant("requested_at"),
    Column("attempts", Integer, nullable=False),
    _instant("next_attempt_at"),
    _instant("reported_at", nullable=True),
    Index(None, "reported_at"),
)
"""Storage commitment transactions, kept until their report is delivered and after."""

indexed_logs = Table(
    "indexed_logs",
    metadata,
    Column("log", String(32), primary_key=True),
    Column("position", BigInteger, nullable=False),
)
"""Up to which record each intake log is in the index: written together with the rows of its records."""

originals = Table(
    "originals",
    metadata,
    _sequence(),
    Column("digest", String(64), nullable=False, unique=True),  # of the data set as it came
    Column("copy_digest", String(64), nullable=False),  # of the de-identified one; empty while it is held
    _uid("original_sop_instance_uid", index=True),
    _uid("sop_instance_uid"),  # of the de-identified one
    _uid("study_instance_uid"),
    Column("days_moved", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    _text("sentence"),  # why it is held
    _text("decision"),  # what a person has said of it
    _text("site_id"),
    Column("size", BigInteger, nullable=False),
    _instant("received_at"),
    _instant("decided_at", nullable=True),
    _instant("removed_at", nullable=True),
    Index(None, "study_instance_uid", "state"),
    sqlite_autoincrement=True,
)
"""Instances as they came, apart from their de-identified copies: no part of the archive's reading side."""
