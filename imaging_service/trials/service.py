"""File protocols, open sites, seat readers."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.accounts import service as accounts
from imaging_service.accounts.act import Act
from imaging_service.accounts.principal import Role
from imaging_service.accounts.scope import Grant, Scope
from imaging_service.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from imaging_service.http.pages import Page, PageRequest
from imaging_service.trials import repository
from imaging_service.trials.protocols import ProtocolText
from imaging_service.trials.records import FiledProtocol, Site, Slot, Trial
from imaging_service.trials.seating import ask_for_readers, begin_pool, check_assignment_stays
from measurement.protocol.trial import TrialProtocol, protocol_to_mapping

_UNBLINDED = frozenset({Role.ADMINISTRATOR, Role.COORDINATOR, Role.ADJUDICATOR, Role.SPONSOR})
"""Roles that see whose images they are, or what the readers said."""


class Amended:
    """A door to what trials do not know of: whether an amendment fits what the chapters above have stored."""

    def __init__(self) -> None:
        self._checks: list[Callable[[Act, TrialProtocol], None]] = []

    def check_with(self, check: Callable[[Act, TrialProtocol], None]) -> None:
        """Let a chapter refuse amendments that nobody has tried."""
        if check not in self._checks:
            self._checks.append(check)

    def check(self, act: Act, protocol: TrialProtocol) -> None:
        """Ask every chapter that wants to be asked."""
        for each in self._checks:
            each(act, protocol)


AMENDED = Amended()


def file_protocol(act: Act, writing: ProtocolText, *, is_tried: bool = False) -> tuple[FiledProtocol, bool]:
    """Keep a protocol: the first version makes the trial, a later one amends it.

    Parameters
    ----------
    act
        Who files it.
    writing
        The protocol.
    is_tried
        Whether the caller has seen what an amendment changes.

    Returns
    -------
    tuple of FiledProtocol and bool
        The version, and whether it is new; filing the same text again changes nothing.

    Raises
    ------
    RefusedError
        The text is no protocol, or the amendment takes effect before the version that it amends.
    ConflictError
        The version exists with another text.
    ForbiddenError
        The trial is new and the caller may not begin trials.
    """
    protocol = writing.protocol()
    filed = repository.protocols(act.session, act.scope, protocol.trial_id)
    same = next((each for each in filed if each.version == protocol.version), None)
    if same is not None:
        return _filed_before(same, writing), False
    if not filed:
        _begin_trial(act, protocol)
    else:
        check_amendment(protocol, filed[-1])
        if not is_tried:
            AMENDED.check(act, protocol)
    version = FiledProtocol(
        trial_id=protocol.trial_id,
        version=protocol.version,
        revision=len(filed) + 1,
        effective_on=protocol.effective_on,
        writing=writing,
        sha256=writing.sha256,
        filed_by=act.by,
        filed_at=act.now,
    )
    repository.add_protocol(act.session, version)
    act.record(
        "file protocol",
        "protocol",
        f"{version.trial_id} {version.version}",
        after={"revision": version.revision, "effective_on": version.effective_on, "sha256": version.sha256},
    )
    return version, True


def _filed_before(same: FiledProtocol, writing: ProtocolText) -> FiledProtocol:
    if same.sha256 != writing.sha256:
        message = (
            f"Version {same.version!r} of the protocol of trial {same.trial_id!r} is filed with another text "
            f"(SHA-256 {same.sha256[:12]}…, now {writing.sha256[:12]}…); an amendment needs a new version."
        )
        raise ConflictError(message, code="protocol_version_exists")
    return same


def _begin_trial(act: Act, protocol: TrialProtocol) -> None:
    if Role.ADMINISTRATOR not in act.roles:
        message = f"Trial {protocol.trial_id!r} is not in the caller's scope; an administrator begins trials."
        raise ForbiddenError(message)
    repository.add_trial(
        act.session, Trial(trial_id=protocol.trial_id, title=protocol.title, created_at=act.now)
    )
    begin_pool(act, protocol)


def check_amendment(protocol: TrialProtocol, latest: FiledProtocol) -> None:
    """Refuse an amendment without a day, with one before that of the version before, or with other readers.

    Raises
    ------
    RefusedError
        It is one of these.
    """
    if protocol.effective_on is None:
        message = f"Version {protocol.version!r} amends {latest.version!r} and needs the date effective_on."
        raise RefusedError(message, code="amendment_without_date")
    check_assignment_stays(protocol, latest)
    if latest.effective_on is not None and protocol.effective_on <= latest.effective_on:
        message = (
            f"Version {protocol.version!r} would take effect on {protocol.effective_on}; a date after "
            f"{latest.effective_on}, when version {latest.version!r} does, was wanted."
        )
        raise RefusedError(message, code="amendment_out_of_order")


def find_trial(session: Session, scope: Scope, trial_id: str) -> Trial:
    """Return the trial.

    Raises
    ------
    NotFoundError
        There is none in the scope.
    """
    found = repository.trial(session, scope, trial_id)
    if found is None:
        raise no_such_trial(trial_id)
    return found


def exists(session: Session, trial_id: str) -> bool:
    """Whether there is such a trial, whoever asks."""
    return repository.trial(session, Scope.all(), trial_id) is not None


def trials_of_site(session: Session, site_id: str) -> Sequence[str]:
    """Return the trials in which a site takes part, whoever asks."""
    return repository.trials_of_site(session, site_id)


def versions_in_force(session: Session, on: date) -> Mapping[str, str]:
    """Return the protocol version in force on a day, by trial, whoever asks."""
    return repository.versions_in_force(session, on)


def no_such_trial(trial_id: str) -> NotFoundError:
    """Return the one answer for a trial that does not exist or is out of scope."""
    return NotFoundError(f"There is no trial {trial_id!r}.")


def filed_protocol(
    session: Session, scope: Scope, trial_id: str, *, version: str | None = None, on: date
) -> FiledProtocol:
    """Return a version of the protocol: the named one, else the one in force on a day.

    Raises
    ------
    NotFoundError
        There is no such trial or version in the scope.
    """
    if version is not None:
        filed = repository.protocol(session, scope, trial_id, version)
        if filed is None:
            message = f"Trial {trial_id!r} has no protocol version {version!r}."
            raise NotFoundError(message)
        return filed
    filed = repository.protocol_in_force(session, scope, trial_id, on)
    if filed is None:
        raise no_such_trial(trial_id)
    return filed


def filed_protocols(session: Session, scope: Scope, trial_id: str) -> Sequence[FiledProtocol]:
    """Return every version of the protocol, in the order in which they were filed.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    find_trial(session, scope, trial_id)
    return repository.protocols(session, scope, trial_id)


def understood(filed: FiledProtocol) -> Mapping[str, Any]:
    """Return the value of every parameter of a filed protocol, defaults included."""
    return protocol_to_mapping(_value(filed.writing))


def protocol_in_force(session: Session, scope: Scope, trial_id: str, *, on: date) -> TrialProtocol:
    """Return the value of the protocol that is in force on a day.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    """
    return _value(filed_protocol(session, scope, trial_id, on=on).writing)


def protocol_version(session: Session, scope: Scope, trial_id: str, version: str) -> TrialProtocol:
    """Return the value of one version.

    Raises
    ------
    NotFoundError
        There is no such version in the scope.
    """
    return _value(filed_protocol(session, scope, trial_id, version=version, on=date.min).writing)


@lru_cache(maxsize=256)
def _value(writing: ProtocolText) -> TrialProtocol:
    return writing.protocol()


def open_site(act: Act, site: Site) -> bool:
    """Let a hospital take part; False when it already does, under the same name.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    ConflictError
        The site exists under another name.
    """
    find_trial(act.session, act.scope, site.trial_id)
    existing = repository.site(act.session, Scope.all(), site.trial_id, site.site_id)
    if existing is not None:
        if existing != site:
            message = (
                f"Site {site.site_id!r} of trial {site.trial_id!r} is named {existing.name!r}, "
                f"not {site.name!r}."
            )
            raise ConflictError(message, code="site_exists")
        return False
    repository.add_site(act.session, site, act.now)
    act.record("open site", "site", f"{site.trial_id} {site.site_id}", after={"name": site.name})
    return True


def find_site(session: Session, scope: Scope, trial_id: str, site_id: str) -> Site:
    """Return the site.

    Raises
    ------
    NotFoundError
        The trial has none of that name in the scope.
    """
    found = repository.site(session, scope, trial_id, site_id)
    if found is None:
        message = f"Trial {trial_id!r} has no site {site_id!r}."
        raise NotFoundError(message)
    return found


def sites(session: Session, scope: Scope, trial_id: str, page: PageRequest) -> Page[Site]:
    """Return the sites of a trial that are in the scope."""
    find_trial(session, scope, trial_id)
    return repository.sites(session, scope, trial_id, page)


def trials(session: Session, scope: Scope, page: PageRequest) -> Page[Trial]:
    """Return the trials of the scope."""
    return repository.trials(session, scope, page)


def seat_reader(act: Act, trial_id: str, slot: Slot, account: str) -> None:
    """Give a slot of the trial to an account, or let it into the pool; nothing happens when it is so.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope, or no such account.
    RefusedError
        The account has not the role that the slot needs, or the protocol has no such slot or no pool.
    ConflictError
        The slot is taken, or the account holds another one of the trial.
    """
    protocol = protocol_in_force(act.session, act.scope, trial_id, on=act.today)
    if slot.number is None:
        _check_adjudicator(act.session, trial_id, account)
    elif slot.number > protocol.readers.count:
        message = f"The protocol has {protocol.readers.count} reader; there is no slot {slot.value!r}."
        raise RefusedError(message, code="no_such_slot")
    else:
        _check_blinded(act.session, trial_id, account)
    permission = Grant(trial_id=trial_id, reader_slot=slot.number)
    accounts.grant_to(act.session, act.actor, account, permission, now=act.now)
    if slot is Slot.POOL:
        ask_for_readers(act, trial_id)


def _check_blinded(session: Session, trial_id: str, account: str) -> None:
    row = accounts.find_account(session, account)
    unblinded = sorted(_UNBLINDED & {Role(role) for role in row.roles})
    if unblinded and any(grant.trial_id == trial_id and grant.reader_slot is None for grant in row.grants):
        message = (
            f"The account {account!r} sees trial {trial_id!r} unblinded as {' and '.join(unblinded)}; "
            "a reader must be another person."
        )
        raise ConflictError(message, code="reader_not_blinded")


def _check_adjudicator(session: Session, trial_id: str, account: str) -> None:
    row = accounts.find_account(session, account)
    if Role.ADJUDICATOR not in row.roles:
        message = f"The account {account!r} has the roles {', '.join(row.roles)}; the slot needs adjudicator."
        raise RefusedError(message, code="not_an_adjudicator")
    if any(grant.trial_id == trial_id and grant.reader_slot is not None for grant in row.grants):
        message = f"The account {account!r} reads for trial {trial_id!r}; nobody adjudicates an own read."
        raise ConflictError(message, code="adjudicator_not_independent")
