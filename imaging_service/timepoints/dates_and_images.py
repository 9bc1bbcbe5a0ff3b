"""What a subject's dates say about images that are there: possible, and worth a look."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from imaging_service.accounts.scope import Scope
from imaging_service.subjects.dates import SubjectDates
from imaging_service.subjects.records import Subject
from imaging_service.subjects.service import DOUBTS
from imaging_service.timepoints import repository


def doubts(session: Session, subject: Subject, dates: SubjectDates) -> Iterator[str]:
    """Yield a sentence for consent after the first images, and for death or withdrawal before the last."""
    known = repository.of_subject(session, Scope.all(), subject.trial_id, subject.subject_id)
    imaged = sorted(each.imaged_on for each in known if each.imaged_on is not None)
    if not imaged:
        return
    if dates.consent_on is not None and dates.consent_on > imaged[0]:
        yield f"The consent is dated {dates.consent_on}, after imaging on {imaged[0]}."
    for name, day in (("death", dates.death_on), ("withdrawal", dates.withdrawal_on)):
        if day is not None and day < imaged[-1]:
            yield f"The {name} is dated {day}, before imaging on {imaged[-1]}."


DOUBTS.ask_also(doubts)
