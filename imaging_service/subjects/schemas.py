"""Payloads and answers about subjects."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints

from imaging_service.http.models import Day, Identifier, Instant, Reason, StrictModel
from imaging_service.subjects.dates import SubjectDates, WithdrawalReason
from imaging_service.subjects.importing import Fate, Plan, shown
from imaging_service.subjects.records import Correction, Enrolment, PatientId, Subject, SubjectVersion


def _one_line(text: str) -> str:
    if "\\" in text or text != text.strip():
        message = "must not hold a backslash, nor begin or end with a space"
        raise ValueError(message)
    return text


def _withdrawal_reason(value: Any) -> Any:  # noqa: ANN401  whatever the payload holds
    return WithdrawalReason(value) if value in set(WithdrawalReason) else value


LongString = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(_one_line),
]
"""Long String (LO), PS3.5 Table 6.2-1: at most 64 characters, no backslash, no control character."""

Withdrawal = Annotated[WithdrawalReason, BeforeValidator(_withdrawal_reason)]


class PatientIdPayload(StrictModel):
    """A PatientID under which the site's PACS knows the subject."""

    patient_id: LongString = Field(examples=["N-4711"], description="PatientID (0010,0020).")
    issuer: LongString | None = Field(None, description="Issuer of Patient ID (0010,0021).")


class DatesPayload(StrictModel):
    """What the site has documented."""

    consent_on: Day | None = None
    randomised_on: Day | None = None
    first_dose_on: Day | None = Field(None, description="Cycle 1 day 1.")
    new_therapy_on: Day | None = Field(None, description="First anticancer therapy outside the protocol.")
    progression_on: Day | None = Field(None, description="Progression as the site documents it.")
    withdrawal_on: Day | None = None
    withdrawal_reason: Withdrawal | None = None
    last_contact_on: Day | None = None
    death_on: Day | None = None


class EnrolPayload(DatesPayload):
    """A new subject."""

    subject_id: Identifier = Field(examples=["HER2-01-001"])
    site_id: Identifier = Field(examples=["01"])
    patient_ids: list[LongString | PatientIdPayload] = Field(
        default_factory=list, max_length=20, examples=[["N-4711"]], description="Known to the site's PACS."
    )

    def enrolment(self, trial_id: str) -> Enrolment:
        """Return what is enrolled."""
        dates = self.model_dump(exclude={"subject_id", "site_id", "patient_ids"})
        return Enrolment(
            trial_id=trial_id,
            subject_id=self.subject_id,
            site_id=self.site_id,
            dates=SubjectDates(**dates),
            patient_ids=patient_ids_of(self.patient_ids),
        )


class CorrectPayload(DatesPayload):
    """New dates; a field that is left out stays, null takes a date back."""

    reason: Reason = Field(examples=["First dose delayed by one week, site letter of 3 January"])
    version: int | None = Field(
        None, ge=1, le=1_000_000, description="The version that is corrected; another one is refused."
    )

    def correction(self) -> Correction:
        """Return what is corrected: only the fields that were sent."""
        changes = self.model_dump(exclude_unset=True, exclude={"reason", "version"})
        return Correction(changes=changes, reason=self.reason, seen_version=self.version)


class PatientIdsPayload(StrictModel):
    """More PatientIDs of a subject."""

    patient_ids: list[LongString | PatientIdPayload] = Field(min_length=1, max_length=20)


def patient_ids_of(given: Iterable[str | PatientIdPayload]) -> list[PatientId]:
    """Return PatientIDs of which each is given as a text, or with its issuer."""
    return [
        PatientId(patient_id=each)
        if isinstance(each, str)
        else PatientId(patient_id=each.patient_id, issuer=each.issuer or "")
        for each in given
    ]


class DatesAnswer(BaseModel):
    """What the site has documented."""

    consent_on: date | None
    randomised_on: date | None
    first_dose_on: date | None
    new_therapy_on: date | None
    progression_on: date | None
    withdrawal_on: date | None
    withdrawal_reason: WithdrawalReason | None
    last_contact_on: date | None
    death_on: date | None


class PatientIdAnswer(BaseModel):
    """A PatientID of the subject's site."""

    patient_id: str
    issuer: str


class SubjectAnswer(DatesAnswer):
    """An enrolled person."""

    trial_id: str = Field(examples=["HER2-MBC-01"])
    subject_id: str = Field(examples=["HER2-01-001"])
    site_id: str = Field(examples=["01"])
    reading_id: str = Field(examples=["R-7KQ2M9X"], description="What readers see instead (0012,0042).")
    version: int
    enrolled_at: Instant
    patient_ids: list[PatientIdAnswer]


class SubjectVersionAnswer(DatesAnswer):
    """The dates as they were believed from one moment on."""

    version: int
    reason: str
    recorded_by: str = Field(description="Key of the account.")
    recorded_at: Instant


def subject_answer(subject: Subject) -> SubjectAnswer:
    """Return a subject as it is answered."""
    return SubjectAnswer(
        trial_id=subject.trial_id,
        subject_id=subject.subject_id,
        site_id=subject.site_id,
        reading_id=subject.reading_id,
        version=subject.version,
        enrolled_at=subject.enrolled_at,
        patient_ids=[
            PatientIdAnswer(patient_id=each.patient_id, issuer=each.issuer) for each in subject.patient_ids
        ],
        **_dates(subject.dates),
    )


def version_answer(version: SubjectVersion) -> SubjectVersionAnswer:
    """Return a version of a subject's dates as it is answered."""
    return SubjectVersionAnswer(
        version=version.version,
        reason=version.reason,
        recorded_by=version.recorded_by,
        recorded_at=version.recorded_at,
        **_dates(version.dates),
    )


def _dates(dates: SubjectDates) -> dict[str, Any]:
    return {name: getattr(dates, name) for name in DatesAnswer.model_fields}


Cell = Annotated[str, StringConstraints(max_length=200)]
ColumnName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]{0,7}$")]


class ImportPayload(StrictModel):
    """Records of SDTM by their variables' names."""

    domains: dict[Literal["DM", "DS", "EX"], list[dict[ColumnName, Cell]]] = Field(
        examples=[{"DM": [{"USUBJID": "HER2-01-001", "SITEID": "01", "RFXSTDTC": "2026-01-05"}]}]
    )


class ImportedAnswer(BaseModel):
    """What an import does to one subject."""

    row: int
    subject_id: str
    fate: Fate
    before: dict[str, str | None]
    after: dict[str, str | None]
    refusals: list[str]
    flags: list[str] = Field(description="What is let pass and should be looked at.")


class ImportAnswer(BaseModel):
    """What an import does."""

    trial_id: str
    is_dry_run: bool
    counts: dict[Fate, int]
    subjects: list[ImportedAnswer]


def import_answer(trial_id: str, plans: Sequence[Plan], *, is_dry_run: bool) -> ImportAnswer:
    """Return what an import does as it is answered."""
    return ImportAnswer(
        trial_id=trial_id,
        is_dry_run=is_dry_run,
        counts={fate: sum(each.fate is fate for each in plans) for fate in Fate},
        subjects=[
            ImportedAnswer(
                row=each.row.row,
                subject_id=each.row.subject_id,
                fate=each.fate,
                before=shown(each.before),
                after=shown(each.after),
                refusals=list(each.refusals),
                flags=list(each.flags),
            )
            for each in plans
        ],
    )
