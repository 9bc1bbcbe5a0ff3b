"""One act of a signed-in person on reads: transaction, principal, instant."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy.orm import Session

from imaging_service.accounts.dependencies import CurrentPrincipal, WriteSession
from imaging_service.accounts.principal import Principal
from imaging_service.audit import service as audit
from imaging_service.http.context import CurrentClock


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAct:
    """Who changes a read, in which transaction, and when."""

    session: Session
    principal: Principal
    now: datetime

    def record(self, action: str, read_id: str, **said: Any) -> None:  # noqa: ANN401
        """Enter the act into the audit; `said` is before, after and reason of `audit.service.record`."""
        audit.record(
            self.session,
            self.principal,
            action=action,
            entity="read",
            entity_id=read_id,
            at=self.now,
            **said,
        )


def current_read_act(principal: CurrentPrincipal, session: WriteSession, clock: CurrentClock) -> ReadAct:
    """Return the act of the request."""
    return ReadAct(session=session, principal=principal, now=clock.now())


CurrentReadAct = Annotated[ReadAct, Depends(current_read_act)]
