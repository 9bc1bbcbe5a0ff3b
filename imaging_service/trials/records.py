"""What the other chapters know of a trial."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from imaging_service.trials.protocols import ProtocolText


class Slot(StrEnum):
    """A place in a trial's reading: two independent readers, and who chooses between them."""

    READER_1 = "1"
    READER_2 = "2"
    ADJUDICATOR = "adjudicator"

    @property
    def number(self) -> int | None:
        """The reader's number, or None for the adjudicator."""
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
class Site:
    """A hospital that takes part in a trial."""

    trial_id: str
    site_id: str
    name: str
