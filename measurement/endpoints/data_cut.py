"""What had been seen by a day: the observations of a subject as of a data cut."""

from collections.abc import Iterable
from datetime import date

from measurement.recist.observations import TimepointObservations


def seen_by(
    timepoints: Iterable[TimepointObservations], as_of: date | None
) -> tuple[TimepointObservations, ...]:
    """Return the timepoints that count as of a data cut.

    Parameters
    ----------
    timepoints
        Observations of one subject by one reader, in any order.
    as_of
        The cut; ``None`` for everything known.

    Returns
    -------
    tuple of TimepointObservations
        Those whose imaging was complete by the cut, in the same order: a timepoint of several days counts
        from its last one, so that no answer is given on half of its scans. One that was not imaged at all
        counts when a later one does.

    Examples
    --------
    >>> first = TimepointObservations(timepoint_id="TP1", number=1, imaged_on=date(2026, 2, 2))
    >>> seen_by([first], date(2026, 2, 1)), len(seen_by([first], date(2026, 2, 2)))
    ((), 1)
    """
    known = tuple(timepoints)
    if as_of is None:
        return known
    complete = [each for each in known if each.last_imaged_on and each.last_imaged_on <= as_of]
    latest = max((each.number for each in complete if each.number is not None), default=-1)
    counted = {each.timepoint_id for each in complete}
    return tuple(
        each
        for each in known
        if each.timepoint_id in counted
        or (each.last_imaged_on is None and each.number is not None and each.number < latest)
    )
