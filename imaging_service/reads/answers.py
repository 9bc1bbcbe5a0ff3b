"""Reads as the routes answer them."""

from dataclasses import asdict

from sqlalchemy.orm import Session

from imaging_service.accounts.principal import Principal
from imaging_service.reads import service
from imaging_service.reads.assignments import NamedAssignment, Seats
from imaging_service.reads.completeness import followed_at
from imaging_service.reads.read import DrawnAxis, LesionRecord, Read, Signature
from imaging_service.reads.repository import WorklistItem
from imaging_service.reads.schemas import (
    AssignmentAnswer,
    AxisAnswer,
    EarlierReadAnswer,
    FindingAnswer,
    GapAnswer,
    LesionAnswer,
    PooledReader,
    PriorAnswer,
    ReadAnswer,
    ReaderPlanAnswer,
    SignatureAnswer,
    WorklistAnswer,
)


def answer(session: Session, principal: Principal, read: Read) -> ReadAnswer:
    """Return a read; a draft's lengths are rounded as they would be signed."""
    shown = service.shown(session, principal, read)
    earlier = service.earlier_reads(session, principal, read)
    return ReadAnswer(
        read_id=read.read_id,
        trial_id=read.trial_id,
        timepoint_id=read.timepoint_id,
        number=read.number,
        imaged_on=read.imaged_on,
        slot=read.slot,
        revision=read.revision,
        status=read.status,
        version=read.version,
        protocol_version=read.protocol_version,
        opened_at=read.opened_at,
        lesions=[lesion_answer(each) for each in shown.lesions],
        followed=[
            PriorAnswer(
                lesion_id=each.lesion.lesion_id,
                role=each.lesion.role,
                location=each.lesion.location,
                organ=each.lesion.organ,
                is_nodal=each.lesion.is_nodal,
                baseline_mm=each.baseline_mm,
                last_mm=each.last.diameter,
                last_state=each.last.state,
            )
            for each in followed_at(read, earlier)
        ],
        gaps=[GapAnswer(**asdict(each)) for each in service.gaps_of(session, principal, read)],
        findings=[FindingAnswer(**each) for each in service.selection_findings(session, principal, shown)],
        signature=None if read.signature is None else _signature(read.signature),
    )


def earlier_answer(read: Read) -> EarlierReadAnswer:
    """Return a signed read as a later one of the same reader sees it."""
    return EarlierReadAnswer(
        read_id=read.read_id,
        timepoint_id=read.timepoint_id,
        number=read.number,
        imaged_on=read.imaged_on,
        lesions=[lesion_answer(each) for each in read.lesions],
    )


def lesion_answer(lesion: LesionRecord) -> LesionAnswer:
    """Return what a read says about a lesion."""
    return LesionAnswer(
        lesion_id=lesion.lesion_id,
        role=lesion.role,
        location=lesion.location,
        organ=lesion.organ,
        is_nodal=lesion.is_nodal,
        nature=lesion.nature,
        is_irradiated=lesion.is_irradiated,
        progressed_since_irradiation=lesion.progressed_since_irradiation,
        state=lesion.state,
        reason=lesion.reason,
        merged_into=lesion.merged_into,
        diameter_mm=lesion.diameter,
        axes=[_axis(each) for each in lesion.axes],
        findings=[FindingAnswer(**each) for each in lesion.findings],
        version=lesion.version,
    )


def worklist_answer(item: WorklistItem) -> WorklistAnswer:
    """Return one line of a worklist."""
    return WorklistAnswer(**asdict(item))


def _axis(axis: DrawnAxis) -> AxisAnswer:
    return AxisAnswer(
        axis=axis.axis,
        fragment=axis.fragment,
        series_instance_uid=axis.series_instance_uid,
        sop_instance_uid=axis.sop_instance_uid,
        frame=axis.frame,
        points=[list(axis.start), list(axis.end)],
        length_mm=axis.length_mm,
        claimed_mm=axis.claimed_mm,
        reported_mm=axis.reported,
    )


def _signature(signature: Signature) -> SignatureAnswer:
    return SignatureAnswer(
        printed_name=signature.printed_name,
        role=signature.role,
        meaning=signature.meaning,
        signed_at=signature.signed_at,
        record_hash=signature.record_hash,
    )


def assignment_answer(named: NamedAssignment) -> AssignmentAnswer:
    """Return who reads a slot of a subject."""
    assignment = named.assignment
    return AssignmentAnswer(
        subject_id=assignment.subject_id,
        slot=assignment.slot,
        edition=assignment.edition,
        account=named.account,
        is_current=named.is_current,
        is_drawn=assignment.candidates is not None,
        reason=assignment.reason,
        assigned_at=assignment.assigned_at,
    )


def plan_answer(seats: Seats) -> ReaderPlanAnswer:
    """Return how a trial's subjects get their readers."""
    return ReaderPlanAnswer(
        assignment=seats.assignment,
        seed=None if seats.plan is None else seats.plan.seed,
        pool=[PooledReader(account=name, subjects=count) for name, count in sorted(seats.pool.items())],
        waiting=list(seats.waiting),
        differing=list(seats.differing),
    )
