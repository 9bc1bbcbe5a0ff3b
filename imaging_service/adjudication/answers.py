"""Reviews, cases and decisions as the routes answer them."""

from dataclasses import asdict

from imaging_service.adjudication.review import Decision, Review
from imaging_service.adjudication.schemas import (
    CaseAnswer,
    CaseItemAnswer,
    CaseReadAnswer,
    CaseReaderAnswer,
    DifferenceAnswer,
    OwnDecisionAnswer,
    ReviewAnswer,
)
from imaging_service.adjudication.service import Case
from imaging_service.assessments.repository import Assessment
from imaging_service.assessments.schemas import VerdictAnswer
from imaging_service.reads.answers import lesion_answer
from imaging_service.reads.read import Read


def item_answer(review: Review) -> CaseItemAnswer:
    """Return a line of the adjudicator's worklist."""
    return CaseItemAnswer(
        trial_id=review.trial_id,
        reading_id=review.reading_id,
        edition=len(review.decisions) + (review.decision is None),
        differences=[DifferenceAnswer(**asdict(each)) for each in review.differences],
    )


def decision_answer(decision: Decision) -> OwnDecisionAnswer:
    """Return a signed decision."""
    return OwnDecisionAnswer(
        edition=decision.edition,
        chosen_reader=decision.chosen_slot,
        reason=decision.reason,
        differences=[DifferenceAnswer(**each) for each in decision.differences],
        evidence_sha256=decision.evidence_sha256,
        printed_name=decision.printed_name,
        meaning=decision.meaning,
        signed_at=decision.signed_at,
        record_hash=decision.record_hash,
    )


def case_answer(found: Case) -> CaseAnswer:
    """Return a case as an adjudicator sees it: readers by number, the subject by its reading id."""
    review = found.review
    return CaseAnswer(
        **item_answer(review).model_dump(),
        standing=review.standing,
        evidence_sha256=review.evidence_sha256,
        readers=[
            CaseReaderAnswer(
                reader=slot,
                verdict=VerdictAnswer.model_validate(of_reader[-1][1].answer),
                reads=[_read(*each) for each in of_reader],
            )
            for slot, of_reader in sorted(found.readers.items())
        ],
        decisions=[decision_answer(each) for each in review.decisions],
    )


def _read(read: Read, assessment: Assessment) -> CaseReadAnswer:
    return CaseReadAnswer(
        read_id=read.read_id,
        timepoint_id=read.timepoint_id,
        number=read.number,
        imaged_on=read.imaged_on,
        sum_mm=assessment.sum_mm,
        target_response=assessment.target_response,
        non_target_response=assessment.non_target_response,
        new_lesion=assessment.new_lesion,
        overall_response=assessment.overall_response,
        lesions=[lesion_answer(each) for each in read.lesions],
    )


def review_answer(review: Review) -> ReviewAnswer:
    """Return the review of a subject for whom the trial is not blinded."""
    accepted = review.acceptance
    return ReviewAnswer(
        trial_id=review.trial_id,
        subject_id=review.subject_id,
        site_id=review.site_id,
        reading_id=review.reading_id,
        standing=accepted.standing,
        is_accepted=accepted.is_accepted,
        reader=accepted.slot,
        differences=[DifferenceAnswer(**asdict(each)) for each in review.differences],
        decisions=[decision_answer(each) for each in review.decisions],
    )
