"""Which chapters keep derived rows, in the order in which they are renewed."""

from imaging_service.adjudication import diameters
from imaging_service.adjudication import service as adjudication
from imaging_service.derived import service as derived
from imaging_service.evaluations import service as evaluations
from imaging_service.exports import service as exports
from imaging_service.outcomes import service as outcomes


def keep_derived_rows() -> None:
    """Let every commit of this process renew what it changes the ground of."""
    derived.kept_by(
        (adjudication.KEEPER, diameters.KEEPER, outcomes.KEEPER, evaluations.KEEPER, exports.KEEPER)
    )
