"""Outcomes of record: of each subject only what follows from the reads that count."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from imaging_service.adjudication.review import Acceptance
from imaging_service.outcomes.courses import ReaderCourse


class View(StrEnum):
    """Whose reads outcomes follow from."""

    READERS = "readers"
    ACCEPTED = "accepted"


Accepted = Mapping[str, Acceptance]
"""Whose reads count, by subject; empty where each reader is shown apart."""


def of_record(courses: Sequence[ReaderCourse], accepted: Accepted) -> Sequence[ReaderCourse]:
    """Return of each subject the one course that counts.

    A subject without accepted reads keeps its place in every denominator with reader 1's as provisional.
    """
    return [each for each in courses if each.slot == accepted[each.subject.subject_id].slot]
