"""The cohort report of every trial, as one hash each: the restored service must answer the same."""

import hashlib
from collections.abc import Mapping
from datetime import date

from sqlalchemy.orm import Session

from imaging_service.accounts.principal import Principal, Role
from imaging_service.accounts.scope import Scope
from imaging_service.canonical import canonical_json
from imaging_service.outcomes import service as outcomes
from imaging_service.outcomes.accepted import View
from imaging_service.outcomes.answers import cohort_answer
from imaging_service.outcomes.courses import DataCut
from imaging_service.trials import service as trials

_OPERATOR = Principal(
    account_id="",
    account="system:backup",
    name="system:backup",
    roles=frozenset({Role.ADMINISTRATOR}),
    scope=Scope.all(),
)


def hashes(session: Session, as_of: date) -> Mapping[str, str]:
    """Return the SHA-256 of each trial's cohort report as of a day, derived anew from the signed reads."""
    return {
        trial_id: _hash(session, trial_id, as_of) for trial_id in trials.versions_in_force(session, as_of)
    }


def _hash(session: Session, trial_id: str, as_of: date) -> str:
    cut = DataCut(as_of=as_of, today=as_of)
    report = outcomes.of_cohort(session, _OPERATOR, trial_id, cut, View.READERS, None)
    answer = cohort_answer(trial_id, as_of, View.READERS, report).model_dump(mode="json")
    return hashlib.sha256(canonical_json(answer).encode()).hexdigest()
