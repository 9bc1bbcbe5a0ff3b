"""Sites store over STOW-RS what they could have sent by C-STORE, and it ends in the same archive."""

import http.client
import io
import itertools
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from dicomweb_client import DICOMwebClient
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian
from sqlalchemy import select

from dicom_listener.archive import senders
from dicom_listener.archive.objects_folder import FolderObjectStore
from dicom_listener.archive.senders import Deidentify, Sender, networks_from
from dicom_listener.deidentification.key import Key
from imaging_service.accounts.principal import Role
from imaging_service.audit.tables import AuditEntry
from tests.builders.arrivals import STUDY, TRIAL, TrialHouse, mr_instance, trial_house
from tests.builders.service import on_loopback

LONG = (
    pytest.mark.campaign,
    pytest.mark.skipif("CAMPAIGN" not in os.environ, reason="the long form runs by 'make campaign'"),
)
STUDIES = "/dicomweb/studies"
TYPE = 'multipart/related; type="application/dicom"; boundary=limit'
INSTANCE = f"{STUDY}.1.1"
FAILED, REFERENCED, OTHERS = "00081198", "00081199", "0008119A"


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[TrialHouse]:
    """Give a trial with an account that stands for site 01."""
    with trial_house(sqlite_url, tmp_path) as opened:
        opened.service.grant("service", TRIAL, site_id="01")
        yield opened


def file_of(dataset: Dataset, **meta: Any) -> bytes:
    """Return a data set as a DICOM file."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword, value in meta.items():
        setattr(dataset.file_meta, keyword, value)
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def body_of(*files: bytes, media_type: str = "application/dicom") -> bytes:
    """Return files as one multipart body."""
    head = f"--limit\r\nContent-Type: {media_type}\r\n\r\n".encode()
    return b"".join(head + each + b"\r\n" for each in files) + b"--limit--\r\n"


def store(
    house: TrialHouse, *files: bytes, path: str = STUDIES, account: str = "service", **headers: str
) -> Any:
    """Store files, and return the answer."""
    given = {"Content-Type": TYPE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return house.service.post(path, account, content=body_of(*files), headers=given)


def uids(answer: Any, sequence: str) -> list[str]:
    """Return the instances that an answer lists."""
    return [each["00081155"]["Value"][0] for each in answer.json().get(sequence, {"Value": []})["Value"]]


def reasons(answer: Any, sequence: str = FAILED) -> list[int]:
    """Return the failure reasons that an answer lists."""
    return [each["00081197"]["Value"][0] for each in answer.json()[sequence]["Value"]]


def test_what_a_site_stores_is_kept_for_its_site_and_matched_like_a_push(house: TrialHouse) -> None:
    house.enrol()
    answer = store(house, file_of(mr_instance("20241220")), file_of(mr_instance("20241220", number=2)))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom+json"
    assert uids(answer, REFERENCED) == [INSTANCE, f"{STUDY}.1.2"]
    said = answer.json()
    assert said["00081190"]["Value"] == [f"http://testserver/api/v1/dicomweb/studies/{STUDY}"]
    place = said[REFERENCED]["Value"][0]["00081190"]["Value"][0]
    assert place.endswith(f"/studies/{STUDY}/series/{STUDY}.1/instances/{INSTANCE}")
    house.settle()
    house.follow()
    assert house.timepoint_of()["subject_id"] == "01-001"
    (receipt, _) = house.archive.receipts_after(0)
    assert (receipt.receipt.site_id, receipt.receipt.calling_ae) == ("01", "STOW-RS")


def test_the_data_set_is_kept_byte_for_byte(house: TrialHouse) -> None:
    sent = file_of(mr_instance())
    assert store(house, sent).status_code == 200
    kept = house.archive.read(INSTANCE)
    record = house.archive.instance(INSTANCE)
    assert record is not None
    assert sent.endswith(kept[record.header_length :])
    assert len(kept) - record.header_length > 400


def test_the_same_again_is_kept_once_and_other_content_apart(house: TrialHouse) -> None:
    first = store(house, file_of(mr_instance()))
    again = store(house, file_of(mr_instance()))
    assert (first.status_code, again.status_code) == (200, 200)
    other = store(house, file_of(mr_instance(SeriesDescription="another")))
    assert (other.status_code, uids(other, REFERENCED)) == (202, [INSTANCE])
    assert "kept apart" in other.headers["warning"]
    assert len(house.archive.conflicts_of(STUDY)) == 1
    assert house.archive.counts()["instances"] == 1


def test_the_study_of_the_address_is_the_only_one_that_is_stored(house: TrialHouse) -> None:
    mine, other = file_of(mr_instance()), file_of(mr_instance(study="1.2.99"))
    answer = store(house, mine, other, path=f"{STUDIES}/{STUDY}")
    assert answer.status_code == 202
    assert (uids(answer, REFERENCED), uids(answer, FAILED)) == ([INSTANCE], ["1.2.99.1.1"])
    assert reasons(answer) == [0xA900]
    assert house.archive.study("1.2.99") is None
    none = store(house, other, path=f"{STUDIES}/{STUDY}")
    assert (none.status_code, uids(none, FAILED)) == (409, ["1.2.99.1.1"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (file_of(mr_instance(SOPClassUID="1.2.3")), 0x0122),
        (file_of(mr_instance()).replace(b"1.2.3.4.1.1", b"1.2.3.4.1.9", 1), 0xA900),
        (file_of(mr_instance(PixelData=None), TransferSyntaxUID=UID("1.2.840.10008.1.2.4.100")), 0xC122),
        (file_of(mr_instance(PixelData=b"short"))[:-1], 0xC000),
        (file_of(mr_instance(PatientID="P\x00\n1")), 0xC000),
    ],
    ids=["class", "other UID", "syntax", "truncated", "identifier"],
)
def test_an_instance_that_is_refused_has_the_reason_of_the_standard(
    house: TrialHouse, content: bytes, reason: int
) -> None:
    answer = store(house, content)
    assert (answer.status_code, reasons(answer)) == (409, [reason]), answer.text
    assert answer.headers["warning"].startswith("299 ")
    assert house.archive.counts()["instances"] == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no DICOM",
        bytes(128) + b"DICM",
        bytes(128) + b"DICM" + bytes(50),
        bytes(128) + b"DICM\x02\x00\x00\x00UL\x04\x00\xff\xff\xff\xff",
        bytes(128)
        + b"DICM\x02\x00\x00\x00UL\x04\x00\x0c\x00\x00\x00"
        + b"\x02\x00\x02\x00UI\xff\x00"
        + bytes(40),
        b"../../etc/passwd" * 100,
    ],
    ids=itertools.count(),
)
def test_a_part_that_is_no_dicom_stands_among_the_other_failures(house: TrialHouse, content: bytes) -> None:
    answer = store(house, content, file_of(mr_instance()))
    assert (answer.status_code, uids(answer, REFERENCED)) == (202, [INSTANCE])
    assert reasons(answer, OTHERS) == [0xC000]


def test_an_empty_file_name_or_path_in_a_head_means_nothing(house: TrialHouse, tmp_path: Path) -> None:
    head = (
        b'--limit\r\nContent-Type: application/dicom\r\nContent-Disposition: x; filename="../../../evil"\r\n'
    )
    head += b"Content-Location: /etc/passwd\r\n\r\n"
    body = head + file_of(mr_instance()) + b"\r\n--limit--"
    answer = house.service.post(STUDIES, "service", content=body, headers={"Content-Type": TYPE})
    assert answer.status_code == 200
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"Content-Type": "multipart/related; type=application/dicom"}, body_of(b"x"), 400, "boundary_bad"),
        ({"Content-Type": TYPE}, b"no boundary anywhere", 400, "boundary_missing"),
        ({"Content-Type": TYPE}, b"", 400, "boundary_missing"),
        ({"Content-Type": TYPE}, b"--limit--\r\n", 400, "parts_none"),
        ({"Content-Type": TYPE}, body_of(file_of(mr_instance()))[:-40], 400, "body_truncated"),
        ({"Content-Type": TYPE}, b"--limit\r\nA: " + b"a" * 20_000, 400, "part_head_too_long"),
        ({"Content-Type": TYPE}, b"--limit\r\n\r\n\r\n" * 100_000, 400, "parts_not_dicom"),
        (
            {"Content-Type": TYPE},
            body_of(*[b"y"] * 200, media_type="multipart/mixed"),
            400,
            "parts_not_dicom",
        ),
        (
            {"Content-Type": TYPE.replace("application/dicom", "application/dicom+json")},
            b"",
            415,
            "unsupported_media_type",
        ),
        ({"Content-Type": TYPE.replace("related", "form-data")}, b"x", 415, "unsupported_media_type"),
        ({"Content-Type": "application/dicom"}, b"x", 415, "unsupported_media_type"),
        ({"Content-Type": TYPE, "Content-Encoding": "gzip"}, b"x", 415, "content_encoding"),
        ({"Content-Type": TYPE, "Accept": "application/dicom+xml"}, b"x", 406, "not_acceptable"),
        ({"Content-Type": TYPE, "Content-Length": str(2**40)}, b"x", 413, "too_large"),
    ],
    ids=itertools.count(),
)
def test_a_body_that_is_no_store_is_told_why(
    house: TrialHouse, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    answer = house.service.post(STUDIES, "service", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["detail"].endswith(".")


def test_what_came_before_the_fault_stays_kept(house: TrialHouse) -> None:
    body = body_of(file_of(mr_instance()), file_of(mr_instance(number=2)))[:-100]
    answer = house.service.post(STUDIES, "service", content=body, headers={"Content-Type": TYPE})
    assert (answer.status_code, answer.json()["code"]) == (400, "body_truncated")
    assert house.archive.instance(INSTANCE) is not None
    assert house.archive.instance(f"{STUDY}.1.2") is None


def test_a_body_beyond_the_limit_is_refused_while_it_comes(sqlite_url: str, tmp_path: Path) -> None:
    with trial_house(sqlite_url, tmp_path, store_limit_bytes=3_000_000) as house:
        house.service.grant("service", TRIAL, site_id="01")

        def pieces() -> Iterator[bytes]:
            yield b"--limit\r\nContent-Type: application/dicom\r\n\r\n"
            for _ in range(40):
                yield bytes(100_000)

        answer = house.service.post(STUDIES, "service", content=pieces(), headers={"Content-Type": TYPE})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_only_an_account_that_stands_for_one_site_may_store(house: TrialHouse) -> None:
    refused = store(house, file_of(mr_instance()), account="coordinator")
    assert (refused.status_code, refused.json()["code"]) == (403, "no_single_site")
    house.service.grant("service", TRIAL, site_id="02")
    several = store(house, file_of(mr_instance()))
    assert "the sites 01, 02" in several.json()["detail"]
    for account in ("reader1", "sponsor", "adjudicator", "administrator"):
        assert store(house, file_of(mr_instance()), account=account).status_code == 403
    assert house.archive.counts()["instances"] == 0


def test_a_store_is_entered_into_the_audit(house: TrialHouse) -> None:
    store(house, file_of(mr_instance()), b"no DICOM")
    with house.service.database.read() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "store instances"))
        assert (entry.entity_id, entry.after) == (STUDY, '{"kept":1,"refused":1,"site_id":"01"}')


@pytest.mark.parametrize("frames", [100, pytest.param(600, marks=LONG)], ids=["50 MB", "300 MB"])
def test_a_large_part_goes_to_disk_and_not_into_memory(
    house: TrialHouse, tmp_path: Path, frames: int
) -> None:
    house.archive.objects = FolderObjectStore(tmp_path / "objects")
    house.archive.objects.prepare()
    size = 512 * 512 * 2
    small = file_of(
        mr_instance(
            Rows=512,
            Columns=512,
            NumberOfFrames=str(frames),
            PixelData=b"",
            SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1",
        )
    )[:-4] + (frames * size).to_bytes(4, "little")
    piece = np.random.default_rng(5).bytes(size)

    def body() -> Iterator[bytes]:
        yield b"--limit\r\nContent-Type: application/dicom\r\n\r\n" + small
        for _ in range(frames):
            yield piece
        yield b"\r\n--limit--"

    with on_loopback(house.service) as address:
        parts = urlsplit(address)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        headers = {"Content-Type": TYPE, **house.service.headers("service"), "Transfer-Encoding": "chunked"}
        tracemalloc.start()
        connection.request("POST", f"/api/v1{STUDIES}", body=body(), headers=headers, encode_chunked=True)
        answer = connection.getresponse()
        answer.read()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        connection.close()
    assert answer.status == 200
    assert peak < 32 * 2**20
    record = house.archive.instance(INSTANCE)
    assert record is not None
    assert record.size > frames * size


def test_dicomweb_client_stores_and_reads_what_it_stored(house: TrialHouse) -> None:
    house.enrol()
    sent = [dcmread(io.BytesIO(file_of(mr_instance("20241220", number=number)))) for number in (1, 2, 3)]
    with on_loopback(house.service) as address:
        url = f"{address}/api/v1/dicomweb"
        site = DICOMwebClient(url, headers=house.service.headers("service"))
        said = site.store_instances(sent, study_instance_uid=STUDY)
        assert [each.ReferencedSOPInstanceUID for each in said.ReferencedSOPSequence] == [
            each.SOPInstanceUID for each in sent
        ]
        assert "FailedSOPSequence" not in said
        house.settle()
        house.follow()
        coordinator = DICOMwebClient(url, headers=house.service.headers("coordinator"))
        assert coordinator.retrieve_study(STUDY) == sent


def test_an_account_of_a_site_needs_the_role_of_a_machine(house: TrialHouse) -> None:
    house.service.add_account("uploader", Role.SERVICE)
    house.service.grant("uploader", TRIAL, site_id="02")
    assert store(house, file_of(mr_instance()), account="uploader").status_code == 200
    (receipt,) = house.archive.receipts_after(0)
    assert receipt.receipt.site_id == "02"


def test_what_is_de_identified_is_told_by_its_own_uid_and_found_by_another(
    house: TrialHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = b"thirty-two bytes and a few more of them"
    (tmp_path / "key").write_bytes(secret)
    monkeypatch.setenv("DICOM_LISTENER_DEIDENTIFICATION_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("DICOM_LISTENER_ORIGINALS", str(tmp_path / "originals"))
    sender = Sender(
        calling_ae="MRI_1",
        called_ae="IMAGING",
        networks=networks_from(["10.0.0.0/8"]),
        site_id="01",
        deidentify=Deidentify.REQUIRED,
    )
    senders.add(house.archive.database, sender)
    answer = store(house, file_of(mr_instance()), file_of(mr_instance(number=2, BurnedInAnnotation="YES")))
    assert (answer.status_code, uids(answer, REFERENCED)) == (202, [INSTANCE, f"{STUDY}.1.2"])
    assert "held until a person has looked at it" in answer.headers["warning"]
    first, second = answer.json()[REFERENCED]["Value"]
    assert first["00081190"]["Value"][0].endswith(f"/instances/{Key(secret=secret).uid(INSTANCE)}")
    assert "00081190" not in second
    assert STUDY not in {each.study_instance_uid for each in house.archive.studies()}
