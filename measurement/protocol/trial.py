"""The whole charter of a trial as one frozen, versioned value."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from measurement.errors import ProtocolError
from measurement.protocol.acquisition import AcquisitionRule, QualityPlan
from measurement.protocol.criteria import Criteria, require
from measurement.protocol.enhancement import EnhancementThresholds
from measurement.protocol.mapping import from_mapping, schema_of, to_mapping
from measurement.protocol.schedule import Anchor, Schedule


class BoundaryConvention(StrEnum):
    """Where the outline of a mask runs, relative to the centres of its pixels."""

    HALF_PIXEL = "half_pixel"
    PIXEL_CENTRE = "pixel_centre"
    PIXEL_CORNER = "pixel_corner"


class ReadOrder(StrEnum):
    """In which order a reader sees the timepoints of a subject."""

    SEQUENTIAL = "sequential"
    ALL_AT_ONCE = "all_at_once"


class ReaderAssignment(StrEnum):
    """How a subject gets its readers."""

    FIXED = "fixed"
    BALANCED = "balanced"
    RANDOM = "random"


class AdjudicationVariable(StrEnum):
    """What two readers must agree on."""

    BEST_OVERALL_RESPONSE = "best_overall_response"
    CONFIRMED_BEST_OVERALL_RESPONSE = "confirmed_best_overall_response"
    PROGRESSION = "progression"
    PROGRESSION_DATE = "progression_date"
    FIRST_RESPONSE_DATE = "first_response_date"


class AdjudicationRule(StrEnum):
    """What an adjudicator may do."""

    CHOOSE_READER = "choose_reader"


class WithdrawalAuthority(StrEnum):
    """Whose progression withdraws a subject from imaging."""

    SITE = "site"
    CENTRAL = "central"
    EITHER = "either"


class CensoringRules(StrEnum):
    """The list of conditions that dates progression-free survival."""

    FDA = "fda"
    EMA = "ema"


class ClinicalBenefitReading(StrEnum):
    """What has to last for clinical benefit: SD seen by then, or no progression until then."""

    LAST_STABLE_ASSESSMENT = "last_stable_assessment"
    PROGRESSION_FREE_TIME = "progression_free_time"


class PartialDates(StrEnum):
    """What an incomplete date stands for."""

    REFUSE = "refuse"
    FIRST_DAY = "first_day"
    MIDDLE_DAY = "middle_day"
    LAST_DAY = "last_day"


class IntervalTransform(StrEnum):
    """Scale of the confidence intervals of a Kaplan-Meier curve."""

    LOG_LOG = "log_log"
    LOG = "log"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointParameters:
    """Choices that change an endpoint (FDA guidance on cancer endpoints; trial registration).

    Attributes
    ----------
    anchor
        Day from which progression-free survival and time to response are counted.
    censoring
        Primary list of event and censoring conditions.
    missed_assessments_gap
        Consecutive missed assessments before an event that censor it.
    gap_window_days
        Days added to the gap before assessments count as missed.
    censor_at_new_therapy
        Whether a new anticancer therapy before progression censors.
    ne_is_adequate
        Whether a not-evaluable timepoint counts as an adequate assessment.
    clinical_benefit_reading
        What has to last for clinical benefit.
    clinical_benefit_above_days
        Stable disease of more than this many days is clinical benefit.
    partial_dates
        What an incomplete date stands for.
    interval_transform
        Scale of Kaplan-Meier intervals.
    confidence_level
        Level of every interval.
    """

    anchor: Anchor = Anchor.FIRST_DOSE
    censoring: CensoringRules = CensoringRules.FDA
    missed_assessments_gap: int = 2
    gap_window_days: int = 7
    censor_at_new_therapy: bool = True
    ne_is_adequate: bool = False
    clinical_benefit_reading: ClinicalBenefitReading = ClinicalBenefitReading.LAST_STABLE_ASSESSMENT
    clinical_benefit_above_days: int = 182
    partial_dates: PartialDates = PartialDates.REFUSE
    interval_transform: IntervalTransform = IntervalTransform.LOG_LOG
    confidence_level: Decimal = Decimal("0.95")

    def __post_init__(self) -> None:
        """Refuse counts and levels that no endpoint could use."""
        gap = self.missed_assessments_gap
        require(gap >= 1, "missed_assessments_gap", gap, "at least 1")
        for name in ("gap_window_days", "clinical_benefit_above_days"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")
        require(0 < self.confidence_level < 1, "confidence_level", self.confidence_level, "between 0 and 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderPlan:
    """Who reads, in which order, and what makes a third reader decide.

    Attributes
    ----------
    count
        Independent readers of each subject.
    assignment
        Whether each reader's place is one person's for the whole trial, or each subject gets its readers
        out of a pool: those with the fewest subjects, or by lot.
    order
        Order of the timepoints.
    adjudication_variables
        What the readers must agree on; empty when nothing is adjudicated.
    adjudication_rule
        What the adjudicator may do.
    progression_date_tolerance_days
        Progression dates that differ by no more than this agree.
    global_review
        Whether a reader may revisit earlier timepoints after the last one, with reasons.
    """

    count: int = 2
    assignment: ReaderAssignment = ReaderAssignment.FIXED
    order: ReadOrder = ReadOrder.SEQUENTIAL
    adjudication_variables: tuple[AdjudicationVariable, ...] = (
        AdjudicationVariable.BEST_OVERALL_RESPONSE,
        AdjudicationVariable.PROGRESSION,
        AdjudicationVariable.PROGRESSION_DATE,
        AdjudicationVariable.FIRST_RESPONSE_DATE,
    )
    adjudication_rule: AdjudicationRule = AdjudicationRule.CHOOSE_READER
    progression_date_tolerance_days: int = 0
    global_review: bool = False

    def __post_init__(self) -> None:
        """Refuse a trial without readers."""
        require(1 <= self.count <= 2, "count", self.count, "1 or 2")
        tolerance = self.progression_date_tolerance_days
        require(tolerance >= 0, "progression_date_tolerance_days", tolerance, "at least 0")
        variables = self.adjudication_variables
        require(
            len(set(variables)) == len(variables), "adjudication_variables", variables, "without repetition"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementConvention:
    """How a length is computed, reported and compared.

    Attributes
    ----------
    precision_mm
        Step to which a diameter is rounded, once, when the reader signs it.
    boundary
        Where the outline of a mask runs.
    claim_tolerance_mm
        Greatest difference between a client's length and the computed one without a finding.
    perpendicular_tolerance_degrees
        Greatest deviation of long and short axis from a right angle without a finding.
    min_inside_fraction
        Smallest part of a diameter inside the lesion without a finding.
    """

    precision_mm: Decimal = Decimal("0.1")
    boundary: BoundaryConvention = BoundaryConvention.HALF_PIXEL
    claim_tolerance_mm: Decimal = Decimal("0.1")
    perpendicular_tolerance_degrees: Decimal = Decimal(10)
    min_inside_fraction: Decimal = Decimal("0.9")

    def __post_init__(self) -> None:
        """Refuse a precision without steps and tolerances below zero."""
        require(self.precision_mm > 0, "precision_mm", self.precision_mm, "above 0")
        for name in ("claim_tolerance_mm", "perpendicular_tolerance_degrees", "min_inside_fraction"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEventParameters:
    """Which adverse events are counted.

    Attributes
    ----------
    dictionary
        Grading scale.
    days_after_last_dose
        Events count from consent to this many days after the last dose.
    """

    dictionary: str = "NCI CTCAE 5.0"
    days_after_last_dose: int = 30

    def __post_init__(self) -> None:
        """Refuse a negative number of days."""
        require(
            self.days_after_last_dose >= 0, "days_after_last_dose", self.days_after_last_dose, "at least 0"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialProtocol:
    """A trial's charter, as one immutable version.

    Attributes
    ----------
    trial_id
        Identifier of the trial (CDISC STUDYID).
    version
        Version of this charter; an amendment is a new one.
    title
        Public title.
    effective_on
        First day on which this version applies; `None` from the start.
    planned_subjects
        Subjects the trial means to enrol; `None` when it does not say.
    withdrawal
        Whose progression withdraws a subject.
    schedule
        Imaging calendar.
    criteria
        Response criteria.
    endpoints
        Parameters of the endpoints.
    readers
        Readers and adjudication.
    measurement
        Conventions of lengths.
    adverse_events
        Adverse events that are counted.
    quality
        Who accepts images, and how sites are asked.
    acquisition
        Rules for the series of a timepoint.
    enhancement
        Thresholds of exploratory values of dynamic series.
    """

    trial_id: str
    version: str
    title: str
    effective_on: date | None = None
    planned_subjects: int | None = None
    withdrawal: WithdrawalAuthority = WithdrawalAuthority.SITE
    schedule: Schedule = field(default_factory=Schedule)
    criteria: Criteria = field(default_factory=Criteria)
    endpoints: EndpointParameters = field(default_factory=EndpointParameters)
    readers: ReaderPlan = field(default_factory=ReaderPlan)
    measurement: MeasurementConvention = field(default_factory=MeasurementConvention)
    adverse_events: AdverseEventParameters = field(default_factory=AdverseEventParameters)
    quality: QualityPlan = field(default_factory=QualityPlan)
    acquisition: tuple[AcquisitionRule, ...] = ()
    enhancement: EnhancementThresholds = field(default_factory=EnhancementThresholds)

    def __post_init__(self) -> None:
        """Refuse a protocol that cannot be named."""
        for name in ("trial_id", "version", "title"):
            require(bool(getattr(self, name).strip()), name, getattr(self, name), "not empty")
        planned = self.planned_subjects
        require(planned is None or planned >= 1, "planned_subjects", planned, "at least 1")


def protocol_from_mapping(mapping: Mapping[str, object]) -> TrialProtocol:
    """Build a protocol from a mapping such as a TOML or JSON document holds.

    Parameters
    ----------
    mapping
        Nested tables named as the attributes of `TrialProtocol`.

    Returns
    -------
    TrialProtocol
        What was left out has its default.

    Raises
    ------
    ProtocolError
        If a parameter is unknown, missing, or has a value that it cannot have.
    """
    return from_mapping(TrialProtocol, mapping)


def protocol_to_mapping(protocol: TrialProtocol) -> dict[str, Any]:
    """Return a protocol as a mapping with every parameter, which gives the same protocol back.

    Parameters
    ----------
    protocol
        The protocol.
    """
    return to_mapping(protocol)


def protocol_from_toml(text: str) -> TrialProtocol:
    """Build a protocol from the text of a TOML file.

    Parameters
    ----------
    text
        The file's content.

    Raises
    ------
    ProtocolError
        If it is not TOML, or not a protocol.
    """
    try:
        # TOMLDecodeError speaks of line and column; Decimal keeps each number as written.
        mapping = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        message = f"The protocol is not valid TOML: {error}."
        raise ProtocolError(message) from None
    return protocol_from_mapping(mapping)


def protocol_schema() -> dict[str, Any]:
    """Return the JSON Schema of a protocol."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Trial protocol",
        **schema_of(TrialProtocol),
    }
