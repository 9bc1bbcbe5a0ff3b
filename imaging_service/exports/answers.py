"""Central review searches as the routes answer them."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import asdict

from imaging_service.assessments.answers import assessment_answer
from imaging_service.assessments.repository import Assessment
from imaging_service.exports.schemas import (
    AxisHistoryAnswer,
    DatesVersionAnswer,
    HistoryRow,
    LesionHistoryAnswer,
    ReadHistoryAnswer,
    StudyHistoryAnswer,
    SubjectHistoryAnswer,
    TimepointHistoryAnswer,
)
from imaging_service.exports.service import SubjectHistory, TimepointHistory
from imaging_service.reads.observing import record_id
from imaging_service.reads.read import DrawnAxis, LesionRecord, Read
from imaging_service.reads.schemas import FindingAnswer
from imaging_service.subjects.records import SubjectVersion
from imaging_service.timepoints.records import Study


def history_answer(found: SubjectHistory) -> SubjectHistoryAnswer:
    """Return a subject's history."""
    return SubjectHistoryAnswer(
        trial_id=found.subject.trial_id,
        subject_id=found.subject.subject_id,
        site_id=found.subject.site_id,
        versions=[_version(each) for each in found.versions],
        timepoints=[_timepoint(each, found.accepted) for each in found.timepoints],
    )


def _version(version: SubjectVersion) -> DatesVersionAnswer:
    return DatesVersionAnswer(
        version=version.version,
        dates={name: None if value is None else str(value) for name, value in asdict(version.dates).items()},
        reason=version.reason,
        recorded_at=version.recorded_at,
    )


def _timepoint(found: TimepointHistory, accepted: AbstractSet[str]) -> TimepointHistoryAnswer:
    timepoint = found.timepoint
    return TimepointHistoryAnswer(
        timepoint_id=timepoint.timepoint_id,
        number=timepoint.number,
        name=timepoint.name,
        nominal_on=timepoint.nominal_on,
        imaged_on=timepoint.imaged_on,
        progress=timepoint.progress.value,
        not_done_reason=timepoint.not_done_reason,
        studies=[_study(each) for each in found.studies],
        reads=[_read(*each, is_accepted=each[0].read_id in accepted) for each in found.reads],
    )


def _study(study: Study) -> StudyHistoryAnswer:
    verdict = study.verdict
    return StudyHistoryAnswer(
        study_instance_uid=study.study_instance_uid,
        study_date=study.study_date,
        code=verdict.code,
        reason=verdict.sentence,
        confidence=None if verdict.confidence is None else verdict.confidence.value,
        received_at=study.received_at,
    )


def _read(read: Read, assessment: Assessment | None, *, is_accepted: bool) -> ReadHistoryAnswer:
    signature = read.signature
    return ReadHistoryAnswer(
        read_id=read.read_id,
        slot=read.slot,
        revision=read.revision,
        is_accepted=is_accepted,
        status=read.status,
        supersedes=read.supersedes,
        unlock_reason=read.unlock_reason,
        opened_at=read.opened_at,
        signed_at=read.signed_at,
        meaning=None if signature is None else signature.meaning,
        record_hash=None if signature is None else signature.record_hash,
        lesions=[_lesion(read, each) for each in read.lesions],
        assessment=None if assessment is None else assessment_answer(assessment),
    )


def _lesion(read: Read, lesion: LesionRecord) -> LesionHistoryAnswer:
    return LesionHistoryAnswer(
        record_id=record_id(read, lesion.lesion_id),
        lesion_id=lesion.lesion_id,
        role=lesion.role.value,
        location=lesion.location,
        organ=lesion.organ,
        is_nodal=lesion.is_nodal,
        state=lesion.state,
        reason=lesion.reason,
        diameter_mm=lesion.diameter,
        axes=[_axis(each) for each in lesion.axes],
        findings=[FindingAnswer(**each) for each in lesion.findings],
    )


def _axis(axis: DrawnAxis) -> AxisHistoryAnswer:
    return AxisHistoryAnswer(
        axis=axis.axis.value,
        fragment=axis.fragment,
        study_instance_uid=axis.study_instance_uid,
        series_instance_uid=axis.series_instance_uid,
        sop_instance_uid=axis.sop_instance_uid,
        frame=axis.frame,
        points=[list(axis.start), list(axis.end)],
        row_spacing_mm=axis.plane["row_spacing"],
        column_spacing_mm=axis.plane["column_spacing"],
        length_mm=axis.length_mm,
        claimed_mm=axis.claimed_mm,
        reported_mm=axis.reported,
        object_sha256=axis.object_sha256,
    )


def history_rows(found: SubjectHistory) -> Iterator[HistoryRow]:
    """Yield the history as a table: a line for each axis, or for each lesion without one."""
    for timepoint in found.timepoints:
        for read, assessment in timepoint.reads:
            lesions: list[LesionRecord | None] = list(read.lesions) or [None]
            for lesion in lesions:
                axes: list[DrawnAxis | None] = [None] if lesion is None else list(lesion.axes) or [None]
                for axis in axes:
                    yield _row(found, read, lesion, axis, assessment)


def _row(
    found: SubjectHistory,
    read: Read,
    lesion: LesionRecord | None,
    axis: DrawnAxis | None,
    assessment: Assessment | None,
) -> HistoryRow:
    of_lesion = {} if lesion is None else _lesion_cells(read, lesion)
    of_axis = {} if axis is None else _axis_cells(axis)
    blank = dict.fromkeys(HistoryRow.model_fields)
    return HistoryRow.model_validate(
        {
            **blank,
            "subject_id": found.subject.subject_id,
            "site_id": found.subject.site_id,
            "number": read.number,
            "imaged_on": read.imaged_on,
            "slot": read.slot,
            "revision": read.revision,
            "is_accepted": read.read_id in found.accepted,
            "read_id": read.read_id,
            "signed_at": None if read.signed_at is None else read.signed_at.isoformat(),
            **of_lesion,
            **of_axis,
            **({} if assessment is None else _assessment_cells(assessment)),
        }
    )


def _lesion_cells(read: Read, lesion: LesionRecord) -> dict[str, object]:
    return {
        "record_id": record_id(read, lesion.lesion_id),
        "lesion_id": lesion.lesion_id,
        "role": lesion.role.value,
        "location": lesion.location,
        "state": lesion.state,
        "reason": lesion.reason,
        "diameter_mm": lesion.diameter,
    }


def _axis_cells(axis: DrawnAxis) -> dict[str, object]:
    return {
        "axis": axis.axis.value,
        "fragment": axis.fragment,
        "sop_instance_uid": axis.sop_instance_uid,
        "frame": axis.frame,
        "points": [list(axis.start), list(axis.end)],
        "length_mm": axis.length_mm,
        "reported_mm": axis.reported,
        "object_sha256": axis.object_sha256,
    }


def _assessment_cells(assessment: Assessment) -> dict[str, object]:
    return {
        "sum_mm": assessment.sum_mm,
        "overall_response": assessment.overall_response,
        "best_response": assessment.best_response,
        "confirmed_best_response": assessment.confirmed_best_response,
    }
