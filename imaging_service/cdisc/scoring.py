"""Score one subject: records of SDTM in, the rules' answers and every remark out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType

from imaging_service.cdisc.evaluator import Evaluator
from imaging_service.cdisc.lesions import Catalogue, Doubt, catalogue_of, lesion_id_of
from imaging_service.cdisc.observing import Observed, observe
from imaging_service.cdisc.record import Place, Record
from imaging_service.cdisc.remark import Remark, RemarkKind
from imaging_service.cdisc.result import LENGTHS, STATE_TESTS
from imaging_service.cdisc.scored import (
    DEATH,
    LAST_CONTACT,
    START,
    ScoredReading,
    ScoredSubject,
    VisitFacts,
)
from imaging_service.cdisc.subject_dates import DateRecords, DateSource, SubjectCalendar, calendar_of
from imaging_service.cdisc.visits import Occasions, Visit, sort_out, visit_key, visits_of
from imaging_service.cdisc.words import method_of, nature_of
from measurement.endpoints.course import Course, SubjectDates
from measurement.endpoints.data_cut import seen_by
from measurement.errors import MeasurementError
from measurement.lesions.eligibility import baseline_findings
from measurement.lesions.lesion import Lesion, Role
from measurement.protocol.schedule import Anchor
from measurement.protocol.trial import TrialProtocol
from measurement.recist.assess import assess_subject
from measurement.recist.observations import TimepointObservations


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRecords:
    """Everything that the data sets say of one subject.

    Attributes
    ----------
    subject_id
        USUBJID.
    tu, tr
        Identification and results of lesions.
    dates
        Records of DM, EX, DS and the file of dates.
    """

    subject_id: str
    tu: Sequence[Record] = ()
    tr: Sequence[Record] = ()
    dates: DateRecords = field(default_factory=DateRecords)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A scored subject, with what there is to say about its data.

    Attributes
    ----------
    subject
        The answers.
    remarks
        Queries, findings and notes.
    places
        Where the record of a lesion at a timepoint stands, by evaluator, timepoint and lesion.
    """

    subject: ScoredSubject
    remarks: tuple[Remark, ...]


def score_subject(
    records: SubjectRecords,
    protocol: TrialProtocol,
    evaluators: Iterable[Evaluator],
    as_of: date | None = None,
) -> Scored:
    """Score one subject by every evaluator.

    Parameters
    ----------
    records
        The subject's records, in any order.
    protocol
        What judges.
    evaluators
        Who may have assessed; one who did not gives a subject that was never assessed. Adjudicators see some
        subjects only and are left out where they did not.
    as_of
        The data cut; ``None`` for everything known.

    Raises
    ------
    ValueRefusedError
        If a cell cannot be read as what its column means.
    """
    calendar = calendar_of(records.subject_id, records.dates, protocol.endpoints.partial_dates)
    readings: list[ScoredReading] = []
    remarks: list[Remark] = list(calendar.remarks)
    for evaluator in evaluators:
        clerk = _Clerk(records.subject_id, evaluator, calendar, protocol, as_of)
        tu = _of(records.tu, evaluator, "TU")
        tr = [record for record in records.tr if Evaluator.of(record, "TR") == evaluator]
        if not tr and not tu and evaluator.is_adjudicator:
            continue
        readings.append(clerk.reading(tu, tr))
        remarks.extend(clerk.remarks)
    every = (*records.tr, *records.tu, *records.dates.dm)
    sequences = [number for record in records.tr if (number := record.number("TRSEQ")) is not None]
    subject = ScoredSubject(
        study_id=next(
            (record.text("STUDYID") for record in every if record.text("STUDYID")), protocol.trial_id
        ),
        subject_id=records.subject_id,
        calendar=calendar,
        readings=tuple(readings),
        as_of=as_of,
        last_sequence=int(max(sequences, default=0)),
    )
    return Scored(subject=subject, remarks=tuple(remarks))


def _of(tu: Iterable[Record], evaluator: Evaluator, domain: str) -> list[Record]:
    """Return the identifications of an evaluator, and those that name none."""
    return [record for record in tu if Evaluator.of(record, domain) in {evaluator, Evaluator("", "")}]


@dataclass(slots=True)
class _Clerk:
    """Goes through one subject's records by one evaluator."""

    subject_id: str
    evaluator: Evaluator
    calendar: SubjectCalendar
    protocol: TrialProtocol
    as_of: date | None
    remarks: list[Remark] = field(default_factory=list)

    def reading(self, tu: Sequence[Record], tr: Sequence[Record]) -> ScoredReading:
        catalogue = catalogue_of(tu, _usable(tr))
        visits = self._visits(tu, tr, catalogue)
        identified = {
            visit_key(record)
            for lesion in catalogue.lesions.values()
            if lesion.role is not Role.NEW
            for record in lesion.identified
        }
        anchor = self.calendar.anchors.get(self.protocol.schedule.anchor)
        occasions = sort_out(visits, identified, anchor.on if anchor else None, self.protocol.schedule)
        observed = observe(occasions, catalogue, self._day_of, self.protocol.criteria.sums)
        seen = seen_by(observed.timepoints, self.as_of)
        self._remark_on(catalogue.doubts, observed, occasions, {each.timepoint_id for each in seen})
        course = self._course(seen, observed)
        self._remark_on_baseline(seen, catalogue, observed)
        return ScoredReading(
            evaluator=self.evaluator,
            observations=seen,
            course=course,
            visits=MappingProxyType(_facts(occasions)),
            locations=MappingProxyType({name: lesion.location for name, lesion in catalogue.lesions.items()}),
            sources=MappingProxyType(self._sources()),
            is_assessed=bool(seen),
        )

    def _day_of(self, record: Record) -> date | None:
        partial_dates = self.protocol.endpoints.partial_dates
        return record.day("TRDTC", partial_dates) or record.day("TUDTC", partial_dates)

    def _visits(self, tu: Sequence[Record], tr: Sequence[Record], catalogue: Catalogue) -> list[Visit]:
        """Return the visits of TR, joined by the visits at which TU identifies new lesions."""
        results = _usable(tr)
        visits = visits_of(results, self._day_of, self.protocol.schedule)
        measured = {lesion_id_of(record, "TRLNKID") for record in results}
        found = [
            record
            for record in tu
            if (lesion := catalogue.lesions.get(lesion_id_of(record, "TULNKID"))) and lesion.role is Role.NEW
            if lesion.lesion_id not in measured or visit_key(record)[1] or record.text("TUDTC")
        ]
        if not found:
            return visits
        placed = [_at_visit(record, self._day_of(record), visits) for record in found]
        return visits_of([*results, *placed], self._day_of, self.protocol.schedule)

    def _course(self, seen: Sequence[TimepointObservations], observed: Observed) -> Course:
        baseline_on = next((each.imaged_on for each in seen if each.number == 0), None)
        schedule, endpoints = self.protocol.schedule, self.protocol.endpoints
        try:
            dates = self._dates(self._anchor(endpoints.anchor, baseline_on))
            assessment = assess_subject(
                seen, self.protocol.criteria, anchor_on=self._anchor(schedule.anchor, baseline_on)
            )
            course = Course(assessment=assessment, dates=dates, protocol=self.protocol)
        except MeasurementError as error:
            self._remark("not_scored", f"{error} The subject counts as never assessed.", RemarkKind.QUERY)
            return Course(
                assessment=assess_subject((), self.protocol.criteria),
                dates=SubjectDates(starts_on=None),
                protocol=self.protocol,
            )
        if dates.starts_on is None and seen:
            wanted = endpoints.anchor.value.replace("_", " ")
            self._remark("no_start", f"There is no {wanted}, from which times are counted: when was it?")
        if seen:
            for query in assessment.queries:
                lesion_id = query.lesion_ids[0] if query.lesion_ids else ""
                place = observed.places.get((query.timepoint_id, lesion_id))
                self._remark(
                    query.code,
                    query.sentence,
                    RemarkKind.QUERY,
                    visit=query.timepoint_id,
                    lesion_id=lesion_id,
                    place=place,
                )
        return course

    def _anchor(self, anchor: Anchor, baseline_on: date | None) -> date | None:
        if anchor is Anchor.BASELINE_IMAGING:
            return baseline_on
        dated = self.calendar.anchors.get(anchor)
        return dated.on if dated else None

    def _dates(self, starts_on: date | None) -> SubjectDates:
        calendar = self.calendar
        dates = SubjectDates(
            starts_on=starts_on,
            death_on=calendar.death.on if calendar.death else None,
            new_therapy_on=calendar.new_therapy.on if calendar.new_therapy else None,
            last_alive_on=calendar.last_alive.on if calendar.last_alive else None,
        )
        return dates.as_of(self.as_of) if self.as_of else dates

    def _sources(self) -> dict[str, DateSource]:
        anchor = self.calendar.anchors.get(self.protocol.endpoints.anchor)
        dated = {START: anchor, DEATH: self.calendar.death, LAST_CONTACT: self.calendar.last_alive}
        return {name: found.source for name, found in dated.items() if found}

    def _remark_on(
        self, doubts: Iterable[Doubt], observed: Observed, occasions: Occasions, seen: set[str]
    ) -> None:
        for doubt in doubts:
            self._remark(
                doubt.code, doubt.sentence, RemarkKind.QUERY, lesion_id=doubt.lesion_id, place=doubt.place
            )
        for visit, doubt in observed.doubts:
            if visit not in seen:
                continue
            self._remark(
                doubt.code,
                doubt.sentence,
                RemarkKind.QUERY,
                visit=visit,
                lesion_id=doubt.lesion_id,
                place=doubt.place,
            )
        for left_out in occasions.left_out:
            sentence = f"{left_out.timepoint_id} lies before the baseline and is left out."
            self._remark("before_baseline", sentence, RemarkKind.NOTE, visit=left_out.timepoint_id)
        width = self.protocol.schedule.window_before_days + self.protocol.schedule.window_after_days
        for follow_up in occasions.follow_ups:
            first_on, last_on = follow_up.first_on, follow_up.last_on
            is_seen = follow_up.timepoint_id in seen
            if is_seen and first_on and last_on and (last_on - first_on).days > width:
                sentence = (
                    f"{follow_up.timepoint_id} was imaged from {first_on} to {last_on}, "
                    f"more than the {width} days of a window: is it one timepoint?"
                )
                self._remark("visit_too_long", sentence, RemarkKind.QUERY, visit=follow_up.timepoint_id)

    def _remark_on_baseline(
        self, seen: Sequence[TimepointObservations], catalogue: Catalogue, observed: Observed
    ) -> None:
        baseline = next((each for each in seen if each.number == 0), None)
        if baseline is None:
            return
        schedule = self.protocol.schedule
        findings = baseline_findings(
            list(_lesions(baseline, catalogue)),
            self.protocol.criteria.measurability,
            imaged_on=baseline.imaged_on,
            anchor_on=self._anchor(schedule.anchor, baseline.imaged_on),
            baseline_days=schedule.baseline_days,
        )
        for finding in findings:
            self._remark(
                finding.code,
                finding.sentence,
                RemarkKind.FINDING,
                visit=baseline.timepoint_id,
                lesion_id=finding.lesion_id,
                place=observed.places.get((baseline.timepoint_id, finding.lesion_id)),
                source=finding.source,
            )

    def _remark(  # noqa: PLR0913 - a remark has as many parts
        self,
        code: str,
        sentence: str,
        kind: RemarkKind = RemarkKind.FINDING,
        *,
        visit: str = "",
        lesion_id: str = "",
        place: Place | None = None,
        source: str = "",
    ) -> None:
        remark = Remark(
            kind=kind,
            code=code,
            sentence=sentence,
            subject_id=self.subject_id,
            evaluator=self.evaluator.label,
            visit=visit,
            lesion_id=lesion_id,
            place=place,
            source=source,
        )
        self.remarks.append(remark)


def _usable(tr: Iterable[Record]) -> list[Record]:
    """Return the results of lesions, and what says that a whole visit was not done."""
    return [
        record
        for record in tr
        if record.word("TRTESTCD") in LENGTHS | STATE_TESTS
        and (lesion_id_of(record, "TRLNKID") or record.word("TRSTAT") == "NOT DONE")
    ]


def _at_visit(record: Record, day: date | None, visits: Sequence[Visit]) -> Record:
    """Return a record of TU with the visit of TR that its day lies in, when it names none itself."""
    if visit_key(record)[1] or day is None:
        return record
    for visit in visits:
        if visit.first_on and visit.last_on and visit.first_on <= day <= visit.last_on:
            number = str(visit.visitnum) if visit.visitnum is not None else ""
            return replace(record, values={**record.values, "VISITNUM": number, "VISIT": visit.name})
    return record


def _facts(occasions: Occasions) -> dict[str, VisitFacts]:
    return {
        visit.timepoint_id: VisitFacts(name=visit.name, number=visit.visitnum, is_accepted=visit.is_accepted)
        for visit in (*occasions.baseline, *occasions.follow_ups)
    }


def _lesions(baseline: TimepointObservations, catalogue: Catalogue) -> Iterator[Lesion]:
    """Yield the lesions of baseline as eligibility is asked of them; new ones are the rules' own query."""
    for target in baseline.targets:
        tracked = catalogue.lesions[target.lesion_id]
        yield Lesion(
            lesion_id=target.lesion_id,
            role=Role.TARGET,
            location=tracked.location,
            is_nodal=target.is_nodal,
            nature=nature_of(tracked.location),
            method=target.method or method_of(tracked.method),
            diameter=target.diameter,
            record_id=target.record_id,
        )
    for non_target in baseline.non_targets:
        tracked = catalogue.lesions[non_target.lesion_id]
        yield Lesion(
            lesion_id=non_target.lesion_id,
            role=Role.NON_TARGET,
            location=tracked.location,
            is_nodal=non_target.is_nodal,
            nature=nature_of(tracked.location),
            method=method_of(tracked.method),
            diameter=non_target.short_axis,
            record_id=non_target.record_id,
        )
