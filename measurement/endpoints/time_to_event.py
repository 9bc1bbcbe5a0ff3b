"""A time from a start to an event or a censoring, with the record that dates it (ADaM ADTTE)."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from measurement.endpoints.kaplan_meier import Observation


class Endpoint(StrEnum):
    """Which time (PARAMCD)."""

    PROGRESSION_FREE_SURVIVAL = "PFS"
    DURATION_OF_RESPONSE = "DOR"
    TIME_TO_RESPONSE = "TTR"
    DURATION_OF_STABLE_DISEASE = "DSD"
    OVERALL_SURVIVAL = "OS"


class Ending(StrEnum):
    """How a time ended (EVNTDESC for an event, CNSDTDSC for a censoring)."""

    PROGRESSION = "Documented progression"
    DEATH = "Death"
    RESPONSE = "First response"
    NO_BASELINE = "No baseline assessment"
    NO_ASSESSMENT = "No adequate assessment after the start"
    NEW_THERAPY = "New anticancer therapy before an event"
    MISSED_ASSESSMENTS = "Missed assessments before the event"
    NO_EVENT = "No event by the last adequate assessment"
    ALIVE = "Last known to be alive"


EVENTS = frozenset({Ending.PROGRESSION, Ending.DEATH, Ending.RESPONSE})
"""Endings that are events; all others are censorings."""


class TimeToEvent(NamedTuple):
    """One subject's time for one endpoint.

    A named tuple, as a cohort has several for each subject; build it by keywords.

    Attributes
    ----------
    endpoint
        Which time.
    starts_on, ends_on
        First and last day, both counted.
    ending
        What happened on the last day.
    record_id
        What dates it: a timepoint's identifier, or the name of a subject's date.
    """

    endpoint: Endpoint
    starts_on: date
    ends_on: date
    ending: Ending
    record_id: str

    @property
    def is_event(self) -> bool:
        """Whether the time ended in an event rather than in a censoring."""
        return self.ending in EVENTS

    @property
    def days(self) -> int:
        """Return the length in days, first and last day included (FDA; AVAL = ADT - STARTDT + 1)."""
        return (self.ends_on - self.starts_on).days + 1

    @property
    def observation(self) -> Observation:
        """Return the time as a survival curve takes it."""
        return Observation(self.days, self.is_event)
