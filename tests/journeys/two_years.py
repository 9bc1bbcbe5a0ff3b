"""Plays a trial of twelve subjects day by day, over REST, as its people would."""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from ipaddress import ip_network
from itertools import count
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE

from dicom_listener.archive import senders
from dicom_listener.archive.senders import Sender
from dicom_listener.network.server import Listener
from dicom_listener.settings import ListenerSettings
from imaging_service.adjudication import telling as cases
from imaging_service.jobs.embedded import EmbeddedRunner
from imaging_service.jobs.port import WorkerServices
from imaging_service.jobs.reconciler import reconcile
from imaging_service.timepoints import telling
from imaging_service.timepoints.feed import follow_feed
from imaging_service.worker import create_worker
from tests.builders.arrivals import PROTOCOL, TRIAL, TrialHouse, mr_instance, trial_house
from tests.builders.service import PASSWORD

Answer = dict[str, Any]
_AMENDED = ("max_not_evaluable = 0", "max_not_evaluable = 1")
_SIDE = 128  # pixels of 1 mm


@cache
def story() -> Mapping[str, Any]:
    """Return what was worked out by hand."""
    return tomllib.loads((Path(__file__).parent / "two_years.toml").read_text())


@dataclass(frozen=True, kw_only=True)
class Imaging:
    """One occasion on which a subject was imaged."""

    subject: Mapping[str, Any]
    said: Mapping[str, Any]

    @property
    def on(self) -> date:
        """The day."""
        first_dose_on: date = self.subject["first_dose_on"]
        return first_dose_on + timedelta(days=self.said["day"])

    @property
    def number(self) -> int | None:
        """The timepoint that it answers, None when it answers none."""
        if self.said.get("placement") == "between_windows":
            return None
        number: int = self.said.get("number", max(0, self.said["day"] // 42))
        return number


@dataclass(kw_only=True)
class TwoYears:
    """The trial as it goes on."""

    house: TrialHouse
    listener_port: int
    amendment: dict[str, Any] = field(default_factory=dict)
    """What the dry run said and what was stored before and after the answers were derived anew."""
    provisional: dict[str, Answer] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: count(1))

    def play(self) -> None:
        """Let everything happen, in the order of its days."""
        happenings = sorted(self._happenings(), key=lambda each: each[0])
        for day, happen in happenings:
            self.house.service.clock.set(datetime.combine(day, time(12), UTC))
            happen()
        self.house.service.clock.set(datetime.combine(story()["trial_ends_on"], time(12), UTC))

    def _happenings(self) -> Iterator[tuple[date, Any]]:
        for subject in story()["subjects"]:
            yield subject["first_dose_on"] - timedelta(days=14), lambda of=subject: self._enrol(of)
            yield subject["first_dose_on"], lambda of=subject: self._correct(of, "first_dose_on", {"day": 0})
            for said in subject["imaging"]:
                imaging = Imaging(subject=subject, said=said)
                yield imaging.on, lambda of=imaging: self._image(of)
                known_on = max(imaging.on, subject["first_dose_on"])  # before it, nothing has a place
                yield known_on + timedelta(days=1), lambda of=imaging: self._read(of)
            for happened in subject["events"]:
                day = subject["first_dose_on"] + timedelta(days=happened["day"] + 2)
                yield day, lambda of=subject, what=happened: self._correct(of, what["date"], what)
        yield story()["amendment_filed_on"], self._amend
        yield story()["amendment_filed_on"] + timedelta(days=30), self._adjudicate

    def _enrol(self, subject: Mapping[str, Any]) -> None:
        header = "subject_id,site_id,patient_ids,consent_on\r\n"
        consent = subject["first_dose_on"] - timedelta(days=14)
        row = f"{subject['subject_id']},{subject['site_id']},P-{subject['subject_id']},{consent}\r\n"
        self.ok(
            "POST",
            "/subjects/import",
            content=(header + row).encode(),
            headers={"Content-Type": "text/csv"},
            params={"reason": "Enrolled by the site."},
        )
        self.follow()

    def _correct(self, subject: Mapping[str, Any], name: str, what: Mapping[str, Any]) -> None:
        day = subject["first_dose_on"] + timedelta(days=what["day"])
        body = {name: str(day), "reason": "As the site reports."}
        if "withdrawal_reason" in what:
            body["withdrawal_reason"] = what["withdrawal_reason"]
        self.ok("PATCH", f"/subjects/{subject['subject_id']}", json=body)
        self.follow()

    def _image(self, imaging: Imaging) -> None:
        study = f"1.2.826.0.1.{next(self._numbers)}"
        patient_id = imaging.said.get("patient_id", f"P-{imaging.subject['subject_id']}")
        dataset = mr_instance(
            f"{imaging.on:%Y%m%d}",
            study=study,
            patient_id=patient_id,
            Rows=_SIDE,
            Columns=_SIDE,
            PixelSpacing=[1.0, 1.0],
            PixelData=bytes(2 * _SIDE * _SIDE),
        )
        if imaging.said.get("pushed"):
            self._push(dataset)
        else:
            self.house.push(dataset, site_id=imaging.subject["site_id"])
        self.house.settle()
        self.follow()
        if "patient_id" in imaging.said:
            assert self.house.queued()[study] == "unknown_subject"
            body = {
                "subject_id": imaging.subject["subject_id"],
                "timepoint": imaging.number,
                "reason": "The site confirmed by telephone whose study it is.",
            }
            self.ok("POST", f"/studies/{study}/assignment", json=body)
            self.follow()

    def _push(self, dataset: Dataset) -> None:
        """Send an instance over a real association."""
        entity = AE("PACS_01")
        entity.add_requested_context(dataset.SOPClassUID, ExplicitVRLittleEndian)
        association = entity.associate("127.0.0.1", self.listener_port, ae_title="IMAGING")
        assert association.is_established
        dataset.file_meta = _file_meta(dataset)
        assert association.send_c_store(dataset).Status == 0x0000
        association.release()

    def timepoint_of(self, imaging: Imaging) -> Answer:
        """Return the timepoint that an occasion was matched to."""
        calendar = self.ok("GET", f"/subjects/{imaging.subject['subject_id']}/calendar")
        (found,) = [each for each in calendar if each["imaged_on"] == str(imaging.on)]
        return dict(found)

    def _read(self, imaging: Imaging) -> None:
        timepoint_id = self.timepoint_of(imaging)["timepoint_id"]
        instance = self._instance_of(timepoint_id)
        for reader in (1, 2):
            said = dict(imaging.said)
            said["mm"] = said.get(f"reader_{reader}_mm", said.get("mm"))
            if reader == 1 and "slip_mm" in said:
                self._sign(reader, timepoint_id, instance, {**said, "mm": said["slip_mm"]})
                self._unlock(reader, timepoint_id)
            self._sign(reader, timepoint_id, instance, said)
        if "site_says" in imaging.said:
            body = {
                "overall_response": imaging.said["site_says"],
                "has_progressed": imaging.said["site_says"] == "PD",
                "reason": "As entered in the case report form.",
            }
            self.ok("PUT", f"/timepoints/{timepoint_id}/evaluation", json=body)

    def _instance_of(self, timepoint_id: str) -> str:
        (study,) = self.ok("GET", f"/timepoints/{timepoint_id}")["study_instance_uids"]
        (series,) = self.house.archive.series_of(study)
        (instance,) = self.house.archive.instances_of(series.series_instance_uid)
        return instance.sop_instance_uid

    def _unlock(self, reader: int, timepoint_id: str) -> None:
        """Let the coordinator unlock a read that its reader has slipped in."""
        read = self.any("POST", f"/timepoints/{timepoint_id}/reads", f"reader{reader}")
        reason = {"reason": "The reader reports a slip of the mouse."}
        self.any("POST", f"/reads/{read['read_id']}/unlocking", "coordinator", json=reason)

    def _sign(self, reader: int, timepoint_id: str, instance: str, said: Mapping[str, Any]) -> None:
        account = f"reader{reader}"
        read = self.any("POST", f"/timepoints/{timepoint_id}/reads", account)
        path = f"/reads/{read['read_id']}"
        known = {each["lesion_id"]: each["version"] for each in read["lesions"]}
        for lesion_id, entry in self._entries(instance, said, is_baseline=read["number"] == 0).items():
            headers = {"If-Match": f'"{known[lesion_id]}"'} if lesion_id in known else {}
            self.any("PUT", f"{path}/lesions/{lesion_id}", account, json=entry, headers=headers)
        body = {"password": PASSWORD, "meaning": "I confirm this read."}
        self.any("POST", f"{path}/signature", account, json=body)

    @staticmethod
    def _entries(instance: str, said: Mapping[str, Any], *, is_baseline: bool) -> dict[str, Answer]:
        place = {"location": "liver"} if is_baseline else {}
        if "not_evaluable" in said:
            return {"T01": {"state": "not_evaluable", "reason": said["not_evaluable"]}}
        axis = {
            "sop_instance_uid": instance,
            "frame": 1,
            "points": [[10.0, 60.0], [10.0 + said["mm"], 60.0]],
        }
        entries: dict[str, Answer] = {"T01": {"state": "measured", "long_axis": axis, **place}}
        if said.get("new_lesion"):
            entries["NEW01"] = {"state": "unequivocal", "location": "lung", "long_axis": axis}
        return entries

    def _amend(self) -> None:
        """Try the amendment, file it as it was tried, and derive what it applies to anew."""
        text = PROTOCOL.read_text().replace(*_AMENDED)
        effective_on = story()["amendment_effective_on"]
        text = text.replace('version = "1.0"', f'version = "2.0"\neffective_on = {effective_on}')
        sent: dict[str, Any] = {"content": text.encode(), "headers": {"Content-Type": "application/toml"}}
        tried = self.ok("POST", "/protocols/dry-run", **sent)
        self.ok("POST", "/protocols", params={"digest": tried["digest"]}, **sent)
        self.follow()
        subject_ids = sorted({each["subject_id"] for each in tried["changes"]})
        self.amendment = {"tried": tried, "before": {each: self.outcomes(each) for each in subject_ids}}
        for each in subject_ids:
            body = {"version": "2.0", "reason": "The steering committee applies it to signed reads."}
            self.ok("POST", f"/subjects/{each}/rederivation", json=body)

    def _adjudicate(self) -> None:
        """Let the adjudicator choose, as the story says, wherever readers differ."""
        self.look_for_work()
        chosen = {
            each["subject_id"]: each["expected"]["chosen_reader"]
            for each in story()["subjects"]
            if "chosen_reader" in each["expected"]
        }
        reviews = self.ok("GET", "/reviews")["items"]
        names = {each["reading_id"]: each["subject_id"] for each in reviews}
        cases = self.any("GET", "/adjudications", "adjudicator")["items"]
        for each in cases:
            path = f"/trials/{TRIAL}/adjudications/{each['reading_id']}"
            case = self.any("GET", path, "adjudicator")
            body = {
                "password": PASSWORD,
                "meaning": "I confirm this adjudication.",
                "chosen_reader": chosen[names[each["reading_id"]]],
                "reason": "The border of the lesion is followed better.",
                "evidence_sha256": case["evidence_sha256"],
            }
            self.any("POST", f"{path}/decision", "adjudicator", json=body)

    def follow(self) -> None:
        """Let the worker deal with the archive's feed, and with every job that is due."""
        house = self.house
        while follow_feed(house.service.database, house.archive, house.service.clock, house.queue):
            continue
        worker = create_worker(house.service.settings, self._services)
        runner = EmbeddedRunner(self._services, worker.handlers)
        while runner.run_next():
            continue
        with house.service.database.read() as session:
            assert house.queue.parked(session) == []

    def look_for_work(self) -> None:
        """Let the worker find, as it does every minute, what time alone has brought about."""
        clock = self.house.service.clock
        derivations = (telling.missing_jobs(clock), cases.missing_jobs(clock))
        reconcile(self.house.service.database, self.house.queue, derivations)
        self.follow()

    @property
    def _services(self) -> WorkerServices:
        house = self.house
        return WorkerServices(
            database=house.service.database,
            archive=house.archive,
            clock=house.service.clock,
            queue=house.queue,
        )

    def outcomes(self, subject_id: str, **query: Any) -> Answer:
        """Return a subject's outcomes by reader 1, or of record."""
        found = self.ok("GET", f"/subjects/{subject_id}/outcomes", params=query)
        return dict(found["readers"][0])

    def ok(self, method: str, path: str, account: str = "coordinator", **arguments: Any) -> Any:
        """Ask below the trial; anything but success ends the journey."""
        return self.any(method, f"/trials/{TRIAL}{path}", account, **arguments)

    def any(self, method: str, path: str, account: str, **arguments: Any) -> Any:
        """Ask; anything but success ends the journey."""
        answer = self.house.service.request(method, path, account, **arguments)
        assert answer.status_code in {200, 201}, f"{method} {path}: {answer.text}"
        return answer.json()


def _file_meta(dataset: Dataset) -> Any:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return meta


@contextmanager
def two_years(database_url: str, folder: Path) -> Iterator[TwoYears]:
    """Give the trial after everything has happened."""
    with trial_house(database_url, folder) as house:
        service = house.service
        service.clock.set(datetime(2025, 12, 1, 8, tzinfo=UTC))
        service.forget_tokens()
        for slot in (1, 2):
            service.grant(f"reader{slot}", TRIAL, reader_slot=slot)
        service.grant("adjudicator", TRIAL)
        known = Sender(
            calling_ae="PACS_01", called_ae="IMAGING", networks=(ip_network("127.0.0.1/32"),), site_id="01"
        )
        senders.add(house.archive.database, known)
        with Listener(ListenerSettings(port=0), house.archive) as listener:
            journey = TwoYears(house=house, listener_port=listener.port)
            journey.play()
            yield journey
