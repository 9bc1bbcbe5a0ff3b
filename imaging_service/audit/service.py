"""Enter what was done, in the transaction that does it.

An entry waits in the session and is chained just before the commit, so that the chain is locked for
as short as possible, and last of all locks (two transactions cannot wait for each other over it).
A transaction that changes a table of the trial and enters nothing is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, UOWTransaction

from imaging_service.audit import chain, repository
from imaging_service.audit.actor import Actor
from imaging_service.audit.chain import ChainFinding, Head
from imaging_service.canonical import canonical_json
from imaging_service.database import ServiceSession

_WAITING = "audit_entries"
_CHANGED = "changed_tables"
_SAVEPOINTS = "audit_savepoints"


class UnauditedChangeError(AssertionError):
    """A transaction changed tables of the trial without an audit entry: a fault of the program."""

    def __init__(self, tables: set[str]) -> None:
        """Name the tables."""
        super().__init__(f"Changed without an audit entry: {', '.join(sorted(tables))}.")


def record(  # noqa: PLR0913  an entry has this many columns
    session: Session,
    actor: Actor,
    *,
    action: str,
    entity: str,
    entity_id: str,
    at: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Enter one act into the session's transaction.

    Parameters
    ----------
    session
        The transaction that makes the change.
    actor
        Who acts: a principal, `WORKER` or `OPERATOR`.
    action
        What is done, a verb of the glossary and its object: ``"sign read"``.
    entity, entity_id
        The kind of thing and its key: ``"read"``, ``"3b1f…"``.
    at
        The clock's instant.
    before, after
        What changed, as JSON values; dates, decimals and enumerations are written as text. No secrets.
    reason
        Why, where a person had to say so.
    """
    entry = {
        "at": at,
        "account_id": actor.account_id,
        "actor": actor.name,
        "action": action,
        "entity": entity,
        "entity_id": entity_id,
        "before": None if before is None else canonical_json(before),
        "after": None if after is None else canonical_json(after),
        "reason": reason,
    }
    session.info.setdefault(_WAITING, []).append(entry)


def last_instant(session: Session) -> datetime | None:
    """Return when the last act was done that waits in the session's transaction; None without any."""
    waiting = session.info.get(_WAITING)
    return waiting[-1]["at"] if waiting else None


def head(session: Session) -> Head:
    """Return the chain's head, to be kept where the database's owner cannot change it."""
    return repository.head(session)


def entries_about(
    session: Session, entity: str, entity_ids: Sequence[str], *, action: str | None = None
) -> Sequence[repository.AuditEntry]:
    """Return the entries about some things, of every kind of act or of one, in the order of the chain."""
    return repository.about(session, entity, entity_ids, action=action)


def verify(session: Session, witnesses: Iterable[Head] = ()) -> list[ChainFinding]:
    """Return every damaged place of the stored chain; see `imaging_service.audit.chain.verify`."""
    return chain.verify(repository.links(session), witnesses)


@event.listens_for(ServiceSession, "after_flush")
def _note_objects(session: Session, _context: UOWTransaction) -> None:
    touched = [*session.new, *session.deleted]
    touched += [row for row in session.dirty if session.is_modified(row)]
    for row in touched:
        _note(session, inspect(row).mapper.local_table)


@event.listens_for(ServiceSession, "do_orm_execute")
def _note_statement(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        _note(state.session, getattr(state.statement, "table", None))


def _note(session: Session, table: Any) -> None:  # noqa: ANN401  a table, of which there are kinds
    if table is not None and table.info.get("audited", True):
        session.info.setdefault(_CHANGED, set()).add(table.name)


@event.listens_for(ServiceSession, "before_commit")
def _chain(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    waiting = session.info.pop(_WAITING, [])
    changed = session.info.pop(_CHANGED, set())
    if changed and not waiting:
        raise UnauditedChangeError(changed)
    if waiting:
        repository.append(session, waiting)


@event.listens_for(ServiceSession, "after_transaction_create")
def _remember(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        marks = session.info.setdefault(_SAVEPOINTS, {})
        marks[id(transaction)] = (
            len(session.info.get(_WAITING, ())),
            set(session.info.get(_CHANGED, ())),
        )


@event.listens_for(ServiceSession, "after_soft_rollback")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        length, changed = session.info.get(_SAVEPOINTS, {}).pop(id(transaction), (0, set()))
        del session.info.get(_WAITING, [])[length:]
        session.info[_CHANGED] = changed
    else:
        for key in (_WAITING, _CHANGED, _SAVEPOINTS):
            session.info.pop(key, None)
