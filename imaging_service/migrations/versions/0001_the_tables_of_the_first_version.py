"""The tables of the first version."""

import sqlalchemy as sa
from alembic import op

from imaging_service.database import DecimalText, Json, UtcDateTime
from imaging_service.migrations.guards import execute_on

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915  one table after the other
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("account", name=op.f("uq_accounts_account")),
    )
    op.create_table(
        "audit_entries",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("entity", sa.String(length=100), nullable=False),
        sa.Column("entity_id", sa.String(length=300), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_entries")),
        info={"audited": False},
    )
    op.create_index("ix_audit_entries_account_id", "audit_entries", ["account_id", "sequence"], unique=False)
    op.create_index("ix_audit_entries_action", "audit_entries", ["action", "sequence"], unique=False)
    op.create_index("ix_audit_entries_actor", "audit_entries", ["actor", "sequence"], unique=False)
    op.create_index("ix_audit_entries_at", "audit_entries", ["at"], unique=False)
    op.create_index(
        "ix_audit_entries_entity", "audit_entries", ["entity", "entity_id", "sequence"], unique=False
    )
    op.create_table(
        "control_transitions",
        sa.Column("timepoint_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("from_state", sa.String(), nullable=True),
        sa.Column("to_state", sa.String(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("findings", Json, nullable=False),
        sa.Column("protocol_version", sa.String(), nullable=True),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("timepoint_id", "version", name=op.f("pk_control_transitions")),
    )
    op.create_index(
        "ix_control_transitions_trial_id_subject_id",
        "control_transitions",
        ["trial_id", "subject_id"],
        unique=False,
    )
    op.create_table(
        "controls",
        sa.Column("timepoint_id", sa.String(), nullable=False),
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("findings", Json, nullable=False),
        sa.Column("blocking", sa.Integer(), nullable=False),
        sa.Column("protocol_version", sa.String(), nullable=True),
        sa.Column("controlled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("timepoint_id", name=op.f("pk_controls")),
    )
    op.create_table(
        "credential_uses",
        sa.Column("credential_id", sa.String(length=36), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("credential_id", name=op.f("pk_credential_uses")),
        info={"audited": False},
    )
    op.create_table(
        "derived_subjects",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("trial_id", "subject_id", name=op.f("pk_derived_subjects")),
        info={"audited": False},
    )
    op.create_index(
        "ix_derived_subjects_due",
        "derived_subjects",
        ["trial_id", "subject_id"],
        unique=False,
        sqlite_where=sa.text("basis = ''"),
        postgresql_where=sa.text("basis = ''"),
    )
    op.create_index(
        "ix_derived_subjects_trial_id_basis",
        "derived_subjects",
        ["trial_id", "basis", "subject_id"],
        unique=False,
    )
    op.create_table(
        "feed_cursors",
        sa.Column("feed", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("feed", name=op.f("pk_feed_cursors")),
        info={"audited": False},
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", Json, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_idempotency_keys")),
        info={"audited": False},
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "job_failures",
        sa.Column("failure_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("failed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("failure_id", name=op.f("pk_job_failures")),
        info={"audited": False},
    )
    op.create_index(op.f("ix_job_failures_job_id"), "job_failures", ["job_id"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("run_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(state = 'running') = (leased_until IS NOT NULL)", name=op.f("ck_jobs_lease")),
        sa.CheckConstraint("state IN ('waiting', 'running', 'parked')", name=op.f("ck_jobs_state")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_jobs")),
        info={"audited": False},
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_state_run_at", "jobs", ["state", "run_at", "job_id"], unique=False)
    op.create_index(
        "uq_jobs_waiting_key",
        "jobs",
        ["key"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "kept_comparisons",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("differs", sa.Boolean(), nullable=False),
        sa.Column("figures", Json, nullable=False),
        sa.Column("differing", Json, nullable=False),
        sa.PrimaryKeyConstraint("trial_id", "subject_id", "slot", name=op.f("pk_kept_comparisons")),
        info={"audited": False},
    )
    op.create_index(
        "ix_kept_comparisons_trial_id_differs",
        "kept_comparisons",
        ["trial_id", "differs", "subject_id"],
        unique=False,
    )
    op.create_table(
        "kept_courses",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("is_responder", sa.Boolean(), nullable=False),
        sa.Column("has_clinical_benefit", sa.Boolean(), nullable=False),
        sa.Column("is_controlled", sa.Boolean(), nullable=False),
        sa.Column("pfs_days", sa.Integer(), nullable=True),
        sa.Column("pfs_is_event", sa.Boolean(), nullable=True),
        sa.Column("dor_days", sa.Integer(), nullable=True),
        sa.Column("dor_is_event", sa.Boolean(), nullable=True),
        sa.Column("ttr_days", sa.Integer(), nullable=True),
        sa.Column("ttr_is_event", sa.Boolean(), nullable=True),
        sa.Column("dsd_days", sa.Integer(), nullable=True),
        sa.Column("dsd_is_event", sa.Boolean(), nullable=True),
        sa.Column("os_days", sa.Integer(), nullable=True),
        sa.Column("os_is_event", sa.Boolean(), nullable=True),
        sa.Column("best_response", sa.String(), nullable=False),
        sa.Column("confirmed_best_response", sa.String(), nullable=False),
        sa.Column("pfs_starts_on", sa.Date(), nullable=True),
        sa.Column("pfs_ends_on", sa.Date(), nullable=True),
        sa.Column("pfs_ending", sa.String(), nullable=True),
        sa.Column("pfs_record_id", sa.String(), nullable=True),
        sa.Column("doubt", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("trial_id", "subject_id", "slot", name=op.f("pk_kept_courses")),
        info={"audited": False},
    )
    op.create_table(
        "kept_discordances",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("variable", sa.String(), nullable=False),
        sa.Column("timepoint_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("imaged_on", sa.Date(), nullable=False),
        sa.Column("reader_1", sa.String(), nullable=True),
        sa.Column("reader_2", sa.String(), nullable=True),
        sa.Column("first_read_id", sa.String(), nullable=False),
        sa.Column("second_read_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("trial_id", "subject_id", "place", name=op.f("pk_kept_discordances")),
        info={"audited": False},
    )
    op.create_table(
        "kept_reviews",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("reading_id", sa.String(), nullable=False),
        sa.Column("finished_from", sa.Date(), nullable=True),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("figures", Json, nullable=False),
        sa.PrimaryKeyConstraint("trial_id", "subject_id", name=op.f("pk_kept_reviews")),
        info={"audited": False},
    )
    op.create_index(
        "ix_kept_reviews_trial_id_standing",
        "kept_reviews",
        ["trial_id", "standing", "reading_id"],
        unique=False,
    )
    op.create_table(
        "provider_visits",
        sa.Column("state_sha256", sa.String(length=64), nullable=False),
        sa.Column("browser_sha256", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("code_verifier", sa.String(length=128), nullable=False),
        sa.Column("return_to", sa.String(length=500), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column("session_id", sa.String(length=36), nullable=True),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("state_sha256", name=op.f("pk_provider_visits")),
        info={"audited": False},
    )
    op.create_index(op.f("ix_provider_visits_begun_at"), "provider_visits", ["begun_at"], unique=False)
    op.create_table(
        "sign_in_failures",
        sa.Column("account_sha256", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account_sha256", "address", name=op.f("pk_sign_in_failures")),
        info={"audited": False},
    )
    op.create_index(op.f("ix_sign_in_failures_last_at"), "sign_in_failures", ["last_at"], unique=False)
    op.create_table(
        "trials",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("trial_id", name=op.f("pk_trials")),
    )
    op.create_table(
        "account_grants",
        sa.Column("grant_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("trial_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("reader_slot", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_account_grants_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_account_grants")),
        sa.UniqueConstraint("trial_id", "reader_slot", name="uq_account_grants_reader_slot"),
    )
    op.create_index("ix_account_grants_account_id", "account_grants", ["account_id"], unique=False)
    op.create_table(
        "account_identities",
        sa.Column("identity_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_account_identities_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("identity_id", name=op.f("pk_account_identities")),
        sa.UniqueConstraint("issuer", "subject", name="uq_account_identities_issuer_subject"),
    )
    op.create_index("ix_account_identities_account_id", "account_identities", ["account_id"], unique=False)
    op.create_table(
        "account_sessions",
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_account_sessions_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_account_sessions")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_account_sessions_token_sha256")),
    )
    op.create_index("ix_account_sessions_account_id", "account_sessions", ["account_id"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("key_sha256", sa.String(length=64), nullable=False),
        sa.Column("limits", Json, nullable=True),
        sa.Column("replaces", sa.String(length=36), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_api_keys_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_sha256", name=op.f("uq_api_keys_key_sha256")),
    )
    op.create_index("ix_api_keys_account_id", "api_keys", ["account_id"], unique=False)
    op.create_table(
        "authentication_events",
        sa.Column("authentication_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_authentication_events_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("authentication_id", name=op.f("pk_authentication_events")),
    )
    op.create_table(
        "client_certificates",
        sa.Column("certificate_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_client_certificates_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_client_certificates")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_client_certificates_fingerprint")),
    )
    op.create_index("ix_client_certificates_account_id", "client_certificates", ["account_id"], unique=False)
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=True),
        sa.Column("subject_id", sa.String(), nullable=True),
        sa.Column("reading_id", sa.String(), nullable=True),
        sa.Column("timepoint_id", sa.String(), nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("once_key", sa.String(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.trial_id"], name=op.f("fk_notices_trial_id_trials")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notices")),
        sa.UniqueConstraint("once_key", name=op.f("uq_notices_once_key")),
        sa.UniqueConstraint("sequence", name=op.f("uq_notices_sequence")),
        info={"audited": False},
    )
    op.create_index("ix_notices_trial_id_sequence", "notices", ["trial_id", "sequence"], unique=False)
    op.create_table(
        "trial_protocols",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("filed_by", sa.String(), nullable=False),
        sa.Column("filed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["trials.trial_id"], name=op.f("fk_trial_protocols_trial_id_trials")
        ),
        sa.PrimaryKeyConstraint("trial_id", "version", name=op.f("pk_trial_protocols")),
        sa.UniqueConstraint("trial_id", "effective_on", name="uq_trial_protocols_effective_on"),
        sa.UniqueConstraint("trial_id", "revision", name="uq_trial_protocols_revision"),
    )
    op.create_table(
        "trial_sites",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["trials.trial_id"], name=op.f("fk_trial_sites_trial_id_trials")
        ),
        sa.PrimaryKeyConstraint("trial_id", "site_id", name=op.f("pk_trial_sites")),
    )
    op.create_index("ix_trial_sites_site_id", "trial_sites", ["site_id"], unique=False)
    op.create_table(
        "webhooks",
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("kinds", Json, nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("registered_by", sa.String(), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.trial_id"], name=op.f("fk_webhooks_trial_id_trials")),
        sa.PrimaryKeyConstraint("webhook_id", name=op.f("pk_webhooks")),
    )
    op.create_index(op.f("ix_webhooks_trial_id"), "webhooks", ["trial_id"], unique=False)
    op.create_table(
        "subjects",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("reading_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("enrolled_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id", "site_id"],
            ["trial_sites.trial_id", "trial_sites.site_id"],
            name=op.f("fk_subjects_trial_id_trial_sites"),
        ),
        sa.PrimaryKeyConstraint("trial_id", "subject_id", name=op.f("pk_subjects")),
        sa.UniqueConstraint("trial_id", "reading_id", name=op.f("uq_subjects_trial_id")),
    )
    op.create_index("ix_subjects_trial_id_site_id", "subjects", ["trial_id", "site_id"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.notice_id"], name=op.f("fk_webhook_deliveries_notice_id_notices")
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.webhook_id"], name=op.f("fk_webhook_deliveries_webhook_id_webhooks")
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint("webhook_id", "sequence", name=op.f("uq_webhook_deliveries_webhook_id")),
        info={"audited": False},
    )
    op.create_index(
        "ix_webhook_deliveries_open",
        "webhook_deliveries",
        ["webhook_id", "line", "sequence"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting', 'dead')"),
        postgresql_where=sa.text("state IN ('waiting', 'dead')"),
    )
    op.create_table(
        "webhook_positions",
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.webhook_id"], name=op.f("fk_webhook_positions_webhook_id_webhooks")
        ),
        sa.PrimaryKeyConstraint("webhook_id", name=op.f("pk_webhook_positions")),
        info={"audited": False},
    )
    op.create_table(
        "adjudication_decisions",
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("read_ids", Json, nullable=False),
        sa.Column("differences", Json, nullable=False),
        sa.Column("evidence_sha256", sa.String(), nullable=False),
        sa.Column("protocol_version", sa.String(), nullable=False),
        sa.Column("chosen_slot", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("printed_name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("meaning", sa.String(), nullable=False),
        sa.Column("signed_at", UtcDateTime(), nullable=False),
        sa.Column("authenticated_at", UtcDateTime(), nullable=False),
        sa.Column("record_hash", sa.String(), nullable=False),
        sa.CheckConstraint("chosen_slot IN (1, 2)", name=op.f("ck_adjudication_decisions_chosen_slot")),
        sa.ForeignKeyConstraint(
            ["trial_id", "subject_id"],
            ["subjects.trial_id", "subjects.subject_id"],
            name=op.f("fk_adjudication_decisions_trial_id_subjects"),
        ),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_adjudication_decisions")),
        sa.UniqueConstraint(
            "trial_id", "subject_id", "edition", name=op.f("uq_adjudication_decisions_trial_id")
        ),
    )
    op.create_table(
        "calendars",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("subject_version", sa.Integer(), nullable=False),
        sa.Column("protocol_version", sa.String(), nullable=False),
        sa.Column("last_received", sa.Integer(), nullable=False),
        sa.Column("central_progression_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["trial_id", "subject_id"],
            ["subjects.trial_id", "subjects.subject_id"],
            name=op.f("fk_calendars_trial_id_subjects"),
        ),
        sa.PrimaryKeyConstraint("trial_id", "subject_id", name=op.f("pk_calendars")),
    )
    op.create_table(
        "cycle_starts",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("started_on", Json, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id", "subject_id"],
            ["subjects.trial_id", "subjects.subject_id"],
            name=op.f("fk_cycle_starts_trial_id_subjects"),
        ),
        sa.PrimaryKeyConstraint("trial_id", "subject_id", "version", name=op.f("pk_cycle_starts")),
    )
    op.create_table(
        "patient_ids",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id", "subject_id"],
            ["subjects.trial_id", "subjects.subject_id"],
            name=op.f("fk_patient_ids_trial_id_subjects"),
        ),
        sa.PrimaryKeyConstraint("trial_id", "site_id", "patient_id", "issuer", name=op.f("pk_patient_ids")),
    )
    op.create_index(
        "ix_patient_ids_site_id_patient_id", "patient_ids", ["site_id", "patient_id"], unique=False
    )
    op.create_table(
        "site_queries",
        sa.Column("query_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=True),
        sa.Column("timepoint_id", sa.String(), nullable=True),
        sa.Column("study_instance_uid", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id", "site_id"],
            ["trial_sites.trial_id", "trial_sites.site_id"],
            name=op.f("fk_site_queries_trial_id_trial_sites"),
        ),
        sa.ForeignKeyConstraint(
            ["trial_id", "subject_id"],
            ["subjects.trial_id", "subjects.subject_id"],
            name=op.f("fk_site_queries_trial_id_subjects"),
        ),
        sa.PrimaryKeyConstraint("query_id", name=op.f("pk_site_queries")),
        sa.UniqueConstraint("trial_id", "number", name=op.f("uq_site_queries_trial_id")),
    )
    op.create_index("ix_site_queries_timepoint_id", "site_queries", ["timepoint_id", "state"], unique=False)
    op.create_index(
        "ix_site_queries_trial_id_state_due_on", "site_queries", ["trial_id", "state", "due_on"], unique=False
    )
    op.create_index(
        "ix_site_queries_trial_id_subject_id",
        "site_queries",
        ["trial_id", "subject_id", "state"],
        unique=False,
    )
    op.create_table(
        "subject_versions",
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("consent_on", sa.Date(), nullable=True),
        sa.Column("randomised_on", sa.Date(), nullable=True),
        sa.Column("first_dose_on", sa.Date(), nullable=True),
        sa.Column("new_therapy_on", sa.Date(), nullable=True),
        sa.Column("progression_on", sa.Date(), nullable=True),
        sa.Column("withdrawal_on", sa.Date(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(), nullable=True),
        sa.Column("last_contact_on", sa.Date(), nullable=True),
        sa.Column("death_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id", "subject_id"],
            ["subjects.trial_id", "subjects.subject_id"],
            name=op.f("fk_subject_versions_trial_id_subjects"),
        ),
        sa.PrimaryKeyConstraint("trial_id", "subject_id", "version", name=op.f("pk_subject_versions")),
    )
    op.create_table(
        "timepoints",
        sa.Column("timepoint_id", sa.String(), nullable=False),
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("nominal_on", sa.Date(), nullable=True),
        sa.Column("opens_on", sa.Date(), nullable=True),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("imaged_on", sa.Date(), nullable=True),
        sa.Column("progress", sa.String(), nullable=False),
        sa.Column("placement", sa.String(), nullable=True),
        sa.Column("not_done_reason", sa.String(), nullable=True),
        sa.Column("late_instances", sa.Integer(), nullable=False),
        sa.Column("control", sa.String(), nullable=True),
        sa.Column("sort_on", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id", "subject_id"],
            ["subjects.trial_id", "subjects.subject_id"],
            name=op.f("fk_timepoints_trial_id_subjects"),
        ),
        sa.PrimaryKeyConstraint("timepoint_id", name=op.f("pk_timepoints")),
        sa.UniqueConstraint("trial_id", "subject_id", "number", name=op.f("uq_timepoints_trial_id")),
    )
    op.create_index(
        "ix_timepoints_trial_id_control", "timepoints", ["trial_id", "control", "subject_id"], unique=False
    )
    op.create_index(
        "ix_timepoints_trial_id_progress_closes_on",
        "timepoints",
        ["trial_id", "progress", "closes_on", "subject_id"],
        unique=False,
    )
    op.create_index(
        "ix_timepoints_trial_id_progress_subject_id",
        "timepoints",
        ["trial_id", "progress", "subject_id", "closes_on", "number"],
        unique=False,
    )
    op.create_index(
        "ix_timepoints_trial_id_subject_id_sort_on",
        "timepoints",
        ["trial_id", "subject_id", "sort_on", "timepoint_id"],
        unique=False,
    )
    op.create_index(
        "ix_timepoints_unread",
        "timepoints",
        ["trial_id", "subject_id"],
        unique=False,
        sqlite_where=sa.text("progress <> 'read' AND imaged_on IS NOT NULL"),
        postgresql_where=sa.text("progress <> 'read' AND imaged_on IS NOT NULL"),
    )
    op.create_table(
        "reads",
        sa.Column("read_id", sa.String(), nullable=False),
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("timepoint_id", sa.String(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("supersedes", sa.String(), nullable=True),
        sa.Column("unlock_reason", sa.String(), nullable=True),
        sa.Column("protocol_version", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("imaged_on", sa.Date(), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["supersedes"], ["reads.read_id"], name=op.f("fk_reads_supersedes_reads")),
        sa.ForeignKeyConstraint(
            ["timepoint_id"], ["timepoints.timepoint_id"], name=op.f("fk_reads_timepoint_id_timepoints")
        ),
        sa.PrimaryKeyConstraint("read_id", name=op.f("pk_reads")),
        sa.UniqueConstraint("supersedes", name=op.f("uq_reads_supersedes")),
        sa.UniqueConstraint("timepoint_id", "slot", "revision", name=op.f("uq_reads_timepoint_id")),
    )
    op.create_index("ix_reads_opened_by", "reads", ["opened_by", "trial_id"], unique=False)
    op.create_index("ix_reads_trial_id_subject_id", "reads", ["trial_id", "subject_id", "slot"], unique=False)
    op.create_index(
        "uq_reads_one_draft",
        "reads",
        ["timepoint_id", "slot"],
        unique=True,
        sqlite_where=sa.text("signed_at IS NULL"),
        postgresql_where=sa.text("signed_at IS NULL"),
    )
    op.create_table(
        "site_evaluations",
        sa.Column("evaluation_id", sa.String(), nullable=False),
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("timepoint_id", sa.String(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("overall_response", sa.String(), nullable=False),
        sa.Column("has_progressed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=False),
        sa.Column("entered_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["timepoint_id"],
            ["timepoints.timepoint_id"],
            name=op.f("fk_site_evaluations_timepoint_id_timepoints"),
        ),
        sa.PrimaryKeyConstraint("evaluation_id", name=op.f("pk_site_evaluations")),
        sa.UniqueConstraint("timepoint_id", "edition", name=op.f("uq_site_evaluations_timepoint_id")),
    )
    op.create_index(
        "ix_site_evaluations_trial_id_subject_id",
        "site_evaluations",
        ["trial_id", "subject_id", "timepoint_id", "edition"],
        unique=False,
    )
    op.create_table(
        "site_query_entries",
        sa.Column("query_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deed", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("said_by", sa.String(), nullable=False),
        sa.Column("said_by_name", sa.String(), nullable=False),
        sa.Column("said_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["query_id"], ["site_queries.query_id"], name=op.f("fk_site_query_entries_query_id_site_queries")
        ),
        sa.PrimaryKeyConstraint("query_id", "version", name=op.f("pk_site_query_entries")),
    )
    op.create_table(
        "studies",
        sa.Column("study_instance_uid", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=True),
        sa.Column("patient_ids", Json, nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("study_date", sa.Date(), nullable=True),
        sa.Column("study_date_is_unreadable", sa.Boolean(), nullable=False),
        sa.Column("modalities", Json, nullable=False),
        sa.Column("protocol_tag", sa.String(), nullable=False),
        sa.Column("subject_tag", sa.String(), nullable=False),
        sa.Column("series_count", sa.Integer(), nullable=False),
        sa.Column("instance_count", sa.Integer(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("conflicts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("trial_id", sa.String(), nullable=True),
        sa.Column("subject_id", sa.String(), nullable=True),
        sa.Column("timepoint_id", sa.String(), nullable=True),
        sa.Column("placement", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("confidence", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["timepoint_id"], ["timepoints.timepoint_id"], name=op.f("fk_studies_timepoint_id_timepoints")
        ),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.trial_id"], name=op.f("fk_studies_trial_id_trials")),
        sa.PrimaryKeyConstraint("study_instance_uid", name=op.f("pk_studies")),
    )
    op.create_index("ix_studies_state_site_id", "studies", ["state", "site_id"], unique=False)
    op.create_index("ix_studies_timepoint_id", "studies", ["timepoint_id"], unique=False)
    op.create_index("ix_studies_trial_id_state", "studies", ["trial_id", "state"], unique=False)
    op.create_table(
        "assessments",
        sa.Column("assessment_id", sa.String(), nullable=False),
        sa.Column("read_id", sa.String(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("because_of", sa.String(), nullable=False),
        sa.Column("derived_at", UtcDateTime(), nullable=False),
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("timepoint_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sum_mm", DecimalText(), nullable=True),
        sa.Column("target_response", sa.String(), nullable=True),
        sa.Column("non_target_response", sa.String(), nullable=True),
        sa.Column("new_lesion", sa.String(), nullable=True),
        sa.Column("overall_response", sa.String(), nullable=True),
        sa.Column("best_response", sa.String(), nullable=False),
        sa.Column("confirmed_best_response", sa.String(), nullable=False),
        sa.Column("responded_on", sa.Date(), nullable=True),
        sa.Column("progression_on", sa.Date(), nullable=True),
        sa.Column("rules_version", sa.String(), nullable=False),
        sa.Column("protocol_version", sa.String(), nullable=False),
        sa.Column("inputs", Json, nullable=False),
        sa.Column("inputs_sha256", sa.String(), nullable=False),
        sa.Column("answer", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["because_of"], ["reads.read_id"], name=op.f("fk_assessments_because_of_reads")
        ),
        sa.ForeignKeyConstraint(["read_id"], ["reads.read_id"], name=op.f("fk_assessments_read_id_reads")),
        sa.PrimaryKeyConstraint("assessment_id", name=op.f("pk_assessments")),
        sa.UniqueConstraint("read_id", "edition", name=op.f("uq_assessments_read_id")),
    )
    op.create_index(
        "ix_assessments_timepoint_id",
        "assessments",
        ["timepoint_id", "slot", "overall_response"],
        unique=False,
    )
    op.create_index(
        "ix_assessments_trial_id_subject_id",
        "assessments",
        ["trial_id", "subject_id", "slot", "position", "timepoint_id"],
        unique=False,
    )
    op.create_table(
        "lookouts",
        sa.Column("read_id", sa.String(), nullable=False),
        sa.Column("places", Json, nullable=False),
        sa.Column("computed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["read_id"], ["reads.read_id"], name=op.f("fk_lookouts_read_id_reads")),
        sa.PrimaryKeyConstraint("read_id", name=op.f("pk_lookouts")),
    )
    op.create_table(
        "proposals",
        sa.Column("proposal_id", sa.String(), nullable=False),
        sa.Column("read_id", sa.String(), nullable=False),
        sa.Column("lesion_id", sa.String(), nullable=False),
        sa.Column("sop_instance_uid", sa.String(), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("subtracted_sop_instance_uid", sa.String(), nullable=True),
        sa.Column("subtracted_frame", sa.Integer(), nullable=True),
        sa.Column("seed", Json, nullable=False),
        sa.Column("outline", Json, nullable=False),
        sa.Column("long_axis", Json, nullable=False),
        sa.Column("short_axis", Json, nullable=False),
        sa.Column("long_mm", sa.Double(), nullable=False),
        sa.Column("short_mm", sa.Double(), nullable=False),
        sa.Column("confidence", sa.String(), nullable=False),
        sa.Column("doubts", Json, nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["read_id"], ["reads.read_id"], name=op.f("fk_proposals_read_id_reads")),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_proposals")),
    )
    op.create_index("ix_proposals_read_id", "proposals", ["read_id", "proposed_at"], unique=False)
    op.create_table(
        "read_lesions",
        sa.Column("read_id", sa.String(), nullable=False),
        sa.Column("lesion_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("organ", sa.String(), nullable=False),
        sa.Column("is_nodal", sa.Boolean(), nullable=False),
        sa.Column("nature", sa.String(), nullable=False),
        sa.Column("is_irradiated", sa.Boolean(), nullable=False),
        sa.Column("progressed_since_irradiation", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("merged_into", sa.String(), nullable=True),
        sa.Column("diameter_mm", DecimalText(), nullable=True),
        sa.Column("findings", Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["read_id"], ["reads.read_id"], name=op.f("fk_read_lesions_read_id_reads")),
        sa.PrimaryKeyConstraint("read_id", "lesion_id", name=op.f("pk_read_lesions")),
    )
    op.create_table(
        "read_signatures",
        sa.Column("read_id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("printed_name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("meaning", sa.String(), nullable=False),
        sa.Column("signed_at", UtcDateTime(), nullable=False),
        sa.Column("authenticated_at", UtcDateTime(), nullable=False),
        sa.Column("record_hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["read_id"], ["reads.read_id"], name=op.f("fk_read_signatures_read_id_reads")
        ),
        sa.PrimaryKeyConstraint("read_id", name=op.f("pk_read_signatures")),
    )
    op.create_index(op.f("ix_read_signatures_account_id"), "read_signatures", ["account_id"], unique=False)
    op.create_table(
        "study_decisions",
        sa.Column("study_instance_uid", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("trial_id", sa.String(), nullable=True),
        sa.Column("subject_id", sa.String(), nullable=True),
        sa.Column("timepoint_id", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("confidence", sa.String(), nullable=True),
        sa.Column("series", Json, nullable=True),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_instance_uid"],
            ["studies.study_instance_uid"],
            name=op.f("fk_study_decisions_study_instance_uid_studies"),
        ),
        sa.PrimaryKeyConstraint("study_instance_uid", "version", name=op.f("pk_study_decisions")),
    )
    op.create_table(
        "study_series",
        sa.Column("study_instance_uid", sa.String(), nullable=False),
        sa.Column("series_instance_uid", sa.String(), nullable=False),
        sa.Column("modality", sa.String(), nullable=True),
        sa.Column("series_number", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("frame_of_reference_uid", sa.String(), nullable=True),
        sa.Column("facts", Json, nullable=False),
        sa.Column("timepoint_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["study_instance_uid"],
            ["studies.study_instance_uid"],
            name=op.f("fk_study_series_study_instance_uid_studies"),
        ),
        sa.ForeignKeyConstraint(
            ["timepoint_id"],
            ["timepoints.timepoint_id"],
            name=op.f("fk_study_series_timepoint_id_timepoints"),
        ),
        sa.PrimaryKeyConstraint("study_instance_uid", "series_instance_uid", name=op.f("pk_study_series")),
    )
    op.create_index("ix_study_series_timepoint_id", "study_series", ["timepoint_id"], unique=False)
    op.create_table(
        "uptakes",
        sa.Column("uptake_id", sa.String(), nullable=False),
        sa.Column("read_id", sa.String(), nullable=False),
        sa.Column("before_series_uid", sa.String(), nullable=False),
        sa.Column("early_series_uid", sa.String(), nullable=False),
        sa.Column("late_series_uid", sa.String(), nullable=False),
        sa.Column("region", Json, nullable=True),
        sa.Column("thresholds", Json, nullable=False),
        sa.Column("volume_ml", sa.Double(), nullable=False),
        sa.Column("median_signal_enhancement_ratio", sa.Double(), nullable=True),
        sa.Column("computed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["read_id"], ["reads.read_id"], name=op.f("fk_uptakes_read_id_reads")),
        sa.PrimaryKeyConstraint("uptake_id", name=op.f("pk_uptakes")),
    )
    op.create_index("ix_uptakes_read_id", "uptakes", ["read_id", "computed_at"], unique=False)
    op.create_table(
        "proposal_rejections",
        sa.Column("proposal_id", sa.String(), nullable=False),
        sa.Column("rejected_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["proposals.proposal_id"],
            name=op.f("fk_proposal_rejections_proposal_id_proposals"),
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_proposal_rejections")),
    )
    op.create_table(
        "read_axes",
        sa.Column("read_id", sa.String(), nullable=False),
        sa.Column("lesion_id", sa.String(), nullable=False),
        sa.Column("fragment", sa.Integer(), nullable=False),
        sa.Column("axis", sa.String(), nullable=False),
        sa.Column("study_instance_uid", sa.String(), nullable=False),
        sa.Column("series_instance_uid", sa.String(), nullable=False),
        sa.Column("sop_instance_uid", sa.String(), nullable=False),
        sa.Column("modality", sa.String(), nullable=True),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("start_column", sa.Double(), nullable=False),
        sa.Column("start_row", sa.Double(), nullable=False),
        sa.Column("end_column", sa.Double(), nullable=False),
        sa.Column("end_row", sa.Double(), nullable=False),
        sa.Column("length_mm", sa.Double(), nullable=False),
        sa.Column("claimed_mm", sa.Double(), nullable=True),
        sa.Column("reported_mm", DecimalText(), nullable=True),
        sa.Column("plane", Json, nullable=False),
        sa.Column("object_sha256", sa.String(), nullable=False),
        sa.CheckConstraint("axis IN ('long', 'short')", name=op.f("ck_read_axes_axis")),
        sa.ForeignKeyConstraint(
            ["read_id", "lesion_id"],
            ["read_lesions.read_id", "read_lesions.lesion_id"],
            name=op.f("fk_read_axes_read_id_read_lesions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("read_id", "lesion_id", "fragment", "axis", name=op.f("pk_read_axes")),
    )
    op.create_table(
        "study_instances",
        sa.Column("sop_instance_uid", sa.String(), nullable=False),
        sa.Column("study_instance_uid", sa.String(), nullable=False),
        sa.Column("series_instance_uid", sa.String(), nullable=False),
        sa.Column("sop_class_uid", sa.String(), nullable=False),
        sa.Column("transfer_syntax_uid", sa.String(), nullable=False),
        sa.Column("instance_number", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("columns", sa.Integer(), nullable=True),
        sa.Column("number_of_frames", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("frames", Json, nullable=False),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_instance_uid", "series_instance_uid"],
            ["study_series.study_instance_uid", "study_series.series_instance_uid"],
            name=op.f("fk_study_instances_study_instance_uid_study_series"),
        ),
        sa.PrimaryKeyConstraint("sop_instance_uid", name=op.f("pk_study_instances")),
    )
    op.create_index(
        "ix_study_instances_study_instance_uid", "study_instances", ["study_instance_uid"], unique=False
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries BEGIN SELECT "
        "RAISE(ABORT, 'audit entries are never changed or removed'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries BEGIN SELECT "
        "RAISE(ABORT, 'audit entries are never changed or removed'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER trial_protocols_final_update BEFORE UPDATE ON trial_protocols WHEN 1 = 1 "
        "BEGIN SELECT RAISE(ABORT, 'a filed protocol never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER trial_protocols_final_delete BEFORE DELETE ON trial_protocols WHEN 1 = 1 "
        "BEGIN SELECT RAISE(ABORT, 'a filed protocol never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER subject_versions_final_update BEFORE UPDATE ON subject_versions WHEN 1 = 1 "
        "BEGIN SELECT RAISE(ABORT, 'a recorded version of a subject never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER subject_versions_final_delete BEFORE DELETE ON subject_versions WHEN 1 = 1 "
        "BEGIN SELECT RAISE(ABORT, 'a recorded version of a subject never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER notices_final_update BEFORE UPDATE ON notices WHEN OLD.sequence IS NOT NULL"
        " BEGIN SELECT RAISE(ABORT, 'a notice never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER notices_final_delete BEFORE DELETE ON notices WHEN OLD.sequence IS NOT NULL"
        " BEGIN SELECT RAISE(ABORT, 'a notice never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER study_decisions_final_update BEFORE UPDATE ON study_decisions WHEN 1 = 1 "
        "BEGIN SELECT RAISE(ABORT, 'a decision about a study never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER study_decisions_final_delete BEFORE DELETE ON study_decisions WHEN 1 = 1 "
        "BEGIN SELECT RAISE(ABORT, 'a decision about a study never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER cycle_starts_final_update BEFORE UPDATE ON cycle_starts WHEN 1 = 1 BEGIN "
        "SELECT RAISE(ABORT, 'what was known of treatment cycles never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER cycle_starts_final_delete BEFORE DELETE ON cycle_starts WHEN 1 = 1 BEGIN "
        "SELECT RAISE(ABORT, 'what was known of treatment cycles never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER site_query_entries_final_update BEFORE UPDATE ON site_query_entries WHEN 1 "
        "= 1 BEGIN SELECT RAISE(ABORT, 'what was said about a question never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER site_query_entries_final_delete BEFORE DELETE ON site_query_entries WHEN 1 "
        "= 1 BEGIN SELECT RAISE(ABORT, 'what was said about a question never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER control_transitions_final_update BEFORE UPDATE ON control_transitions WHEN "
        "1 = 1 BEGIN SELECT RAISE(ABORT, 'a transition of quality control never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER control_transitions_final_delete BEFORE DELETE ON control_transitions WHEN "
        "1 = 1 BEGIN SELECT RAISE(ABORT, 'a transition of quality control never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER reads_final_update BEFORE UPDATE ON reads WHEN OLD.signed_at IS NOT NULL "
        "BEGIN SELECT RAISE(ABORT, 'a signed read never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER reads_final_delete BEFORE DELETE ON reads WHEN OLD.signed_at IS NOT NULL "
        "BEGIN SELECT RAISE(ABORT, 'a signed read never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER read_lesions_final_update BEFORE UPDATE ON read_lesions WHEN EXISTS (SELECT"
        " 1 FROM reads WHERE reads.read_id = OLD.read_id AND reads.signed_at IS NOT NULL) BEGIN "
        "SELECT RAISE(ABORT, 'a signed read never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER read_lesions_final_delete BEFORE DELETE ON read_lesions WHEN EXISTS (SELECT"
        " 1 FROM reads WHERE reads.read_id = OLD.read_id AND reads.signed_at IS NOT NULL) BEGIN "
        "SELECT RAISE(ABORT, 'a signed read never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER read_lesions_final_insert BEFORE INSERT ON read_lesions WHEN EXISTS (SELECT"
        " 1 FROM reads WHERE reads.read_id = NEW.read_id AND reads.signed_at IS NOT NULL) BEGIN "
        "SELECT RAISE(ABORT, 'a signed read never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER read_axes_final_update BEFORE UPDATE ON read_axes WHEN EXISTS (SELECT 1 "
        "FROM reads WHERE reads.read_id = OLD.read_id AND reads.signed_at IS NOT NULL) BEGIN SELECT"
        " RAISE(ABORT, 'a signed read never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER read_axes_final_delete BEFORE DELETE ON read_axes WHEN EXISTS (SELECT 1 "
        "FROM reads WHERE reads.read_id = OLD.read_id AND reads.signed_at IS NOT NULL) BEGIN SELECT"
        " RAISE(ABORT, 'a signed read never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER read_axes_final_insert BEFORE INSERT ON read_axes WHEN EXISTS (SELECT 1 "
        "FROM reads WHERE reads.read_id = NEW.read_id AND reads.signed_at IS NOT NULL) BEGIN SELECT"
        " RAISE(ABORT, 'a signed read never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER read_signatures_final_update BEFORE UPDATE ON read_signatures WHEN 1 = 1 "
        "BEGIN SELECT RAISE(ABORT, 'a signature never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER read_signatures_final_delete BEFORE DELETE ON read_signatures WHEN 1 = 1 "
        "BEGIN SELECT RAISE(ABORT, 'a signature never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER proposals_final_update BEFORE UPDATE ON proposals WHEN 1 = 1 BEGIN SELECT "
        "RAISE(ABORT, 'what was proposed never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER proposals_final_delete BEFORE DELETE ON proposals WHEN 1 = 1 BEGIN SELECT "
        "RAISE(ABORT, 'what was proposed never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER proposal_rejections_final_update BEFORE UPDATE ON proposal_rejections WHEN "
        "1 = 1 BEGIN SELECT RAISE(ABORT, 'a rejection never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER proposal_rejections_final_delete BEFORE DELETE ON proposal_rejections WHEN "
        "1 = 1 BEGIN SELECT RAISE(ABORT, 'a rejection never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER lookouts_final_update BEFORE UPDATE ON lookouts WHEN 1 = 1 BEGIN SELECT "
        "RAISE(ABORT, 'what was expected never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER lookouts_final_delete BEFORE DELETE ON lookouts WHEN 1 = 1 BEGIN SELECT "
        "RAISE(ABORT, 'what was expected never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER uptakes_final_update BEFORE UPDATE ON uptakes WHEN 1 = 1 BEGIN SELECT "
        "RAISE(ABORT, 'what was computed never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER uptakes_final_delete BEFORE DELETE ON uptakes WHEN 1 = 1 BEGIN SELECT "
        "RAISE(ABORT, 'what was computed never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER assessments_final_update BEFORE UPDATE ON assessments WHEN 1 = 1 BEGIN "
        "SELECT RAISE(ABORT, 'an assessment never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER assessments_final_delete BEFORE DELETE ON assessments WHEN 1 = 1 BEGIN "
        "SELECT RAISE(ABORT, 'an assessment never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER adjudication_decisions_final_update BEFORE UPDATE ON adjudication_decisions"
        " WHEN 1 = 1 BEGIN SELECT RAISE(ABORT, 'an adjudication never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER adjudication_decisions_final_delete BEFORE DELETE ON adjudication_decisions"
        " WHEN 1 = 1 BEGIN SELECT RAISE(ABORT, 'an adjudication never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER site_evaluations_final_update BEFORE UPDATE ON site_evaluations WHEN 1 = 1 "
        "BEGIN SELECT RAISE(ABORT, 'a site evaluation never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER site_evaluations_final_delete BEFORE DELETE ON site_evaluations WHEN 1 = 1 "
        "BEGIN SELECT RAISE(ABORT, 'a site evaluation never changes'); END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER subjects_derived_insert AFTER INSERT ON subjects BEGIN INSERT INTO "
        "derived_subjects (trial_id, subject_id, basis) VALUES (NEW.trial_id, NEW.subject_id, '') "
        "ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE derived_subjects.basis "
        "<> ''; END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER subjects_derived_update AFTER UPDATE OF version, site_id, reading_id ON "
        "subjects BEGIN INSERT INTO derived_subjects (trial_id, subject_id, basis) VALUES "
        "(NEW.trial_id, NEW.subject_id, '') ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis "
        "= '' WHERE derived_subjects.basis <> ''; END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER timepoints_derived_insert AFTER INSERT ON timepoints BEGIN INSERT INTO "
        "derived_subjects (trial_id, subject_id, basis) VALUES (NEW.trial_id, NEW.subject_id, '') "
        "ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE derived_subjects.basis "
        "<> ''; END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER timepoints_derived_update AFTER UPDATE OF subject_id, number, imaged_on, "
        "closes_on, progress ON timepoints BEGIN INSERT INTO derived_subjects (trial_id, "
        "subject_id, basis) VALUES (NEW.trial_id, NEW.subject_id, '') ON CONFLICT (trial_id, "
        "subject_id) DO UPDATE SET basis = '' WHERE derived_subjects.basis <> ''; END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER timepoints_derived_delete AFTER DELETE ON timepoints BEGIN INSERT INTO "
        "derived_subjects (trial_id, subject_id, basis) VALUES (OLD.trial_id, OLD.subject_id, '') "
        "ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE derived_subjects.basis "
        "<> ''; END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER reads_derived_insert AFTER INSERT ON reads BEGIN INSERT INTO "
        "derived_subjects (trial_id, subject_id, basis) VALUES (NEW.trial_id, NEW.subject_id, '') "
        "ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE derived_subjects.basis "
        "<> ''; END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER reads_derived_update AFTER UPDATE OF signed_at ON reads BEGIN INSERT INTO "
        "derived_subjects (trial_id, subject_id, basis) VALUES (NEW.trial_id, NEW.subject_id, '') "
        "ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE derived_subjects.basis "
        "<> ''; END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER reads_derived_delete AFTER DELETE ON reads BEGIN INSERT INTO "
        "derived_subjects (trial_id, subject_id, basis) VALUES (OLD.trial_id, OLD.subject_id, '') "
        "ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE derived_subjects.basis "
        "<> ''; END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER assessments_derived_insert AFTER INSERT ON assessments BEGIN INSERT INTO "
        "derived_subjects (trial_id, subject_id, basis) VALUES (NEW.trial_id, NEW.subject_id, '') "
        "ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE derived_subjects.basis "
        "<> ''; END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER adjudication_decisions_derived_insert AFTER INSERT ON "
        "adjudication_decisions BEGIN INSERT INTO derived_subjects (trial_id, subject_id, basis) "
        "VALUES (NEW.trial_id, NEW.subject_id, '') ON CONFLICT (trial_id, subject_id) DO UPDATE SET"
        " basis = '' WHERE derived_subjects.basis <> ''; END",
    )
    execute_on(
        "sqlite",
        "CREATE TRIGGER site_evaluations_derived_insert AFTER INSERT ON site_evaluations BEGIN "
        "INSERT INTO derived_subjects (trial_id, subject_id, basis) VALUES (NEW.trial_id, "
        "NEW.subject_id, '') ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE "
        "derived_subjects.basis <> ''; END",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION audit_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'audit entries are never changed or removed'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER audit_entries_no_change BEFORE UPDATE OR DELETE ON audit_entries FOR EACH "
        "ROW EXECUTE FUNCTION audit_entries_refuse()",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER audit_entries_no_truncate BEFORE TRUNCATE ON audit_entries FOR EACH "
        "STATEMENT EXECUTE FUNCTION audit_entries_refuse()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION trial_protocols_final_truncate() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN RAISE EXCEPTION 'a filed protocol never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER trial_protocols_final_truncate BEFORE TRUNCATE ON trial_protocols FOR EACH "
        "STATEMENT EXECUTE FUNCTION trial_protocols_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION trial_protocols_final_update() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'a filed protocol never changes'; END IF; "
        "RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER trial_protocols_final_update BEFORE UPDATE ON trial_protocols FOR EACH ROW "
        "EXECUTE FUNCTION trial_protocols_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION trial_protocols_final_delete() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'a filed protocol never changes'; END IF; "
        "RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER trial_protocols_final_delete BEFORE DELETE ON trial_protocols FOR EACH ROW "
        "EXECUTE FUNCTION trial_protocols_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION subject_versions_final_truncate() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN RAISE EXCEPTION 'a recorded version of a subject never changes'; END "
        "$$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER subject_versions_final_truncate BEFORE TRUNCATE ON subject_versions FOR "
        "EACH STATEMENT EXECUTE FUNCTION subject_versions_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION subject_versions_final_update() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'a recorded version of a subject never "
        "changes'; END IF; RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER subject_versions_final_update BEFORE UPDATE ON subject_versions FOR EACH "
        "ROW EXECUTE FUNCTION subject_versions_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION subject_versions_final_delete() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'a recorded version of a subject never "
        "changes'; END IF; RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER subject_versions_final_delete BEFORE DELETE ON subject_versions FOR EACH "
        "ROW EXECUTE FUNCTION subject_versions_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION notices_final_truncate() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'a notice never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER notices_final_truncate BEFORE TRUNCATE ON notices FOR EACH STATEMENT "
        "EXECUTE FUNCTION notices_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION notices_final_update() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF OLD.sequence IS NOT NULL THEN RAISE EXCEPTION 'a notice never changes'; END IF; "
        "RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER notices_final_update BEFORE UPDATE ON notices FOR EACH ROW EXECUTE FUNCTION"
        " notices_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION notices_final_delete() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF OLD.sequence IS NOT NULL THEN RAISE EXCEPTION 'a notice never changes'; END IF; "
        "RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER notices_final_delete BEFORE DELETE ON notices FOR EACH ROW EXECUTE FUNCTION"
        " notices_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION study_decisions_final_truncate() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN RAISE EXCEPTION 'a decision about a study never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER study_decisions_final_truncate BEFORE TRUNCATE ON study_decisions FOR EACH "
        "STATEMENT EXECUTE FUNCTION study_decisions_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION study_decisions_final_update() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'a decision about a study never changes'; END "
        "IF; RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER study_decisions_final_update BEFORE UPDATE ON study_decisions FOR EACH ROW "
        "EXECUTE FUNCTION study_decisions_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION study_decisions_final_delete() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'a decision about a study never changes'; END "
        "IF; RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER study_decisions_final_delete BEFORE DELETE ON study_decisions FOR EACH ROW "
        "EXECUTE FUNCTION study_decisions_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION cycle_starts_final_truncate() RETURNS trigger LANGUAGE plpgsql "
        "AS $$ BEGIN RAISE EXCEPTION 'what was known of treatment cycles never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER cycle_starts_final_truncate BEFORE TRUNCATE ON cycle_starts FOR EACH "
        "STATEMENT EXECUTE FUNCTION cycle_starts_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION cycle_starts_final_update() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'what was known of treatment cycles never "
        "changes'; END IF; RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER cycle_starts_final_update BEFORE UPDATE ON cycle_starts FOR EACH ROW "
        "EXECUTE FUNCTION cycle_starts_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION cycle_starts_final_delete() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'what was known of treatment cycles never "
        "changes'; END IF; RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER cycle_starts_final_delete BEFORE DELETE ON cycle_starts FOR EACH ROW "
        "EXECUTE FUNCTION cycle_starts_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION site_query_entries_final_truncate() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN RAISE EXCEPTION 'what was said about a question never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER site_query_entries_final_truncate BEFORE TRUNCATE ON site_query_entries FOR"
        " EACH STATEMENT EXECUTE FUNCTION site_query_entries_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION site_query_entries_final_update() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'what was said about a question never "
        "changes'; END IF; RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER site_query_entries_final_update BEFORE UPDATE ON site_query_entries FOR "
        "EACH ROW EXECUTE FUNCTION site_query_entries_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION site_query_entries_final_delete() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'what was said about a question never "
        "changes'; END IF; RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER site_query_entries_final_delete BEFORE DELETE ON site_query_entries FOR "
        "EACH ROW EXECUTE FUNCTION site_query_entries_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION control_transitions_final_truncate() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN RAISE EXCEPTION 'a transition of quality control never changes'; END "
        "$$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER control_transitions_final_truncate BEFORE TRUNCATE ON control_transitions "
        "FOR EACH STATEMENT EXECUTE FUNCTION control_transitions_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION control_transitions_final_update() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'a transition of quality control never "
        "changes'; END IF; RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER control_transitions_final_update BEFORE UPDATE ON control_transitions FOR "
        "EACH ROW EXECUTE FUNCTION control_transitions_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION control_transitions_final_delete() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'a transition of quality control never "
        "changes'; END IF; RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER control_transitions_final_delete BEFORE DELETE ON control_transitions FOR "
        "EACH ROW EXECUTE FUNCTION control_transitions_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION reads_final_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'a signed read never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER reads_final_truncate BEFORE TRUNCATE ON reads FOR EACH STATEMENT EXECUTE "
        "FUNCTION reads_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION reads_final_update() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF OLD.signed_at IS NOT NULL THEN RAISE EXCEPTION 'a signed read never changes'; END"
        " IF; RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER reads_final_update BEFORE UPDATE ON reads FOR EACH ROW EXECUTE FUNCTION "
        "reads_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION reads_final_delete() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF OLD.signed_at IS NOT NULL THEN RAISE EXCEPTION 'a signed read never changes'; END"
        " IF; RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER reads_final_delete BEFORE DELETE ON reads FOR EACH ROW EXECUTE FUNCTION "
        "reads_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION read_lesions_final_truncate() RETURNS trigger LANGUAGE plpgsql "
        "AS $$ BEGIN RAISE EXCEPTION 'a signed read never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER read_lesions_final_truncate BEFORE TRUNCATE ON read_lesions FOR EACH "
        "STATEMENT EXECUTE FUNCTION read_lesions_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION read_lesions_final_update() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF EXISTS (SELECT 1 FROM reads WHERE reads.read_id = OLD.read_id AND "
        "reads.signed_at IS NOT NULL) THEN RAISE EXCEPTION 'a signed read never changes'; END IF; "
        "RETURN NEW; END $$",
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
        "reads.signed_at IS NOT NULL) THEN RAISE EXCEPTION 'a signed read never changes'; END IF; "
        "RETURN OLD; END $$",
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
        "reads.signed_at IS NOT NULL) THEN RAISE EXCEPTION 'a signed read never changes'; END IF; "
        "RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER read_lesions_final_insert BEFORE INSERT ON read_lesions FOR EACH ROW "
        "EXECUTE FUNCTION read_lesions_final_insert()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION read_axes_final_truncate() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'a signed read never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER read_axes_final_truncate BEFORE TRUNCATE ON read_axes FOR EACH STATEMENT "
        "EXECUTE FUNCTION read_axes_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION read_axes_final_update() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN IF EXISTS (SELECT 1 FROM reads WHERE reads.read_id = OLD.read_id AND "
        "reads.signed_at IS NOT NULL) THEN RAISE EXCEPTION 'a signed read never changes'; END IF; "
        "RETURN NEW; END $$",
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
        "reads.signed_at IS NOT NULL) THEN RAISE EXCEPTION 'a signed read never changes'; END IF; "
        "RETURN OLD; END $$",
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
        "reads.signed_at IS NOT NULL) THEN RAISE EXCEPTION 'a signed read never changes'; END IF; "
        "RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER read_axes_final_insert BEFORE INSERT ON read_axes FOR EACH ROW EXECUTE "
        "FUNCTION read_axes_final_insert()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION read_signatures_final_truncate() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN RAISE EXCEPTION 'a signature never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER read_signatures_final_truncate BEFORE TRUNCATE ON read_signatures FOR EACH "
        "STATEMENT EXECUTE FUNCTION read_signatures_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION read_signatures_final_update() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'a signature never changes'; END IF; RETURN "
        "NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER read_signatures_final_update BEFORE UPDATE ON read_signatures FOR EACH ROW "
        "EXECUTE FUNCTION read_signatures_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION read_signatures_final_delete() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'a signature never changes'; END IF; RETURN "
        "OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER read_signatures_final_delete BEFORE DELETE ON read_signatures FOR EACH ROW "
        "EXECUTE FUNCTION read_signatures_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION proposals_final_truncate() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'what was proposed never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER proposals_final_truncate BEFORE TRUNCATE ON proposals FOR EACH STATEMENT "
        "EXECUTE FUNCTION proposals_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION proposals_final_update() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'what was proposed never changes'; END IF; RETURN "
        "NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER proposals_final_update BEFORE UPDATE ON proposals FOR EACH ROW EXECUTE "
        "FUNCTION proposals_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION proposals_final_delete() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'what was proposed never changes'; END IF; RETURN "
        "OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER proposals_final_delete BEFORE DELETE ON proposals FOR EACH ROW EXECUTE "
        "FUNCTION proposals_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION proposal_rejections_final_truncate() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN RAISE EXCEPTION 'a rejection never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER proposal_rejections_final_truncate BEFORE TRUNCATE ON proposal_rejections "
        "FOR EACH STATEMENT EXECUTE FUNCTION proposal_rejections_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION proposal_rejections_final_update() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'a rejection never changes'; END IF; "
        "RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER proposal_rejections_final_update BEFORE UPDATE ON proposal_rejections FOR "
        "EACH ROW EXECUTE FUNCTION proposal_rejections_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION proposal_rejections_final_delete() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'a rejection never changes'; END IF; "
        "RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER proposal_rejections_final_delete BEFORE DELETE ON proposal_rejections FOR "
        "EACH ROW EXECUTE FUNCTION proposal_rejections_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION lookouts_final_truncate() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'what was expected never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER lookouts_final_truncate BEFORE TRUNCATE ON lookouts FOR EACH STATEMENT "
        "EXECUTE FUNCTION lookouts_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION lookouts_final_update() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'what was expected never changes'; END IF; RETURN NEW;"
        " END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER lookouts_final_update BEFORE UPDATE ON lookouts FOR EACH ROW EXECUTE "
        "FUNCTION lookouts_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION lookouts_final_delete() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'what was expected never changes'; END IF; RETURN OLD;"
        " END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER lookouts_final_delete BEFORE DELETE ON lookouts FOR EACH ROW EXECUTE "
        "FUNCTION lookouts_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION uptakes_final_truncate() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'what was computed never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER uptakes_final_truncate BEFORE TRUNCATE ON uptakes FOR EACH STATEMENT "
        "EXECUTE FUNCTION uptakes_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION uptakes_final_update() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'what was computed never changes'; END IF; RETURN NEW;"
        " END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER uptakes_final_update BEFORE UPDATE ON uptakes FOR EACH ROW EXECUTE FUNCTION"
        " uptakes_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION uptakes_final_delete() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'what was computed never changes'; END IF; RETURN OLD;"
        " END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER uptakes_final_delete BEFORE DELETE ON uptakes FOR EACH ROW EXECUTE FUNCTION"
        " uptakes_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION assessments_final_truncate() RETURNS trigger LANGUAGE plpgsql "
        "AS $$ BEGIN RAISE EXCEPTION 'an assessment never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER assessments_final_truncate BEFORE TRUNCATE ON assessments FOR EACH "
        "STATEMENT EXECUTE FUNCTION assessments_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION assessments_final_update() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'an assessment never changes'; END IF; RETURN NEW; "
        "END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER assessments_final_update BEFORE UPDATE ON assessments FOR EACH ROW EXECUTE "
        "FUNCTION assessments_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION assessments_final_delete() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'an assessment never changes'; END IF; RETURN OLD; "
        "END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER assessments_final_delete BEFORE DELETE ON assessments FOR EACH ROW EXECUTE "
        "FUNCTION assessments_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION adjudication_decisions_final_truncate() RETURNS trigger "
        "LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'an adjudication never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER adjudication_decisions_final_truncate BEFORE TRUNCATE ON "
        "adjudication_decisions FOR EACH STATEMENT EXECUTE FUNCTION "
        "adjudication_decisions_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION adjudication_decisions_final_update() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'an adjudication never changes'; END IF;"
        " RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER adjudication_decisions_final_update BEFORE UPDATE ON adjudication_decisions"
        " FOR EACH ROW EXECUTE FUNCTION adjudication_decisions_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION adjudication_decisions_final_delete() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'an adjudication never changes'; END IF;"
        " RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER adjudication_decisions_final_delete BEFORE DELETE ON adjudication_decisions"
        " FOR EACH ROW EXECUTE FUNCTION adjudication_decisions_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION site_evaluations_final_truncate() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN RAISE EXCEPTION 'a site evaluation never changes'; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER site_evaluations_final_truncate BEFORE TRUNCATE ON site_evaluations FOR "
        "EACH STATEMENT EXECUTE FUNCTION site_evaluations_final_truncate()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION site_evaluations_final_update() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'a site evaluation never changes'; END "
        "IF; RETURN NEW; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER site_evaluations_final_update BEFORE UPDATE ON site_evaluations FOR EACH "
        "ROW EXECUTE FUNCTION site_evaluations_final_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION site_evaluations_final_delete() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN IF 1 = 1 THEN RAISE EXCEPTION 'a site evaluation never changes'; END "
        "IF; RETURN OLD; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER site_evaluations_final_delete BEFORE DELETE ON site_evaluations FOR EACH "
        "ROW EXECUTE FUNCTION site_evaluations_final_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION subjects_derived_insert() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO derived_subjects (trial_id, subject_id, basis) VALUES (NEW.trial_id, "
        "NEW.subject_id, '') ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE "
        "derived_subjects.basis <> ''; RETURN NULL; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER subjects_derived_insert AFTER INSERT ON subjects FOR EACH ROW EXECUTE "
        "FUNCTION subjects_derived_insert()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION subjects_derived_update() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO derived_subjects (trial_id, subject_id, basis) VALUES (NEW.trial_id, "
        "NEW.subject_id, '') ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE "
        "derived_subjects.basis <> ''; RETURN NULL; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER subjects_derived_update AFTER UPDATE OF version, site_id, reading_id ON "
        "subjects FOR EACH ROW EXECUTE FUNCTION subjects_derived_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION timepoints_derived_insert() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO derived_subjects (trial_id, subject_id, basis) VALUES (NEW.trial_id,"
        " NEW.subject_id, '') ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE "
        "derived_subjects.basis <> ''; RETURN NULL; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER timepoints_derived_insert AFTER INSERT ON timepoints FOR EACH ROW EXECUTE "
        "FUNCTION timepoints_derived_insert()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION timepoints_derived_update() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO derived_subjects (trial_id, subject_id, basis) VALUES (NEW.trial_id,"
        " NEW.subject_id, '') ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE "
        "derived_subjects.basis <> ''; RETURN NULL; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER timepoints_derived_update AFTER UPDATE OF subject_id, number, imaged_on, "
        "closes_on, progress ON timepoints FOR EACH ROW EXECUTE FUNCTION "
        "timepoints_derived_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION timepoints_derived_delete() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO derived_subjects (trial_id, subject_id, basis) VALUES (OLD.trial_id,"
        " OLD.subject_id, '') ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE "
        "derived_subjects.basis <> ''; RETURN NULL; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER timepoints_derived_delete AFTER DELETE ON timepoints FOR EACH ROW EXECUTE "
        "FUNCTION timepoints_derived_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION reads_derived_insert() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN INSERT INTO derived_subjects (trial_id, subject_id, basis) VALUES (NEW.trial_id, "
        "NEW.subject_id, '') ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE "
        "derived_subjects.basis <> ''; RETURN NULL; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER reads_derived_insert AFTER INSERT ON reads FOR EACH ROW EXECUTE FUNCTION "
        "reads_derived_insert()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION reads_derived_update() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN INSERT INTO derived_subjects (trial_id, subject_id, basis) VALUES (NEW.trial_id, "
        "NEW.subject_id, '') ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE "
        "derived_subjects.basis <> ''; RETURN NULL; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER reads_derived_update AFTER UPDATE OF signed_at ON reads FOR EACH ROW "
        "EXECUTE FUNCTION reads_derived_update()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION reads_derived_delete() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN INSERT INTO derived_subjects (trial_id, subject_id, basis) VALUES (OLD.trial_id, "
        "OLD.subject_id, '') ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis = '' WHERE "
        "derived_subjects.basis <> ''; RETURN NULL; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER reads_derived_delete AFTER DELETE ON reads FOR EACH ROW EXECUTE FUNCTION "
        "reads_derived_delete()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION assessments_derived_insert() RETURNS trigger LANGUAGE plpgsql "
        "AS $$ BEGIN INSERT INTO derived_subjects (trial_id, subject_id, basis) VALUES "
        "(NEW.trial_id, NEW.subject_id, '') ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis "
        "= '' WHERE derived_subjects.basis <> ''; RETURN NULL; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER assessments_derived_insert AFTER INSERT ON assessments FOR EACH ROW EXECUTE"
        " FUNCTION assessments_derived_insert()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION adjudication_decisions_derived_insert() RETURNS trigger "
        "LANGUAGE plpgsql AS $$ BEGIN INSERT INTO derived_subjects (trial_id, subject_id, basis) "
        "VALUES (NEW.trial_id, NEW.subject_id, '') ON CONFLICT (trial_id, subject_id) DO UPDATE SET"
        " basis = '' WHERE derived_subjects.basis <> ''; RETURN NULL; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER adjudication_decisions_derived_insert AFTER INSERT ON "
        "adjudication_decisions FOR EACH ROW EXECUTE FUNCTION "
        "adjudication_decisions_derived_insert()",
    )
    execute_on(
        "postgresql",
        "CREATE OR REPLACE FUNCTION site_evaluations_derived_insert() RETURNS trigger LANGUAGE "
        "plpgsql AS $$ BEGIN INSERT INTO derived_subjects (trial_id, subject_id, basis) VALUES "
        "(NEW.trial_id, NEW.subject_id, '') ON CONFLICT (trial_id, subject_id) DO UPDATE SET basis "
        "= '' WHERE derived_subjects.basis <> ''; RETURN NULL; END $$",
    )
    execute_on(
        "postgresql",
        "CREATE TRIGGER site_evaluations_derived_insert AFTER INSERT ON site_evaluations FOR EACH "
        "ROW EXECUTE FUNCTION site_evaluations_derived_insert()",
    )
