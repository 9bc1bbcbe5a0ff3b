"""What the archive tells of studies, series, instances, receipts and changes."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NewType

Digest = NewType("Digest", str)
"""SHA-256 of an instance's data-set bytes as received, lower-case hex; also the object's name."""


class ChangeKind(StrEnum):
    """What happened to a study."""

    STUDY_SETTLED = "study_settled"
    STUDY_REOPENED = "study_reopened"
    CONFLICT_KEPT = "conflict_kept"
    PATIENT_MISMATCH = "patient_mismatch"


class FindingCode(StrEnum):
    """Why a person should look at an instance that was kept."""

    CONTENT_CONFLICT = "content_conflict"
    PATIENT_MISMATCH = "patient_mismatch"
    STUDY_MISMATCH = "study_mismatch"
    STUDY_DATE_UNREADABLE = "study_date_unreadable"


class Outcome(StrEnum):
    """How the intake of one instance, or the request of one association, ended."""

    STORED = "stored"
    ALREADY_STORED = "already_stored"
    CONFLICT_KEPT = "conflict_kept"
    HELD = "held"
    REFUSED_UID_CONFLICT = "refused_uid_conflict"
    REFUSED_MISMATCH = "refused_mismatch"
    REFUSED_NOT_UNDERSTOOD = "refused_not_understood"
    REFUSED_OUT_OF_RESOURCES = "refused_out_of_resources"
    REFUSED_CALLING_AE = "refused_calling_ae"
    REFUSED_CALLED_AE = "refused_called_ae"
    REFUSED_NETWORK = "refused_network"
    REFUSED_CERTIFICATE = "refused_certificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who sent a study."""

    site_id: str
    calling_ae: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """A study as its instances describe it; the first received instance speaks for the study."""

    study_instance_uid: str
    patient_id: str  # as received; may be empty (type 2)
    patient_ids: tuple[str, ...]  # every PatientID seen under this study: more than one needs a person
    issuer_of_patient_id: str
    study_date: date | None
    study_time: str
    study_description: str
    accession_number: str
    clinical_trial_protocol_id: str  # (0012,0020)
    clinical_trial_subject_id: str  # (0012,0040)
    modalities: tuple[str, ...]
    sources: tuple[Source, ...]
    number_of_series: int
    number_of_instances: int
    received_at: datetime  # the first instance
    last_received_at: datetime
    settled_at: datetime | None  # None while instances may still come


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRecord:
    """A series of a study."""

    series_instance_uid: str
    study_instance_uid: str
    modality: str
    series_number: int | None
    series_description: str
    series_date: date | None
    body_part_examined: str
    manufacturer: str
    manufacturer_model_name: str
    frame_of_reference_uid: str
    number_of_instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRecord:
    """One kept instance."""

    sop_instance_uid: str
    sop_class_uid: str
    series_instance_uid: str
    study_instance_uid: str
    patient_id: str
    instance_number: int | None
    rows: int | None
    columns: int | None
    number_of_frames: int  # 1 where the attribute is absent
    acquired_on: date | None
    transfer_syntax_uid: str
    digest: Digest  # of the data set
    header_digest: Digest  # SHA-256 of what stands before the data set in the file
    header_length: int  # bytes before the data set in the file
    size: int  # bytes of the whole file
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictRecord:
    """Other content that came under the SOP Instance UID of a kept instance."""

    sequence: int
    sop_instance_uid: str
    study_instance_uid: str
    transfer_syntax_uid: str
    digest: Digest
    size: int
    site_id: str
    calling_ae: str
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRecord:
    """A reason why a person should look at a study."""

    sequence: int
    study_instance_uid: str
    sop_instance_uid: str
    code: FindingCode
    sentence: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An ordered notice; a follower keeps the last `sequence` it has dealt with."""

    sequence: int
    kind: ChangeKind
    study_instance_uid: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What came in, from whom, and what became of it; never changed, never removed."""

    outcome: Outcome
    reason: str  # code of the refusal, or empty
    sop_instance_uid: str  # empty where the association itself was refused
    study_instance_uid: str
    digest: str
    size: int
    calling_ae: str
    called_ae: str
    peer_address: str
    site_id: str
    association_id: str
    received_at: datetime
    original_digest: str = ""  # of the data set as it came, where what is kept is de-identified

    def fingerprint(self) -> str:
        """Return the SHA-256 of the receipt's own content, for a chain that covers receipts.

        Returns
        -------
        str
            Lower-case hex, over UTF-8 JSON with sorted keys and no blanks.
        """
        fields = {name: str(getattr(self, name)) for name in self.__slots__}
        fields["received_at"] = self.received_at.astimezone(UTC).isoformat()
        if not self.original_digest:
            del fields["original_digest"]  # so that receipts from before there were any stay what they were
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledReceipt:
    """A receipt in its place in the order of arrival."""

    sequence: int
    receipt: Receipt
    fingerprint: str
