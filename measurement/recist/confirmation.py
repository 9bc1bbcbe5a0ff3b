"""Confirmation of a response by a later timepoint (E09 4.6.1, Table 3)."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from measurement.protocol.criteria import RECIST_1_1, ConfirmationRules, CrThenDisease
from measurement.recist.responses import OverallResponse

_O = OverallResponse

DISEASE = frozenset({_O.PR, _O.SD, _O.NON_CR_NON_PD})
"""Responses that show disease without being progression."""

CONFIRMS = {_O.CR: frozenset({_O.CR}), _O.PR: frozenset({_O.CR, _O.PR})}
"""What confirms a response: at least the same again."""


class Occasion(NamedTuple):
    """An overall response on its day.

    Attributes
    ----------
    timepoint_id
        The timepoint.
    assessed_on
        Day of the response; `None` when nothing was imaged.
    response
        The overall response.
    """

    timepoint_id: str
    assessed_on: date | None
    response: OverallResponse


def disease_after_cr(occasions: Sequence[Occasion]) -> tuple[tuple[Occasion, Occasion], ...]:
    """Return each CR that is followed by disease short of progression, with the first such occasion.

    Parameters
    ----------
    occasions
        In order of time, none after the first PD.
    """
    pairs: list[tuple[Occasion, Occasion]] = []
    waiting: list[Occasion] = []
    for occasion in occasions:
        if occasion.response is _O.CR:
            waiting.append(occasion)
        elif waiting and occasion.response in DISEASE:
            pairs += [(complete, occasion) for complete in waiting]
            waiting.clear()
    return tuple(pairs)


def settle_disease_after_cr(
    occasions: Sequence[Occasion],
    pairs: Sequence[tuple[Occasion, Occasion]],
    rules: ConfirmationRules,
    *,
    has_targets: bool,
) -> Sequence[Occasion]:
    """Read disease after a CR as the protocol's policy says (E09 Table 3, note a).

    Parameters
    ----------
    occasions
        In order of time, none after the first PD.
    pairs
        Each CR among them that is followed by disease, with that disease.
    rules
        The protocol's choices.
    has_targets
        Whether there were target lesions at baseline, so that less than a CR may be a PR.

    Returns
    -------
    sequence of Occasion
        `query`: as given. `pd`: the first disease after a CR is PD, and nothing after it counts.
        `ignore`: a CR that is followed by disease was a PR, or NON-CR/NON-PD without targets.
    """
    if not pairs or rules.cr_then_disease is CrThenDisease.QUERY:
        return occasions
    if rules.cr_then_disease is CrThenDisease.PD:
        disease = pairs[0][1]
        return [*occasions[: occasions.index(disease)], disease._replace(response=_O.PD)]
    lesser = _O.PR if has_targets else _O.NON_CR_NON_PD
    doubted = {complete for complete, _ in pairs}
    return [occasion._replace(response=lesser) if occasion in doubted else occasion for occasion in occasions]


def confirming(
    occasions: Sequence[Occasion], position: int, rules: ConfirmationRules = RECIST_1_1.confirmation
) -> Occasion | None:
    """Return the occasion that confirms a CR or PR.

    It shows at least the same response again, the protocol's interval later. Between the two lie
    only responses that would confirm it as well, at most `max_not_evaluable` NE and, after a PR
    and when accepted, one SD. A PR after a CR confirms nothing: one of the two is wrong.

    Parameters
    ----------
    occasions
        In order of time, none after the first PD.
    position
        Index of the CR or PR.
    rules
        The protocol's choices.

    Returns
    -------
    Occasion or None
        The first that confirms; `None` when none does, or when the response is no CR or PR.

    Examples
    --------
    >>> first = Occasion("TP1", date(2026, 1, 1), OverallResponse.PR)
    >>> confirming([first, Occasion("TP2", date(2026, 1, 29), OverallResponse.CR)], 0).timepoint_id
    'TP2'
    """
    start = occasions[position]
    wanted = CONFIRMS.get(start.response)
    if wanted is None or start.assessed_on is None:
        return None
    not_evaluable, stable = rules.max_not_evaluable, int(rules.accept_stable and start.response is _O.PR)
    was_complete = False
    for occasion in occasions[position + 1 :]:
        response = occasion.response
        if response in wanted and occasion.assessed_on is not None:
            if was_complete and response is _O.PR:
                return None
            was_complete = was_complete or response is _O.CR
            if (occasion.assessed_on - start.assessed_on).days >= rules.interval_days:
                return occasion
        elif response is _O.NE and not_evaluable:
            not_evaluable -= 1
        elif response is _O.SD and stable:
            stable -= 1
        else:
            return None
    return None
