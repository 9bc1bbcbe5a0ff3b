"""What a setting may be, apart from how settings are read: a running listener needs no more."""

from enum import StrEnum


class FurtherModality(StrEnum):
    """Modalities that are received only where a trial asks for them."""

    CT = "CT"
    PT = "PT"
    US = "US"


class ConflictPolicy(StrEnum):
    """What to do with other content under a SOP Instance UID that is already kept."""

    KEEP = "keep"
    REFUSE = "refuse"
