"""Where an endpoint comes from, from values to what the route answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from dicom_listener.archive.records import FiledReceipt
from imaging_service.assessments.derivation import told, told_sum, told_timepoint
from imaging_service.assessments.schemas import BestResponseAnswer, SumAnswer, TimepointVerdictAnswer
from imaging_service.audit.repository import AuditEntry
from imaging_service.exports.provenance import (
    Dated,
    Entries,
    Judged,
    Provenance,
    ReaderChain,
    SiteChain,
    Step,
    Traced,
)
from imaging_service.exports.provenance_schemas import (
    AuditLink,
    AxisProvenanceAnswer,
    DatedAnswer,
    DecisionLink,
    EvaluationLink,
    InstanceProvenanceAnswer,
    LesionProvenanceAnswer,
    PlaneAnswer,
    ProvenanceAnswer,
    ReaderProvenanceAnswer,
    ReadLink,
    ReceiptAnswer,
    SiteProvenanceAnswer,
    StepAnswer,
    StudyLink,
)
from imaging_service.outcomes.answers import time_answer
from imaging_service.reads.observing import observations, record_id
from imaging_service.reads.read import DrawnAxis, LesionRecord, Read
from measurement.endpoints.course import Course
from measurement.recist.assess import RULES_VERSION
from measurement.recist.sums import SumOfDiameters, value_of
from measurement.units import ReportedMillimetres

_PLACED = ("match study", "split study", "queue study", "reject study")
"""Acts that say where a study belongs; who looked at it is entered about it too."""


def provenance_answer(found: Provenance) -> ProvenanceAnswer:
    """Return where an endpoint of a subject comes from."""
    return ProvenanceAnswer(
        trial_id=found.subject.trial_id,
        subject_id=found.subject.subject_id,
        site_id=found.subject.site_id,
        endpoint=found.endpoint,
        protocol_version=found.protocol.version,
        rules_version=RULES_VERSION,
        as_of=found.cut.as_of,
        standing=found.review.standing,
        readers=[_reader(each, found) for each in found.readers],
        site=_site(found.site, found),
        instances=[
            InstanceProvenanceAnswer(
                sop_instance_uid=uid, receipts=[_receipt(each, found.entries) for each in filed]
            )
            for uid, filed in sorted(found.receipts.items())
        ],
    )


def _reader(chain: ReaderChain, found: Provenance) -> ReaderProvenanceAnswer:
    acceptance, decision = found.review.acceptance, found.review.decision
    is_chosen = acceptance.slot == chain.found.slot
    return ReaderProvenanceAnswer(
        slot=chain.found.slot,
        is_accepted=is_chosen and acceptance.is_accepted,
        decision=None
        if decision is None or not is_chosen
        else DecisionLink(
            edition=decision.edition,
            chosen_reader=decision.chosen_slot,
            record_hash=decision.record_hash,
            audit=_link(found.entries.last("adjudication", decision.decision_id, "adjudicate subject")),
        ),
        judged_under=None if chain.judged is None else chain.judged.protocol_version,
        timepoints=[_step(each, chain, found) for each in chain.steps],
        doubt=chain.found.doubt,
        **_endpoint(chain, chain.found.course, found.endpoint),
    )


def _site(chain: SiteChain, found: Provenance) -> SiteProvenanceAnswer:
    return SiteProvenanceAnswer(
        evaluations=[
            EvaluationLink(
                evaluation_id=each.evaluation.evaluation_id,
                edition=each.evaluation.edition,
                timepoint_id=each.evaluation.timepoint_id,
                number=each.number,
                imaged_on=each.imaged_on,
                overall_response=each.evaluation.overall_response,
                has_progressed=each.evaluation.has_progressed,
                parts=list(chain.parts.get(each.evaluation.timepoint_id, ())),
                audit=_link(
                    found.entries.last(
                        "site_evaluation", each.evaluation.evaluation_id, "enter site evaluation"
                    )
                ),
            )
            for each in chain.found.evaluations
        ],
        doubt=chain.found.doubt,
        **_endpoint(chain, chain.found.course, found.endpoint),
    )


def _endpoint(chain: ReaderChain | SiteChain, course: Course | None, endpoint: Traced) -> Mapping[str, Any]:
    best = None if course is None or endpoint is not Traced.BOR else _best(course)
    return {
        "time": None if chain.time is None else time_answer(chain.time),
        "best_response": best,
        "starts": _dated(chain.starts),
        "ends": _dated(chain.ends),
    }


def _best(course: Course) -> BestResponseAnswer:
    is_confirmed = course.best_response is course.assessment.confirmed_best_overall
    name = "confirmed_best_overall" if is_confirmed else "best_overall"
    return BestResponseAnswer.model_validate(told(course.assessment, "")[name])


def _dated(found: Dated | None) -> DatedAnswer | None:
    if found is None:
        return None
    return DatedAnswer(
        what=found.what,
        on=found.on,
        timepoint_id=found.timepoint_id,
        subject_version=found.version,
        audit=_link(found.entry),
    )


def _step(step: Step, chain: ReaderChain, found: Provenance) -> StepAnswer:
    timepoint, read = found.calendar[step.timepoint_id], step.read
    return StepAnswer(
        timepoint_id=step.timepoint_id,
        number=timepoint.number,
        name=timepoint.name,
        imaged_on=timepoint.imaged_on if read is None else read.imaged_on,
        parts=list(step.parts),
        sum_of_diameters=_sum(step, chain.found.course),
        verdict=None
        if step.verdict is None
        else TimepointVerdictAnswer.model_validate(told_timepoint(step.verdict)),
        read=None if read is None else _read(step, read, found.entries),
        lesions=_lesions(read, chain.judged),
        studies=[
            StudyLink(
                study_instance_uid=each.study_instance_uid,
                code=each.verdict.code,
                audit=_link(found.entries.last("study", each.study_instance_uid, *_PLACED)),
            )
            for each in found.studies.get(step.timepoint_id, ())
        ],
    )


def _sum(step: Step, course: Course) -> SumAnswer | None:
    baseline = course.assessment.baseline
    total: SumOfDiameters | None = None
    if step.verdict is not None:
        total = step.verdict.sum_of_diameters
    elif baseline is not None:
        total = baseline.sum_of_diameters
    said = told_sum(total)
    return None if said is None else SumAnswer.model_validate(said)


def _read(step: Step, read: Read, entries: Entries) -> ReadLink:
    assessment, signature = step.assessment, read.signature
    return ReadLink(
        read_id=read.read_id,
        revision=read.revision,
        signed_at=read.signed_at,
        record_hash=None if signature is None else signature.record_hash,
        signed=_link(entries.last("read", read.read_id, "sign read")),
        assessment_edition=None if assessment is None else assessment.edition,
        inputs_sha256=None if assessment is None else assessment.inputs_sha256,
        derived=_link(entries.last("read", read.read_id, "derive assessment", "rederive assessment")),
    )


def _lesions(read: Read | None, judged: Judged | None) -> list[LesionProvenanceAnswer]:
    if read is None or judged is None:
        return []
    sums = judged.criteria.sums
    counted = {each.lesion_id: value_of(each, sums) for each in observations(read).targets}
    return [_lesion(read, each, counted) for each in read.lesions]


def _lesion(
    read: Read, lesion: LesionRecord, counted: Mapping[str, ReportedMillimetres | None]
) -> LesionProvenanceAnswer:
    whole: Sequence[int] = lesion.fragments or (0,)
    axes = [lesion.counted(number) for number in whole]
    return LesionProvenanceAnswer(
        record_id=record_id(read, lesion.lesion_id),
        lesion_id=lesion.lesion_id,
        role=lesion.role.value,
        location=lesion.location,
        is_nodal=lesion.is_nodal,
        state=lesion.state,
        diameter_mm=lesion.diameter,
        counted_mm=counted.get(lesion.lesion_id),
        axes=[_axis(each, is_counted=each in axes) for each in lesion.axes],
    )


def _axis(axis: DrawnAxis, *, is_counted: bool) -> AxisProvenanceAnswer:
    return AxisProvenanceAnswer(
        axis=axis.axis.value,
        fragment=axis.fragment,
        is_counted=is_counted,
        points=[list(axis.start), list(axis.end)],
        plane=PlaneAnswer(**{name: axis.plane[name] for name in PlaneAnswer.model_fields}),
        length_mm=axis.length_mm,
        reported_mm=axis.reported,
        study_instance_uid=axis.study_instance_uid,
        series_instance_uid=axis.series_instance_uid,
        sop_instance_uid=axis.sop_instance_uid,
        frame=axis.frame,
        object_sha256=axis.object_sha256,
    )


def _receipt(filed: FiledReceipt, entries: Entries) -> ReceiptAnswer:
    receipt = filed.receipt
    return ReceiptAnswer(
        sequence=filed.sequence,
        outcome=receipt.outcome.value,
        received_at=receipt.received_at,
        site_id=receipt.site_id,
        calling_ae=receipt.calling_ae,
        digest=receipt.digest,
        fingerprint=filed.fingerprint,
        audit=_link(entries.covering.get(filed.sequence)),
    )


def _link(entry: AuditEntry | None) -> AuditLink | None:
    if entry is None:
        return None
    return AuditLink(**{name: getattr(entry, name) for name in AuditLink.model_fields})
