"""Retrieval over real associations: what is sent, in which bytes, and how it is counted."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.uid import UID, RLELossless
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association

from dicom_listener.archive import destinations
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.contents import BytesContent
from dicom_listener.archive.destinations import Destination
from dicom_listener.archive.senders import Retrieval
from dicom_listener.errors import DestinationError, DestinationRegistrationError
from dicom_listener.network.send import Courier, Outgoing
from dicom_listener.network.server import Listener
from dicom_listener.network.transcode import transcoded
from tests.builders.peers import free_port, orthanc
from tests.dicom_listener.instances import (
    DEFLATED,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    MR_IMAGE,
    RLE,
    encoded,
    mr_instance,
    with_meta,
)
from tests.dicom_listener.network_services.conftest import STUDY, Shelf, keep, register

STUDY_MOVE, STUDY_GET = "1.2.840.10008.5.1.4.1.2.2.2", "1.2.840.10008.5.1.4.1.2.2.3"
PATIENT_MOVE = "1.2.840.10008.5.1.4.1.2.1.2"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"


@pytest.fixture
def serving(listener: Listener, local_archive: Archive) -> Listener:
    register(local_archive, "ALL", Retrieval.ARCHIVE)
    return listener


def asking(level: str = "STUDY", **values: Any) -> Dataset:
    asked = Dataset()
    asked.QueryRetrieveLevel = level
    for keyword, value in ({"StudyInstanceUID": STUDY} | values).items():
        setattr(asked, keyword, value)
    return asked


@contextmanager
def associated(
    listener: Listener, title: str = "ALL", syntax: str = EXPLICIT_LE, taken: list[bytes] | None = None
) -> Iterator[Association]:
    def take(event: Any) -> int:
        assert taken is not None
        taken.append(event.request.DataSet.getvalue())
        return 0x0000

    entity = AE(ae_title=title)
    for uid in (STUDY_MOVE, STUDY_GET, PATIENT_MOVE):
        entity.add_requested_context(uid)
    entity.add_requested_context(MR_IMAGE, syntax)
    association = entity.associate(
        "127.0.0.1",
        listener.port,
        ae_title="IMAGING",
        ext_neg=[build_role(MR_IMAGE, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, take)],
    )
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def counts(status: Dataset) -> tuple[int, int, int]:
    return (
        status.NumberOfCompletedSuboperations,
        status.NumberOfWarningSuboperations,
        status.NumberOfFailedSuboperations,
    )


def moved(
    listener: Listener, asked: Dataset, to: str = "SHELF", model: str = STUDY_MOVE
) -> tuple[Dataset, Any]:
    with associated(listener) as association:
        return list(association.send_c_move(asked, to, model, msg_id=9))[-1]


def test_a_study_is_moved_byte_for_byte(
    serving: Listener, local_archive: Archive, destination: Shelf
) -> None:
    destinations.add(local_archive.database, destination.destination)
    kept = [keep(local_archive, InstanceNumber=number) for number in (1, 2, 3)]
    keep(local_archive, StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.3.4")
    status, _ = moved(serving, asking())
    assert (status.Status, *counts(status)) == (0x0000, 3, 0, 0)
    assert destination.received == [(each.SOPInstanceUID, EXPLICIT_LE, encoded(each)) for each in kept]
    assert destination.originators == {("ALL", 9)}


@pytest.mark.parametrize(
    ("asked", "model", "expected"),
    [
        (asking("PATIENT", PatientID="S1-001"), PATIENT_MOVE, 3),
        (asking("STUDY", StudyInstanceUID=[STUDY, "1.2.3"]), STUDY_MOVE, 3),
        (asking("SERIES", SeriesInstanceUID="1.2.9"), STUDY_MOVE, 1),
        (asking("IMAGE", SeriesInstanceUID="1.2.9", SOPInstanceUID=["1.2.9.1", "1.2.9.2"]), STUDY_MOVE, 1),
        (asking("STUDY", StudyInstanceUID="9.9"), STUDY_MOVE, 0),
    ],
)
def test_what_is_moved_is_named_by_unique_keys(  # noqa: PLR0917 - a row of the table
    serving: Listener, local_archive: Archive, destination: Shelf, asked: Dataset, model: str, expected: int
) -> None:
    destinations.add(local_archive.database, destination.destination)
    keep(local_archive)
    keep(local_archive, SeriesInstanceUID="1.2.9", SOPInstanceUID="1.2.9.1")
    keep(local_archive, StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.3.4")
    status, _ = moved(serving, asked, model=model)
    assert (status.Status, *counts(status)) == (0x0000, expected, 0, 0)
    assert len(destination.received) == expected


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library's refused socket
@pytest.mark.parametrize(
    ("asked", "to", "expected"),
    [
        (asking(), "ELSEWHERE", 0xA801),
        (asking(), "GONE", 0xA702),
        (asking("STUDY", StudyInstanceUID=""), "GONE", 0xA900),
        (asking("SERIES"), "GONE", 0xA900),
        (asking("PATIENT", PatientID="S1-001"), "GONE", 0xA900),
    ],
)
def test_a_move_that_cannot_be_is_refused(
    serving: Listener, local_archive: Archive, asked: Dataset, to: str, expected: int
) -> None:
    destinations.add(local_archive.database, Destination(ae_title="GONE", host="127.0.0.1", port=free_port()))
    keep(local_archive)
    assert moved(serving, asked, to)[0].Status == expected


def test_a_sender_retrieves_only_what_it_may(serving: Listener, local_archive: Archive) -> None:
    register(local_archive, "SITE_2", Retrieval.SITE, "S2")
    keep(local_archive)
    for title, expected in (("MRI_1", 0x0124), ("SITE_2", 0x0000)):
        taken: list[bytes] = []
        with associated(serving, title, taken=taken) as association:
            status, _ = list(association.send_c_get(asking(), STUDY_GET))[-1]
        assert (status.Status, taken) == (expected, [])


def test_a_study_is_got_over_the_same_association(serving: Listener, local_archive: Archive) -> None:
    kept = [keep(local_archive, InstanceNumber=number) for number in (1, 2)]
    taken: list[bytes] = []
    with associated(serving, taken=taken) as association:
        responses = [status for status, _ in association.send_c_get(asking(), STUDY_GET)]
    assert [status.Status for status in responses] == [0xFF00, 0x0000]
    assert responses[0].NumberOfRemainingSuboperations == 1
    assert counts(responses[-1]) == (2, 0, 0)
    assert taken == [encoded(each) for each in kept]


@pytest.mark.parametrize("accepted", [EXPLICIT_LE, IMPLICIT_LE])
@pytest.mark.parametrize("kept_in", [EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE, DEFLATED])
def test_what_is_uncompressed_is_written_as_the_peer_reads_it(
    serving: Listener, local_archive: Archive, kept_in: str, accepted: str
) -> None:
    sent = keep(local_archive, kept_in, PixelData=bytes(range(128)))
    taken: list[bytes] = []
    with associated(serving, syntax=accepted, taken=taken) as association:
        status, _ = list(association.send_c_get(asking(), STUDY_GET))[-1]
    assert status.Status == 0x0000
    expected = mr_instance(SOPInstanceUID=sent.SOPInstanceUID, PixelData=bytes(range(128)))
    if kept_in == EXPLICIT_BE:  # its words came in big-endian order
        swapped = bytes(byte for low in range(0, 128, 2) for byte in (low + 1, low))
        expected.PixelData = swapped
    assert taken == [encoded(expected, accepted)]


def test_what_is_compressed_without_loss_is_decoded_for_a_peer_that_cannot_read_it(
    serving: Listener, local_archive: Archive
) -> None:
    pixels = bytes(byte for low in range(64) for byte in (low, low % 16))  # 12 bits stored of 16
    original = with_meta(mr_instance(PixelData=pixels))
    original.compress(RLELossless, generate_instance_uid=False)
    keep(local_archive, RLE, **{element.keyword: element.value for element in original})
    taken: list[bytes] = []
    with associated(serving, taken=taken) as association:
        status, _ = list(association.send_c_get(asking(), STUDY_GET))[-1]
    assert status.Status == 0x0000
    assert taken[0].endswith(pixels)


def test_what_is_compressed_with_loss_is_a_failed_suboperation_for_such_a_peer(
    serving: Listener, local_archive: Archive
) -> None:
    plain = keep(local_archive, InstanceNumber=1)
    lossy = keep(local_archive, JPEG_BASELINE, InstanceNumber=2, PixelData=encapsulate([b"\xff\xd8\xff\xd9"]))
    taken: list[bytes] = []
    with associated(serving, taken=taken) as association:
        status, failed = list(association.send_c_get(asking(), STUDY_GET))[-1]
    assert (status.Status, *counts(status)) == (0xB000, 1, 0, 1)
    assert failed is not None
    assert failed.FailedSOPInstanceUIDList == lossy.SOPInstanceUID
    assert taken == [encoded(plain)]


def test_an_instance_that_the_store_has_lost_is_a_failed_suboperation(
    serving: Listener, local_archive: Archive, destination: Shelf, tmp_path: Path
) -> None:
    destinations.add(local_archive.database, destination.destination)
    lost = keep(local_archive)
    next(tmp_path.rglob("*.dcm")).unlink()
    status, failed = moved(serving, asking())
    assert (status.Status, *counts(status)) == (0xA702, 0, 0, 1)
    assert failed.FailedSOPInstanceUIDList == lost.SOPInstanceUID


def test_a_move_can_be_cancelled(serving: Listener, local_archive: Archive, destination: Shelf) -> None:
    destinations.add(local_archive.database, destination.destination)
    for number in range(30):
        keep(local_archive, InstanceNumber=number)
    with associated(serving) as association:

        def answer(_event: Any) -> int:
            if not destination.received:
                association.send_c_cancel(9, query_model=STUDY_MOVE)
            return 0x0000

        destination.answer = answer
        status, _ = list(association.send_c_move(asking(), "SHELF", STUDY_MOVE, msg_id=9))[-1]
    assert status.Status == 0xFE00
    assert status.NumberOfRemainingSuboperations == 30 - len(destination.received) > 0


# As a user of the service


def outgoing(data_set: Dataset, syntax: str = EXPLICIT_LE) -> Outgoing:
    content = encoded(data_set, syntax)
    return Outgoing(
        sop_class_uid=data_set.SOPClassUID,
        sop_instance_uid=data_set.SOPInstanceUID,
        transfer_syntax_uid=syntax,
        opened=lambda: nullcontext(BytesContent(b"x" + content)),
        offset=1,
    )


def test_what_is_refused_for_want_of_resources_is_sent_again(destination: Shelf) -> None:
    refusals = iter([0xA700, 0xA700])
    destination.answer = lambda _event: next(refusals, 0x0000)
    item = outgoing(mr_instance())
    with Courier(destination.destination, "IMAGING", [item.kind], pause=0.01) as courier:
        assert courier.deliver(item).is_success
    assert [uid for uid, _, _ in destination.received] == [item.sop_instance_uid]


def test_an_association_that_is_lost_is_asked_for_again(destination: Shelf) -> None:
    asked = []

    def answer(event: Any) -> int:
        asked.append(event)
        if len(asked) == 1:
            event.assoc.abort()
        return 0x0000 if len(asked) > 1 else 0xC000

    destination.answer = answer
    item = outgoing(mr_instance())
    with Courier(destination.destination, "IMAGING", [item.kind], pause=0.01) as courier:
        assert courier.deliver(item).is_success


def test_what_is_refused_for_good_is_not_sent_again(destination: Shelf) -> None:
    asked: list[Any] = []

    def answer(event: Any) -> int:
        asked.append(event)
        return 0xA900

    destination.answer = answer
    item = outgoing(mr_instance())
    with Courier(destination.destination, "IMAGING", [item.kind], pause=0.01) as courier:
        assert courier.deliver(item).status == 0xA900
    assert len(asked) == 1


def test_many_instances_are_sent_and_no_answer_is_missed(destination: Shelf) -> None:
    item = outgoing(mr_instance())
    with Courier(destination.destination, "IMAGING", [item.kind]) as courier:
        assert all(courier.deliver(item).is_success for _ in range(300))
    assert len(destination.received) == 300


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library's refused socket
def test_nobody_at_the_destination_is_a_sentence() -> None:
    nobody = Destination(ae_title="GONE", host="127.0.0.1", port=free_port())
    courier = Courier(nobody, "IMAGING", [outgoing(mr_instance()).kind])
    with pytest.raises(DestinationError, match="'GONE': it cannot be reached"), courier:
        pass


@pytest.mark.parametrize(
    "wrong",
    [
        {"ae_title": "A" * 17, "host": "pacs", "port": 104},
        {"ae_title": "PACS", "host": "", "port": 104},
        {"ae_title": "PACS", "host": "pacs", "port": 0},
    ],
)
def test_a_destination_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DestinationRegistrationError, match="wanted"):
        Destination(**wrong)


def test_destinations_are_added_listed_and_removed(archive: Archive) -> None:
    pacs = Destination(ae_title="PACS", host="pacs", port=104, is_tls=True)
    destinations.add(archive.database, pacs)
    with pytest.raises(DestinationRegistrationError, match="'PACS' is a destination already"):
        destinations.add(archive.database, pacs)
    with archive.database.read() as connection:
        assert destinations.all_of(connection) == (pacs,)
    destinations.remove(archive.database, "PACS")
    with pytest.raises(DestinationRegistrationError, match="No destination is called 'PACS'"):
        destinations.remove(archive.database, "PACS")


# Programs of other makers


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("program", ["getscu", "movescu"])
def test_dcmtk_retrieves_what_was_kept(
    serving: Listener, local_archive: Archive, tmp_path: Path, program: str
) -> None:
    kept = {each.SOPInstanceUID: each for each in (keep(local_archive), keep(local_archive))}
    folder = tmp_path / "retrieved"
    folder.mkdir()
    own = ["-aet", "ALL", "-aec", "IMAGING", "-S", "-od", str(folder)]
    if program == "movescu":
        port = free_port()
        destinations.add(local_archive.database, Destination(ae_title="ALL", host="127.0.0.1", port=port))
        own += ["+P", str(port), "-aem", "ALL"]
    wanted = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={STUDY}"]
    arguments = [program, *own, *wanted, "127.0.0.1", str(serving.port)]
    done = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    files = [dcmread(path) for path in folder.iterdir()]
    assert {each.SOPInstanceUID: each.PixelData for each in files} == {
        uid: each.PixelData for uid, each in kept.items()
    }


@pytest.mark.peer("orthanc")
def test_orthanc_is_moved_a_study(serving: Listener, local_archive: Archive, tmp_path: Path) -> None:
    kept = [keep(local_archive, RLE, PixelData=encapsulate([bytes(64) * 4])), keep(local_archive)]
    with orthanc(tmp_path / "orthanc") as peer:
        there = Destination(ae_title=peer.ae_title, host="127.0.0.1", port=peer.dicom_port)
        destinations.add(local_archive.database, there)
        status, _ = moved(serving, asking(), peer.ae_title)
        assert (status.Status, *counts(status)) == (0x0000, 2, 0, 0)
        found = [
            peer.client.get(f"/instances/{name}/tags?simplify").json()
            for name in peer.client.get("/instances").json()
        ]
    assert {each["SOPInstanceUID"] for each in found} == {each.SOPInstanceUID for each in kept}


@pytest.mark.peer("dcmtk")
def test_a_big_endian_image_is_transcoded_as_dcmtk_does_it(tmp_path: Path) -> None:
    sent = with_meta(mr_instance(PixelData=bytes(range(128))), EXPLICIT_BE)
    big, little = tmp_path / "big.dcm", tmp_path / "little.dcm"
    dcmwrite(big, sent, implicit_vr=False, little_endian=False, enforce_file_format=True)
    subprocess.run(["dcmconv", "+te", str(big), str(little)], check=True, timeout=60)
    ours = transcoded(big.read_bytes(), EXPLICIT_LE)
    theirs = dcmread(little)
    assert ours.endswith(theirs.PixelData)
    assert UID(theirs.file_meta.TransferSyntaxUID) == EXPLICIT_LE
