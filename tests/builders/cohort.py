"""A trial of any size in a database: a few subjects are really read, and copied with other names.

The template's reads are derived by the rules, signed and kept as the service does it. A copy has other
names, with every digest over them computed anew, so that `recompute` finds nothing in it. What it has not
is an audit entry for each act: the audit holds the loading alone.
"""

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from imaging_service.assessments import repository as assessments
from imaging_service.assessments.derivation import Inputs, derive, digest, in_short, stored
from imaging_service.assessments.repository import Assessment
from imaging_service.audit import service as audit
from imaging_service.audit.actor import OPERATOR
from imaging_service.canonical import canonical_json
from imaging_service.database import Base, Database
from imaging_service.derived import service as derived
from imaging_service.evaluations.tables import EvaluationRow
from imaging_service.reads import repository as reads
from imaging_service.reads.observing import observations
from imaging_service.reads.read import Axis, DrawnAxis, LesionRecord, Read, Signature
from imaging_service.reads.record import content, record_hash, rounded
from imaging_service.renewing import keep_derived_rows
from imaging_service.subjects.tables import PatientIdRow, SubjectRow, SubjectVersionRow
from imaging_service.tables import all_tables
from imaging_service.timepoints.control import ControlState
from imaging_service.timepoints.records import Progress, StudyState
from imaging_service.timepoints.tables import (
    CalendarRow,
    StudyInstanceRow,
    StudyRow,
    StudySeriesRow,
    TimepointRow,
)
from imaging_service.trials.protocols import MediaType, ProtocolText
from imaging_service.trials.tables import ProtocolRow, SiteRow, TrialRow
from measurement.geometry.plane import ImagePlane
from measurement.lesions.lesion import Nature, Role
from measurement.units import Millimetres

ROOT = Path(__file__).parents[2]
PROTOCOL = ROOT / "fixtures" / "protocols" / "her2_mbc.toml"
TRIAL = "HER2-MBC-INETETAMAB"
TAG = "77700000"
"""Stands in every name of the template's, and for another number in every name of a copy."""

FIRST_DOSE = date(2023, 1, 16)
LOADED_AT = datetime(2025, 12, 1, 8, 0, tzinfo=UTC)
SITES = tuple(f"S{number:02}" for number in range(1, 11))
_ONCE = ("trials", "trial_protocols", "trial_sites")
_EACH = (
    *("subjects", "subject_versions", "patient_ids", "calendars", "timepoints", "studies", "study_series"),
    *("study_instances", "reads", "read_lesions", "read_axes", "read_signatures", "assessments"),
    *("adjudication_decisions", "site_evaluations", "derived_subjects", "kept_reviews", "kept_courses"),
    *("kept_comparisons", "kept_discordances", "kept_diameters"),
)
_PLANE = asdict(
    ImagePlane(
        position=(-64.0, -128.0, 10.0),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        row_spacing=0.5,
        column_spacing=0.5,
        rows=512,
        columns=512,
        slice_thickness=3.0,
    )
)
_ORGANS = (("liver", "liver"), ("lung", "lung"), ("axillary lymph node", "lymph_nodes"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a cohort is."""

    subjects: int = 63
    timepoints: int = 18
    """Baseline included."""
    unread_every: int = 5
    """Of this many subjects, one has last timepoints that nobody has read yet."""
    unread: int = 1
    """How many last timepoints those are."""


@dataclass(kw_only=True)
class Template:
    """Rows of every table as SQLite has them, and the texts that digests are made of."""

    rows: dict[str, tuple[Sequence[str], list[tuple[Any, ...]]]]
    texts: dict[str, str]
    """The text behind each digest, by the digest."""
    subjects: int


class _Writer:
    """Writes the template as the service would, but for its doors."""

    def __init__(self, session: Session, size: Size, *, seed: int = 5) -> None:
        self.session = session
        self.size = size
        self.random = Random(seed)  # noqa: S311  lengths of lesions, no secrets
        self.protocol = ProtocolText(media_type=MediaType.TOML, text=PROTOCOL.read_text()).protocol()
        self.texts: dict[str, str] = {}
        self._numbers = 0

    def key(self) -> str:
        self._numbers += 1
        return f"{TAG}-0000-4000-8000-{self._numbers:012x}"

    def uid(self) -> str:
        self._numbers += 1
        return f"1.2.826.0.1.{TAG}.{self._numbers}"

    def trial(self) -> None:
        writing = ProtocolText(media_type=MediaType.TOML, text=PROTOCOL.read_text())
        self.session.add(TrialRow(trial_id=TRIAL, title=self.protocol.title, created_at=LOADED_AT))
        self.session.flush()
        self.session.add(
            ProtocolRow(
                trial_id=TRIAL,
                version=self.protocol.version,
                revision=1,
                effective_on=self.protocol.effective_on,
                media_type=writing.media_type.value,
                text=writing.text,
                sha256=writing.sha256,
                filed_by="loader",
                filed_at=LOADED_AT,
            )
        )
        for site in SITES:
            name = f"Hospital {site}"
            self.session.add(SiteRow(trial_id=TRIAL, site_id=site, name=name, added_at=LOADED_AT))
        self.session.flush()

    def subject(self, place: int) -> None:
        site = SITES[place % len(SITES)]
        subject_id = f"{site}-{TAG}-{place:03}"
        self._enrol(subject_id, site, place)
        timepoints = [self._timepoint(subject_id, site, number) for number in range(self.size.timepoints)]
        last_read = len(timepoints) - (self.size.unread if place % self.size.unread_every == 0 else 0)
        read = timepoints[:last_read]
        shrinkage = self.random.choice([0.9, 0.96, 0.99, 1.0, 1.02])
        for slot in (1, 2):
            self._course(subject_id, slot, read, shrinkage)
        for timepoint in read[1:]:
            self._evaluate(subject_id, timepoint)
        for timepoint in timepoints[last_read:]:
            timepoint.progress = Progress.RECEIVED

    def _enrol(self, subject_id: str, site: str, place: int) -> None:
        session = self.session
        session.add(
            SubjectRow(
                trial_id=TRIAL,
                subject_id=subject_id,
                site_id=site,
                reading_id=f"R{TAG}{place:03}",
                version=1,
                enrolled_at=LOADED_AT,
            )
        )
        session.flush()
        session.add(
            SubjectVersionRow(
                trial_id=TRIAL,
                subject_id=subject_id,
                version=1,
                first_dose_on=FIRST_DOSE,
                reason="Loaded.",
                recorded_by="loader",
                recorded_at=LOADED_AT,
            )
        )
        session.add(
            PatientIdRow(
                trial_id=TRIAL,
                site_id=site,
                patient_id=f"P{TAG}{place:03}",
                issuer="",
                subject_id=subject_id,
                added_by="loader",
                added_at=LOADED_AT,
            )
        )
        session.add(
            CalendarRow(
                trial_id=TRIAL,
                subject_id=subject_id,
                subject_version=1,
                protocol_version=self.protocol.version,
                last_received=self.size.timepoints - 1,
            )
        )

    def _timepoint(self, subject_id: str, site: str, number: int) -> TimepointRow:
        nominal = FIRST_DOSE + timedelta(days=42 * number - (7 if number == 0 else 0))
        imaged_on = nominal + timedelta(days=self.random.randint(-5, 5) if number else 0)
        row = TimepointRow(
            timepoint_id=self.key(),
            trial_id=TRIAL,
            subject_id=subject_id,
            number=number,
            nominal_on=nominal,
            opens_on=nominal - timedelta(days=7),
            closes_on=nominal + timedelta(days=7),
            imaged_on=imaged_on,
            progress=Progress.READ,
            control=ControlState.ACCEPTED,
            placement="in_window",
            not_done_reason=None,
            late_instances=0,
            sort_on=imaged_on.isoformat(),
        )
        self.session.add(row)
        self.session.flush()
        self._study(subject_id, site, row.timepoint_id, imaged_on)
        return row

    def _study(self, subject_id: str, site: str, timepoint_id: str, day: date) -> None:
        study, series = self.uid(), self.uid()
        self.session.add(
            StudyRow(
                study_instance_uid=study,
                site_id=site,
                patient_ids=[f"P{TAG}"],
                issuer="",
                study_date=day,
                study_date_is_unreadable=False,
                modalities=["MR"],
                protocol_tag="",
                subject_tag="",
                series_count=1,
                instance_count=1,
                received_at=LOADED_AT,
                settled_at=LOADED_AT,
                conflicts=0,
                state=StudyState.MATCHED,
                trial_id=TRIAL,
                subject_id=subject_id,
                timepoint_id=timepoint_id,
                placement="in_window",
                code="in_window",
                sentence="In the window.",
                confidence="high",
                decided_by="system:worker",
                version=1,
            )
        )
        self.session.flush()
        self.session.add(
            StudySeriesRow(
                study_instance_uid=study,
                series_instance_uid=series,
                modality="MR",
                series_number=1,
                facts={},
            )
        )
        self.session.flush()
        self.session.add(
            StudyInstanceRow(
                sop_instance_uid=f"{series}.1",
                study_instance_uid=study,
                series_instance_uid=series,
                sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
                transfer_syntax_uid="1.2.840.10008.1.2.1",
                instance_number=1,
                rows=512,
                columns=512,
                number_of_frames=1,
                size=524_288,
                sha256="ab" * 32,
                frames=[{"plane": _PLANE}],
                is_late=False,
            )
        )
        self.session.flush()
        self._instance = (study, series, f"{series}.1")
        self._instances = {**getattr(self, "_instances", {}), timepoint_id: self._instance}

    def _course(
        self, subject_id: str, slot: int, timepoints: Sequence[TimepointRow], shrinkage: float
    ) -> None:
        lengths = [self.random.uniform(18.0, 60.0) for _ in _ORGANS]
        signed: list[Read] = []
        for timepoint in timepoints:
            trend = shrinkage * self.random.uniform(0.98, 1.02)
            lengths = [mm if timepoint.number == 0 else max(8.0, mm * trend) for mm in lengths]
            read = self._sign(self._read(subject_id, slot, timepoint, lengths))
            signed.append(read)
            self._assess(read, signed)

    def _read(self, subject_id: str, slot: int, timepoint: TimepointRow, lengths: Sequence[float]) -> Read:
        assert timepoint.imaged_on is not None
        uids = self._instances[timepoint.timepoint_id]
        targets = [
            self._target(f"T{place:02}", organ, mm, uids)
            for place, (organ, mm) in enumerate(zip(_ORGANS, lengths, strict=True), start=1)
        ]
        bone = replace(
            targets[0],
            lesion_id="NT01",
            role=Role.NON_TARGET,
            location="bone",
            organ="bone",
            state="present",
            axes=(),
        )
        return Read(
            read_id=self.key(),
            trial_id=TRIAL,
            subject_id=subject_id,
            timepoint_id=timepoint.timepoint_id,
            number=timepoint.number,
            imaged_on=timepoint.imaged_on,
            slot=slot,
            revision=1,
            supersedes=None,
            unlock_reason=None,
            protocol_version=self.protocol.version,
            opened_by=f"reader{slot}",
            opened_at=LOADED_AT,
            version=5,
            signed_at=None,
            lesions=(*targets, bone),
        )

    def _target(
        self, lesion_id: str, place: tuple[str, str], mm: float, uids: tuple[str, str, str]
    ) -> LesionRecord:
        location, organ = place
        is_nodal = organ == "lymph_nodes"
        column = 40.0 + self.random.uniform(0, 100)
        axes = [self._axis(Axis.LONG, uids, (column, 100.0), (column + 2 * mm, 100.0), mm)]
        if is_nodal:
            short = mm * 0.8
            axes.append(
                self._axis(Axis.SHORT, uids, (column + mm, 100 - short), (column + mm, 100 + short), short)
            )
        return LesionRecord(
            lesion_id=lesion_id,
            role=Role.TARGET,
            location=location,
            organ=organ,
            is_nodal=is_nodal,
            nature=Nature.SOFT_TISSUE,
            is_irradiated=False,
            progressed_since_irradiation=False,
            state="measured",
            reason=None,
            merged_into=None,
            diameter=None,
            findings=(),
            version=1,
            axes=tuple(axes),
        )

    def _axis(
        self,
        axis: Axis,
        uids: tuple[str, str, str],
        start: tuple[float, float],
        end: tuple[float, float],
        mm: float,
    ) -> DrawnAxis:
        return DrawnAxis(
            axis=axis,
            fragment=0,
            study_instance_uid=uids[0],
            series_instance_uid=uids[1],
            sop_instance_uid=uids[2],
            modality="MR",
            frame=1,
            start=start,
            end=end,
            length_mm=Millimetres(mm),
            claimed_mm=None,
            reported=None,
            plane=_PLANE,
            object_sha256="ab" * 32,
        )

    def _sign(self, draft: Read) -> Read:
        read = rounded(draft, Decimal(self.protocol.measurement.precision_mm))
        signature = Signature(
            account_id=f"reader{read.slot}",
            printed_name=f"Reader {read.slot}",
            role="reader",
            meaning="I confirm this read.",
            signed_at=LOADED_AT,
            authenticated_at=LOADED_AT,
            record_hash=record_hash(read),
        )
        self.texts[signature.record_hash] = canonical_json(content(read))
        reads.add(self.session, read)
        reads.seal(self.session, read, signature)
        return read

    def _assess(self, read: Read, signed: Sequence[Read]) -> None:
        inputs = Inputs(
            timepoint_id=read.timepoint_id,
            observations=tuple(observations(each) for each in signed),
            read_ids=tuple(each.read_id for each in signed),
            criteria=self.protocol.criteria,
            anchor_on=FIRST_DOSE,
        )
        values, answer = stored(inputs), derive(inputs)
        self.texts[digest(values)] = canonical_json(values)
        assessments.add(
            self.session,
            Assessment(
                assessment_id=self.key(),
                read_id=read.read_id,
                edition=1,
                because_of=read.read_id,
                derived_at=LOADED_AT,
                trial_id=TRIAL,
                subject_id=read.subject_id,
                slot=read.slot,
                timepoint_id=read.timepoint_id,
                position=len(signed),
                **in_short(answer),
                rules_version=answer["rules_version"],
                protocol_version=read.protocol_version,
                inputs=values,
                inputs_sha256=digest(values),
                answer=answer,
            ),
        )

    def _evaluate(self, subject_id: str, timepoint: TimepointRow) -> None:
        response = self.random.choices(["SD", "PR", "CR", "PD"], weights=[60, 30, 5, 5])[0]
        self.session.add(
            EvaluationRow(
                evaluation_id=self.key(),
                trial_id=TRIAL,
                subject_id=subject_id,
                timepoint_id=timepoint.timepoint_id,
                edition=1,
                overall_response=response,
                has_progressed=response == "PD",
                reason="As the site read it.",
                entered_by="loader",
                entered_at=LOADED_AT,
            )
        )


def template(size: Size, subjects: int) -> Template:
    """Write, derive and keep some subjects in a database of their own, and return its rows."""
    all_tables()
    keep_derived_rows()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.sqlite"
        database = Database(f"sqlite:///{path}")
        database.create_all()
        with database.write() as session:
            writer = _Writer(session, size)
            writer.trial()
            for place in range(subjects):
                writer.subject(place)
            _note_loading(session)
        while True:
            with database.write() as session:
                if not derived.renew_some(session, LOADED_AT.date()):
                    break
        database.close()
        with sqlite3.connect(path) as connection:
            rows = {name: _rows_of(connection, name) for name in (*_ONCE, *_EACH)}
        connection.close()
    return Template(rows=rows, texts=writer.texts, subjects=subjects)


def _rows_of(connection: sqlite3.Connection, table: str) -> tuple[Sequence[str], list[tuple[Any, ...]]]:
    cursor = connection.execute(f"SELECT * FROM {table}")  # noqa: S608  our own name
    return [each[0] for each in cursor.description], cursor.fetchall()


def _note_loading(session: Session) -> None:
    audit.record(session, OPERATOR, action="load cohort", entity="trial", entity_id=TRIAL, at=LOADED_AT)


def fill(database: Database, size: Size, *, of: Template) -> None:
    """Fill a database that has tables and no trial with copies of a template.

    Parameters
    ----------
    database
        Where to; its guards are lifted meanwhile and stand again afterwards.
    size
        How many subjects; the last copy may have fewer than the template.
    of
        What is copied.
    """
    with database.write() as session:
        _note_loading(session)
    with database.writer.connect() as connection:
        if database.is_sqlite:
            _fill_sqlite(connection, size, of)
        else:
            _fill_postgresql(connection, size, of)


def _fill_sqlite(connection: Connection, size: Size, of: Template) -> None:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    for pragma in ("foreign_keys=OFF", "journal_mode=OFF", "synchronous=OFF"):
        raw.execute(f"PRAGMA {pragma}")
    raw.execute("BEGIN IMMEDIATE")
    triggers = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        raw.execute(f'DROP TRIGGER "{name}"')
    for table, names, rows in _tables(size, of):
        places = ", ".join("?" * len(names))
        raw.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", rows)  # noqa: S608
    for _, statement in triggers:
        raw.execute(statement)
    raw.execute("COMMIT")
    raw.execute("ANALYZE")
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL"):
        raw.execute(f"PRAGMA {pragma}")


def _fill_postgresql(connection: Connection, size: Size, of: Template) -> None:
    connection.execute(text("SET session_replication_role = replica"))
    raw: Any = connection.connection.driver_connection
    for table, names, rows in _tables(size, of):
        booleans = {
            place
            for place, name in enumerate(names)
            if Base.metadata.tables[table].columns[name].type.python_type is bool
        }
        with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(
                    [
                        bool(value) if place in booleans and value is not None else value
                        for place, value in enumerate(row)
                    ]
                    if booleans
                    else row
                )
    connection.execute(text("SET session_replication_role = origin"))
    connection.commit()
    with connection.execution_options(isolation_level="AUTOCOMMIT") as alone:
        alone.execute(text("ANALYZE"))


def _tables(size: Size, of: Template) -> Iterator[tuple[str, Sequence[str], Iterator[tuple[Any, ...]]]]:
    for table in _ONCE:
        names, rows = of.rows[table]
        yield table, names, iter(rows)
    for table in _EACH:
        names, _ = of.rows[table]
        yield table, names, _copies(table, size, of)


def _copies(table: str, size: Size, of: Template) -> Iterator[tuple[Any, ...]]:
    names, rows = of.rows[table]
    hashed = [place for place, name in enumerate(names) if name in {"record_hash", "inputs_sha256"}]
    whose = _places_of_subjects(table, of)
    for copy in range(-(-size.subjects // of.subjects)):
        tag = f"777{copy:05}"
        left = size.subjects - copy * of.subjects
        for row, place in zip(rows, whose, strict=True):
            if place >= left:
                continue
            new = [value.replace(TAG, tag) if isinstance(value, str) else value for value in row]
            for column in hashed:
                words = of.texts[row[column]].replace(TAG, tag)
                new[column] = hashlib.sha256(words.encode()).hexdigest()
            yield tuple(new)


def _places_of_subjects(table: str, of: Template) -> Sequence[int]:
    """Return for each row of a table the place of its subject in the template."""
    names, rows = of.rows[table]
    if "subject_id" in names:
        column = names.index("subject_id")
        return [_place(row[column]) for row in rows]
    for key, parent in (("read_id", "reads"), ("study_instance_uid", "studies")):
        if key in names:
            known = dict(_subjects_by_key(parent, key, of))
            column = names.index(key)
            return [known[row[column]] for row in rows]
    message = f"The rows of {table} name no subject."
    raise LookupError(message)


def _subjects_by_key(table: str, key: str, of: Template) -> Iterator[tuple[str, int]]:
    names, rows = of.rows[table]
    column, subject = names.index(key), names.index("subject_id")
    for row in rows:
        yield row[column], _place(row[subject])


def _place(subject_id: str) -> int:
    return int(subject_id.rsplit("-", 1)[1])
