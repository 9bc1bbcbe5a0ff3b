"""The SQL of what is kept of the readers' single diameters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.adjudication.repository import Wanted
from imaging_service.adjudication.tables import KeptDiametersRow
from imaging_service.derived import repository as derived
from measurement.endpoints.agreement import PairSums
from measurement.endpoints.paired_diameters import Grouping

Group = tuple[Grouping, str]

KEPT = KeptDiametersRow

_SUMS = [each.name for each in fields(PairSums)]


def kept_values(site_id: str, found: Mapping[Group, PairSums]) -> Sequence[Mapping[str, Any]]:
    """Return a subject's sums as they are kept."""
    return [
        {"site_id": site_id, "grouping": grouping.value, "name": name, **asdict(sums)}
        for (grouping, name), sums in found.items()
    ]


def totals(
    session: Session, scope: Scope, wanted: Wanted, groupings: Iterable[Grouping], basis: str | None
) -> Mapping[Group, PairSums]:
    """Return what the kept sums of a trial, or of one site of it, add up to.

    Parameters
    ----------
    session, scope, wanted
        Where to look.
    groupings
        The groupings that are wanted.
    basis
        What the rows must follow from; None where all of them are known to follow from it.
    """
    row = KeptDiametersRow
    statement = select(
        row.grouping, row.name, *(func.sum(getattr(row, each)).label(each) for each in _SUMS)
    ).where(
        row.trial_id == wanted.trial_id,
        row.grouping.in_([each.value for each in groupings]),
        scope.sites(row.trial_id, row.site_id),
    )
    if wanted.site_id is not None:
        statement = statement.where(row.site_id == wanted.site_id)
    if basis is not None:
        statement = statement.where(derived.is_current(row.trial_id, row.subject_id, basis))
    found = session.execute(statement.group_by(row.grouping, row.name))
    return {
        (Grouping(each.grouping), each.name): PairSums(*(int(getattr(each, name)) for name in _SUMS))
        for each in found
    }
