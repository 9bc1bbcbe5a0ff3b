"""Overall response at a timepoint (OVRLRESP): E09 section 4.4.1, Tables 1 and 2, as tables."""

from collections.abc import Iterator
from itertools import product
from types import MappingProxyType
from typing import Final, NamedTuple

from measurement.recist.responses import NewLesionFinding, NonTargetResponse, OverallResponse, TargetResponse


class Row(NamedTuple):
    """A row of a table: any of these together give that.

    Attributes
    ----------
    targets, non_targets, new_lesions
        Responses that the row covers.
    overall
        Its answer.
    """

    targets: frozenset[TargetResponse]
    non_targets: frozenset[NonTargetResponse]
    new_lesions: frozenset[NewLesionFinding]
    overall: OverallResponse


_T, _N, _O = TargetResponse, NonTargetResponse, OverallResponse

NEW: Final = frozenset({NewLesionFinding.UNEQUIVOCAL})
NOT_NEW: Final = frozenset({NewLesionFinding.NONE, NewLesionFinding.EQUIVOCAL})
"""An equivocal lesion is no new lesion until it is confirmed (E09 4.3.5)."""

ANY_TARGET: Final = frozenset(_T) - {_T.NA}
ANY_NON_TARGET: Final = frozenset(_N) - {_N.NA}
NOT_PD: Final = frozenset(_N) - {_N.PD}
"""Non-PD or not all evaluated; no non-targets at baseline reads the same."""

TABLE_1: Final = (
    Row(frozenset({_T.CR}), frozenset({_N.CR, _N.NA}), NOT_NEW, _O.CR),
    Row(frozenset({_T.CR}), frozenset({_N.NON_CR_NON_PD, _N.NE}), NOT_NEW, _O.PR),
    Row(frozenset({_T.PR}), NOT_PD, NOT_NEW, _O.PR),
    Row(frozenset({_T.SD}), NOT_PD, NOT_NEW, _O.SD),
    Row(frozenset({_T.NE}), NOT_PD, NOT_NEW, _O.NE),
    Row(frozenset({_T.PD}), frozenset(_N), NEW | NOT_NEW, _O.PD),
    Row(ANY_TARGET - {_T.PD}, frozenset({_N.PD}), NEW | NOT_NEW, _O.PD),
    Row(ANY_TARGET - {_T.PD}, NOT_PD, NEW, _O.PD),
)
"""Subjects with target lesions, with or without non-targets."""

TABLE_2: Final = (
    Row(frozenset({_T.NA}), frozenset({_N.CR}), NOT_NEW, _O.CR),
    Row(frozenset({_T.NA}), frozenset({_N.NON_CR_NON_PD}), NOT_NEW, _O.NON_CR_NON_PD),
    Row(frozenset({_T.NA}), frozenset({_N.NE}), NOT_NEW, _O.NE),
    Row(frozenset({_T.NA}), frozenset({_N.PD}), NEW | NOT_NEW, _O.PD),
    Row(frozenset({_T.NA}), ANY_NON_TARGET - {_N.PD}, NEW, _O.PD),
)
"""Subjects with non-target lesions only."""

NO_DISEASE: Final = (
    Row(frozenset({_T.NA}), frozenset({_N.NA}), NOT_NEW, _O.NED),
    Row(frozenset({_T.NA}), frozenset({_N.NA}), NEW, _O.PD),
)
"""Subjects without any disease at baseline."""

Combination = tuple[TargetResponse, NonTargetResponse, NewLesionFinding]


def _combinations(row: Row) -> Iterator[Combination]:
    return product(row.targets, row.non_targets, row.new_lesions)


OVERALL: Final = MappingProxyType(
    {
        combination: row.overall
        for table in (TABLE_1, TABLE_2, NO_DISEASE)
        for row in table
        for combination in _combinations(row)
    }
)
"""Every combination of responses with its answer."""


def overall_response(
    target: TargetResponse, non_target: NonTargetResponse, new_lesion: NewLesionFinding
) -> OverallResponse:
    """Return the overall response of a timepoint.

    Parameters
    ----------
    target, non_target
        Responses of the lesions of baseline; NA when there were none.
    new_lesion
        Whether there is a new lesion.

    Returns
    -------
    OverallResponse
        From E09 Table 1 with targets, Table 2 with non-targets only; NED without disease.

    Examples
    --------
    >>> overall_response(TargetResponse.CR, NonTargetResponse.NE, NewLesionFinding.NONE).value
    'PR'
    """
    return OVERALL[target, non_target, new_lesion]
