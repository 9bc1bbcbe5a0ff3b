"""How far quality control of a timepoint's images has come; the chapter of quality moves it."""

from enum import StrEnum

from imaging_service.jobs.port import Job


class ControlState(StrEnum):
    """Where a timepoint's images are between arrival and reading."""

    RECEIVED = "received"
    IN_CONTROL = "in_control"
    ACCEPTED = "accepted"
    QUERY_OPEN = "query_open"
    CORRECTED = "corrected"
    REJECTED = "rejected"


CONTROL = "control timepoint"
"""Job: hold the images that a timepoint has now against the protocol's rules."""


def control_job(timepoint_id: str) -> Job:
    """Return the job that controls a timepoint; several waiting ones are one."""
    return Job(name=CONTROL, payload={"timepoint_id": timepoint_id}, key=f"{CONTROL} {timepoint_id}")
