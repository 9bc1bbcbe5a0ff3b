"""One act of one actor: its transaction, its scope, its instant, its entries in the audit."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy.orm import Session

from imaging_service.accounts.dependencies import CurrentPrincipal, WriteSession
from imaging_service.accounts.principal import Role
from imaging_service.accounts.scope import Scope
from imaging_service.audit import service as audit
from imaging_service.audit.actor import WORKER, Actor
from imaging_service.http.context import CurrentClock, CurrentJobs
from imaging_service.jobs.port import JobQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who changes something, in which transaction, and when."""

    session: Session
    actor: Actor
    scope: Scope
    now: datetime
    queue: JobQueue
    roles: frozenset[Role] = field(default_factory=frozenset)

    @classmethod
    def of_worker(cls, session: Session, queue: JobQueue, now: datetime) -> "Act":
        """Return an act of the system itself."""
        return cls(session=session, actor=WORKER, scope=Scope.all(), now=now, queue=queue)

    @property
    def by(self) -> str:
        """Key of the account, or the system's name."""
        return self.actor.account_id or self.actor.name

    @property
    def today(self) -> date:
        """The day of the act, in UTC."""
        return self.now.date()

    def record(self, action: str, entity: str, entity_id: str, **said: Any) -> None:  # noqa: ANN401
        """Enter the act into the audit; `said` is before, after and reason of `audit.service.record`."""
        audit.record(
            self.session,
            self.actor,
            action=action,
            entity=entity,
            entity_id=entity_id,
            at=self.now,
            **said,
        )


async def current_act(
    session: WriteSession, principal: CurrentPrincipal, clock: CurrentClock, queue: CurrentJobs
) -> Act:
    """Return the act of the request."""
    return Act(
        session=session,
        actor=principal,
        scope=principal.scope,
        now=clock.now(),
        queue=queue,
        roles=principal.roles,
    )


CurrentAct = Annotated[Act, Depends(current_act)]
