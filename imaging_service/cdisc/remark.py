"""What a report says about the data: a query, a finding, a difference or a note, and where it stands."""

from dataclasses import dataclass
from enum import StrEnum

from imaging_service.cdisc.record import Place


class RemarkKind(StrEnum):
    """How much a remark weighs.

    Attributes
    ----------
    QUERY
        The data contradicts itself; somebody must be asked.
    FINDING
        The data is not as RECIST or the protocol wants it.
    DIFFERENCE
        A submitted answer is not the derived one.
    NOTE
        Worth knowing; nothing has to be done.
    """

    QUERY = "query"
    FINDING = "finding"
    DIFFERENCE = "difference"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing that a report says.

    Attributes
    ----------
    kind
        How much it weighs.
    code
        Its name.
    sentence
        What was found, and what was wanted or made of it.
    subject_id, evaluator, visit, lesion_id
        What it is about; empty where that does not apply.
    place
        The record that shows it; ``None`` when it is about what is not there.
    source
        Where the rule is published.
    """

    kind: RemarkKind
    code: str
    sentence: str
    subject_id: str = ""
    evaluator: str = ""
    visit: str = ""
    lesion_id: str = ""
    place: Place | None = None
    source: str = ""

    @property
    def is_open(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.kind is not RemarkKind.NOTE
