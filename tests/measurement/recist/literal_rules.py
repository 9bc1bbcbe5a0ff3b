"""The published rules once more, slow and literal, to check the product against.

Nothing here is shared with the product. Responses are letters (C, P, S, N for
NON-CR/NON-PD, D for PD, E for NE) and sequences of them are strings, so that "nothing but
these in between" is a pattern.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

LETTERS = {"CR": "C", "PR": "P", "SD": "S", "NON-CR/NON-PD": "N", "PD": "D", "NE": "E"}
WORDS = {letter: word for word, letter in LETTERS.items()}


@dataclass(frozen=True)
class Rules:
    """E09 4.6, and what the trial adds."""

    interval: int = 28
    minimum: int = 35
    not_evaluable: int = 0
    stable: bool = False
    policy: str = "query"
    has_targets: bool = True


def confirmed(responses: str, days: Sequence[int], rules: Rules) -> str:
    """Return the best overall response when confirmation is required."""
    # "Nothing after the first PD counts."
    if "D" in responses:
        responses = responses[: responses.index("D") + 1]
    responses = _settle(responses, rules)
    if _has_confirmed_cr(responses, days, rules):
        return "CR"
    if _has_confirmed_pr(responses, days, rules):
        return "PR"
    # "SD, provided that the minimum duration for SD was met": CR and PR are at least SD.
    old_enough = {letter for letter, day in zip(responses, days, strict=False) if day >= rules.minimum}
    if old_enough & set("CPS" if rules.has_targets else "PS"):
        return "SD"
    if old_enough & set("N" if rules.has_targets else "CN"):
        return "NON-CR/NON-PD"
    # "otherwise PD"
    if "D" in responses or re.search("C.*[PSN]", responses):
        return "PD"
    return "NE"


def unconfirmed(responses: str, days: Sequence[int], rules: Rules) -> str:
    """Return the best overall response when confirmation is not required."""
    responses = responses.partition("D")[0] + ("D" if "D" in responses else "")
    for letter in "CP":
        if letter in responses:
            return WORDS[letter]
    for letter in "SN":
        if any(each == letter and day >= rules.minimum for each, day in zip(responses, days, strict=False)):
            return WORDS[letter]
    return "PD" if "D" in responses else "NE"


def _settle(responses: str, rules: Rules) -> str:
    """Table 3, note a, as the protocol's policy reads it."""
    doubted = re.search("C[^PSN]*([PSN])", responses)
    if doubted is None or rules.policy == "query":
        return responses
    if rules.policy == "pd":
        return responses[: doubted.start(1)] + "D"
    lesser = "P" if rules.has_targets else "N"
    return re.sub("C(?=.*[PSN])", lesser, responses)


def _pairs(responses: str, days: Sequence[int], rules: Rules) -> list[tuple[str, str, str]]:
    """Return every two responses at least the interval apart, with what lies between."""
    return [
        (responses[first], responses[first + 1 : second], responses[second])
        for first in range(len(responses))
        for second in range(first + 1, len(responses))
        if days[second] - days[first] >= rules.interval
    ]


def _has_confirmed_cr(responses: str, days: Sequence[int], rules: Rules) -> bool:
    return any(
        (first, second) == ("C", "C")
        and re.fullmatch("[CE]*", between)
        and between.count("E") <= rules.not_evaluable
        for first, between, second in _pairs(responses, days, rules)
    )


def _has_confirmed_pr(responses: str, days: Sequence[int], rules: Rules) -> bool:
    return any(
        first == "P"
        and second in "CP"
        and re.fullmatch("[CPSE]*", between)
        and between.count("E") <= rules.not_evaluable
        and between.count("S") <= (1 if rules.stable else 0)
        # A PR after a CR: one of the two is wrong.
        and not re.search("C.*P", between + second)
        for first, between, second in _pairs(responses, days, rules)
    )
