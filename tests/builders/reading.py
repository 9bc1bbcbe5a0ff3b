"""A trial in its reading room: subjects, timepoints with images, and readers who measure over REST."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from imaging_service.accounts.act import Act
from imaging_service.audit import service as audit
from imaging_service.audit.actor import OPERATOR
from imaging_service.database import new_id
from imaging_service.jobs.embedded import EmbeddedQueue
from imaging_service.reads.assignments import assign_waiting
from imaging_service.subjects import service as subjects
from imaging_service.subjects.dates import SubjectDates
from imaging_service.subjects.records import Correction, Enrolment
from imaging_service.tables import all_tables
from imaging_service.timepoints.records import Progress, StudyState
from imaging_service.timepoints.tables import StudyInstanceRow, StudyRow, StudySeriesRow, TimepointRow
from measurement.geometry.plane import ImagePlane
from tests.builders.service import PASSWORD, TestService

PROTOCOL = Path(__file__).parents[2] / "fixtures" / "protocols" / "her2_mbc.toml"
TRIAL = "HER2-MBC-INETETAMAB"
FIRST_DOSE = date(2024, 1, 15)
PLANE = ImagePlane(
    position=(-64.0, -128.0, 10.0),
    row_direction=(1.0, 0.0, 0.0),
    column_direction=(0.0, 1.0, 0.0),
    row_spacing=1.0,
    column_spacing=0.5,
    rows=256,
    columns=256,
    slice_thickness=4.0,
)
"""Anisotropic on purpose: 1 mm from row to row, 0.5 mm from column to column."""

REFUSED = "This frame has no calibrated pixel spacing: no PixelSpacing."


all_tables()  # a service for tests creates the tables that are imported


@dataclass(frozen=True, kw_only=True)
class Imaged:
    """A timepoint with its instances."""

    timepoint_id: str
    instance: str
    """Its first image, of two frames."""
    uncalibrated: str
    """An image without spacing."""


def long_axis(imaged: Imaged, mm: float, **more: Any) -> dict[str, Any]:
    """Draw `mm` along a row, which has pixels of 0.5 mm."""
    return {
        "sop_instance_uid": imaged.instance,
        "frame": 1,
        "points": [[20.0, 100.0], [20.0 + mm / 0.5, 100.0]],
        **more,
    }


def short_axis(imaged: Imaged, mm: float, **more: Any) -> dict[str, Any]:
    """Draw `mm` along a column, which has pixels of 1 mm, across the long axis."""
    return {
        "sop_instance_uid": imaged.instance,
        "frame": 1,
        "points": [[24.0, 100.0 - mm / 2], [24.0, 100.0 + mm / 2]],
        **more,
    }


def measured(imaged: Imaged, mm: float, location: str | None = None, **more: Any) -> dict[str, Any]:
    """Enter a target of this longest diameter."""
    return {"state": "measured", "long_axis": long_axis(imaged, mm), **_place(location), **more}


def node(imaged: Imaged, short_mm: float, location: str | None = None, **more: Any) -> dict[str, Any]:
    """Enter a nodal target of this short axis."""
    return {
        "state": "measured",
        "long_axis": long_axis(imaged, short_mm + 4),
        "short_axis": short_axis(imaged, short_mm),
        **_place(location),
        **({"is_nodal": True} if location else {}),
        **more,
    }


def state(of: str, location: str | None = None, **more: Any) -> dict[str, Any]:
    """Enter a state."""
    return {"state": of, **_place(location), **more}


def _place(location: str | None) -> dict[str, Any]:
    return {} if location is None else {"location": location}


@dataclass(kw_only=True)
class ReadingRoom:
    """The reference trial with two sites, two readers, a coordinator and a sponsor."""

    service: TestService
    _numbers: Any = field(default_factory=lambda: count(1))

    def enrol(self, subject_id: str, site_id: str = "S01", **dates: Any) -> None:
        """Enrol a subject, with its first dose on `FIRST_DOSE` unless said otherwise."""
        stated = SubjectDates(**{"first_dose_on": FIRST_DOSE, **dates})
        wanted = Enrolment(trial_id=TRIAL, subject_id=subject_id, site_id=site_id, dates=stated)
        with self.service.database.write() as session:
            subjects.enrol(self._act(session), wanted)

    def someone(self, site_id: str = "S01", **dates: Any) -> str:
        """Enrol a subject under a new name and return it."""
        subject_id = f"{site_id}-{next(self._numbers):04}"
        self.enrol(subject_id, site_id, **dates)
        return subject_id

    def correct(self, subject_id: str, **dates: Any) -> None:
        """Correct a subject's dates."""
        with self.service.database.write() as session:
            correction = Correction(changes=dates, reason="As the site reports.")
            subjects.correct(self._act(session), TRIAL, subject_id, correction)

    def reading_id(self, subject_id: str) -> str:
        """Return the subject's blinded name."""
        with self.service.database.read() as session:
            act = self._act(session)
            return subjects.find_subject(session, act.scope, TRIAL, subject_id).reading_id

    def image(
        self,
        subject_id: str,
        number: int | None,
        imaged_on: date | None = None,
        *,
        is_unscheduled: bool = False,
    ) -> Imaged:
        """Give a subject a timepoint with images: day 42 k for the k-th, day -7 for baseline."""
        day = imaged_on or FIRST_DOSE + timedelta(days=-7 if number == 0 else 42 * (number or 0))
        uids = [f"1.2.826.{next(self._numbers)}" for _ in range(4)]
        timepoint_id = new_id()
        with self.service.database.write() as session:
            session.add(self._timepoint(timepoint_id, subject_id, None if is_unscheduled else number, day))
            session.flush()
            session.add(self._study(uids[0], subject_id, timepoint_id, day))
            session.flush()
            session.add(_series(uids[0], uids[1]))
            session.flush()
            plane = {"plane": asdict(PLANE)}
            session.add(_instance(uids[0], uids[1], uids[2], [plane, plane]))
            session.add(_instance(uids[0], uids[1], uids[3], [{"refused": REFUSED}]))
            self._note(session, "match study", timepoint_id)
        return Imaged(timepoint_id=timepoint_id, instance=uids[2], uncalibrated=uids[3])

    def add_series(self, study: str) -> str:
        """Give a study another series of one instance, and return its UID."""
        series, instance = (f"1.2.826.{next(self._numbers)}" for _ in range(2))
        with self.service.database.write() as session:
            session.add(_series(study, series))
            session.flush()
            session.add(_instance(study, series, instance, [{"plane": asdict(PLANE)}]))
            self._note(session, "take in study", study)
        return series

    def expect(self, subject_id: str, number: int, *, not_done: str | None = None) -> str:
        """Give a subject a scheduled timepoint without images."""
        timepoint_id = new_id()
        with self.service.database.write() as session:
            row = self._timepoint(timepoint_id, subject_id, number, None)
            row.progress = Progress.EXPECTED if not_done is None else Progress.NOT_DONE
            row.not_done_reason = not_done
            session.add(row)
            self._note(session, "expect timepoint", timepoint_id)
        return timepoint_id

    def assign(self) -> None:
        """Let the system give readers to the subjects that wait for them."""
        with self.service.database.write() as session:
            assign_waiting(self._act(session), TRIAL)

    def readers_of(self, subject_id: str) -> dict[int, str]:
        """Return the account of each slot of a subject, where readers come out of a pool."""
        found = self.service.get(f"/trials/{TRIAL}/reader-assignments?limit=500", "coordinator")
        return {
            each["slot"]: each["account"]
            for each in found.json()["items"]
            if each["subject_id"] == subject_id and each["is_current"]
        }

    def open(self, account: str, imaged: Imaged) -> str:
        """Open the account's read and return its key."""
        answer = self.service.post(f"/timepoints/{imaged.timepoint_id}/reads", account)
        assert answer.status_code in {200, 201}, answer.text
        return str(answer.json()["read_id"])

    def enter(self, account: str, read_id: str, lesion_id: str, body: Mapping[str, Any], **more: Any) -> Any:
        """Enter a lesion and return the answer."""
        return self.service.put(f"/reads/{read_id}/lesions/{lesion_id}", account, json=body, **more)

    def sign(self, account: str, read_id: str, **more: Any) -> Any:
        """Sign a read and return the answer."""
        body = {"password": PASSWORD, "meaning": "I confirm this read.", **more}
        return self.service.post(f"/reads/{read_id}/signature", account, json=body)

    def read(self, account: str, imaged: Imaged, lesions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Open a read, enter its lesions, sign it, and return the assessment."""
        read_id = self.open(account, imaged)
        for lesion_id, body in lesions.items():
            answer = self.enter(account, read_id, lesion_id, body)
            assert answer.status_code == 201, answer.text
        signed = self.sign(account, read_id, **({} if lesions else {"confirms_no_disease": True}))
        assert signed.status_code == 201, signed.text
        assessment: dict[str, Any] = signed.json()["assessment"]
        return assessment

    def course(
        self, account: str, images: Sequence[Imaged], lesions: Sequence[Mapping[str, Mapping[str, Any]]]
    ) -> list[dict[str, Any]]:
        """Read timepoints one after the other and return their assessments."""
        return [self.read(account, *each) for each in zip(images, lesions, strict=True)]

    def _timepoint(
        self, timepoint_id: str, subject_id: str, number: int | None, day: date | None
    ) -> TimepointRow:
        nominal = None if number is None else FIRST_DOSE + timedelta(days=42 * number)
        window = timedelta(days=7)
        return TimepointRow(
            timepoint_id=timepoint_id,
            trial_id=TRIAL,
            subject_id=subject_id,
            number=number,
            nominal_on=nominal,
            opens_on=None if nominal is None else nominal - window,
            closes_on=None if nominal is None else nominal + window,
            imaged_on=day,
            progress=Progress.RECEIVED,
            placement=None,
            not_done_reason=None,
            late_instances=0,
            control=None if day is None else "accepted",
            sort_on=str(day or nominal),
        )

    def _study(self, uid: str, subject_id: str, timepoint_id: str, day: date) -> StudyRow:
        return StudyRow(
            study_instance_uid=uid,
            site_id="S01",
            patient_ids=["N-4711"],
            issuer="",
            study_date=day,
            study_date_is_unreadable=False,
            modalities=["MR"],
            protocol_tag="",
            subject_tag="",
            series_count=1,
            instance_count=2,
            received_at=datetime(2024, 1, 1, tzinfo=UTC),
            settled_at=datetime(2024, 1, 1, tzinfo=UTC),
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

    def _act(self, session: Session) -> Act:
        return Act.of_worker(session, EmbeddedQueue(self.service.clock), self.service.clock.now())

    def _note(self, session: Session, action: str, entity_id: str) -> None:
        audit.record(
            session,
            OPERATOR,
            action=action,
            entity="timepoint",
            entity_id=entity_id,
            at=self.service.clock.now(),
        )


def _series(study: str, series: str) -> StudySeriesRow:
    return StudySeriesRow(
        study_instance_uid=study,
        series_instance_uid=series,
        modality="MR",
        series_number=1,
        description=None,
        frame_of_reference_uid=None,
        facts={},
    )


def _instance(study: str, series: str, uid: str, frames: list[dict[str, Any]]) -> StudyInstanceRow:
    return StudyInstanceRow(
        sop_instance_uid=uid,
        study_instance_uid=study,
        series_instance_uid=series,
        sop_class_uid="1.2.840.10008.5.1.4.1.1.4",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        instance_number=1,
        rows=256,
        columns=256,
        number_of_frames=len(frames),
        size=131_072,
        sha256="ab" * 32,
        frames=frames,
        is_late=False,
    )


def reading_room(service: TestService, protocol: bytes | None = None) -> ReadingRoom:
    """File the reference protocol or another, open two sites, seat two readers."""
    room = _opened(service, protocol)
    service.grant("reader1", TRIAL, reader_slot=1)
    service.grant("reader2", TRIAL, reader_slot=2)
    return room


def pool_room(service: TestService, assignment: str, pool: Sequence[str]) -> ReadingRoom:
    """File the reference protocol with readers assigned to each subject, and let accounts into the pool."""
    written = PROTOCOL.read_text().replace('assignment = "fixed"', f'assignment = "{assignment}"')
    room = _opened(service, written.encode())
    for account in pool:
        joined = service.put(f"/trials/{TRIAL}/readers/pool", "administrator", json={"account": account})
        assert joined.status_code == 200, joined.text
    return room


def _opened(service: TestService, protocol: bytes | None) -> ReadingRoom:
    headers = {"Content-Type": "application/toml"}
    filed = service.post(
        "/trials", "administrator", content=protocol or PROTOCOL.read_bytes(), headers=headers
    )
    assert filed.status_code == 201, filed.text
    for site in ("S01", "S02"):
        opened = service.post(
            f"/trials/{TRIAL}/sites", "administrator", json={"site_id": site, "name": f"Hospital {site}"}
        )
        assert opened.status_code == 201, opened.text
    service.grant("coordinator", TRIAL)
    service.grant("sponsor", TRIAL)
    return ReadingRoom(service=service)
