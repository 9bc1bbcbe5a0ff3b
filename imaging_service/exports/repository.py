"""The SQL of what is kept of discordances."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.derived import repository as derived
from imaging_service.exports.discordance import Discordance, Variable
from imaging_service.exports.tables import KeptDiscordanceRow
from imaging_service.http.pages import PageRequest

Placed = tuple[tuple[str, int], Discordance]
"""A discordance behind its key: the subject, and its place among the subject's."""

_PLAIN = [name for name in Discordance.__slots__ if name not in {"read_ids", "variable"}]


KEPT = KeptDiscordanceRow


def kept_values(found: Sequence[Discordance]) -> Sequence[Mapping[str, Any]]:
    """Return a subject's discordances as they are kept."""
    return [
        {
            "place": place,
            "variable": each.variable.value,
            "first_read_id": each.read_ids[0],
            "second_read_id": each.read_ids[1],
            **{name: getattr(each, name) for name in _PLAIN},
        }
        for place, each in enumerate(found)
    ]


def page(session: Session, scope: Scope, trial_id: str, basis: str, wanted: PageRequest) -> Sequence[Placed]:
    """Return the kept discordances of a page and one more, none out of date."""
    statement = select(KeptDiscordanceRow).where(
        KeptDiscordanceRow.trial_id == trial_id,
        scope.sites(KeptDiscordanceRow.trial_id, KeptDiscordanceRow.site_id),
        derived.is_current(KeptDiscordanceRow.trial_id, KeptDiscordanceRow.subject_id, basis),
    )
    key = (KeptDiscordanceRow.subject_id, KeptDiscordanceRow.place)
    return [_placed(row) for row in session.scalars(wanted.apply(statement, *key))]


def _placed(row: Any) -> Placed:  # noqa: ANN401  a row of `page`
    found = Discordance(
        **{name: getattr(row, name) for name in _PLAIN},
        variable=Variable(row.variable),
        read_ids=(row.first_read_id, row.second_read_id),
    )
    return (row.subject_id, row.place), found
