"""Every sequence of up to five responses, under every policy, against the literal rules."""

from datetime import timedelta
from itertools import product

import pytest

from measurement.protocol.criteria import ConfirmationRules, CrThenDisease
from measurement.recist.best_overall import best_overall_response, confirmed_best_overall_response
from measurement.recist.confirmation import Occasion
from measurement.recist.responses import OverallResponse
from tests.measurement.recist import literal_rules
from tests.measurement.recist.literal_rules import WORDS
from tests.measurement.recist.stories import START

CALENDARS = {"every six weeks": (42, 84, 126, 168, 210), "too close and too early": (20, 40, 55, 75, 90)}
OCCASIONS = {
    (position, day, letter): Occasion(f"TP{position}", START + timedelta(days=day), OverallResponse(word))
    for position in range(5)
    for day in sorted({day for days in CALENDARS.values() for day in days})
    for letter, word in WORDS.items()
}


@pytest.mark.parametrize("days", CALENDARS.values(), ids=CALENDARS)
@pytest.mark.parametrize("policy", CrThenDisease)
@pytest.mark.parametrize("has_targets", [True, False], ids=["with targets", "non-targets only"])
def test_every_sequence_of_responses(
    days: tuple[int, ...], policy: CrThenDisease, *, has_targets: bool
) -> None:
    letters = WORDS if has_targets else "CNDE"
    sequences = ["".join(each) for length in range(1, 6) for each in product(letters, repeat=length)]
    wrong = []
    for not_evaluable, stable in product((0, 1), (False, True)):
        rules = ConfirmationRules(
            max_not_evaluable=not_evaluable, accept_stable=stable, cr_then_disease=policy
        )
        literal = literal_rules.Rules(
            not_evaluable=not_evaluable, stable=stable, policy=policy.value, has_targets=has_targets
        )
        for sequence in sequences:
            occasions = [
                OCCASIONS[position, day, letter]
                for position, (letter, day) in enumerate(zip(sequence, days, strict=False))
            ]
            answer = confirmed_best_overall_response(
                occasions, anchor_on=START, rules=rules, has_targets=has_targets
            )
            expected = literal_rules.confirmed(sequence, days, literal)
            if answer.response != expected:
                wrong.append((sequence, rules, answer.response, expected))
    assert wrong == []


@pytest.mark.parametrize("days", CALENDARS.values(), ids=CALENDARS)
def test_every_sequence_of_responses_without_confirmation(days: tuple[int, ...]) -> None:
    wrong = []
    for sequence in ("".join(each) for length in range(1, 6) for each in product(WORDS, repeat=length)):
        occasions = [
            OCCASIONS[position, day, letter]
            for position, (letter, day) in enumerate(zip(sequence, days, strict=False))
        ]
        answer = best_overall_response(occasions, anchor_on=START)
        expected = literal_rules.unconfirmed(sequence, days, literal_rules.Rules())
        if answer.response != expected:
            wrong.append((sequence, answer.response, expected))
    assert wrong == []
