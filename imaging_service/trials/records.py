"""What the other chapters know of a trial."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from imaging_service.accounts.scope import POOL
from imaging_service.trials.protocols import ProtocolText
from measurement.protocol.trial import ReaderAssignment


class Slot(StrEnum):
    """A place in a trial's reading: its independent readers or their pool, and who chooses between two."""

    READER_1 = "1"
    READER_2 = "2"
    POOL = "pool"
    ADJUDICATOR = "adjudicator"

    @property
    def number(self) -> int | None:
        """The slot in a permission: the reader's number, or that of the pool; None for the adjudicator."""
        if self is Slot.POOL:
            return POOL
        return None if self is Slot.ADJUDICATOR else int(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A clinical study."""

    trial_id: str
    title: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledProtocol:
    """One version of a trial's protocol, as it was handed in."""

    trial_id: str
    version: str
    revision: int  # 1, 2, … in the order in which they were filed
    effective_on: date | None  # None for a first version that holds from the start
    writing: ProtocolText
    sha256: str  # of the text
    filed_by: str
    filed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderPlan:
    """How the subjects of a trial get readers out of its pool."""

    trial_id: str
    assignment: ReaderAssignment
    seed: str  # 32 hexadecimal digits
    drawn_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A hospital that takes part in a trial."""

    trial_id: str
    site_id: str
    name: str
