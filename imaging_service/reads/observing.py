"""From a signed read to what the rules take in."""

from decimal import Decimal

from imaging_service.reads.read import LesionRecord, Read
from measurement.lesions.lesion import (
    Lesion,
    Method,
    NewLesionObservation,
    NewLesionState,
    NonTargetObservation,
    NonTargetState,
    Role,
    TargetObservation,
    TargetState,
)
from measurement.recist.observations import TimepointObservations
from measurement.units import ReportedMillimetres

METHODS = {
    "CT": Method.CT,
    "MR": Method.MRI,
    "PT": Method.PET_CT,
    "CR": Method.CHEST_X_RAY,
    "DX": Method.CHEST_X_RAY,
    "US": Method.ULTRASOUND,
}
"""DICOM Modality (0008,0060) → how a lesion was measured on it."""


def record_id(read: Read, lesion_id: str) -> str:
    """Return the name under which reasons cite what a read says about a lesion."""
    return f"{read.read_id}/{lesion_id}"


def observations(read: Read) -> TimepointObservations:
    """Return everything that the reader saw, as signed.

    Parameters
    ----------
    read
        A signed read.
    """
    return TimepointObservations(
        timepoint_id=read.timepoint_id,
        number=read.number,
        imaged_on=read.imaged_on,
        targets=tuple(_target(read, each) for each in read.of_role(Role.TARGET)),
        non_targets=tuple(_non_target(read, each) for each in read.of_role(Role.NON_TARGET)),
        new_lesions=tuple(_new(read, each) for each in read.of_role(Role.NEW)),
    )


def _target(read: Read, lesion: LesionRecord) -> TargetObservation:
    fragments = [lesion.counted(number) for number in lesion.fragments]
    return TargetObservation(
        lesion_id=lesion.lesion_id,
        state=TargetState(lesion.state),
        is_nodal=lesion.is_nodal,
        diameter=lesion.diameter,
        fragments=tuple(
            each.reported for each in fragments if each is not None and each.reported is not None
        ),
        merged_into=lesion.merged_into,
        method=method_of(lesion),
        imaged_on=read.imaged_on,
        record_id=record_id(read, lesion.lesion_id),
    )


def _non_target(read: Read, lesion: LesionRecord) -> NonTargetObservation:
    return NonTargetObservation(
        lesion_id=lesion.lesion_id,
        state=NonTargetState(lesion.state),
        is_nodal=lesion.is_nodal,
        short_axis=lesion.diameter if lesion.is_nodal else None,
        reason=lesion.reason or "",
        imaged_on=read.imaged_on,
        record_id=record_id(read, lesion.lesion_id),
    )


def _new(read: Read, lesion: LesionRecord) -> NewLesionObservation:
    return NewLesionObservation(
        lesion_id=lesion.lesion_id,
        state=NewLesionState(lesion.state),
        location=lesion.location,
        imaged_on=read.imaged_on,
        record_id=record_id(read, lesion.lesion_id),
    )


def method_of(lesion: LesionRecord) -> Method | None:
    """Return how the lesion was measured; None when nothing was drawn or the modality says nothing."""
    drawn = lesion.axes[0] if lesion.axes else None
    return None if drawn is None or drawn.modality is None else METHODS.get(drawn.modality)


def eligible_lesion(read: Read, lesion: LesionRecord, diameter: ReportedMillimetres | None) -> Lesion:
    """Return a lesion as the rules of eligibility judge it at baseline.

    Parameters
    ----------
    read
        The baseline read.
    lesion
        Its record.
    diameter
        Longest diameter or short axis in mm, rounded as it would be signed.
    """
    thickness = lesion.axes[0].plane.get("slice_thickness") if lesion.axes else None
    return Lesion(
        lesion_id=lesion.lesion_id,
        role=lesion.role,
        location=lesion.location,
        organ=lesion.organ,
        is_nodal=lesion.is_nodal,
        nature=lesion.nature,
        method=method_of(lesion),
        slice_thickness_mm=None if thickness is None else Decimal(repr(thickness)),
        is_irradiated=lesion.is_irradiated,
        progressed_since_irradiation=lesion.progressed_since_irradiation,
        diameter=diameter,
        imaged_on=read.imaged_on,
        record_id=record_id(read, lesion.lesion_id),
    )
