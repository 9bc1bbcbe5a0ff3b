"""How far a suggestion may be trusted."""

from enum import StrEnum


class Confidence(StrEnum):
    """What a page shows with a suggestion."""

    CONFIDENT = "confident"
    DOUBTFUL = "doubtful"
