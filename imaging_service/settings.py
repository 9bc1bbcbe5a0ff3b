"""What the people who run the service may set, from the environment (``IMAGING_SERVICE_…``)."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, IPvAnyNetwork, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _words(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


Port = Annotated[int, Field(ge=0, le=65535)]
Networks = Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_words)]
WebAddress = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.\-\[\]:]+$")]


class Jobs(StrEnum):
    """Where background work waits."""

    EMBEDDED = "embedded"
    PROCRASTINATE = "procrastinate"


class ServiceSettings(BaseSettings):
    """Settings of ``imaging-service``; every one has a default that works on one machine."""

    model_config = SettingsConfigDict(env_prefix="IMAGING_SERVICE_", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="Address that the service listens on.")
    port: Port = Field(8080, description="TCP port that the service listens on; 0 takes a free one.")
    public_address: WebAddress | None = Field(
        None,
        description="Web address that browsers know the service by, such as https://review.example.org; "
        "as the request says when it is not set.",
    )
    data: Path = Field(Path("data/service"), description="Folder for what the service keeps in files.")
    database_url: str = Field(
        "sqlite:///data/service/service.sqlite",
        description="Database of the service: sqlite:///path or postgresql://user@host/name.",
    )
    archive_database_url: str = Field(
        "sqlite:///data/archive/index.sqlite", description="The listener's database; the service reads it."
    )
    archive_objects: str = Field(
        "data/archive/objects", description="The listener's objects; the service reads them."
    )
    jobs: Jobs = Field(
        Jobs.EMBEDDED,
        description="Where background work waits: 'embedded' in the database of the service, or "
        "'procrastinate' on PostgreSQL.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level logged.")

    audit_witness: Path = Field(
        Path("data/service/audit-heads.jsonl"),
        description="File that heads of the audit chain are kept in; copy it to where nobody can change it.",
    )
    audit_witness_seconds: PositiveInt = Field(
        3_600,
        description="The worker keeps the head of the audit chain this often; each report keeps it, too.",
    )
    audit_witness_key: Path | None = Field(
        None, description="Ed25519 private key in PEM that signs each head that is kept."
    )

    audit_collector: str | None = Field(
        None,
        pattern=r"^([A-Za-z0-9.\-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}$",
        description="Collector of audit messages (DICOM PS3.15 A.5, syslog over TLS) as host:port, such as "
        "siem.example.org:6514; the worker tells it. None: nobody is told.",
    )
    audit_collector_authorities: Path | None = Field(
        None, description="Authorities in PEM that sign the collector's certificate; else the system's."
    )
    audit_collector_certificate: Path | None = Field(
        None, description="Certificate chain in PEM that the service shows the collector."
    )
    audit_collector_key: Path | None = Field(None, description="Private key of that certificate, in PEM.")
    audit_collector_seconds: PositiveFloat = Field(
        10.0, description="How long the collector may take to answer."
    )
    access_again_seconds: PositiveInt = Field(
        300,
        description="The same look at a study, search or export by the same account is entered in the audit "
        "again after this time, in each process.",
    )

    database_connections: PositiveInt = Field(
        20,
        description="Connections to the database for each process; at most this many requests read at once.",
    )
    database_wait_seconds: PositiveFloat = Field(
        30.0, description="How long a request waits for its turn at the database before it is told 503."
    )

    body_limit_bytes: PositiveInt = Field(1_048_576, description="Longest request body.")
    store_limit_bytes: PositiveInt = Field(
        8 * 2**30,
        description="Longest request body of a store over DICOMweb (STOW-RS); it is never held whole.",
    )
    head_deadline_seconds: PositiveFloat = Field(
        10.0, description="A request line with its headers must be there within this time."
    )
    body_deadline_seconds: PositiveFloat = Field(
        30.0, description="A request body must be there within this time after its headers."
    )
    body_least_bytes_per_second: PositiveInt = Field(
        65_536, description="A longer body may take a second more for each so many bytes that have come."
    )
    answer_deadline_seconds: PositiveFloat = Field(
        30.0, description="A caller who reads nothing of its answer for this time is let go."
    )
    keep_alive_seconds: PositiveFloat = Field(
        15.0, description="A connection without a request is closed after this time."
    )
    connection_limit: PositiveInt = Field(
        1000, description="Open connections; above it the one that has been silent longest gives way."
    )

    trusted_proxies: Networks = Field(
        (),
        description="Networks of our own proxies, such as '10.0.0.5/32 fd00::/64'; what they say about the "
        "caller's address and scheme (X-Forwarded-For, X-Forwarded-Proto) is believed, and nobody else's.",
    )
    proxy_certificate_header: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="Header in which a trusted proxy passes the certificate that the caller proved to have, "
        "such as Client-Cert (RFC 9440); the proxy must remove it from what callers send. Empty: not read.",
    )
    tls_certificate: Path | None = Field(
        None, description="Certificate chain in PEM; with it the service speaks TLS itself."
    )
    tls_key: Path | None = Field(None, description="Private key of the certificate, in PEM.")
    tls_client_authorities: Path | None = Field(
        None,
        description="Authorities in PEM whose client certificates are let in, for machines (mutual TLS).",
    )
    anonymous_requests_per_minute: PositiveInt = Field(
        300, description="Requests of nobody known from one address, in each process."
    )
    wrong_tokens_per_minute: PositiveInt = Field(
        30,
        description="Unknown tokens from one address, in each process, before new ones from there must wait.",
    )

    oidc_issuer: str | None = Field(
        None,
        pattern=r"^https?://[^\s?#]{1,290}$",
        description="Issuer of the identity provider (OpenID Connect); https, but for this machine itself.",
    )
    oidc_client_id: str = Field("imaging-service", description="The service's name at the identity provider.")
    oidc_client_secret: SecretStr | None = Field(
        None,
        description="The service's secret at the identity provider; without it only PKCE protects the code.",
    )
    oidc_clock_skew_seconds: Annotated[int, Field(ge=0, le=300)] = Field(
        30, description="How far the clocks of identity provider and service may differ."
    )

    session_seconds: PositiveInt = Field(43_200, description="A bearer token ends after this time.")
    session_idle_seconds: PositiveInt = Field(
        1_800, description="A bearer token ends when it was not used for this time."
    )
    signing_seconds: PositiveInt = Field(
        300, description="A re-entered password must be used for its signature within this time."
    )
    password_memory_kib: PositiveInt = Field(65_536, description="Memory of one argon2id hash (RFC 9106).")
    password_passes: PositiveInt = Field(3, description="Passes of one argon2id hash (RFC 9106).")
    passwords_at_once: PositiveInt = Field(4, description="Passwords checked at the same time, at most.")
    passwords_waiting: PositiveInt = Field(
        64, description="Sign-ins that may wait for a password check; more are told 503."
    )
    idempotency_seconds: PositiveInt = Field(
        86_400, description="An Idempotency-Key is remembered for this time."
    )

    webhook_addresses: Literal["public", "private", "loopback"] = Field(
        "public",
        description="Where webhooks may lead: 'public' addresses alone, over https; 'private' ones too; "
        "or this machine too, with 'loopback'.",
    )
    webhook_seconds: PositiveFloat = Field(
        10.0, description="How long the receiver of a webhook may take to answer."
    )
