"""The copied facts of a timepoint's series, as the acquisition rules take them."""

from collections.abc import Mapping
from typing import Any

from imaging_service.timepoints.facts import stored_plane
from imaging_service.timepoints.records import StoredSeries
from measurement.errors import MeasurementError
from measurement.geometry.plane import ImagePlane
from measurement.quality.facts import AcquiredSeries, FrameFacts


def acquired(series: StoredSeries) -> AcquiredSeries:
    """Return a stored series as a value that rules can be asked about."""
    facts = series.facts
    stored = [
        (instance.sop_instance_uid, number, frame)
        for instance in series.instances
        for number, frame in enumerate(instance.frames, start=1)
    ]
    contrast = (frame.get("acquisition", {}).get("contrast_at_seconds") for _, _, frame in stored)
    return AcquiredSeries(
        series_instance_uid=series.series_instance_uid,
        number=series.series_number,
        modality=series.modality or "",
        description=series.description or "",
        body_part=facts.get("body_part", ""),
        scanning_sequences=tuple(facts.get("scanning_sequence", ())),
        acquisition_type=next(iter(facts.get("mr_acquisition_type", ())), None),
        has_contrast=bool(facts.get("has_contrast")),
        field_tesla=facts.get("magnetic_field_tesla"),
        contrast_at_seconds=next((each for each in contrast if each is not None), None),
        frames=tuple(_frame(*each) for each in stored),
    )


def _frame(sop_instance_uid: str, number: int, stored: Mapping[str, Any]) -> FrameFacts:
    acquisition = stored.get("acquisition", {})
    return FrameFacts(
        sop_instance_uid=sop_instance_uid,
        frame=number,
        plane=_plane(stored),
        temporal_position=acquisition.get("temporal_position"),
        acquired_at_seconds=acquisition.get("acquired_at_seconds"),
        b_value=acquisition.get("b_value"),
    )


def _plane(stored: Mapping[str, Any]) -> ImagePlane | None:
    try:
        return stored_plane(stored["plane"]) if "plane" in stored else None
    except MeasurementError:
        return None
