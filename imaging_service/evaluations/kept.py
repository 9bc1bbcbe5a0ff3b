"""What is kept of the comparison of a site's evaluations with one reader's reads of a subject."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from imaging_service.evaluations.comparison import Pair, Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptComparison:
    """Small figures that add up over a cohort, and the differences themselves."""

    trial_id: str
    subject_id: str
    slot: int
    """Whose reads are compared; which reader's count depends on the day on which it is asked."""
    site_id: str
    responses: Mapping[tuple[str, str], int]
    """How often site and reader gave these two overall responses to one timepoint."""
    agreeing: Mapping[str, int]
    """Pairs that agree, by variable."""
    compared: Mapping[str, int]
    """Pairs, by variable."""
    differing: Sequence[Pair]


def kept(trial_id: str, subject_id: str, slot: int, site_id: str, found: Sequence[Pair]) -> KeptComparison:
    """Return what is kept of a subject's pairs."""
    responses = [each for each in found if each.variable is Variable.OVERALL_RESPONSE]
    return KeptComparison(
        trial_id=trial_id,
        subject_id=subject_id,
        slot=slot,
        site_id=site_id,
        responses=Counter((each.site, each.central) for each in responses),
        agreeing=Counter(each.variable.value for each in found if each.agrees),
        compared=Counter(each.variable.value for each in found),
        differing=[each for each in found if not each.agrees],
    )


@dataclass(slots=True, kw_only=True)
class Agreement:
    """What comparisons add up to."""

    responses: Counter[tuple[str, str]] = field(default_factory=Counter)
    agreeing: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)

    def add(self, comparisons: Iterable[KeptComparison]) -> None:
        """Add comparisons one by one."""
        for each in comparisons:
            self.responses.update(each.responses)
            self.agreeing.update(each.agreeing)
            self.compared.update(each.compared)
