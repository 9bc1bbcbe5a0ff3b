"""Which of the observations of a timepoint belong to the lesions followed since baseline."""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from measurement.lesions.lesion import NonTargetObservation, TargetObservation
from measurement.recist.queries import Query

Seen = TypeVar("Seen", TargetObservation, NonTargetObservation)


def match(
    observed: Sequence[Seen], followed: Mapping[str, Seen], where: str, role: str
) -> tuple[Sequence[Seen], Collection[Seen], tuple[str, ...], tuple[Query, ...]]:
    """Match the observations of a timepoint with the lesions of baseline.

    Parameters
    ----------
    observed
        What was seen, in any order; of a lesion observed twice the first counts.
    followed
        The lesions of baseline, by identifier.
    where
        The timepoint.
    role
        ``target`` or ``non_target``, as the queries are called.

    Returns
    -------
    matched
        What was seen of each followed lesion, in the order in which they are followed.
    at_baseline
        The same lesions at baseline, in the same order.
    absent
        Followed lesions without an observation.
    queries
        Questions about observations that are missing, repeated, or of no followed lesion.
    """
    names = [lesion.lesion_id for lesion in observed]
    if names == list(followed):
        return observed, followed.values(), (), ()
    first = {lesion.lesion_id: lesion for lesion in reversed(observed)}
    matched = [name for name in followed if name in first]
    absent = tuple(name for name in followed if name not in first)
    strange = dict.fromkeys(name for name in names if name not in followed)
    repeated = [name for name in matched if names.count(name) > 1]
    queries = tuple(
        Query(code, where, (name,), (name, where))
        for code, doubted in (
            (f"unknown_{role}", strange),
            ("lesion_repeated", repeated),
            (f"{role}_not_assessed", absent),
        )
        for name in doubted
    )
    return [first[name] for name in matched], [followed[name] for name in matched], absent, queries
