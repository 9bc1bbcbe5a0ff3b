"""Assessments as the routes answer them."""

from imaging_service.assessments.repository import Assessment
from imaging_service.assessments.schemas import AssessmentAnswer


def assessment_answer(found: Assessment) -> AssessmentAnswer:
    """Return a stored verdict as the routes answer it."""
    return AssessmentAnswer.model_validate(
        {
            **found.answer,
            "read_id": found.read_id,
            "edition": found.edition,
            "derived_at": found.derived_at,
            "protocol_version": found.protocol_version,
            "inputs_sha256": found.inputs_sha256,
        }
    )
