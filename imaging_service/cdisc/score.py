"""Score a trial's data sets: read SDTM, derive every answer, write SDTM, ADaM and a report.

Records are spooled by subject first, so that they may come in any order and memory does not grow with them.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from imaging_service.cdisc.cohort import Cohorts
from imaging_service.cdisc.comparison import compare_responses, compare_sums
from imaging_service.cdisc.domains import DOMAINS, require_columns
from imaging_service.cdisc.errors import DataSetError, FileUnreadableError, SeveralErrors, ValueRefusedError
from imaging_service.cdisc.evaluator import Evaluator, in_order, suffixes
from imaging_service.cdisc.read import READERS, open_source
from imaging_service.cdisc.record import Record
from imaging_service.cdisc.remark import Remark, RemarkKind
from imaging_service.cdisc.report import Header, Report
from imaging_service.cdisc.result import LENGTHS, STATE_TESTS, SUM_TEST
from imaging_service.cdisc.safety import safety_table
from imaging_service.cdisc.scored import ScoredSubject
from imaging_service.cdisc.scoring import Scored, SubjectRecords, score_subject
from imaging_service.cdisc.spool import Spool
from imaging_service.cdisc.subject_dates import DateRecords, SubjectCalendar, require_date_columns
from imaging_service.cdisc.write import DataSetWriter, Format, Stamp
from measurement.endpoints.adverse_events import SafetyPeriod, SafetyTable
from measurement.protocol.trial import TrialProtocol

_MOST_ERRORS = 20
"""Sentences about wrong cells that are told at once."""

_NOT_ENROLLED = frozenset({"SCRNFAIL", "NOTASSGN", "SCREEN FAILURE", "NOT ASSIGNED"})
"""Arms of subjects who never took part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be scored, and how.

    Attributes
    ----------
    files
        The data sets, by the names of `DOMAINS`; ``tr`` at least.
    protocol
        What judges.
    folder
        Where the answers are written.
    formats
        In which formats.
    evaluators
        Names of the evaluators that are wanted; empty for all.
    as_of
        The data cut; ``None`` for everything known.
    created_at
        What the files say of their making.
    """

    files: Mapping[str, Path]
    protocol: TrialProtocol
    folder: Path
    created_at: datetime
    formats: Sequence[Format] = (Format.CSV,)
    evaluators: Sequence[str] = ()
    as_of: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a person is told at the end.

    Attributes
    ----------
    lines
        The figures.
    open_remarks
        How many remarks somebody has to do something about.
    """

    lines: tuple[str, ...]
    open_remarks: int


def find_files(folder: Path) -> dict[str, Path]:
    """Return the data sets of a folder by their names: ``tr.csv``, ``TR.xpt``, ``dm.json``.

    Raises
    ------
    FileUnreadableError
        If there is no such folder, or a data set is there in two formats.
    """
    if not folder.is_dir():
        raise FileUnreadableError(str(folder), "it is no folder")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        name = path.stem.lower()
        if name in DOMAINS and path.suffix.lower() in READERS and path.is_file():
            if name in found:
                why = f"{name.upper()} is there as {found[name].name} too; wanted is one of them"
                raise FileUnreadableError(path.name, why)
            found[name] = path
    return found


def score(task: Task) -> Summary:
    """Score data sets and write the answers.

    Parameters
    ----------
    task
        What is to be done. Nothing is left in its folder unless everything could be scored.

    Returns
    -------
    Summary
        The cohort's figures.

    Raises
    ------
    DataSetError
        If the data sets cannot be scored; each sentence names file, row and column.
    """
    with ExitStack() as closing:
        spools = {name: closing.enter_context(_spool(name, path)) for name, path in _wanted(task.files)}
        run = _Run(task, spools)
        task.folder.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".score-", dir=task.folder))
        try:
            summary = run.into(unfinished)
            for path in sorted(unfinished.iterdir()):
                path.replace(task.folder / path.name)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return summary


def _wanted(files: Mapping[str, Path]) -> list[tuple[str, Path]]:
    if "tr" not in files:
        why = "there is no such data set; wanted is a file tr.csv, .xpt, .json or .ndjson"
        name = "TR"
        raise FileUnreadableError(name, why)
    return [(name, files[name]) for name in DOMAINS if name in files]


def _spool(name: str, path: Path) -> Spool:
    source = open_source(path)
    require_columns(name, source)
    if name == "dates":
        require_date_columns(source.file, source.columns)
    return Spool(source)


def _with_flags(subject: ScoredSubject, rs: Iterable[Record]) -> ScoredSubject:
    """Add whose submitted responses are flagged as accepted."""
    flagged = frozenset(Evaluator.of(each, "RS") for each in rs if each.is_flagged("RSACPTFL"))
    return replace(subject, submitted_as_accepted=flagged)


@dataclass(slots=True)
class _Run:
    """One scoring of all subjects."""

    task: Task
    spools: Mapping[str, Spool]
    errors: list[DataSetError] = field(default_factory=list)
    periods: dict[str, SafetyPeriod] = field(default_factory=dict)

    def into(self, folder: Path) -> Summary:
        """Score every subject and write the answers to a folder."""
        evaluators, notes = self._first_pass()
        stamp = Stamp(study_id=self.task.protocol.trial_id, created_at=self.task.created_at)
        files = {spool.file: spool.records for spool in self.spools.values()}
        header = Header(protocol=self.task.protocol, as_of=self.task.as_of, files=files)
        cohorts = Cohorts(self.task.protocol)
        with ExitStack() as closing:
            report = Report(folder, header)
            closing.callback(report.give_up)
            writer = DataSetWriter(folder, self.task.formats, suffixes(evaluators), stamp)
            closing.callback(writer.close)
            report.add(notes)
            for scored, records in self._scored(evaluators):
                responses = writer.write(scored.subject)
                report.add(scored.remarks)
                report.add(compare_responses(scored.subject, responses, records.get("rs", ())))
                report.add(compare_sums(scored.subject, records["tr"]))
                cohorts.add(scored.subject)
            safety = self._safety()
            if self.errors:
                raise self.errors[0] if len(self.errors) == 1 else SeveralErrors(self.errors)
            lines = report.close(list(cohorts.results()), safety)
        return Summary(lines=tuple(lines), open_remarks=report.open_remarks)

    def _first_pass(self) -> tuple[list[Evaluator], list[Remark]]:
        """Return who assessed, and what is noted of records that are passed over."""
        found: set[Evaluator] = set()
        passed_over: dict[str, int] = {}
        for record in self.spools["tr"]:
            test = record.word("TRTESTCD")
            if test in LENGTHS | STATE_TESTS:
                found.add(Evaluator.of(record, "TR"))
            elif test != SUM_TEST:
                passed_over[test] = passed_over.get(test, 0) + 1
        file = self.spools["tr"].file
        if not found:
            wanted = ", ".join(sorted(LENGTHS | STATE_TESTS))
            raise FileUnreadableError(file, f"it has no result of a lesion; wanted is a TRTESTCD of {wanted}")
        notes = [
            Remark(
                kind=RemarkKind.NOTE,
                code="test_passed_over",
                sentence=f"{count} records of {file} with TRTESTCD {test or 'empty'} are not used.",
            )
            for test, count in sorted(passed_over.items())
        ]
        return self._chosen(found), notes

    def _chosen(self, found: set[Evaluator]) -> list[Evaluator]:
        for wanted in self.task.evaluators:
            if not any(evaluator.is_named(wanted) for evaluator in found):
                names = ", ".join(evaluator.label for evaluator in in_order(found))
                why = f"nobody in it is called {wanted!r}; it holds assessments by {names}"
                raise FileUnreadableError(self.spools["tr"].file, why)
        return in_order(
            evaluator
            for evaluator in found
            if not self.task.evaluators or any(evaluator.is_named(wanted) for wanted in self.task.evaluators)
        )

    def _subjects(self) -> list[str]:
        """Return every subject in order: those of DM who took part, and those with results."""
        subjects = set(self.spools["tr"].subjects)
        for record in self.spools.get("dm", ()):
            if not {record.word("ARMCD"), record.word("ACTARMCD"), record.word("ARM")} & _NOT_ENROLLED:
                subjects.add(record.text("USUBJID"))
        if "" in subjects:
            self._refuse_nameless()
        return sorted(subjects)

    def _refuse_nameless(self) -> None:
        for spool in self.spools.values():
            for record in spool.of_subject(""):
                record.refuse("USUBJID", "a subject")

    def _scored(self, evaluators: Sequence[Evaluator]) -> Iterator[tuple[Scored, Mapping[str, list[Record]]]]:
        for subject_id in self._subjects():
            records = {
                name: spool.of_subject(subject_id) for name, spool in self.spools.items() if name != "ae"
            }
            dates = DateRecords(
                dm=records.get("dm", ()),
                ex=records.get("ex", ()),
                ds=records.get("ds", ()),
                dates=records.get("dates", ()),
            )
            all_records = SubjectRecords(
                subject_id=subject_id, tu=records.get("tu", ()), tr=records["tr"], dates=dates
            )
            try:
                scored = score_subject(all_records, self.task.protocol, evaluators, self.task.as_of)
            except ValueRefusedError as error:
                self.errors.append(error)
                if len(self.errors) == _MOST_ERRORS:
                    return
                continue
            self._keep_period(subject_id, scored.subject.calendar)
            yield replace(scored, subject=_with_flags(scored.subject, records.get("rs", ()))), records

    def _keep_period(self, subject_id: str, calendar: SubjectCalendar) -> None:
        if "ae" in self.spools and calendar.consent is not None:
            self.periods[subject_id] = SafetyPeriod(
                consent_on=calendar.consent.on,
                last_dose_on=calendar.last_dose.on if calendar.last_dose else None,
                days_after_last_dose=self.task.protocol.adverse_events.days_after_last_dose,
            )

    def _safety(self) -> SafetyTable | None:
        if "ae" not in self.spools:
            return None
        try:
            return safety_table(self.spools["ae"], self.periods, self.task.as_of)
        except ValueRefusedError as error:
            self.errors.append(error)
            return None
