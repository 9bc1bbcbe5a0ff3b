"""Questions to a reader or site about data that contradicts itself."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

QUESTIONS: Final = MappingProxyType(
    {
        # The sequence of timepoints
        "baseline_missing": "There is no baseline timepoint: when was the subject first imaged?",
        "baseline_repeated": "Timepoints {} are all numbered 0 and {} is used: which one is baseline?",
        "baseline_not_done": "The baseline timepoint {} was not done: is there another one?",
        "imaged_before_baseline": "Timepoint {} was imaged on {}, before the baseline of {}: is that right?",
        "number_repeated": "Timepoints {} and {} both have number {}: which one is it?",
        "day_repeated": "Timepoints {} and {} were both imaged on {}: are they one timepoint?",
        "out_of_order": "Timepoint {} was imaged before timepoint {} but has a higher number: is that right?",
        # Baseline
        "lesion_in_two_roles": "{} is both target and non-target at baseline: which one is it?",
        "baseline_not_measured": "{} is a target but {} at baseline: what is its diameter?",
        "baseline_sum_zero": "The targets at baseline add up to 0 mm: what were they measured as?",
        "baseline_non_target_gone": "{} is a non-target but {} at baseline: was it there?",
        "new_at_baseline": "{} is called new at baseline, where nothing can be new: what is it?",
        # Follow-up
        "lesion_repeated": "{} was assessed more than once at {}: is the first assessment the right one?",
        "target_not_assessed": "The target {} has no assessment at {}: what was seen?",
        "non_target_not_assessed": "The non-target {} has no assessment at {}: what was seen?",
        "unknown_target": "{} is assessed as a target at {} but is none of the baseline: which lesion is it?",
        "unknown_non_target": (
            "{} is assessed as a non-target at {} but is none of the baseline: which lesion is it?"
        ),
        "nodal_changed": "{} was {} at baseline and is {} at {}: which is right?",
        "method_changed": "{} was measured by {} at baseline and by {} at {}: can the two be compared?",
        "merged_into_unknown": (
            "{} merged into {} at {}, which is no other target with a diameter: which lesion carries it?"
        ),
        "progression_without_reason": "{} progressed at {} without a reason: why is it unequivocal?",
        "node_state_contradicted": "The node {} is {} at {} with a short axis of {} mm: which is right?",
        "new_lesion_followed": "{} is called new at {} but is followed since baseline: which lesion is it?",
        "doubt_after_certainty": "{} was unequivocal before and is {} at {}: was it a new lesion?",
        "refuted_unseen": "{} is refuted at {} but was not in doubt before: which lesion is it?",
        "reappeared_after_cr": "{} is there again at {} after a complete response: was the CR truly met?",
        "cr_then_disease": "The response at {} is {} after a CR at {}: was that CR truly met, or a PR?",
    }
)  # fmt: skip
"""Every code a query may have, with its question."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question about data that contradicts itself. It never stops the assessment.

    Attributes
    ----------
    code
        A key of `QUESTIONS`.
    timepoint_id
        The timepoint it is about; empty when it is about the subject.
    lesion_ids
        The lesions it is about.
    facts
        Values found, in the order of the question.
    """

    code: str
    timepoint_id: str = ""
    lesion_ids: tuple[str, ...] = ()
    facts: tuple[object, ...] = ()

    @property
    def sentence(self) -> str:
        """The question in words, with the values found."""
        return QUESTIONS[self.code].format(*self.facts)
