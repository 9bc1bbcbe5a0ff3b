"""The dates of a subject, and the orders in which they cannot have happened."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from enum import StrEnum

_EARLIEST_ZONE_AHEAD = timedelta(hours=14)
"""A site may already live in tomorrow: no zone is more than 14 hours ahead of UTC."""


class WithdrawalReason(StrEnum):
    """Why a subject left the trial (DSDECOD)."""

    PROGRESSION = "progression"
    DEATH = "death"
    ADVERSE_EVENT = "adverse_event"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    LOST_TO_FOLLOW_UP = "lost_to_follow_up"
    PHYSICIAN_DECISION = "physician_decision"
    COMPLETED = "completed"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectDates:
    """What the site has documented so far; None where it has not."""

    consent_on: date | None = None
    randomised_on: date | None = None
    first_dose_on: date | None = None
    new_therapy_on: date | None = None
    progression_on: date | None = None
    withdrawal_on: date | None = None
    withdrawal_reason: WithdrawalReason | None = None
    last_contact_on: date | None = None
    death_on: date | None = None

    @property
    def closed_on(self) -> date | None:
        """The last day on which imaging can still be expected: progression, withdrawal or death."""
        ends = (self.progression_on, self.withdrawal_on, self.death_on)
        return min((day for day in ends if day is not None), default=None)


NAMES = {
    "consent_on": "the consent",
    "randomised_on": "the randomisation",
    "first_dose_on": "the first dose",
    "new_therapy_on": "the new therapy",
    "progression_on": "the site's progression",
    "withdrawal_on": "the withdrawal",
    "last_contact_on": "the last contact",
    "death_on": "the death",
}
"""Each date as a sentence names it."""

NEVER_AFTER = (
    ("consent_on", "randomised_on"),
    ("consent_on", "first_dose_on"),
    ("consent_on", "withdrawal_on"),
    ("consent_on", "last_contact_on"),
    ("consent_on", "death_on"),
    ("randomised_on", "first_dose_on"),
    ("randomised_on", "death_on"),
    ("first_dose_on", "new_therapy_on"),
    ("first_dose_on", "progression_on"),
    ("first_dose_on", "last_contact_on"),
    ("first_dose_on", "death_on"),
    ("new_therapy_on", "death_on"),
    ("progression_on", "death_on"),
    ("withdrawal_on", "death_on"),
    ("last_contact_on", "death_on"),
)
"""The first of each pair happens on the same day as the second or before it.

A withdrawal may come before the first dose: a subject who consented can leave untreated.
"""


def today_anywhere(now: datetime) -> date:
    """Return the latest calendar day that has begun somewhere on Earth.

    Parameters
    ----------
    now
        An aware instant in UTC.
    """
    return (now + _EARLIEST_ZONE_AHEAD).date()


def contradictions(dates: SubjectDates, *, today: date) -> Sequence[str]:
    """Return one sentence for each thing in `dates` that cannot be true.

    Examples
    --------
    >>> dates = SubjectDates(first_dose_on=date(2025, 3, 1), death_on=date(2025, 2, 1))
    >>> contradictions(dates, today=date(2025, 4, 1))
    ['The death is dated 2025-02-01, before the first dose on 2025-03-01.']
    """
    return [*_in_the_future(dates, today), *_out_of_order(dates), *_half_withdrawn(dates)]


def changed_fields(before: SubjectDates, after: SubjectDates) -> Sequence[str]:
    """Return the names of the fields in which the two differ."""
    return [
        field.name
        for field in fields(SubjectDates)
        if getattr(before, field.name) != getattr(after, field.name)
    ]


def _in_the_future(dates: SubjectDates, today: date) -> list[str]:
    return [
        f"{_capital(name)} is dated {getattr(dates, field)}, which is in the future; "
        f"the latest date that can be entered now is {today}."
        for field, name in NAMES.items()
        if getattr(dates, field) is not None and getattr(dates, field) > today
    ]


def _out_of_order(dates: SubjectDates) -> list[str]:
    return [
        f"{_capital(NAMES[later])} is dated {second}, before {NAMES[earlier]} on {first}."
        for earlier, later in NEVER_AFTER
        if (first := getattr(dates, earlier)) is not None
        and (second := getattr(dates, later)) is not None
        and second < first
    ]


def _half_withdrawn(dates: SubjectDates) -> list[str]:
    if dates.withdrawal_on is not None and dates.withdrawal_reason is None:
        return ["The withdrawal has a date and no reason; a withdrawal needs both."]
    if dates.withdrawal_on is None and dates.withdrawal_reason is not None:
        return ["The withdrawal has a reason and no date; a withdrawal needs both."]
    return []


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
