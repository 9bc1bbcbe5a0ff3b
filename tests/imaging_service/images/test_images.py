"""A reader sees the images of an open timepoint, and nothing that tells whose they are."""

import struct
import zlib
from typing import Any

import numpy as np
import pytest

from imaging_service.images.rendering import FrameUnreadableError, Window, render
from tests.builders.arrivals import STUDY, TRIAL, TrialHouse, encoded, mr_instance

INSTANCE = f"{STUDY}.1.1"


@pytest.fixture
def reading(sqlite_house: TrialHouse) -> TrialHouse:
    """Give a subject with a baseline and a follow-up, and a reader who has read nothing."""
    return with_images(sqlite_house)


def with_images(house: TrialHouse) -> TrialHouse:
    house.service.grant("reader1", TRIAL, reader_slot=1)
    house.enrol()
    house.receive(
        mr_instance("20241220", PatientName="CANARY^NAME", InstitutionName="CANARY", ContrastBolusAgent="Gd"),
        mr_instance("20241220", number=2, PixelSpacing=None),
    )
    house.receive(mr_instance("20250212", study="1.2.5"))
    return house


def images(house: TrialHouse, study: str = STUDY, account: str = "reader1") -> Any:
    return house.service.get(f"/timepoints/{house.study(study)['timepoint_id']}/series", account)


def png(house: TrialHouse, rest: str, account: str = "reader1") -> Any:
    return house.service.get(f"/instances/{rest}", account)


def pixels(content: bytes) -> Any:
    columns, rows = struct.unpack(">II", content[16:24])
    data = content[content.index(b"IDAT") + 4 : content.index(b"IEND") - 8]
    lines = np.frombuffer(zlib.decompress(data), np.uint8).reshape(rows, columns + 1)
    return lines[:, 1:]


def test_a_reader_gets_the_geometry_of_every_frame(house: TrialHouse) -> None:
    answer = images(with_images(house))
    assert answer.status_code == 200, answer.text
    (series,) = answer.json()["series"]
    assert (series["modality"], series["facts"]["has_contrast"]) == ("MR", True)
    first, second = series["instances"]
    (frame,) = first["frames"]
    assert (frame["row_spacing"], frame["column_spacing"], frame["offset"]) == (0.8, 0.5, 1.0)
    assert second["frames"][0]["is_measurable"] is False
    assert "needs Pixel Spacing (0028,0030)" in second["frames"][0]["refused"]


def test_the_next_timepoint_does_not_exist_before_its_turn(reading: TrialHouse) -> None:
    closed = images(reading, "1.2.5")
    assert closed.status_code == 404
    missing = reading.service.get("/timepoints/00000000-0000-4000-8000-000000000000/series", "reader1")
    assert closed.json()["title"] == missing.json()["title"]
    assert closed.json()["code"] == missing.json()["code"]
    assert png(reading, "1.2.5.1.1/frames/1.png").status_code == 404
    assert images(reading, "1.2.5", "coordinator").status_code == 200


def test_who_does_not_read_in_the_trial_sees_nothing(reading: TrialHouse) -> None:
    assert images(reading, account="reader2").status_code == 404
    assert png(reading, f"{INSTANCE}/frames/1.png", "reader2").status_code == 404


def test_nothing_tells_whose_images_they_are(reading: TrialHouse) -> None:
    text = images(reading).text
    for canary in ("CANARY", "P-1", "01-001", '"01"', "Hospital", "2024", "T1 dynamic"):
        assert canary not in text
    assert images(reading).json()["reading_id"] == reading.get("/subjects/01-001")["reading_id"]


def test_a_description_is_shown_once_the_identity_is_removed(sqlite_house: TrialHouse) -> None:
    house = sqlite_house
    house.service.grant("reader1", TRIAL, reader_slot=1)
    house.enrol()
    house.receive(mr_instance("20241220", PatientIdentityRemoved="YES"))
    assert images(house).json()["series"][0]["description"] == "T1 dynamic"


def test_a_frame_is_shown_as_a_picture(reading: TrialHouse) -> None:
    answer = png(reading, f"{INSTANCE}/frames/1.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    shown = pixels(answer.content)
    assert shown.shape == (4, 4)
    assert (int(shown[0, 0]), int(shown[3, 3])) == (0, 255)
    assert b"CANARY" not in answer.content


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (f"{INSTANCE}/frames/2.png", 404),
        (f"{INSTANCE}/frames/0.png", 422),
        (f"{INSTANCE}/frames/1.png?centre=5", 422),
        (f"{INSTANCE}/frames/1.png?centre=5&width=0", 422),
        ("1.2.x/frames/1.png", 422),
        ("1.2.999/frames/1.png", 404),
    ],
)
def test_a_frame_that_is_not_there_is_told_in_words(reading: TrialHouse, rest: str, status: int) -> None:
    answer = png(reading, rest)
    assert answer.status_code == status
    assert answer.json()["detail"]


def part10(**attributes: Any) -> bytes:
    dataset = mr_instance(**attributes)
    meta = b"\x02\x00\x10\x00UI" + struct.pack("<H", 20) + b"1.2.840.10008.1.2.1\x00"
    length = b"\x02\x00\x00\x00UL\x04\x00" + struct.pack("<I", len(meta))
    return bytes(128) + b"DICM" + length + meta + encoded(dataset)


def test_a_window_maps_values_as_the_standard_says() -> None:
    values = np.arange(16, dtype="<u2") * 10
    content = part10(PixelData=values.tobytes(), RescaleSlope="2", RescaleIntercept="-100")
    shown = pixels(render(content, 1, Window(centre=0.5, width=101)))
    # PS3.3 C.11.2.1.2.1: ((x - (c - 0.5)) / (w - 1) + 0.5) * 255 with c = 0.5, w = 101
    outputs = values * 2.0 - 100
    expected = np.rint(np.clip((outputs / 100 + 0.5) * 255, 0, 255)).reshape(4, 4)
    assert (shown == expected).all()


def test_monochrome1_is_shown_inverted() -> None:
    values = np.arange(16, dtype="<u2").tobytes()
    window = Window(centre=8, width=16)
    plain = pixels(render(part10(PixelData=values), 1, window))
    inverted = pixels(render(part10(PixelData=values, PhotometricInterpretation="MONOCHROME1"), 1, window))
    assert (plain + inverted == 255).all()


@pytest.mark.parametrize("content", [b"", b"nonsense", part10(PixelData=b"\x00\x00")])
def test_pixels_that_cannot_be_decoded_are_told(content: bytes) -> None:
    with pytest.raises(FrameUnreadableError, match="Frame 1 cannot be decoded"):
        render(content, 1, None)


@pytest.mark.parametrize(("account", "is_there"), [("reader1", False), ("coordinator", True)])
def test_a_capture_that_may_show_a_name_is_not_there_for_a_reader(
    sqlite_house: TrialHouse,
    account: str,
    is_there: bool,  # noqa: FBT001 - a table's column
) -> None:
    sqlite_house.service.grant("reader1", TRIAL, reader_slot=1)
    sqlite_house.enrol()
    capture = mr_instance("20241220", series=9, SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    sqlite_house.receive(mr_instance("20241220"), capture)
    listed = {part["series_instance_uid"] for part in images(sqlite_house, account=account).json()["series"]}
    assert listed == ({f"{STUDY}.1", f"{STUDY}.9"} if is_there else {f"{STUDY}.1"})
    answer = png(sqlite_house, f"{STUDY}.9.1/frames/1.png", account)
    assert answer.status_code == (200 if is_there else 404)
