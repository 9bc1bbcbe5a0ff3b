"""Answers of the outcomes' routes."""

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, Field

from imaging_service.assessments.schemas import (
    BaselineAnswer,
    BestResponseAnswer,
    ProgressionAnswer,
    QueryAnswer,
    TimepointVerdictAnswer,
)
from imaging_service.outcomes.accepted import View


class TimeAnswer(BaseModel):
    """A time to an event or a censoring, with what dates it."""

    endpoint: str = Field(examples=["PFS"])
    starts_on: date
    ends_on: date
    days: int = Field(description="First and last day included.")
    is_event: bool
    ending: str = Field(description="Event, or reason of the censoring.", examples=["Documented progression"])
    record_id: str = Field(description="Timepoint, or name of the subject's date, that dates the end.")


class ReaderOutcomesAnswer(BaseModel):
    """What follows from one reader's reads."""

    slot: int
    standing: str | None = Field(
        description="How far the review has come, when accepted reads are asked for.", examples=["agreed"]
    )
    is_accepted: bool | None = Field(description="False for provisional reads, while none are accepted.")
    baseline: BaselineAnswer | None
    timepoints: list[TimepointVerdictAnswer]
    best_overall: BestResponseAnswer
    confirmed_best_overall: BestResponseAnswer
    progression: ProgressionAnswer | None
    is_responder: bool
    has_clinical_benefit: bool
    is_controlled: bool
    times: list[TimeAnswer]
    queries: list[QueryAnswer]
    doubt: str | None = Field(description="Why the reads could not be used; null when they could.")


class SubjectOutcomesAnswer(BaseModel):
    """One subject's outcomes by each reader, or by the accepted one."""

    trial_id: str
    subject_id: str
    site_id: str
    protocol_version: str
    rules_version: str
    view: View
    as_of: date | None = Field(description="The data cut; null for everything known.")
    readers: list[ReaderOutcomesAnswer]


class RateAnswer(BaseModel):
    """A share of the cohort with its exact (Clopper-Pearson) interval."""

    count: int
    of: int
    estimate: float | None
    lower: float
    upper: float
    level: float


class CurveAnswer(BaseModel):
    """A Kaplan-Meier estimate in short."""

    endpoint: str
    subjects: int
    events: int
    median_days: float | None = Field(description="Null while it is not reached.")
    lower_days: float | None
    upper_days: float | None


class ListingAnswer(BaseModel):
    """One subject's line of the listing."""

    slot: int
    standing: str | None = Field(
        description="How far the review has come, when accepted reads are asked for."
    )
    is_accepted: bool | None = Field(description="False for provisional reads, while none are accepted.")
    subject_id: str
    site_id: str
    best_response: str
    confirmed_best_response: str
    is_responder: bool
    has_clinical_benefit: bool
    pfs_starts_on: date | None
    pfs_ends_on: date | None
    pfs_days: int | None
    pfs_is_event: bool | None
    pfs_ending: str | None
    pfs_record_id: str | None
    doubt: str | None


class ReaderCohortAnswer(BaseModel):
    """The cohort's outcomes from one reader's or from accepted reads; every subject counts, read or not."""

    slot: int | None = Field(description="Null for accepted reads, which are of either reader.")
    accepted: int | None = Field(
        description="Subjects whose reads are accepted; those of the others are provisional."
    )
    subjects: int
    objective_response_rate: RateAnswer
    clinical_benefit_rate: RateAnswer
    disease_control_rate: RateAnswer
    curves: list[CurveAnswer]
    listing: list[ListingAnswer]


class CohortOutcomesAnswer(BaseModel):
    """The cohort's outcomes by each reader, or of record."""

    trial_id: str
    protocol_version: str
    rules_version: str
    view: View
    as_of: date | None
    readers: list[ReaderCohortAnswer]
    next_cursor: str | None = Field(
        None, description="Give it as `cursor` for the listing's next subjects; figures are of all of them."
    )


class StepAnswer(BaseModel):
    """A survival curve from one day until the next."""

    days: int
    at_risk: int = Field(description="Subjects whose time is this one or later.")
    events: int
    censored: int
    survival: float
    lower: float | None
    upper: float | None


class SurvivalAnswer(BaseModel):
    """A Kaplan-Meier estimate, step by step."""

    slot: int | None
    endpoint: str = Field(examples=["PFS"])
    subjects: int
    events: int
    median_days: float | None
    lower_days: float | None
    upper_days: float | None
    level: float
    steps: list[StepAnswer]


class CoursePointAnswer(BaseModel):
    """A reader's verdict on a timepoint, counted from the subject's start."""

    timepoint_id: str
    number: int | None
    days: int = Field(description="Since the start, which is day 0.")
    change_percent: Decimal | None
    overall_response: str
    has_new_lesion: bool


class CourseFigureAnswer(BaseModel):
    """A subject's course as a waterfall, a spider and a swimmer plot show it."""

    subject_id: str
    site_id: str
    slot: int
    starts_on: date | None
    best_response: str
    confirmed_best_response: str
    best_change_percent: Decimal | None = Field(
        description="Smallest change of the sum of diameters since baseline, until progression."
    )
    days: int | None = Field(description="Until progression, death or censoring, both ends included.")
    is_event: bool | None
    ending: str | None
    points: list[CoursePointAnswer]


class PlotsAnswer(BaseModel):
    """What plots of a cohort are drawn from."""

    trial_id: str
    protocol_version: str
    rules_version: str
    view: View
    as_of: date | None
    survival: list[SurvivalAnswer] = Field(description="Of every subject of the cohort.")
    courses: list[CourseFigureAnswer] = Field(description="Of a page of subjects.")
    next_cursor: str | None


class SubjectTableRow(BaseModel):
    """One line of a subject's table: a reader's verdict on a timepoint."""

    subject_id: str
    site_id: str
    slot: int
    standing: str | None
    is_accepted: bool | None
    timepoint_id: str
    number: int | None
    assessed_on: date | None
    sum_mm: Decimal | None
    baseline_mm: Decimal | None
    nadir_mm: Decimal | None
    change_from_baseline_percent: Decimal | None
    change_from_nadir_percent: Decimal | None
    target_response: str
    non_target_response: str
    new_lesion: str
    overall_response: str
    best_response: str
    confirmed_best_response: str
    pfs_days: int | None
    pfs_is_event: bool | None
    pfs_ending: str | None
