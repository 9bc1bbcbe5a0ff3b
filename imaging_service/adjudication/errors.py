"""What adjudication refuses, in one tree under the service's.

* NotIndependentError 403
* NothingToAdjudicateError 409
* EvidenceChangedError 409
"""

from typing import ClassVar

from imaging_service.errors import ConflictError, ForbiddenError


class NotIndependentError(ForbiddenError):
    """The adjudicator has read for the trial, or sees it unblinded."""

    general_code: ClassVar[str] = "adjudicator_not_independent"


class NothingToAdjudicateError(ConflictError):
    """The subject has no open case."""

    general_code: ClassVar[str] = "nothing_to_adjudicate"

    def __init__(self, reading_id: str, standing: str) -> None:
        """Say how far the review has come."""
        super().__init__(
            f"The review of {reading_id} stands at {standing!r}; 'to_adjudicate' was wanted for a decision."
        )


class EvidenceChangedError(ConflictError):
    """The reads changed after the adjudicator looked at them."""

    general_code: ClassVar[str] = "evidence_changed"

    def __init__(self, reading_id: str) -> None:
        """Ask for another look."""
        super().__init__(
            f"The reads of {reading_id} are not those that the decision names; look at the case again."
        )
