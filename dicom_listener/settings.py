"""Settings of the listener, from the environment (prefix ``DICOM_LISTENER_``) or the command line."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from dicom_listener.choices import ConflictPolicy, FurtherModality

__all__ = ["ConflictPolicy", "FurtherModality", "ListenerSettings"]

DEFAULT_DATABASE_URL = "sqlite:///data/archive/index.sqlite"
DEFAULT_OBJECTS = "data/archive/objects"


class ListenerSettings(BaseSettings):
    """One value per setting; a value that cannot be used is refused by name.

    Examples
    --------
    >>> ListenerSettings(port=0).ae_title
    'IMAGING'
    """

    model_config = SettingsConfigDict(env_prefix="DICOM_LISTENER_", frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=11112, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    ae_title: str = Field(
        default="IMAGING", pattern=r"^[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?$", description="Own AE title."
    )
    database_url: str = Field(
        default=DEFAULT_DATABASE_URL, description="Address of the index: sqlite:///... or postgresql://..."
    )
    objects: str = Field(
        default=DEFAULT_OBJECTS, description="Where the bytes are kept: a folder, or s3://bucket/prefix."
    )
    intake_log: str = Field(
        default="",
        description="Folder of the intake log; empty: 'log' inside a folder of objects, none for a bucket.",
    )
    maximum_backlog_bytes: int = Field(
        default=2**30,
        ge=64 * 2**20,
        description="How far the intake log may run ahead of objects and index; beyond, senders wait.",
    )
    quiet_period_seconds: float = Field(
        default=60.0, gt=0, description="A study is settled after this long without a new instance."
    )
    deidentification_key_file: str = Field(
        default="",
        description="File with the secret of the de-identification, 32 random bytes or more; needed where a "
        "sender's instances are de-identified. Keep it with the backups: another key makes other UIDs.",
    )
    originals: str = Field(
        default="data/archive/originals",
        description="Folder that originals of de-identified instances are kept in, apart from the objects.",
    )
    originals_days: int | None = Field(
        default=None, ge=0, description="Originals are removed after so many days; by default they are kept."
    )
    conflicts: ConflictPolicy = Field(
        default=ConflictPolicy.KEEP,
        description="Other content under a known SOP Instance UID: keep apart, or refuse.",
    )
    accept_further: frozenset[FurtherModality] = Field(
        default=frozenset(),
        description="Modalities received beside MR and what is derived from it: CT, PT, US.",
    )
    maximum_associations: int = Field(
        default=100, ge=1, description="Connections open at the same time; beyond, the idle give way."
    )
    maximum_associations_each: int = Field(
        default=50, ge=1, description="Associations of one sender from one address at the same time."
    )
    maximum_pdu_bytes: int = Field(
        default=128 * 2**10, ge=4 * 2**10, le=2**20, description="Longest PDU that peers may send."
    )
    maximum_data_set_bytes: int = Field(
        default=4 * 2**30, ge=2**20, description="Longest data set that is received."
    )
    fast_store: bool = Field(
        default=True,
        description="Serve what is usual past the network library, where its version is a known one.",
    )
    association_seconds: float = Field(
        default=5.0, gt=0, description="How long a connection may take to ask for an association."
    )
    tls_port: int | None = Field(
        default=None, ge=0, le=65535, description="Port that speaks TLS, beside the plain one; 0 takes any."
    )
    tls_certificate: str = Field(default="", description="PEM file with the certificate shown to peers.")
    tls_key: str = Field(default="", description="PEM file with its key, where the first does not hold it.")
    tls_authorities: str = Field(
        default="", description="PEM file with authorities, of which every peer must show a certificate."
    )
    operations_host: str = Field(
        default="127.0.0.1", description="Address that health and metrics are answered on."
    )
    operations_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port for /health/live, /health/ready and /metrics; none by default, 0 takes any.",
    )
    least_free_bytes: int = Field(
        default=2**30,
        ge=0,
        description="Room on the disk of the objects below which the listener says that it is not ready.",
    )
    idle_seconds: float = Field(default=60.0, gt=0, description="How long an association may stay silent.")
    maximum_inflated_bytes: int = Field(
        default=64 * 2**20, ge=2**20, description="How far a deflated data set may inflate."
    )
