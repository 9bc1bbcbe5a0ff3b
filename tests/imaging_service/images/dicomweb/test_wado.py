"""Retrieving over WADO-RS: the bytes as kept, other syntaxes, frames, pictures, and the reader's blinding."""

import io
import re
import zlib
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID

from dicom_listener.archive.provenance import Provenance
from dicom_listener.intake.checks import Arrival
from dicom_listener.intake.receive import Intake
from imaging_service.images.dicomweb.blinding import Blinding
from imaging_service.images.dicomweb.instances import AS_KEPT, file_of
from imaging_service.images.dicomweb.kept import Layouts
from tests.builders.arrivals import STUDY, TrialHouse, mr_instance

FOLLOW_UP = "1.2.5"
SERIES = f"/studies/{STUDY}/series/{STUDY}.1"
INSTANCE = f"{SERIES}/instances/{STUDY}.1.1"
EXPLICIT, IMPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
RLE, DEFLATED = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1.99"
HIDDEN = ("CANARY", "Canary", "P-1", "01-001", "2024", "1964", "T1 dynamic")


def get(house: TrialHouse, rest: str, account: str = "coordinator", accept: str | None = None) -> Any:
    headers = {} if accept is None else {"Accept": accept}
    return house.service.get(f"/dicomweb{rest}", account, headers=headers)


def parts(answer: Any) -> list[tuple[str, bytes]]:
    """Split a body by its boundary alone, strictly."""
    assert answer.status_code == 200, answer.text
    boundary = re.fullmatch(
        r'multipart/related; type="[^"]+"; boundary=(\w+)', answer.headers["content-type"]
    )
    assert boundary is not None, answer.headers["content-type"]
    line = b"--" + boundary[1].encode()
    first, *inner, last = (b"\r\n" + answer.content).split(b"\r\n" + line)
    assert (first, last) == (b"", b"--\r\n")
    found = []
    for part in inner:
        head, empty, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        assert empty
        found.append((head.decode().removeprefix("Content-Type: "), content))
    return found


def multipart(kind: str, syntax: str | None = None) -> str:
    return f'multipart/related; type="{kind}"' + (f"; transfer-syntax={syntax}" if syntax else "")


@pytest.mark.parametrize("accept", [None, multipart("application/dicom", "*")])
def test_a_coordinator_gets_the_bytes_as_they_are_kept(house: TrialHouse, accept: str | None) -> None:
    ((kind, content),) = parts(get(house, INSTANCE, accept=accept))
    assert kind == f"application/dicom; transfer-syntax={EXPLICIT}"
    assert content == house.archive.read(f"{STUDY}.1.1")


@pytest.mark.parametrize(("rest", "count"), [(f"/studies/{STUDY}", 3), (SERIES, 2), (INSTANCE, 1)])
def test_whole_studies_and_series_come_part_by_part(house: TrialHouse, rest: str, count: int) -> None:
    assert len(parts(get(house, rest))) == count
    assert len(get(house, f"{rest}/metadata").json()) == count


def test_an_instance_is_given_in_the_syntax_asked_for(house: TrialHouse) -> None:
    ((kind, content),) = parts(get(house, INSTANCE, accept=multipart("application/dicom", IMPLICIT)))
    assert kind.endswith(f"={IMPLICIT}")
    given, kept = dcmread(io.BytesIO(content)), dcmread(io.BytesIO(house.archive.read(f"{STUDY}.1.1")))
    assert given.file_meta.TransferSyntaxUID == IMPLICIT
    assert given.PixelData == kept.PixelData
    assert [each.value for each in given] == [each.value for each in kept]


def test_a_reader_gets_blinded_files(house: TrialHouse) -> None:
    found = parts(get(house, f"/studies/{STUDY}", "reader1"))
    assert len(found) == 2  # without the site's report
    kept = dcmread(io.BytesIO(house.archive.read(f"{STUDY}.1.1")))
    reading_id = house.get("/subjects/01-001")["reading_id"]
    for _, content in found:
        for hidden in HIDDEN:
            assert hidden.encode() not in content, hidden
        given = dcmread(io.BytesIO(content))
        assert (given.PatientID, given.PatientName, given.StudyDate) == (reading_id, reading_id, "20000101")
        assert (given.PixelData, given.PixelSpacing) == (kept.PixelData, kept.PixelSpacing)


def test_a_reader_gets_blinded_metadata(house: TrialHouse) -> None:
    answer = get(house, f"/studies/{STUDY}/metadata", "reader1")
    assert answer.headers["content-type"] == "application/dicom+json"
    assert len(answer.json()) == 2
    for hidden in HIDDEN:
        assert hidden not in answer.text, hidden
    first = answer.json()[0]
    assert first["00280030"] == {"vr": "DS", "Value": [0.8, 0.5]}
    assert first["7FE00010"]["BulkDataURI"].endswith(f"{INSTANCE}/bulkdata/7FE00010")


ADDRESSES = (
    *("", "/metadata", "/frames/1", "/rendered", "/frames/1/rendered", "/bulkdata/7FE00010"),
    *("/frames/2", "/bulkdata/00280010"),
)


@pytest.mark.parametrize("rest", ADDRESSES)
def test_a_closed_study_is_missing_at_every_address(house: TrialHouse, rest: str) -> None:
    def asked(study: str) -> Any:
        return get(house, f"/studies/{study}/series/{study}.1/instances/{study}.1.1{rest}", "reader1")

    closed, missing = asked(FOLLOW_UP), asked("1.2.999")
    assert (closed.status_code, closed.json()) == (404, missing.json())


@pytest.mark.parametrize(
    "rest", [f"/studies/{STUDY}/series/1.2.9/instances/{STUDY}.1.1", f"/studies/{FOLLOW_UP}/series/{STUDY}.1"]
)
def test_an_address_must_be_right_in_every_part(house: TrialHouse, rest: str) -> None:
    assert get(house, rest).status_code == 404


def test_the_report_of_the_site_is_missing_for_a_reader(house: TrialHouse) -> None:
    rest = f"/studies/{STUDY}/series/{STUDY}.7"
    assert get(house, rest).status_code == 200
    assert get(house, rest, "reader1").status_code == 404
    assert get(house, f"{rest}/instances/{STUDY}.7.1/metadata", "reader1").status_code == 404


@pytest.mark.parametrize(
    ("rest", "accept"),
    [
        (INSTANCE, "application/json"),
        (INSTANCE, multipart("application/dicom", "1.2.840.10008.1.2.4.90")),
        (f"{INSTANCE}/frames/1", multipart("image/jp2")),
        (f"{INSTANCE}/frames/1", multipart("application/octet-stream", "1.2.840.10008.1.2.4.80")),
        (f"{INSTANCE}/metadata", "application/dicom+xml"),
        (f"{INSTANCE}/rendered", "image/gif"),
        (f"{INSTANCE}/rendered", "image/png;q=0"),
        (INSTANCE, "nonsense"),
    ],
)
def test_what_cannot_be_had_is_not_acceptable(house: TrialHouse, rest: str, accept: str) -> None:
    answer = get(house, rest, accept=accept)
    assert (answer.status_code, answer.json()["status"]) == (406, 406)


def test_the_most_wanted_type_that_can_be_had_is_given(house: TrialHouse) -> None:
    accept = f"image/gif, image/jpeg;q=0.5, image/png;q=0.9, {multipart('a/b')}"
    assert get(house, f"{INSTANCE}/rendered", accept=accept).headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("frames", "status"), [("0", 404), ("2", 404), ("1,2", 404), ("x", 400), ("1,", 400), ("-1", 400)]
)
def test_a_frame_that_is_not_there_is_told(house: TrialHouse, frames: str, status: int) -> None:
    assert get(house, f"{INSTANCE}/frames/{frames}").status_code == status


def test_a_picture_is_windowed_and_scaled_as_asked(house: TrialHouse) -> None:
    answer = get(house, f"{INSTANCE}/rendered?window=0.5,101,linear&viewport=8,8", accept="image/png")
    image = Image.open(io.BytesIO(answer.content))
    assert (image.size, image.mode) == ((8, 8), "L")
    plain = get(house, f"{INSTANCE}/rendered?window=128.5,257", accept="image/png")
    values = np.frombuffer(bytes(range(32)), "<u2").reshape(4, 4).astype(float)
    expected = np.rint(np.clip(((values - 128) / 256 + 0.5) * 255, 0, 255))  # PS3.3 C.11.2.1.2.1
    assert (np.asarray(Image.open(io.BytesIO(plain.content))) == expected).all()


@pytest.mark.parametrize(
    "query",
    ["window=1", "window=1,0", "window=1,2,sigmoid", "window=a,b", "viewport=0,5", "viewport=1", "quality=0"],
)
def test_a_picture_that_cannot_be_made_is_refused_in_words(house: TrialHouse, query: str) -> None:
    answer = get(house, f"{INSTANCE}/rendered?{query}")
    assert answer.status_code == 400
    assert answer.json()["detail"].endswith(".")


FRAMES = np.arange(48, dtype="<u2").reshape(3, 4, 4) * 1000


def received(house: TrialHouse, syntax: str, study: str) -> str:
    """Let a site send one multi-frame instance in a transfer syntax, and return its address."""
    dataset: Dataset = mr_instance(
        "20250301",
        study=study,
        NumberOfFrames=3,
        PixelData=FRAMES.tobytes(),
        SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1",
    )
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    if syntax == RLE:
        dataset.compress(RLE, generate_instance_uid=False)
    if syntax == BIG_ENDIAN:
        dataset.PixelData = FRAMES.astype(">u2").tobytes()
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = syntax != BIG_ENDIAN, syntax == IMPLICIT
    dataset["PixelData"].VR = "OB" if syntax == RLE else "OW"
    write_dataset(buffer, dataset)
    data_set = buffer.getvalue()
    if syntax == DEFLATED:
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)  # PS3.5 A.5
        data_set = deflate.compress(data_set) + deflate.flush()
        data_set += bytes(len(data_set) % 2)
    reception = Intake(archive=house.archive).receive(
        Arrival(
            sop_class_uid=dataset.SOPClassUID,
            sop_instance_uid=dataset.SOPInstanceUID,
            transfer_syntax_uid=syntax,
            data_set=data_set,
            provenance=Provenance(
                calling_ae="PACS_01",
                called_ae="IMAGING",
                peer_address="127.0.0.1",
                site_id="01",
                received_at=datetime.now(UTC),
            ),
        )
    )
    assert not reception.sentence, reception
    house.settle()
    house.follow()
    return f"/studies/{study}/series/{study}.1/instances/{study}.1.1"


@pytest.mark.parametrize(
    ("place", "syntax"), list(enumerate([EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED, RLE], start=1)), ids=str
)
def test_every_syntax_gives_the_same_frames(house: TrialHouse, place: int, syntax: str) -> None:
    address = received(house, syntax, f"1.2.77.{place}")
    found = parts(get(house, f"{address}/frames/3,1", accept=multipart("application/octet-stream")))
    assert [kind for kind, _ in found] == [f"application/octet-stream; transfer-syntax={EXPLICIT}"] * 2
    assert [content for _, content in found] == [FRAMES[2].tobytes(), FRAMES[0].tobytes()]
    whole = parts(get(house, f"{address}/bulkdata/7FE00010"))
    assert b"".join(content for _, content in whole) == FRAMES.tobytes()
    ((_, file),) = parts(get(house, address, accept=multipart("application/dicom")))
    given = dcmread(io.BytesIO(file))
    assert given.file_meta.TransferSyntaxUID == EXPLICIT
    assert (given.pixel_array == FRAMES).all()
    assert given.PatientID == "P-1"


def test_compressed_frames_are_given_as_they_are_kept(house: TrialHouse) -> None:
    address = received(house, RLE, "1.2.77.9")
    kept = [
        content
        for _, content in parts(get(house, f"{address}/frames/1,2", accept=multipart("image/dicom-rle")))
    ]
    octets = parts(get(house, f"{address}/frames/1,2", accept=multipart("application/octet-stream", "*")))
    assert octets == [(f"application/octet-stream; transfer-syntax={RLE}", each) for each in kept]
    assert kept[0] != FRAMES[0].tobytes()


def test_compressed_pixels_stay_as_kept_under_a_blinded_header(house: TrialHouse) -> None:
    received(house, RLE, "1.2.77.10")
    record = house.archive.instance("1.2.77.10.1.1")
    assert record is not None
    kept = Layouts().open(house.archive.objects, record)
    blinding = Blinding(reading_id="R-1", baseline_on=date(2025, 3, 1))
    given = dcmread(io.BytesIO(b"".join(file_of(kept, AS_KEPT, blinding))))
    original = dcmread(io.BytesIO(house.archive.read(record.sop_instance_uid)))
    assert given.file_meta.TransferSyntaxUID == RLE
    assert (given.PatientID, given.StudyDate) == ("R-1", "20000101")
    assert given.PixelData == original.PixelData
    assert (given.pixel_array == FRAMES).all()


def test_layouts_are_kept_within_bounds(house: TrialHouse) -> None:
    layouts = Layouts(most=1)
    first, second = (house.archive.instance(f"{STUDY}.1.{number}") for number in (1, 2))
    assert first is not None
    assert second is not None
    opened = layouts.open(house.archive.objects, first)
    assert layouts.open(house.archive.objects, first).layout is opened.layout
    layouts.open(house.archive.objects, second)
    assert layouts.open(house.archive.objects, first).layout is not opened.layout
