"""One stored answer that an amendment would change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from measurement.protocol.trial import TrialProtocol, protocol_to_mapping


class ChangeKind(StrEnum):
    """What would change."""

    WINDOW = "window"
    MATCH = "match"
    ELIGIBILITY = "eligibility"
    RESPONSE = "response"
    BEST_RESPONSE = "best_response"
    CONFIRMED_BEST_RESPONSE = "confirmed_best_response"
    PROGRESSION = "progression"
    PROGRESSION_FREE_SURVIVAL = "progression_free_survival"
    ADJUDICATION = "adjudication"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of the protocol that the amendment changes."""

    name: str  # with the tables around it: "criteria.sums.progression_increase"
    before: Any
    after: Any

    @property
    def sentence(self) -> str:
        """The parameter with both values."""
        return f"{self.name}: {self.before} becomes {self.after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One stored answer, and what it would be."""

    kind: ChangeKind
    subject_id: str
    site_id: str
    slot: int | None  # the reader; None for what no reader said
    timepoint: str | None  # "0", "3" or the day of an unscheduled one; None for what is about the subject
    imaged_on: str | None
    before: str
    after: str
    why: str


GROUNDS: Mapping[ChangeKind, tuple[str, ...]] = {
    ChangeKind.WINDOW: ("schedule.",),
    ChangeKind.MATCH: ("schedule.",),
    ChangeKind.ELIGIBILITY: ("criteria.measurability.",),
    ChangeKind.RESPONSE: ("criteria.", "schedule.anchor"),
    ChangeKind.BEST_RESPONSE: ("criteria.", "schedule.anchor"),
    ChangeKind.CONFIRMED_BEST_RESPONSE: ("criteria.", "schedule.anchor"),
    ChangeKind.PROGRESSION: ("criteria.", "schedule.anchor"),
    ChangeKind.PROGRESSION_FREE_SURVIVAL: ("criteria.", "endpoints.", "schedule."),
    ChangeKind.ADJUDICATION: ("criteria.", "readers.", "schedule.anchor"),
}
"""Parameters, by the beginning of their names, that each kind of answer follows from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """Two versions of a protocol, and where they differ."""

    before: TrialProtocol
    after: TrialProtocol
    parameters: Sequence[Parameter]

    @classmethod
    def of(cls, before: TrialProtocol, after: TrialProtocol) -> "Amendment":
        """Compare two versions, parameter by parameter."""
        old, new = _flat(protocol_to_mapping(before)), _flat(protocol_to_mapping(after))
        names = [name for name in dict.fromkeys([*old, *new]) if name not in _OF_EVERY_VERSION]
        changed = [
            Parameter(name=name, before=old.get(name), after=new.get(name))
            for name in names
            if old.get(name) != new.get(name)
        ]
        return cls(before=before, after=after, parameters=changed)

    def touches(self, *kinds: ChangeKind) -> bool:
        """Whether any parameter that answers of these kinds follow from is changed."""
        return any(self.grounds_of(kind) for kind in kinds)

    def grounds_of(self, kind: ChangeKind) -> Sequence[Parameter]:
        """Return the changed parameters that answers of a kind follow from."""
        return [each for each in self.parameters if each.name.startswith(GROUNDS[kind])]

    def why(self, kind: ChangeKind, sentence: str = "") -> str:
        """Say why answers of a kind change: what the rule says now, and the parameters behind it."""
        grounds = "; ".join(each.sentence for each in self.grounds_of(kind))
        return f"{sentence} {grounds}.".strip()


_OF_EVERY_VERSION = {"version", "effective_on", "title"}


def _flat(mapping: Mapping[str, Any], around: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in mapping.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{around}{name}.")
        else:
            found[f"{around}{name}"] = value
    return found
