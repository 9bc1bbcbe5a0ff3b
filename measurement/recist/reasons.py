"""Why a rule answered as it did: a code, a sentence, its published source, and the records."""

from types import MappingProxyType
from typing import Final, NamedTuple


class Rule(NamedTuple):
    """A rule as it is told to people.

    Attributes
    ----------
    sentence
        Template of the sentence, filled with a reason's facts.
    source
        Where the rule is published.
    """

    sentence: str
    source: str


RULES: Final = MappingProxyType(
    {
        "no_baseline": Rule("There is no baseline to compare with.", "E09 4.2"),
        "not_done": Rule("Nothing was assessed: {}.", "E09 4.4.2"),
        # Target lesions
        "no_targets": Rule("There were no target lesions at baseline.", "E09 4.4.1"),
        "all_targets_gone": Rule(
            "All targets are gone, and every target node has a short axis below {} mm.", "E09 4.3.1"
        ),
        "reappeared_after_cr": Rule("{} is there again after a complete response.", "E09 4.4.3 Table 3; FAQ"),
        "sum_progressed": Rule(
            "The sum of {} mm is at least {:%} and {} mm above the nadir of {} mm.", "E09 4.3.1"
        ),
        "partial_sum_progressed": Rule(
            "What was measured, {} mm, is by itself at least {:%} and {} mm above the nadir of {} mm.",
            "E09 4.4.2; FAQ",
        ),
        "targets_not_all_assessed": Rule("Not every target was assessed: {}.", "E09 4.4.2"),
        "baseline_sum_unknown": Rule("The baseline sum is not complete or not above 0 mm.", "E09 4.2"),
        "sum_decreased": Rule("The sum of {} mm is at least {:%} below the baseline of {} mm.", "E09 4.3.1"),
        "response_held": Rule(
            "The sum of {} mm is no progression, and a partial response holds until CR or PD.", "FAQ"
        ),
        "neither_pr_nor_pd": Rule(
            "The sum of {} mm is neither a response from {} mm at baseline nor progression from {} mm.",
            "E09 4.3.1",
        ),
        # Non-target lesions
        "no_non_targets": Rule("There were no non-target lesions at baseline.", "E09 4.4.1"),
        "all_non_targets_gone": Rule("All non-targets are gone, and all nodes are normal.", "E09 4.3.3"),
        "unequivocal_progression": Rule("Unequivocal progression of {}.", "E09 4.3.4"),
        "non_targets_remain": Rule("Non-targets remain without unequivocal progression.", "E09 4.3.3"),
        "non_targets_not_all_assessed": Rule("Not every non-target was assessed: {}.", "E09 4.4.2"),
        # New lesions
        "unequivocal_new_lesion": Rule("There is an unequivocal new lesion: {}.", "E09 4.3.5"),
        "new_lesion_first_seen": Rule("{} was first seen on {}, which dates the progression.", "E09 4.3.5"),
        "equivocal_new_lesion": Rule("An equivocal new lesion does not count yet: {}.", "E09 4.3.5"),
        # Overall
        "with_targets": Rule("Target {}, non-target {}, new lesion {}.", "E09 4.4.1 Table 1"),
        "non_targets_only": Rule(
            "Non-target {1}, new lesion {2}; there were no targets.", "E09 4.4.1 Table 2"
        ),
        "no_disease": Rule("There was no disease at baseline; new lesion {2}.", "CDISC NED; E09 4.3.5"),
        "after_progression": Rule("This lies after the first progression and counts no more.", "E09 4.4.3"),
        # Best overall response
        "best_until_progression": Rule("{} at {} is the best response until progression.", "E09 4.4.3"),
        "confirmed": Rule("{} at {} is confirmed at {}.", "E09 4.4.3 Table 3; 4.6.1"),
        "stable_minimum_met": Rule(
            "{} at {} lies {} days after the start, and SD needs at least {}.", "E09 4.4.3 Table 3; 4.6.3"
        ),
        "stable_minimum_unknown": Rule("{} at {}; without a start no minimum applies.", "E09 4.6.3"),
        "no_evidence_of_disease": Rule("There was no disease at baseline and none at {}.", "CDISC NED"),
        "progressed": Rule("Progression at {} before anything better counted.", "E09 4.4.3 Table 3"),
        "disease_after_cr": Rule(
            "Disease at {} after the CR at {}, and SD was not yet old enough to count.", "E09 4.4.3 Table 3"
        ),
        "stable_too_early": Rule(
            "{} at {} lies {} days after the start; SD needs at least {}.", "E09 4.4.3 Table 3; 4.6.3"
        ),
        "never_evaluable": Rule("No timepoint after baseline was evaluable.", "E09 4.4.2, 4.4.3"),
        "never_assessed": Rule("Nothing was assessed after baseline.", "E09 4.4.2, 4.4.3"),
    }
)  # fmt: skip
"""Every code a reason may have, with its sentence and source."""


class Reason(NamedTuple):
    """One reason of a verdict.

    Attributes
    ----------
    code
        A key of `RULES`.
    facts
        Values found, in the order of the rule's sentence.
    record_ids
        Records that the verdict came from.
    """

    code: str
    facts: tuple[object, ...] = ()
    record_ids: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The reason in words, with the values found."""
        return RULES[self.code].sentence.format(*self.facts)

    @property
    def source(self) -> str:
        """Where the rule is published."""
        return RULES[self.code].source
