"""What a reader is told about images: geometry and coded facts, no name, no site, no free text."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from imaging_service.images.service import OpenTimepoint
from imaging_service.timepoints.facts import stored_plane
from imaging_service.timepoints.records import StoredInstance, StoredSeries


class FrameAnswer(BaseModel):
    """The plane of a frame in the patient, or why it cannot be measured."""

    frame: int = Field(description="Counted from 1.")
    is_measurable: bool
    refused: str | None = Field(default=None, description="Why points on this frame are not accepted.")
    position: list[float] | None = Field(
        default=None, description="Centre of the first pixel, (x, y, z), mm."
    )
    row_direction: list[float] | None = None
    column_direction: list[float] | None = None
    row_spacing: float | None = Field(default=None, description="From row to row, mm.")
    column_spacing: float | None = Field(default=None, description="From column to column, mm.")
    slice_thickness: float | None = Field(default=None, description="mm")
    spacing_between_slices: float | None = Field(default=None, description="mm")
    offset: float | None = Field(default=None, description="Along the normal, mm; slices are sorted by it.")


class InstanceAnswer(BaseModel):
    """An instance and its frames."""

    sop_instance_uid: str
    sop_class_uid: str
    instance_number: int | None
    rows: int | None
    columns: int | None
    number_of_frames: int
    is_late: bool = Field(description="Whether it arrived after the timepoint had its images.")
    frames: list[FrameAnswer]


class SeriesAnswer(BaseModel):
    """A series and its instances."""

    study_instance_uid: str
    series_instance_uid: str
    modality: str | None
    series_number: int | None
    description: str | None = Field(
        description="Only of images whose sender declares the patient's identity removed (0012,0062)."
    )
    frame_of_reference_uid: str | None
    facts: dict[str, Any] = Field(description="Coded facts of the acquisition: sequence, contrast, field.")
    instances: list[InstanceAnswer]


class ImagesAnswer(BaseModel):
    """The images of a timepoint."""

    timepoint_id: str
    reading_id: str = Field(examples=["R-7KQ2M9X"], description="The subject's blinded name (0012,0042).")
    number: int | None = Field(description="0 is baseline; null for an unscheduled timepoint.")
    series: list[SeriesAnswer]


def images_answer(opened: OpenTimepoint) -> ImagesAnswer:
    """Return a timepoint's images as they are answered."""
    return ImagesAnswer(
        timepoint_id=opened.timepoint.timepoint_id,
        reading_id=opened.reading_id,
        number=opened.timepoint.number,
        series=[_series(each) for each in opened.series],
    )


def _series(series: StoredSeries) -> SeriesAnswer:
    facts = dict(series.facts)
    is_identity_removed = facts.pop("is_identity_removed", False)
    if not is_identity_removed:
        facts.pop("body_part", None)  # people type into it
    return SeriesAnswer(
        study_instance_uid=series.study_instance_uid,
        series_instance_uid=series.series_instance_uid,
        modality=series.modality,
        series_number=series.series_number,
        description=series.description if is_identity_removed else None,
        frame_of_reference_uid=series.frame_of_reference_uid,
        facts=facts,
        instances=[_instance(each) for each in series.instances],
    )


def _instance(instance: StoredInstance) -> InstanceAnswer:
    return InstanceAnswer(
        sop_instance_uid=instance.sop_instance_uid,
        sop_class_uid=instance.sop_class_uid,
        instance_number=instance.instance_number,
        rows=instance.rows,
        columns=instance.columns,
        number_of_frames=instance.number_of_frames,
        is_late=instance.is_late,
        frames=[_frame(number, each) for number, each in enumerate(instance.frames, start=1)],
    )


def _frame(number: int, stored: Mapping[str, Any]) -> FrameAnswer:
    if "refused" in stored:
        return FrameAnswer(frame=number, is_measurable=False, refused=stored["refused"])
    plane = stored_plane(stored["plane"])
    return FrameAnswer(
        frame=number,
        is_measurable=True,
        position=list(plane.position),
        row_direction=list(plane.row_direction),
        column_direction=list(plane.column_direction),
        row_spacing=plane.row_spacing,
        column_spacing=plane.column_spacing,
        slice_thickness=plane.slice_thickness,
        spacing_between_slices=plane.spacing_between_slices,
        offset=plane.offset,
    )
