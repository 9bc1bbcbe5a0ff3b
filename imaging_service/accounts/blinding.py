"""Who stays blinded in a trial."""

from imaging_service.accounts.principal import Principal, Role
from imaging_service.errors import ForbiddenError


def is_blinded(principal: Principal, trial_id: str) -> bool:
    """Whether the caller reads in the trial or adjudicates, whatever other roles there are."""
    return principal.scope.reader_slot(trial_id) is not None or principal.has(Role.ADJUDICATOR)


def refuse_blinded(principal: Principal, trial_id: str) -> None:
    """Refuse who reads in the trial or adjudicates, whatever other roles there are.

    Raises
    ------
    ForbiddenError
        The caller does.
    """
    if is_blinded(principal, trial_id):
        message = f"The account reads or adjudicates in trial {trial_id!r} and stays blinded there."
        raise ForbiddenError(message, code="blinded")
