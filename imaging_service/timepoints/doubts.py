"""How sure a match is, and every reason for which a study waits for a coordinator instead."""

from dataclasses import dataclass
from enum import StrEnum


class Confidence(StrEnum):
    """How far a match may be trusted without a person's look."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the least confidence."""
        return (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH).index(self)


class DoubtCode(StrEnum):
    """Why a study is in the coordinator's queue."""

    SEVERAL_SITES = "several_sites"
    SEVERAL_PATIENTS = "several_patients"
    UNKNOWN_TRIAL = "unknown_trial"
    UNKNOWN_SUBJECT = "unknown_subject"
    SEVERAL_SUBJECTS = "several_subjects"
    OTHER_SITE = "other_site"
    WRONG_MODALITY = "wrong_modality"
    NO_STUDY_DATE = "no_study_date"
    BAD_STUDY_DATE = "bad_study_date"
    FUTURE_STUDY_DATE = "future_study_date"
    NO_ANCHOR = "no_anchor"
    BEFORE_BASELINE = "before_baseline"
    AFTER_DEATH = "after_death"
    SECOND_STUDY = "second_study"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One reason why nobody but a person may say where a study belongs."""

    code: DoubtCode
    sentence: str
    trial_id: str | None = None
    """The trial it seems to belong to, when that much is known."""
    subject_id: str | None = None
