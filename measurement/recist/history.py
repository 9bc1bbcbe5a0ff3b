"""What earlier timepoints proved, as far as later ones depend on it."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from measurement.recist.baseline import Baseline
from measurement.units import ReportedMillimetres


class Sighting(NamedTuple):
    """Where a new lesion was first seen.

    Attributes
    ----------
    first_seen_on
        Day of the first scan that showed it.
    timepoint_id
        Timepoint of that scan.
    record_id
        Record of that observation.
    is_certain
        Whether it has been called unequivocal.
    """

    first_seen_on: date
    timepoint_id: str
    record_id: str
    is_certain: bool


NONE_SEEN: Mapping[str, Sighting] = MappingProxyType({})


class History(NamedTuple):
    """Everything that a timepoint's response depends on besides the timepoint itself.

    Attributes
    ----------
    baseline
        What everything is compared with; `None` when there is no baseline.
    nadir_mm
        Smallest complete sum so far in mm, baseline included; `None` when there was none.
    holds_response
        Whether the targets reached PR or CR and have not progressed since.
    had_cr
        Whether the subject ever reached CR, which is more than the CR of the targets.
    has_progressed
        Whether there was a PD.
    sightings
        New lesions seen so far and not refuted.
    """

    baseline: Baseline | None
    nadir_mm: ReportedMillimetres | None = None
    holds_response: bool = False
    had_cr: bool = False
    has_progressed: bool = False
    sightings: Mapping[str, Sighting] = NONE_SEEN

    @classmethod
    def at(cls, baseline: Baseline | None) -> "History":
        """Return the history of a subject who has had nothing but baseline."""
        return cls(baseline=baseline, nadir_mm=baseline.sum_mm if baseline else None)
