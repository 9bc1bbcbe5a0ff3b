"""Tell, when a read is signed, that an adjudicator has to choose: in the transaction of the signature."""

from imaging_service.adjudication import service
from imaging_service.adjudication.repository import Wanted
from imaging_service.adjudication.review import Standing
from imaging_service.notices.kinds import Kind
from imaging_service.notices.service import publish
from imaging_service.reads import repository as reads
from imaging_service.reads.act import ReadAct
from imaging_service.reads.read import Read
from imaging_service.trials import service as trials


def tell_if_needed(act: ReadAct, read: Read) -> None:
    """Tell once of each pair of courses that an adjudicator has to choose between."""
    today = act.now.date()
    protocol = trials.protocol_in_force(act.session, reads.SYSTEM.scope, read.trial_id, on=today)
    wanted = Wanted(trial_id=read.trial_id, subject_id=read.subject_id)
    for review in service.reviews(act.session, reads.SYSTEM, protocol, wanted, today):
        if review.standing is Standing.TO_ADJUDICATE:
            publish(
                act.act,
                Kind.ADJUDICATION_NEEDED,
                read.trial_id,
                subject_id=read.subject_id,
                reference=review.evidence_sha256,
                is_told_once=True,
            )
