"""Which studies are there for a caller, and how much of them is replaced."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from imaging_service.accounts.principal import Principal, Role
from imaging_service.images.dicomweb import repository
from imaging_service.images.dicomweb.blinding import Blinding, is_readable
from imaging_service.images.dicomweb.repository import FiledInstance, FiledStudy
from imaging_service.reads import service as reads

UNBLINDED = frozenset({Role.ADMINISTRATOR, Role.COORDINATOR})
"""Roles that see the studies of their trials as they came, unless they read in the trial themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a reader may see of a study."""

    series: Mapping[str, int] = field(default_factory=dict)  # instances of each
    instances: AbstractSet[str] = frozenset()
    modalities: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleStudy:
    """A study that is there for the caller."""

    study_instance_uid: str
    blinding: Blinding | None = None  # None shows it as it came
    of_series: Mapping[str, Blinding] = field(default_factory=dict)  # where they are on several timepoints
    contents: Contents | None = None  # None shows all of it

    def blinding_of(self, series_instance_uid: str | None) -> Blinding | None:
        """How a series of it is shown: a study may hold series of several timepoints."""
        return self.of_series.get(series_instance_uid or "", self.blinding)

    def shows_series(self, series_instance_uid: str) -> bool:
        """Whether a series of it is there for the caller."""
        return self.contents is None or series_instance_uid in self.contents.series

    def shows_instance(self, sop_instance_uid: str) -> bool:
        """Whether an instance of it is there for the caller."""
        return self.contents is None or sop_instance_uid in self.contents.instances


def visible_studies(
    session: Session, principal: Principal, uids: Sequence[str] | None = None
) -> Mapping[str, VisibleStudy]:
    """Return the studies that are there for the caller, by UID in the order of their UIDs.

    A coordinator has the studies of its trials and those that may yet belong to one. A reader has the
    studies of timepoints that are signed or in turn, an adjudicator those of its trials, both blinded.

    Parameters
    ----------
    session
        The transaction.
    principal
        Who asks.
    uids
        The only ones wanted, or None for all.
    """
    openings: dict[str, bool] = {}
    blinded: list[FiledStudy] = []
    found: dict[str, VisibleStudy | None] = {}
    for study in repository.studies(session, principal.scope, uids):
        if is_unblinded(principal, study.trial_id):
            found[study.study_instance_uid] = VisibleStudy(study_instance_uid=study.study_instance_uid)
        elif _may_read(principal, study) and study.timepoint_id is not None:
            for timepoint_id in (study.timepoint_id, *study.split_to):
                if timepoint_id not in openings:
                    openings[timepoint_id] = reads.is_open_to(session, principal, timepoint_id)
                if openings[timepoint_id] and study.study_instance_uid not in found:
                    blinded.append(study)
                    found[study.study_instance_uid] = None  # keeps its place
    found.update(_blinded(session, blinded, {each for each, is_open in openings.items() if is_open}))
    return {uid: each for uid, each in found.items() if each is not None}


def _blinded(
    session: Session, studies: Sequence[FiledStudy], opened: AbstractSet[str]
) -> Mapping[str, VisibleStudy]:
    """Return of each study what is on a timepoint that is open."""
    members: dict[str, list[FiledInstance]] = {}
    for each in repository.instances(session, [study.study_instance_uid for study in studies]):
        is_shown = is_readable(each.sop_class_uid, is_identity_removed=each.is_identity_removed)
        if is_shown and each.timepoint_id in opened:
            members.setdefault(each.study_instance_uid, []).append(each)
    return {
        study.study_instance_uid: _shown(study, members.get(study.study_instance_uid, []), opened)
        for study in studies
    }


def _shown(study: FiledStudy, members: Sequence[FiledInstance], opened: AbstractSet[str]) -> VisibleStudy:
    numbers: dict[str | None, int | None] = {study.timepoint_id: study.number}
    numbers.update(study.split_to)
    first = next(number for timepoint_id, number in numbers.items() if timepoint_id in opened)
    return VisibleStudy(
        study_instance_uid=study.study_instance_uid,
        blinding=_blinding(study, first),
        of_series={
            each.series_instance_uid: _blinding(study, numbers[each.timepoint_id]) for each in members
        },
        contents=Contents(
            series=Counter(each.series_instance_uid for each in members),
            instances={each.sop_instance_uid for each in members},
            modalities={each.modality for each in members if each.modality},
        ),
    )


def is_unblinded(principal: Principal, trial_id: str | None) -> bool:
    """Whether the caller sees a trial's studies as they came."""
    if not principal.has(*UNBLINDED):
        return False
    if trial_id is not None:
        return principal.scope.reader_slot(trial_id) is None
    return all(grant.reader_slot is None for grant in principal.scope.grants)


def _may_read(principal: Principal, study: FiledStudy) -> bool:
    if study.trial_id is None or study.reading_id is None:
        return False
    is_reader = principal.scope.reader_slot(study.trial_id) is not None
    return is_reader or principal.has(Role.ADJUDICATOR)


def _blinding(study: FiledStudy, number: int | None) -> Blinding:
    return Blinding(
        reading_id=study.reading_id or "",
        baseline_on=study.baseline_on or study.study_date,
        timepoint=None if number is None else str(number),
    )
