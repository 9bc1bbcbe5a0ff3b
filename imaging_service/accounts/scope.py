"""What a principal may see: the one value that every repository asks."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlalchemy.orm import InstrumentedAttribute

POOL = 0
"""The reader slot of who reads whatever subjects are assigned to it; which slot, each subject says."""

Column = InstrumentedAttribute[Any] | ColumnElement[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One permission: a trial, or one site of it, or one reader slot of it.

    Parameters
    ----------
    trial_id
        The trial.
    site_id
        The only site of it, or ``None`` for all its sites.
    reader_slot
        1 for the first reader, 2 for the second, `POOL` for whom subjects are assigned to; ``None`` for who
        does not read.
    """

    trial_id: str
    site_id: str | None = None
    reader_slot: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where a principal may act.

    Parameters
    ----------
    everywhere
        Whether it is not limited at all (administrators, and the service's own machines).
    grants
        The permissions of who is limited.

    Examples
    --------
    >>> scope = Scope.of([Grant(trial_id="T1", site_id="S1"), Grant(trial_id="T2", reader_slot=2)])
    >>> scope.sees_site("T1", "S2"), scope.sees_site("T2", "S2"), scope.reader_slot("T2")
    (False, True, 2)
    """

    everywhere: bool = False
    grants: frozenset[Grant] = field(default_factory=frozenset)

    @classmethod
    def all(cls) -> "Scope":
        """Return the scope without limits."""
        return cls(everywhere=True)

    @classmethod
    def of(cls, grants: Iterable[Grant]) -> "Scope":
        """Return the scope of these permissions."""
        return cls(grants=frozenset(grants))

    def within(self, limits: Iterable[Grant]) -> "Scope":
        """Return the part of this scope that is inside `limits` too.

        Examples
        --------
        >>> whole = Scope.of([Grant(trial_id="T1"), Grant(trial_id="T2", site_id="S1")])
        >>> part = whole.within([Grant(trial_id="T1", site_id="S9"), Grant(trial_id="T2")])
        >>> part == Scope.of([Grant(trial_id="T1", site_id="S9"), Grant(trial_id="T2", site_id="S1")])
        True
        """
        limits = tuple(limits)
        if self.everywhere:
            return Scope.of(limits)
        return Scope.of(
            Grant(
                trial_id=grant.trial_id,
                site_id=grant.site_id or limit.site_id,
                reader_slot=grant.reader_slot,
            )
            for grant in self.grants
            for limit in limits
            if grant.trial_id == limit.trial_id
            and (grant.site_id is None or limit.site_id in {None, grant.site_id})
        )

    @property
    def trial_ids(self) -> frozenset[str]:
        """Return the trials of the grants."""
        return frozenset(grant.trial_id for grant in self.grants)

    def sees_trial(self, trial_id: str) -> bool:
        """Whether the trial, or a part of it, is in the scope."""
        return self.everywhere or trial_id in self.trial_ids

    def sees_whole_trial(self, trial_id: str) -> bool:
        """Whether all of the trial's sites are in the scope."""
        return self.everywhere or any(
            grant.trial_id == trial_id and grant.site_id is None for grant in self.grants
        )

    def sees_site(self, trial_id: str, site_id: str) -> bool:
        """Whether the site's subjects are in the scope."""
        return self.everywhere or any(
            grant.trial_id == trial_id and grant.site_id in {None, site_id} for grant in self.grants
        )

    def reader_slot(self, trial_id: str) -> int | None:
        """Return the slot that the principal reads in, `POOL` when each subject says it, or ``None``."""
        slots = {grant.reader_slot for grant in self.grants if grant.trial_id == trial_id}
        return min((slot for slot in slots if slot is not None), default=None)

    def trials(self, trial_id: Column) -> ColumnElement[bool]:
        """Return the SQL condition that a row of this trial is in the scope."""
        return true() if self.everywhere else trial_id.in_(sorted(self.trial_ids))

    def sites(self, trial_id: Column, site_id: Column) -> ColumnElement[bool]:
        """Return the SQL condition that a row of this trial and site is in the scope."""
        if self.everywhere:
            return true()
        whole = sorted({grant.trial_id for grant in self.grants if grant.site_id is None})
        single = sorted(
            {(grant.trial_id, grant.site_id) for grant in self.grants if grant.site_id is not None}
        )
        return or_(
            false(),
            trial_id.in_(whole),
            *(and_(trial_id == trial, site_id == site) for trial, site in single),
        )
