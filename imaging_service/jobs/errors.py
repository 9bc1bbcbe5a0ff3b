"""What can go wrong between a queue and a worker."""


class JobError(Exception):
    """Root of the errors of background work."""


class LeaseLostError(JobError):
    """The job was taken away from this worker: what it did must not be committed."""

    def __init__(self, name: str, job_id: str) -> None:
        super().__init__(
            f"Job {name} {job_id} belongs to another worker now or is done; this attempt is void."
        )


class UnknownJobError(JobError):
    """No handler has the job's name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f"No handler is registered for job {name!r}; there are {', '.join(known) or 'none'}."
        )


class AbandonedJobError(JobError):
    """A worker began the job and ended before it could say how it went."""

    def __init__(self, name: str, attempts: int) -> None:
        super().__init__(f"Job {name} ended its worker in each of {attempts} attempts.")


class CompletedTwiceError(JobError):
    """A handler asked for the completing transaction a second time."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The handler of job {name} may open its completion once, and opened it twice.")


class NoSuchJobError(JobError):
    """A job that was to be released is not parked."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"No parked job has the number {job_id}.")


class KeylessJobError(JobError):
    """A derived job has no key to tell it from one that is there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"A derived job needs a key; {name} has none.")
