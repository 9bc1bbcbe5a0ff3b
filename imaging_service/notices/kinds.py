"""What notices tell of."""

from enum import StrEnum


class Kind(StrEnum):
    """What has happened."""

    TIMEPOINT_RECEIVED = "timepoint_received"
    STUDY_MATCHED = "study_matched"
    STUDY_UNMATCHED = "study_unmatched"
    TIMEPOINT_OVERDUE = "timepoint_overdue"
    TIMEPOINT_MISSED = "timepoint_missed"
    CONFIRMATION_DUE = "confirmation_due"
    CALENDAR_CLOSED = "calendar_closed"
    QUALITY_FINDING = "quality_finding"
    QUERY_OPENED = "query_opened"
    QUERY_ANSWERED = "query_answered"
    QUERY_CLOSED = "query_closed"
    READ_SIGNED = "read_signed"
    READ_UNLOCKED = "read_unlocked"
    PROGRESSION = "progression"
    ADJUDICATION_NEEDED = "adjudication_needed"
    ADJUDICATION_DONE = "adjudication_done"
