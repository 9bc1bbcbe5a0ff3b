"""Which timepoints have a response: a question of this chapter that only a higher one can answer."""

from collections.abc import Callable

from sqlalchemy import Select

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


RESPONSES = ResponseSearch()
"""The one of this process; the chapter of assessments fills it when it is imported."""
