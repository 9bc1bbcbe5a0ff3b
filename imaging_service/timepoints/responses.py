"""What reads say about timepoints and subjects: questions that only a higher chapter can answer."""

from collections.abc import Callable
from datetime import date

from sqlalchemy import Select
from sqlalchemy.orm import Session

from imaging_service.accounts.principal import Principal
from imaging_service.errors import RefusedError

TimepointsWith = Callable[[Principal, str], Select[str]]
"""Takes who asks and a response, and selects the ids of the timepoints that have it."""


class ResponseSearch:
    """Asks whatever the chapter of assessments has left here."""

    def __init__(self) -> None:
        """Know nobody to ask."""
        self._ask: TimepointsWith | None = None

    def answer_with(self, ask: TimepointsWith) -> None:
        """Let `ask` answer from now on."""
        self._ask = ask

    def timepoints_with(self, principal: Principal, response: str) -> Select[str]:
        """Select the ids of the timepoints that have a response.

        Raises
        ------
        RefusedError
            This service assesses nothing.
        """
        if self._ask is None:
            message = "This service has no assessments, so timepoints cannot be searched by response."
            raise RefusedError(message, code="no_assessments")
        return self._ask(principal, response)


CentralProgression = Callable[[Session, str, str, date], date | None]
"""Takes a trial, a subject and a day, and gives the day of the progression that the accepted reads show."""


class CentralReview:
    """Asks whatever the chapter of calendars has left here."""

    def __init__(self) -> None:
        """Know nobody to ask."""
        self._ask: CentralProgression | None = None

    def answer_with(self, ask: CentralProgression) -> None:
        """Let `ask` answer from now on."""
        self._ask = ask

    def progression_on(self, session: Session, trial_id: str, subject_id: str, today: date) -> date | None:
        """Return the day of the progression that the accepted reads show, None while they show none."""
        return None if self._ask is None else self._ask(session, trial_id, subject_id, today)


CENTRAL = CentralReview()
"""The one of this process; the chapter of calendars fills it when it is imported."""

RESPONSES = ResponseSearch()
"""The one of this process; the chapter of assessments fills it when it is imported."""
