"""Notices, webhooks and deliveries as the routes and the worker know them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from imaging_service.notices.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that has happened, with the keys of what it is about and nothing else."""

    notice_id: str
    sequence: int  # 1, 2, … in the order in which the changes were committed
    kind: Kind
    trial_id: str
    site_id: str | None
    subject_id: str | None
    reading_id: str | None  # the subject's blinded name, all that leaves the service of it
    timepoint_id: str | None
    reference: str | None  # key of the read, the query or the decision
    at: datetime


class DeliveryState(StrEnum):
    """How far a notice has come on its way to a receiver."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"  # every attempt has failed; it waits for a person, and its subject's later ones behind it
    DISCARDED = "discarded"  # a person has given it up


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that is told what happens in a trial."""

    webhook_id: str
    trial_id: str
    url: str
    kinds: tuple[Kind, ...]  # none: every kind
    is_enabled: bool
    registered_by: str
    registered_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One notice on its way to one receiver."""

    delivery_id: str  # the same in every attempt, so that a receiver can leave out what it has
    webhook_id: str
    notice: Notice
    state: DeliveryState
    attempts: int
    next_at: datetime | None
    last_error: str | None
    delivered_at: datetime | None
