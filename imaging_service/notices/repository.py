"""The SQL of notices, webhooks and deliveries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Exists, Select, and_, func, insert, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from imaging_service.accounts.scope import Scope
from imaging_service.database import new_id
from imaging_service.http.pages import Page, PageRequest
from imaging_service.notices.kinds import Kind
from imaging_service.notices.records import Delivery, DeliveryState, Notice, Webhook
from imaging_service.notices.tables import DeliveryRow, NoticeRow, WebhookPositionRow, WebhookRow
from imaging_service.subjects.tables import SubjectRow

_WAITING, _DEAD = DeliveryState.WAITING.value, DeliveryState.DEAD.value
_LOCK = 0x6E_6F_74_69_63_65  # 'notice': the numbering's advisory lock in PostgreSQL


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A notice before it has its number."""

    kind: Kind
    trial_id: str
    subject_id: str | None
    timepoint_id: str | None
    reference: str | None
    once_key: str | None
    at: datetime


def add(session: Session, news: News) -> str | None:
    """Keep a notice without a number; None when it may be told only once and is told already."""
    if news.once_key is not None and _is_told(session, news.once_key):
        return None
    site_id, reading_id = _subject(session, news)
    row = NoticeRow(
        notice_id=new_id(),
        sequence=None,
        kind=news.kind.value,
        trial_id=news.trial_id,
        site_id=site_id,
        subject_id=news.subject_id,
        reading_id=reading_id,
        timepoint_id=news.timepoint_id,
        reference=news.reference,
        once_key=news.once_key,
        at=news.at,
    )
    session.add(row)
    session.flush()
    return row.notice_id


def _is_told(session: Session, once_key: str) -> bool:
    return session.scalar(select(NoticeRow.notice_id).where(NoticeRow.once_key == once_key)) is not None


def _subject(session: Session, news: News) -> tuple[str | None, str | None]:
    if news.subject_id is None:
        return None, None
    found = session.execute(
        select(SubjectRow.site_id, SubjectRow.reading_id).where(
            SubjectRow.trial_id == news.trial_id, SubjectRow.subject_id == news.subject_id
        )
    ).one()
    return found[0], found[1]


def number(session: Session, notice_ids: Sequence[str]) -> None:
    """Give numbers to the notices of a transaction that is about to be committed, one after another."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = session.scalar(select(func.max(NoticeRow.sequence))) or 0
    for notice_id in notice_ids:
        last += 1
        session.execute(
            update(NoticeRow)
            .where(NoticeRow.notice_id == notice_id)
            .values(sequence=last)
            .execution_options(synchronize_session=False)
        )


def notices(session: Session, scope: Scope, trial_id: str, after: int, limit: int) -> Sequence[Notice]:
    """Return the notices of a trial behind a number; those of a site only to who may see the site."""
    about_no_site = and_(NoticeRow.site_id.is_(None), scope.trials(NoticeRow.trial_id))
    rows = session.scalars(
        select(NoticeRow)
        .where(
            NoticeRow.trial_id == trial_id,
            NoticeRow.sequence > after,
            or_(scope.sites(NoticeRow.trial_id, NoticeRow.site_id), about_no_site),
        )
        .order_by(NoticeRow.sequence)
        .limit(limit)
    )
    return [_notice(row) for row in rows]


def last_sequence(session: Session) -> int:
    """Return the number of the newest notice, 0 before any."""
    return session.scalar(select(func.max(NoticeRow.sequence))) or 0


def position(session: Session, webhook_id: str) -> int:
    """Return up to which notice a webhook's deliveries have been laid out."""
    statement = select(WebhookPositionRow.sequence).where(WebhookPositionRow.webhook_id == webhook_id)
    return session.scalars(statement).one()


def add_webhook(session: Session, webhook: Webhook, secret: str, after: int) -> None:
    """Keep a webhook that is told what happens behind a number."""
    session.add(
        WebhookRow(
            webhook_id=webhook.webhook_id,
            trial_id=webhook.trial_id,
            url=webhook.url,
            kinds=[each.value for each in webhook.kinds],
            secret=secret,
            is_enabled=webhook.is_enabled,
            registered_by=webhook.registered_by,
            registered_at=webhook.registered_at,
            ended_at=None,
        )
    )
    session.flush()
    session.add(WebhookPositionRow(webhook_id=webhook.webhook_id, sequence=after))
    session.flush()


def lock_registrations(session: Session, trial_id: str) -> None:
    """Register webhooks of a trial one at a time, until the transaction ends; SQLite's writer is one."""
    if session.get_bind().dialect.name == "postgresql":
        statement = text("SELECT pg_advisory_xact_lock(hashtext(:name))")
        session.execute(statement, {"name": f"webhooks of {trial_id}"})


def webhooks(session: Session, trial_id: str | None = None) -> Sequence[Webhook]:
    """Return the webhooks of a trial, or of every one, that have not ended, the oldest first."""
    statement = select(WebhookRow).where(WebhookRow.ended_at.is_(None))
    if trial_id is not None:
        statement = statement.where(WebhookRow.trial_id == trial_id)
    rows = session.scalars(statement.order_by(WebhookRow.registered_at, WebhookRow.webhook_id))
    return [_webhook(row) for row in rows]


def webhook(session: Session, webhook_id: str, *, lock: bool = False) -> Webhook | None:
    """Return a webhook that has not ended."""
    statement = select(WebhookRow).where(WebhookRow.webhook_id == webhook_id, WebhookRow.ended_at.is_(None))
    row = session.scalar(statement.with_for_update() if lock else statement)
    return None if row is None else _webhook(row)


def secret_of(session: Session, webhook_id: str) -> str:
    """Return the key of a webhook's signatures."""
    return session.scalars(select(WebhookRow.secret).where(WebhookRow.webhook_id == webhook_id)).one()


def set_enabled(session: Session, webhook_id: str, *, is_enabled: bool) -> None:
    """Let a webhook be told, or not for now."""
    session.execute(
        update(WebhookRow).where(WebhookRow.webhook_id == webhook_id).values(is_enabled=is_enabled)
    )


def end(session: Session, webhook_id: str, at: datetime) -> None:
    """Let a webhook be told nothing more."""
    session.execute(update(WebhookRow).where(WebhookRow.webhook_id == webhook_id).values(ended_at=at))


def lay_out(session: Session, webhook: Webhook, at: datetime, limit: int) -> int:
    """Make the deliveries of the notices that a webhook has none for yet; return how many were looked at."""
    position = session.scalars(
        select(WebhookPositionRow)
        .where(WebhookPositionRow.webhook_id == webhook.webhook_id)
        .with_for_update()
    ).one()
    found = session.scalars(
        select(NoticeRow)
        .where(NoticeRow.trial_id == webhook.trial_id, NoticeRow.sequence > position.sequence)
        .order_by(NoticeRow.sequence)
        .limit(limit)
    ).all()
    rows = [
        {
            "delivery_id": new_id(),
            "webhook_id": webhook.webhook_id,
            "sequence": each.sequence,
            "notice_id": each.notice_id,
            "line": each.reading_id or "",
            "state": _WAITING,
            "attempts": 0,
            "next_at": at,
        }
        for each in found
        if not webhook.kinds or Kind(each.kind) in webhook.kinds
    ]
    if rows:
        session.execute(insert(DeliveryRow), rows)
    if found:
        position.sequence = found[-1].sequence or position.sequence
        session.flush()
    return len(found)


def due(session: Session, webhook_id: str, now: datetime, limit: int) -> Sequence[Delivery]:
    """Return the deliveries that may be tried now, in order: none behind one of its line that may not."""
    held = _earlier(lambda row: or_(row.state == _DEAD, row.next_at > now))
    rows = session.execute(
        _deliveries()
        .where(
            DeliveryRow.webhook_id == webhook_id,
            DeliveryRow.state == _WAITING,
            DeliveryRow.next_at <= now,
            ~held,
        )
        .order_by(DeliveryRow.sequence)
        .limit(limit)
    )
    return [_delivery(row[0], row[1]) for row in rows]


def next_attempt_at(session: Session, webhook_id: str) -> datetime | None:
    """Return when the next delivery may be tried; None when none waits but behind a dead one."""
    return session.scalar(
        select(func.min(DeliveryRow.next_at)).where(
            DeliveryRow.webhook_id == webhook_id,
            DeliveryRow.state == _WAITING,
            ~_earlier(lambda row: row.state.in_([_WAITING, _DEAD])),
        )
    )


def _earlier(
    condition: Callable[[type[DeliveryRow]], ColumnElement[bool]],
) -> Exists:
    """Return the condition that an earlier delivery of the same line is as `condition` says."""
    other = aliased(DeliveryRow)
    return (
        select(other.delivery_id)
        .where(
            other.webhook_id == DeliveryRow.webhook_id,
            other.line == DeliveryRow.line,
            other.sequence < DeliveryRow.sequence,
            condition(other),
        )
        .exists()
    )


def delivered(session: Session, delivery: Delivery, at: datetime) -> None:
    """Note that the receiver has taken a notice in."""
    _set(
        session,
        delivery.delivery_id,
        state=DeliveryState.DELIVERED,
        attempts=delivery.attempts + 1,
        next_at=None,
        delivered_at=at,
    )


def failed(session: Session, delivery: Delivery, error: str, next_at: datetime | None) -> None:
    """Note that an attempt has failed; without a next one the delivery is dead."""
    state = DeliveryState.DEAD if next_at is None else DeliveryState.WAITING
    _set(
        session,
        delivery.delivery_id,
        state=state,
        attempts=delivery.attempts + 1,
        next_at=next_at,
        last_error=error,
    )


def release(session: Session, delivery_id: str, at: datetime) -> None:
    """Let a dead delivery be tried afresh."""
    _set(session, delivery_id, state=DeliveryState.WAITING, attempts=0, next_at=at)


def discard(session: Session, delivery_id: str) -> None:
    """Give a dead delivery up."""
    _set(session, delivery_id, state=DeliveryState.DISCARDED)


def _set(session: Session, delivery_id: str, **values: object) -> None:
    session.execute(update(DeliveryRow).where(DeliveryRow.delivery_id == delivery_id).values(**values))


def delivery(session: Session, webhook_id: str, delivery_id: str, *, lock: bool = False) -> Delivery | None:
    """Return one delivery of a webhook."""
    statement = _deliveries().where(
        DeliveryRow.webhook_id == webhook_id, DeliveryRow.delivery_id == delivery_id
    )
    row = session.execute(statement.with_for_update(of=DeliveryRow) if lock else statement).one_or_none()
    return None if row is None else _delivery(*row)


def deliveries(
    session: Session, webhook_id: str, state: DeliveryState | None, page: PageRequest
) -> Page[Delivery]:
    """Return the deliveries of a webhook, or those in one state, in order."""
    statement = _deliveries().where(DeliveryRow.webhook_id == webhook_id)
    if state is not None:
        statement = statement.where(DeliveryRow.state == state.value)
    rows = session.execute(page.apply(statement, DeliveryRow.sequence)).all()
    return page.page(rows, lambda row: (row[0].sequence,), lambda row: _delivery(row[0], row[1]))


def _deliveries() -> Select[DeliveryRow, NoticeRow]:
    return select(DeliveryRow, NoticeRow).join(NoticeRow, NoticeRow.notice_id == DeliveryRow.notice_id)


def _notice(row: NoticeRow) -> Notice:
    return Notice(
        notice_id=row.notice_id,
        sequence=row.sequence or 0,
        kind=Kind(row.kind),
        trial_id=row.trial_id,
        site_id=row.site_id,
        subject_id=row.subject_id,
        reading_id=row.reading_id,
        timepoint_id=row.timepoint_id,
        reference=row.reference,
        at=row.at,
    )


def _webhook(row: WebhookRow) -> Webhook:
    return Webhook(
        webhook_id=row.webhook_id,
        trial_id=row.trial_id,
        url=row.url,
        kinds=tuple(Kind(each) for each in row.kinds),
        is_enabled=row.is_enabled,
        registered_by=row.registered_by,
        registered_at=row.registered_at,
        ended_at=row.ended_at,
    )


def _delivery(row: DeliveryRow, of: NoticeRow) -> Delivery:
    return Delivery(
        delivery_id=row.delivery_id,
        webhook_id=row.webhook_id,
        notice=_notice(of),
        state=DeliveryState(row.state),
        attempts=row.attempts,
        next_at=row.next_at,
        last_error=row.last_error,
        delivered_at=row.delivered_at,
    )
