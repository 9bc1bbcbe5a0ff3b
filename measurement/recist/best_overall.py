"""Best overall response of a subject, unconfirmed and confirmed (E09 4.4.3, 4.6; Table 3).

A rule looks at the responses up to the first progression and answers or passes; the order of
the two lists at the end is the precedence.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from measurement.protocol.criteria import RECIST_1_1, ConfirmationRules
from measurement.recist.assessment import BestOverallResponse
from measurement.recist.confirmation import Occasion, confirming, disease_after_cr, settle_disease_after_cr
from measurement.recist.queries import Query
from measurement.recist.reasons import Reason
from measurement.recist.responses import BestResponse, OverallResponse

_B, _O = BestResponse, OverallResponse


class SettledCourse(NamedTuple):
    """The responses of a subject up to the first progression, and what they are judged by.

    Attributes
    ----------
    occasions
        In order of time; those that were not done included.
    anchor_on
        Day from which the minimum of SD is counted; `None` when unknown, then none applies.
    has_targets
        Whether there were target lesions at baseline; without, stable is NON-CR/NON-PD.
    rules
        The protocol's choices.
    """

    occasions: Sequence[Occasion]
    anchor_on: date | None
    has_targets: bool
    rules: ConfirmationRules

    def first(self, *responses: OverallResponse) -> Occasion | None:
        """Return the first occasion with one of these responses."""
        for occasion in self.occasions:
            if occasion.response in responses:
                return occasion
        return None

    def days_to(self, occasion: Occasion) -> int | None:
        """Return the days from the anchor to an occasion, if both are dated."""
        if self.anchor_on is None or occasion.assessed_on is None:
            return None
        return (occasion.assessed_on - self.anchor_on).days

    def may_be_stable(self, occasion: Occasion) -> bool:
        """Whether an occasion lies late enough to count as SD."""
        days = self.days_to(occasion)
        return days is None or days >= self.rules.stable_minimum_days


Verdict = BestOverallResponse | None
BestRule = Callable[[SettledCourse], Verdict]


def _answer(
    response: BestResponse,
    occasion: Occasion | None,
    reason: Reason,
    *,
    responded_on: date | None = None,
    confirmed_by: str | None = None,
) -> BestOverallResponse:
    return BestOverallResponse(
        response=response,
        responded_on=responded_on,
        timepoint_id=occasion.timepoint_id if occasion else None,
        confirmed_by=confirmed_by,
        reasons=(reason,),
    )


def _best(response: OverallResponse) -> BestRule:
    """Return the rule that a response seen once is enough."""

    def rule(course: SettledCourse) -> Verdict:
        occasion = course.first(response)
        if occasion is None:
            return None
        first = course.first(_O.CR, _O.PR)
        reason = Reason("best_until_progression", (response.value, occasion.timepoint_id))
        return _answer(
            _B(response.value), occasion, reason, responded_on=first.assessed_on if first else None
        )

    return rule


def _confirmed(response: OverallResponse) -> BestRule:
    """Return the rule that a response must be confirmed."""

    def rule(course: SettledCourse) -> Verdict:
        if course.first(response) is None:
            return None
        responded_on: date | None = None
        for position, occasion in enumerate(course.occasions):
            if occasion.response is not _O.PR and occasion.response is not _O.CR:
                continue
            confirmed_by = confirming(course.occasions, position, course.rules)
            if confirmed_by is None:
                continue
            responded_on = responded_on or occasion.assessed_on
            if occasion.response is response:
                facts = (response.value, occasion.timepoint_id, confirmed_by.timepoint_id)
                return _answer(
                    _B(response.value),
                    occasion,
                    Reason("confirmed", facts),
                    responded_on=responded_on,
                    confirmed_by=confirmed_by.timepoint_id,
                )
        return None

    return rule


def _stable(
    answer: BestResponse, with_targets: frozenset[OverallResponse], without: frozenset[OverallResponse]
) -> BestRule:
    """Return the rule that a response is at least stable disease, once the minimum has passed."""

    def rule(course: SettledCourse) -> Verdict:
        counting = with_targets if course.has_targets else without
        for occasion in course.occasions:
            if occasion.response in counting and course.may_be_stable(occasion):
                days = course.days_to(occasion)
                minimum = course.rules.stable_minimum_days
                facts = (occasion.response.value, occasion.timepoint_id, days, minimum)
                code = "stable_minimum_unknown" if days is None else "stable_minimum_met"
                return _answer(answer, occasion, Reason(code, facts))
        return None

    return rule


def _no_evidence_of_disease(course: SettledCourse) -> Verdict:
    """NED, which must be as old as SD (admiralonco, ADRS with non-standard endpoints: ``bor_ned``)."""
    for occasion in course.occasions:
        if occasion.response is _O.NED and course.may_be_stable(occasion):
            return _answer(_B.NED, occasion, Reason("no_evidence_of_disease", (occasion.timepoint_id,)))
    return None


def _progressed(course: SettledCourse) -> Verdict:
    occasion = course.first(_O.PD)
    if occasion is None:
        return None
    return _answer(_B.PD, occasion, Reason("progressed", (occasion.timepoint_id,)))


def _disease_after_cr(course: SettledCourse) -> Verdict:
    """Table 3: CR then SD is SD when the minimum was met, otherwise PD."""
    for complete, disease in disease_after_cr(course.occasions):
        facts = (disease.timepoint_id, complete.timepoint_id)
        return _answer(_B.PD, disease, Reason("disease_after_cr", facts))
    return None


def _not_evaluable(course: SettledCourse) -> Verdict:
    for occasion in course.occasions:
        if occasion.response is not _O.NE:
            facts = (
                occasion.response.value,
                occasion.timepoint_id,
                course.days_to(occasion),
                course.rules.stable_minimum_days,
            )
            return _answer(_B.NE, occasion, Reason("stable_too_early", facts))
    for occasion in course.occasions:
        if occasion.assessed_on is not None:
            return _answer(_B.NE, occasion, Reason("never_evaluable"))
    return None


def _never_assessed(course: SettledCourse) -> BestOverallResponse:
    return _answer(_B(course.rules.no_assessment.value), None, Reason("never_assessed"))


_STABLE = (
    _stable(_B.SD, frozenset({_O.SD}), frozenset({_O.SD})),
    _stable(_B.NON_CR_NON_PD, frozenset({_O.NON_CR_NON_PD}), frozenset({_O.NON_CR_NON_PD})),
)
_STABLE_OR_UNCONFIRMED = (
    _stable(_B.SD, frozenset({_O.CR, _O.PR, _O.SD}), frozenset({_O.PR, _O.SD})),
    _stable(_B.NON_CR_NON_PD, frozenset({_O.NON_CR_NON_PD}), frozenset({_O.CR, _O.NON_CR_NON_PD})),
)

UNCONFIRMED: tuple[BestRule, ...] = (
    _best(_O.CR),
    _best(_O.PR),
    *_STABLE,
    _no_evidence_of_disease,
    _progressed,
    _not_evaluable,
)
"""Precedence of the best overall response when confirmation is not required."""

CONFIRMED: tuple[BestRule, ...] = (
    _confirmed(_O.CR),
    _confirmed(_O.PR),
    *_STABLE_OR_UNCONFIRMED,
    _no_evidence_of_disease,
    _progressed,
    _disease_after_cr,
    _not_evaluable,
)
"""Precedence of the best overall response when confirmation is required (E09 Table 3)."""


def best_overall_response(
    occasions: Sequence[Occasion],
    *,
    anchor_on: date | None,
    rules: ConfirmationRules = RECIST_1_1.confirmation,
    has_targets: bool = True,
) -> BestOverallResponse:
    """Return the best overall response without confirmation.

    Parameters
    ----------
    occasions
        Overall responses after baseline in order of time. Nothing after the first PD counts.
    anchor_on
        Day from which the minimum of SD is counted; `None` when unknown, then none applies.
    rules
        The protocol's choices.
    has_targets
        Whether there were target lesions at baseline.
    """
    course = SettledCourse(
        occasions=until_progression(occasions), anchor_on=anchor_on, has_targets=has_targets, rules=rules
    )
    return _first_answer(UNCONFIRMED, course)


def confirmed_best_overall_response(
    occasions: Sequence[Occasion],
    *,
    anchor_on: date | None,
    rules: ConfirmationRules = RECIST_1_1.confirmation,
    has_targets: bool = True,
) -> BestOverallResponse:
    """Return the best overall response with confirmation.

    Parameters
    ----------
    occasions
        Overall responses after baseline in order of time. Nothing after the first PD counts.
    anchor_on
        Day from which the minimum of SD is counted; `None` when unknown, then none applies.
    rules
        The protocol's choices.
    has_targets
        Whether there were target lesions at baseline.

    Returns
    -------
    BestOverallResponse
        With a query when disease follows a CR, as E09 Table 3 has no single answer to that.
    """
    counting = until_progression(occasions)
    pairs = disease_after_cr(counting)
    settled = settle_disease_after_cr(counting, pairs, rules, has_targets=has_targets)
    course = SettledCourse(occasions=settled, anchor_on=anchor_on, has_targets=has_targets, rules=rules)
    answer = _first_answer(CONFIRMED, course)
    return replace(answer, queries=(_query(*pairs[0]),)) if pairs else answer


def until_progression(occasions: Sequence[Occasion]) -> Sequence[Occasion]:
    """Return the occasions up to the first PD, included: nothing after it counts (E09 4.4.3)."""
    for position, occasion in enumerate(occasions):
        if occasion.response is _O.PD:
            return occasions[: position + 1]
    return occasions


def _first_answer(precedence: Sequence[BestRule], course: SettledCourse) -> BestOverallResponse:
    for rule in precedence:
        answer = rule(course)
        if answer is not None:
            return answer
    return _never_assessed(course)


def _query(complete: Occasion, disease: Occasion) -> Query:
    """Ask about the first disease after a CR."""
    facts = (disease.timepoint_id, disease.response.value, complete.timepoint_id)
    return Query("cr_then_disease", disease.timepoint_id, (), facts)
