"""What the other chapters know of a subject."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imaging_service.subjects.dates import SubjectDates


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientId:
    """A PatientID (0010,0020) under which a site's PACS knows a subject."""

    patient_id: str
    issuer: str = ""
    """Issuer of Patient ID (0010,0021); empty where the site names none, and then any issuer fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An enrolled person."""

    trial_id: str
    subject_id: str
    site_id: str
    reading_id: str
    version: int
    enrolled_at: datetime
    dates: SubjectDates
    patient_ids: tuple[PatientId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectVersion:
    """The dates as they were believed from `recorded_at` on."""

    version: int
    dates: SubjectDates
    reason: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A subject about to be enrolled."""

    trial_id: str
    subject_id: str
    site_id: str
    dates: SubjectDates
    patient_ids: Sequence[PatientId] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """New values of some of a subject's dates."""

    changes: Mapping[str, Any]  # fields of `SubjectDates`; None takes a date back
    reason: str
    seen_version: int | None = None  # what the caller has corrected; None: whatever counts now
