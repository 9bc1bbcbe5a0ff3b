"""A trial that receives studies: real intake, real archive, real queue, no network."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydicom import DataElement, Dataset, config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.migrate import migrate
from dicom_listener.archive.provenance import Provenance
from dicom_listener.intake.checks import Arrival
from dicom_listener.intake.receive import Intake, Reception
from dicom_listener.intake.settle import Settler, close_all
from imaging_service.assistance import carrying
from imaging_service.jobs.embedded import EmbeddedQueue, EmbeddedRunner
from imaging_service.jobs.port import WorkerServices
from imaging_service.quality import service as quality
from imaging_service.timepoints.feed import HANDLERS, follow_feed
from tests.builders.service import TestService, running_service

PROTOCOL = Path(__file__).parents[2] / "fixtures" / "protocols" / "her2_mbc.toml"
TRIAL = "HER2-MBC-INETETAMAB"
STUDY = "1.2.3.4"


def mr_instance(
    study_on: str | None = "20250101",
    *,
    study: str = STUDY,
    series: int = 1,
    number: int = 1,
    patient_id: str = "P-1",
    **attributes: Any,
) -> Dataset:
    """Return one 4 x 4 MR image; an attribute given as None is left out."""
    dataset = Dataset()
    known: dict[str, Any] = {
        "SOPClassUID": MRImageStorage,
        "SOPInstanceUID": f"{study}.{series}.{number}",
        "StudyInstanceUID": study,
        "SeriesInstanceUID": f"{study}.{series}",
        "StudyDate": study_on,
        "Modality": "MR",
        "PatientID": patient_id,
        "PatientName": "Canary^Name",
        "SeriesNumber": series,
        "SeriesDescription": "T1 dynamic",
        "InstanceNumber": number,
        "Rows": 4,
        "Columns": 4,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "PixelSpacing": [0.8, 0.5],
        "ImagePositionPatient": [0, 0, number],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "SliceThickness": 3,
        "FrameOfReferenceUID": f"{study}.9",
        "PixelData": bytes(range(32)),
    }
    for keyword, value in (known | attributes).items():
        if value is not None:
            tag = tag_for_keyword(keyword)
            assert tag is not None
            dataset[tag] = DataElement(tag, dictionary_VR(tag), value, validation_mode=config.IGNORE)
    return dataset


def encoded(dataset: Dataset) -> bytes:
    """Return the data set in Explicit VR Little Endian."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, dataset)
    return buffer.getvalue()


@dataclass(kw_only=True)
class TrialHouse:
    """The reference trial with two sites, its coordinator, and an archive that it follows."""

    service: TestService
    archive: Archive
    queue: EmbeddedQueue

    def push(
        self, *datasets: Dataset, site_id: str = "01", intake: Intake | None = None
    ) -> Sequence[Reception]:
        """Let a site's PACS send instances; nothing settles yet."""
        intake = intake or Intake(archive=self.archive)
        return [intake.receive(_arrival(each, site_id)) for each in datasets]

    def settle(self) -> None:
        """Let every open study settle."""
        close_all(self.archive.database)
        Settler(self.archive.database, 0).settle()

    def follow(self) -> None:
        """Let the worker deal with the feed and with every job that is due."""
        while follow_feed(self.service.database, self.archive, self.service.clock, self.queue):
            continue
        services = WorkerServices(
            database=self.service.database,
            archive=self.archive,
            clock=self.service.clock,
            queue=self.queue,
        )
        runner = EmbeddedRunner(services, {**HANDLERS, **quality.HANDLERS, **carrying.HANDLERS})
        while runner.run_next():
            continue
        with self.service.database.read() as session:
            assert self.queue.parked(session) == []
            assert self.queue.pending(session) == 0

    def receive(self, *datasets: Dataset, site_id: str = "01") -> None:
        """Push, settle and follow."""
        for reception in self.push(*datasets, site_id=site_id):
            assert not reception.sentence, reception
        self.settle()
        self.follow()

    def enrol(self, subject_id: str = "01-001", *, site_id: str = "01", **payload: Any) -> dict[str, Any]:
        """Enrol a subject whose PatientID is P-1 and whose first dose was on New Year's Day of 2025."""
        known = {
            "subject_id": subject_id,
            "site_id": site_id,
            "patient_ids": ["P-1"],
            "consent_on": "2024-12-01",
            "first_dose_on": "2025-01-01",
        }
        answer = self.service.post(self.path("/subjects"), "coordinator", json=known | payload)
        assert answer.status_code == 201, answer.text
        self.follow()
        enrolled: dict[str, Any] = answer.json()
        return enrolled

    def correct(self, subject_id: str = "01-001", **dates: Any) -> None:
        """Correct a subject's dates."""
        body = {"reason": "As the site reports."} | dates
        answer = self.service.patch(self.path(f"/subjects/{subject_id}"), "coordinator", json=body)
        assert answer.status_code == 200, answer.text
        self.follow()

    def path(self, rest: str) -> str:
        """Return a path below the trial."""
        return f"/trials/{TRIAL}{rest}"

    def get(self, rest: str, account: str = "coordinator", **arguments: Any) -> Any:
        """Return the JSON of a route below the trial."""
        answer = self.service.get(self.path(rest), account, **arguments)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def study(self, study: str = STUDY) -> dict[str, Any]:
        """Return a study as the coordinator sees it."""
        found: dict[str, Any] = self.get(f"/studies/{study}")
        return found

    def timepoint_of(self, study: str = STUDY) -> dict[str, Any]:
        """Return the timepoint that a study is matched to."""
        found: dict[str, Any] = self.get(f"/timepoints/{self.study(study)['timepoint_id']}")
        return found

    def queued(self) -> dict[str, str]:
        """Return the code of each study that waits for a coordinator, by its UID."""
        items = self.get("/studies/unmatched")["items"]
        return {each["study_instance_uid"]: each["code"] for each in items}


def _arrival(dataset: Dataset, site_id: str) -> Arrival:
    return Arrival(
        sop_class_uid=dataset.SOPClassUID,
        sop_instance_uid=dataset.SOPInstanceUID,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        data_set=encoded(dataset),
        provenance=Provenance(
            calling_ae=f"PACS_{site_id}",
            called_ae="IMAGING",
            peer_address="127.0.0.1",
            site_id=site_id,
            received_at=datetime.now(UTC),
        ),
    )


@contextmanager
def trial_house(
    database_url: str, folder: Path, *, amended: tuple[str, str] = ("", ""), **settings: Any
) -> Iterator[TrialHouse]:
    """Give the reference trial with the sites 01 and 02, on New Year's Day of 2026 plus four days."""
    archive = Archive.open(f"sqlite:///{folder}/archive.sqlite", "memory:")
    migrate(archive.database)
    archive.objects.prepare()
    try:
        with running_service(database_url, archive=archive, **settings) as service:
            queue = EmbeddedQueue(service.clock)
            service.app.state.jobs = queue
            house = TrialHouse(service=service, archive=archive, queue=queue)
            _open_trial(house, amended)
            yield house
    finally:
        archive.close()


def _open_trial(house: TrialHouse, amended: tuple[str, str]) -> None:
    service = house.service
    filed = service.post(
        "/trials",
        "administrator",
        content=PROTOCOL.read_text().replace(*amended),
        headers={"Content-Type": "application/toml"},
    )
    assert filed.status_code == 201, filed.text
    for site in ("01", "02"):
        body = {"site_id": site, "name": f"Hospital {site}"}
        opened = service.post(house.path("/sites"), "administrator", json=body)
        assert opened.status_code == 201, opened.text
    service.grant("coordinator", TRIAL)
    service.grant("sponsor", TRIAL)
