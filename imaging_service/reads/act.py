"""One act of a signed-in person on a read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act, CurrentAct
from imaging_service.accounts.dependencies import CurrentPrincipal
from imaging_service.accounts.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAct:
    """An act whose actor is a person, as signatures and blinding need one."""

    act: Act
    principal: Principal

    @property
    def session(self) -> Session:
        """The transaction."""
        return self.act.session

    @property
    def now(self) -> datetime:
        """The instant of the act."""
        return self.act.now

    def record(self, action: str, read_id: str, **said: Any) -> None:  # noqa: ANN401  as `Act.record`
        """Enter the act into the audit; `said` is before, after and reason."""
        self.act.record(action, "read", read_id, **said)


def current_read_act(act: CurrentAct, principal: CurrentPrincipal) -> ReadAct:
    """Return the act of the request."""
    return ReadAct(act=act, principal=principal)


CurrentReadAct = Annotated[ReadAct, Depends(current_read_act)]
