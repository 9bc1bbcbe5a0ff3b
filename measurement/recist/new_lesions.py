"""New lesions at a timepoint (NEWLIND; E09 4.3.5): certain, doubtful, or a doubt settled."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from measurement.lesions.lesion import NewLesionObservation, NewLesionState
from measurement.recist.history import NONE_SEEN, History, Sighting
from measurement.recist.observations import TimepointObservations
from measurement.recist.queries import Query
from measurement.recist.reasons import Reason
from measurement.recist.responses import NewLesionFinding


class NewLesionVerdict(NamedTuple):
    """What the new lesions say at a timepoint.

    Attributes
    ----------
    finding
        Whether there is one.
    seen_on
        Day of the scan, at this timepoint, that shows a certain one; it dates the verdict.
    first
        First sighting of the certain ones, at this timepoint or an earlier one; it dates the
        progression.
    sightings
        All new lesions seen up to now and not refuted.
    reasons
        Why.
    queries
        Questions about the data.
    """

    finding: NewLesionFinding
    seen_on: date | None
    first: Sighting | None
    sightings: Mapping[str, Sighting]
    reasons: tuple[Reason, ...]
    queries: tuple[Query, ...]


NO_NEW_LESIONS = NewLesionVerdict(NewLesionFinding.NONE, None, None, NONE_SEEN, (), ())


def assess_new_lesions(observed: TimepointObservations, history: History) -> NewLesionVerdict:
    """Derive whether there is a new lesion at a timepoint, and since when.

    A doubtful lesion that is later called unequivocal dates the progression by the first scan
    that showed it. One that is refuted never counted; should it be seen again, that is its
    first sighting.

    Parameters
    ----------
    observed
        What was seen.
    history
        What earlier timepoints proved.

    Returns
    -------
    NewLesionVerdict
        With the sightings that the next timepoint starts from.
    """
    if not observed.new_lesions or observed.imaged_on is None:
        return NO_NEW_LESIONS._replace(sightings=history.sightings) if history.sightings else NO_NEW_LESIONS
    sightings = dict(history.sightings)
    certain: list[NewLesionObservation] = []
    doubtful: list[NewLesionObservation] = []
    queries: list[Query] = []
    for lesion in observed.new_lesions:
        queries.extend(_queries(lesion, sightings, history, observed.timepoint_id))
        if lesion.state is NewLesionState.REFUTED:
            sightings.pop(lesion.lesion_id, None)
            continue
        sightings[lesion.lesion_id] = _sighting(lesion, sightings, observed.timepoint_id, observed.imaged_on)
        (certain if lesion.state is NewLesionState.UNEQUIVOCAL else doubtful).append(lesion)
    seen_on = min((lesion.imaged_on or observed.imaged_on for lesion in certain), default=None)
    first = min(
        (sightings[lesion.lesion_id] for lesion in certain),
        key=lambda sighting: sighting.first_seen_on,
        default=None,
    )
    finding = NewLesionFinding.EQUIVOCAL if doubtful else NewLesionFinding.NONE
    if certain:
        finding = NewLesionFinding.UNEQUIVOCAL
    reasons = _reasons(certain, doubtful, sightings, observed.timepoint_id)
    return NewLesionVerdict(finding, seen_on, first, sightings, reasons, tuple(queries))


def _sighting(
    lesion: NewLesionObservation, sightings: Mapping[str, Sighting], timepoint_id: str, imaged_on: date
) -> Sighting:
    is_certain = lesion.state is NewLesionState.UNEQUIVOCAL
    before = sightings.get(lesion.lesion_id)
    if before is None:
        return Sighting(
            first_seen_on=lesion.imaged_on or imaged_on,
            timepoint_id=timepoint_id,
            record_id=lesion.record_id,
            is_certain=is_certain,
        )
    return Sighting(
        first_seen_on=before.first_seen_on,
        timepoint_id=before.timepoint_id,
        record_id=before.record_id,
        is_certain=is_certain or before.is_certain,
    )


def _reasons(
    certain: list[NewLesionObservation],
    doubtful: list[NewLesionObservation],
    sightings: Mapping[str, Sighting],
    timepoint_id: str,
) -> tuple[Reason, ...]:
    reasons: list[Reason] = []
    if certain:
        reasons.append(_reason("unequivocal_new_lesion", certain))
    for lesion in certain:
        since = sightings[lesion.lesion_id]
        if since.timepoint_id != timepoint_id:
            records = tuple(record for record in (since.record_id, lesion.record_id) if record)
            facts = (lesion.lesion_id, since.first_seen_on)
            reasons.append(Reason("new_lesion_first_seen", facts, records))
    if doubtful:
        reasons.append(_reason("equivocal_new_lesion", doubtful))
    return tuple(reasons)


def _reason(code: str, lesions: list[NewLesionObservation]) -> Reason:
    names = ", ".join(lesion.lesion_id for lesion in lesions)
    return Reason(code, (names,), tuple(lesion.record_id for lesion in lesions if lesion.record_id))


def _queries(
    lesion: NewLesionObservation, sightings: Mapping[str, Sighting], history: History, where: str
) -> Iterator[Query]:
    name = lesion.lesion_id
    before = sightings.get(name)
    baseline = history.baseline
    if baseline and (name in baseline.targets or name in baseline.non_targets):
        yield Query("new_lesion_followed", where, (name,), (name, where))
    if lesion.state is NewLesionState.REFUTED and before is None:
        yield Query("refuted_unseen", where, (name,), (name, where))
    if before and before.is_certain and lesion.state is not NewLesionState.UNEQUIVOCAL:
        yield Query("doubt_after_certainty", where, (name,), (name, lesion.state.value, where))
