"""Renew derived rows in the transaction that changes what they follow from.

Just before a commit each chapter derives its rows of the subjects that the transaction has touched. What
is not renewed then, as when thousands of subjects change at once or a new protocol version comes into
force, stays noted as out of date: readers derive it as they ask, and the worker renews it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.audit import service as audit
from imaging_service.canonical import canonical_json
from imaging_service.database import Base, ServiceSession
from imaging_service.derived import repository
from imaging_service.trials import service as trials
from measurement.protocol.trial import TrialProtocol
from measurement.recist.assess import RULES_VERSION

AT_ONCE = 20
"""Subjects that one commit renews; a transaction that touches more leaves the rest to the worker."""

_FORM = "2"  # of the derived rows; another number lets all of them be derived anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """A subject whose derived rows are to be derived anew."""

    trial_id: str
    subject_id: str
    protocol: TrialProtocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """A chapter's table of derived rows, and how its rows about a subject are derived."""

    row: type[Base]
    values: Callable[[Session, Renewal], Sequence[Mapping[str, Any]]]
    """Every column but the subject's own key."""


_KEEPERS: dict[str, Keeper] = {}


def kept_by(keepers: Iterable[Keeper]) -> None:
    """Let these keep rows, in this order, from now on; asked again, nothing changes."""
    for each in keepers:
        _KEEPERS.setdefault(each.row.__tablename__, each)


def basis_of(protocol: TrialProtocol) -> str:
    """Return what derived rows follow from besides the subject's own records."""
    return _basis(protocol.version)


def _basis(protocol_version: str) -> str:
    return f"{protocol_version} {RULES_VERSION} {_FORM}"


def out_of_date(session: Session, trial_id: str, protocol: TrialProtocol) -> AbstractSet[str]:
    """Return the subjects of a trial whose derived rows must not be used."""
    return repository.other_basis(session, trial_id, basis_of(protocol))


def renew(session: Session, keys: Iterable[repository.Key], on: date) -> int:
    """Derive the rows of some subjects under the protocol in force on a day; return how many."""
    protocols: dict[str, TrialProtocol] = {}
    count = 0
    for trial_id, subject_id in keys:
        if trial_id not in protocols:
            protocols[trial_id] = trials.protocol_in_force(session, Scope.all(), trial_id, on=on)
        renewal = Renewal(trial_id=trial_id, subject_id=subject_id, protocol=protocols[trial_id])
        for each in _KEEPERS.values():
            repository.keep(session, each.row, (trial_id, subject_id), each.values(session, renewal))
        repository.note(session, (trial_id, subject_id), basis_of(protocols[trial_id]))
        count += 1
    return count


def renew_some(session: Session, on: date) -> int:
    """Renew some subjects that are out of date on a day, whatever the reason; return how many.

    Those that something has changed about come first, then those that a new version of the protocol or of
    the rules judges otherwise.
    """
    keys = [*repository.due(session, AT_ONCE)]
    for trial_id, version in trials.versions_in_force(session, on).items():
        if len(keys) < AT_ONCE:
            left = AT_ONCE - len(keys)
            keys += repository.lock_other_basis(session, trial_id, _basis(version), left)
    return renew(session, dict.fromkeys(keys), on)


def is_behind(session: Session, on: date) -> bool:
    """Whether any subject's rows are out of date on a day."""
    versions = trials.versions_in_force(session, on)
    return any(
        repository.other_basis(session, trial_id, _basis(version), limit=1)
        for trial_id, version in versions.items()
    )


def untrue(session: Session, trial_id: str, subject_ids: Iterable[str], on: date) -> Iterator[str]:
    """Yield a sentence for each subject whose kept rows claim to be up to date and are not what follows.

    Parameters
    ----------
    session
        The transaction.
    trial_id, subject_ids
        The subjects.
    on
        The day whose protocol version judges.
    """
    protocol = trials.protocol_in_force(session, Scope.all(), trial_id, on=on)
    old = out_of_date(session, trial_id, protocol)
    for subject_id in subject_ids:
        if subject_id in old:
            continue
        renewal = Renewal(trial_id=trial_id, subject_id=subject_id, protocol=protocol)
        for name, keeper in _KEEPERS.items():
            stored = repository.kept(session, keeper.row, (trial_id, subject_id))
            if _plain(stored) != _plain(keeper.values(session, renewal)):
                yield f"What is kept in {name} about subject {subject_id!r} is not what follows anew."


def _plain(rows: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """Return rows as texts that can be compared, without the key of the subject."""
    keys = {"trial_id", "subject_id"}
    return sorted(
        canonical_json({name: value for name, value in row.items() if name not in keys}) for row in rows
    )


@event.listens_for(ServiceSession, "before_commit", insert=True)
def _renew_touched(session: Session) -> None:
    """Renew before the audit is chained, whose lock is to be held as briefly as possible."""
    if not _KEEPERS or session.in_nested_transaction():
        return
    session.flush()
    at = audit.last_instant(session)
    if at is not None:
        renew(session, repository.due(session, AT_ONCE), at.date())
