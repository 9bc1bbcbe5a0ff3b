"""Payloads and answers about notices and webhooks."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from imaging_service.http.models import Instant, Reason, StrictModel
from imaging_service.notices.kinds import Kind
from imaging_service.notices.records import Delivery, DeliveryState
from imaging_service.notices.webhooks import Decision

Url = Annotated[str, StringConstraints(min_length=8, max_length=2000, pattern=r"^https?://[\x21-\x7e]+$")]


class Answer(BaseModel):
    """Parent of answers that are made of records."""

    model_config = ConfigDict(from_attributes=True)


class NoticeAnswer(Answer):
    """One thing that has happened."""

    sequence: int = Field(description="Give the last one as `after` for what happened since.")
    notice_id: str
    kind: Kind
    trial_id: str = Field(examples=["HER2-MBC-01"])
    site_id: str | None
    subject_id: str | None
    reading_id: str | None = Field(description="The subject as readers know it (0012,0042).")
    timepoint_id: str | None
    reference: str | None = Field(description="Key of the read, the query or the decision.")
    at: Instant


class FeedAnswer(BaseModel):
    """What has happened, the oldest first."""

    items: list[NoticeAnswer]
    next_after: int = Field(description="Give it as `after` to go on, now or later.")


class WebhookPayload(StrictModel):
    """A receiver."""

    url: Url = Field(examples=["https://edc.example.org/imaging"])
    kinds: list[Kind] = Field(default=[], max_length=len(Kind), description="Only these; none: every kind.")


class SwitchPayload(StrictModel):
    """Whether a webhook is told."""

    is_enabled: bool
    reason: Reason = Field(examples=["The receiver is moved to another machine"])


class WebhookAnswer(Answer):
    """A receiver."""

    webhook_id: str
    trial_id: str
    url: str
    kinds: list[Kind]
    is_enabled: bool
    registered_by: str = Field(description="Key of the account.")
    registered_at: Instant


class NewWebhookAnswer(WebhookAnswer):
    """A receiver with its key, which is told this once."""

    secret: str = Field(description="Key of the HMAC-SHA256 over timestamp, full stop and body.")


class DecisionPayload(StrictModel):
    """What is to become of a dead delivery."""

    decision: Decision
    reason: Reason = Field(examples=["The receiver answers again"])


class DeliveryAnswer(BaseModel):
    """One notice on its way."""

    delivery_id: str
    sequence: int
    kind: Kind
    reading_id: str | None
    state: DeliveryState
    attempts: int
    next_at: Instant | None
    last_error: str | None
    delivered_at: Instant | None


def delivery_answer(found: Delivery) -> DeliveryAnswer:
    """Return a delivery as it is answered."""
    return DeliveryAnswer(
        delivery_id=found.delivery_id,
        sequence=found.notice.sequence,
        kind=found.notice.kind,
        reading_id=found.notice.reading_id,
        state=found.state,
        attempts=found.attempts,
        next_at=found.next_at,
        last_error=found.last_error,
        delivered_at=found.delivered_at,
    )
