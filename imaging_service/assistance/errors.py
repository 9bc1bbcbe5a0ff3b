"""Why nothing can be suggested."""

from imaging_service.errors import ConflictError, NotFoundError, RefusedError
from measurement.errors import MeasurementError


class ProposalRefusedError(RefusedError):
    """No outline can be proposed from what was asked."""

    general_code = "proposal_refused"

    def __init__(self, error: MeasurementError) -> None:
        """Pass the sentence on."""
        super().__init__(str(error))


class FramesApartError(RefusedError):
    """A frame and the one to subtract from it do not show the same place."""

    general_code = "frames_apart"

    def __init__(self) -> None:
        """Say what is wanted."""
        super().__init__(
            "A frame is subtracted from one that shows the same place; these differ in size or position."
        )


class ProposalMissingError(NotFoundError):
    """The read has no such proposal."""

    def __init__(self, proposal_id: str) -> None:
        """Name it."""
        super().__init__(f"There is no proposal {proposal_id!r} in this read.")


class RejectedAlreadyError(ConflictError):
    """A proposal is rejected once."""

    general_code = "rejected_already"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("The proposal is rejected already.")


class SeriesMissingError(RefusedError):
    """A series is not one of the timepoint's."""

    general_code = "series_missing"

    def __init__(self, series_instance_uid: str) -> None:
        """Name it."""
        super().__init__(f"The series {series_instance_uid} is not one of this timepoint's.")


class PhasesRefusedError(RefusedError):
    """Series that are no phases of one dynamic acquisition."""

    general_code = "phases_refused"
