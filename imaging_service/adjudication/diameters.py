"""Single diameters of both readers, taken from the signed reads that count now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.accounts.blinding import refuse_blinded
from imaging_service.accounts.principal import Principal
from imaging_service.adjudication import diameter_repository, repository
from imaging_service.adjudication.diameter_repository import Group
from imaging_service.adjudication.repository import Wanted
from imaging_service.adjudication.review import FIRST, SECOND
from imaging_service.derived import service as derived
from imaging_service.derived.service import Keeper, Renewal
from imaging_service.reads import repository as reads
from imaging_service.reads.read import LesionRecord, Read
from imaging_service.subjects import service as subjects
from imaging_service.timepoints.facts import stored_plane
from imaging_service.trials import service as trials
from measurement.endpoints.agreement import PairSums
from measurement.endpoints.paired_diameters import (
    DrawnDiameter,
    Grouping,
    Occasion,
    grouped,
    same_lesions,
)
from measurement.lesions.lesion import Role


def totals(
    session: Session, principal: Principal, wanted: Wanted, groupings: Iterable[Grouping], today: date
) -> Mapping[Group, PairSums]:
    """Return how both readers measured the same lesions of a trial, or of one site of it, by group.

    Raises
    ------
    NotFoundError
        There is no such trial in the scope.
    ForbiddenError
        The caller reads or adjudicates in the trial.
    """
    protocol = trials.protocol_in_force(session, principal.scope, wanted.trial_id, on=today)
    refuse_blinded(principal, wanted.trial_id)
    asked = frozenset(groupings)
    if not asked:
        return {}
    old = derived.out_of_date(session, wanted.trial_id, protocol)
    basis = derived.basis_of(protocol) if old else None
    found = dict(diameter_repository.totals(session, principal.scope, wanted, asked, basis))
    anew = replace(wanted, subject_ids=sorted(old))
    for each in repository.subjects(session, principal.scope, anew) if old else ():
        for group, sums in _of_subject(session, wanted.trial_id, each.subject_id).items():
            if group[0] in asked:
                found[group] = PairSums.total([found.get(group, PairSums()), sums])
    return dict(sorted(found.items()))


def _of_subject(session: Session, trial_id: str, subject_id: str) -> Mapping[Group, PairSums]:
    return agreement_of(reads.signed_reads(session, reads.SYSTEM, trial_id, subject_id))


def kept_values(session: Session, renewal: Renewal) -> Sequence[Mapping[str, Any]]:
    """Return a subject's sums, to be kept."""
    subject = subjects.find_subject(session, reads.SYSTEM.scope, renewal.trial_id, renewal.subject_id)
    found = _of_subject(session, renewal.trial_id, renewal.subject_id)
    return diameter_repository.kept_values(subject.site_id, found)


KEEPER = Keeper(row=diameter_repository.KEPT, values=kept_values)


def agreement_of(signed: Sequence[Read]) -> Mapping[Group, PairSums]:
    """Sum up how the two readers measured the same lesions of a subject.

    Parameters
    ----------
    signed
        The subject's reads that count now; every timepoint that both have signed is compared.
    """
    by_slot = {
        slot: {each.timepoint_id: each for each in signed if each.slot == slot} for slot in (FIRST, SECOND)
    }
    return grouped(
        _occasion(one, by_slot[SECOND][timepoint_id])
        for timepoint_id, one in by_slot[FIRST].items()
        if timepoint_id in by_slot[SECOND]
    )


def _occasion(one: Read, other: Read) -> Occasion:
    signed = [each.signed_at for each in (one, other) if each.signed_at is not None]
    return Occasion(
        is_baseline=one.is_baseline,
        read_on=max(signed).date(),
        pairs=same_lesions(list(_diameters(one)), list(_diameters(other))),
    )


def _diameters(read: Read) -> Iterator[DrawnDiameter]:
    """Yield the targets that were measured whole; a split one has no diameter of its own."""
    for lesion in read.of_role(Role.TARGET):
        found = _diameter(lesion)
        if found is not None:
            yield found


def _diameter(lesion: LesionRecord) -> DrawnDiameter | None:
    axis = lesion.counted()
    if axis is None or lesion.diameter is None:
        return None
    middle = [(one + other) / 2 for one, other in zip(axis.start, axis.end, strict=True)]
    x, y, z = stored_plane(axis.plane).to_patient([middle])[0].tolist()
    return DrawnDiameter(
        lesion_id=lesion.lesion_id,
        organ=lesion.organ,
        is_nodal=lesion.is_nodal,
        diameter=lesion.diameter,
        space=axis.study_instance_uid,
        centre=(x, y, z),
        slice_thickness_mm=axis.plane.get("slice_thickness"),
    )
