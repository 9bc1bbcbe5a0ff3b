"""Looks, searches and exports on the record: who used what, entered before it is answered.

They change nothing, so there is no transaction of theirs that an entry could stand in: it has its own. The
same access by the same account is entered once in a while only, as PS3.15 A.5.3 asks for one message a study
and use, and not for one a frame.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Annotated, cast

from fastapi import Depends, Request

from imaging_service.accounts.dependencies import CurrentPrincipal
from imaging_service.accounts.principal import Principal
from imaging_service.audit import service as audit
from imaging_service.clock import Clock
from imaging_service.database import Database
from imaging_service.http.csv_answer import Format, WantedFormat

_MOST_KNOWN = 10_000
_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What is used, and how."""

    action: str
    entity: str
    entity_id: str


@dataclass(kw_only=True)
class Accesses:
    """Enters accesses, and remembers which were entered lately."""

    database: Database
    clock: Clock
    again_after: timedelta
    _entered: "OrderedDict[tuple[str, str | None, Access], datetime]" = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def enter(self, principal: Principal, access: Access) -> None:
        """Enter an access into the audit, unless the same session's same one was lately."""
        now = self.clock.now()
        key = (principal.account_id, principal.session_id, access)
        if not self._is_due(key, now):
            return
        with self.database.write() as session:
            audit.record(
                session,
                principal,
                action=access.action,
                entity=access.entity,
                entity_id=access.entity_id,
                at=now,
            )
        with self._lock:
            self._entered[key] = now
            self._entered.move_to_end(key)
            if len(self._entered) > _MOST_KNOWN:
                self._entered.popitem(last=False)

    def _is_due(self, key: tuple[str, str | None, Access], now: datetime) -> bool:
        with self._lock:
            entered_at = self._entered.get(key)
        return entered_at is None or not timedelta(0) <= now - entered_at < self.again_after


def look_at(study_instance_uid: str) -> Access:
    """Return a look at a study."""
    return Access(action="look at study", entity="study", entity_id=study_instance_uid)


def retrieval_of(study_instance_uid: str) -> Access:
    """Return the retrieval of whole instances of a study."""
    return Access(action="retrieve instances", entity="study", entity_id=study_instance_uid)


def search_for(level: str, keys: Iterable[str]) -> Access:
    """Return a search by some attributes: never by which values, as they may name a person."""
    said = " ".join([level, *sorted(keys)])
    return Access(action="search instances", entity="search", entity_id=said[:_LONGEST])


def export_of(path: str) -> Access:
    """Return the export of what a path answers as a file."""
    return Access(action="export", entity="report", entity_id=path[:_LONGEST])


async def accesses_of(request: Request) -> Accesses:
    """Return the application's."""
    return cast("Accesses", request.app.state.accesses)


CurrentAccesses = Annotated[Accesses, Depends(accesses_of)]


def exported_format(
    request: Request, principal: CurrentPrincipal, accesses: CurrentAccesses, wanted: WantedFormat
) -> Format:
    """Read the format that a list is wanted in; a file is an export, which is entered."""
    if wanted is Format.CSV:
        accesses.enter(principal, export_of(request.url.path))
    return wanted


ExportedFormat = Annotated[Format, Depends(exported_format)]
