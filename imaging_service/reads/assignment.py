"""Who reads which slot of which subject, as values apart from the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from imaging_service.reads.assigning import Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One account reads one slot of a subject, until a higher edition says otherwise."""

    trial_id: str
    subject_id: str
    slot: int
    edition: int
    account_id: str
    candidates: Sequence[Candidate] | None
    """The pool as it was at the draw; None when a coordinator chose."""
    reason: str
    assigned_by: str
    """Key of the account, or the system's name."""
    assigned_at: datetime

    @property
    def key(self) -> tuple[str, int, int]:
        """Its place among the assignments of the trial."""
        return self.subject_id, self.slot, self.edition

    @property
    def name(self) -> str:
        """What is read: a slot of a subject."""
        return f"{self.subject_id} slot {self.slot}"
