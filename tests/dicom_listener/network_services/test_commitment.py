"""Storage commitment over real associations: what is promised, to whom, and how often it is tried."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.association import Association
from sqlalchemy import select

from dicom_listener.archive import commitments, destinations, tables
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.commitments import Commitment, Reference
from dicom_listener.archive.destinations import Destination
from dicom_listener.archive.integrity import rebuild
from dicom_listener.archive.migrate import migrate
from dicom_listener.archive.records import ChangeKind
from dicom_listener.archive.senders import Retrieval
from dicom_listener.intake.receive import Intake
from dicom_listener.network.commitment import PUSH_MODEL, PUSH_MODEL_INSTANCE
from dicom_listener.network.server import Listener
from dicom_listener.settings import ListenerSettings
from tests.builders.peers import Modality, orthanc
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.instances import MR_IMAGE, mr_instance, with_meta
from tests.dicom_listener.network_services.conftest import STUDY, keep, register
from tests.dicom_listener.test_listener import eventually

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"


def request(*references: tuple[str, str], transaction: str = "1.2.3.4") -> Dataset:
    asked = Dataset()
    asked.TransactionUID = transaction
    asked.ReferencedSOPSequence = []
    for sop_class, uid in references:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
        asked.ReferencedSOPSequence.append(item)
    return asked


class Requester:
    """What a requester is told."""

    def __init__(self) -> None:
        self.reports: list[tuple[int, Dataset]] = []
        self.told = threading.Event()
        self.status = 0x0000

    def listen(self, event: Any) -> tuple[int, None]:
        self.reports.append((event.event_type, event.event_information))
        self.told.set()
        return self.status, None


@contextmanager
def associated(listener: Listener, requester: Requester) -> Iterator[Association]:
    entity = AE(ae_title="MRI_1")
    entity.add_requested_context(PUSH_MODEL)
    entity.add_requested_context(MR_IMAGE)
    association = entity.associate(
        "127.0.0.1",
        listener.port,
        ae_title="IMAGING",
        evt_handlers=[(evt.EVT_N_EVENT_REPORT, requester.listen)],
    )
    assert association.is_established
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


@contextmanager
def listening(requester: Requester) -> Iterator[int]:
    """Let the requester be called back; yield its port."""
    entity = AE(ae_title="MRI_1")
    entity.add_supported_context(PUSH_MODEL, scu_role=True, scp_role=True)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, requester.listen)]
    )
    assert server is not None
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def act(
    association: Association, asked: Dataset, action: int = 1, instance: str = PUSH_MODEL_INSTANCE
) -> int:
    status, _ = association.send_n_action(asked, action, PUSH_MODEL, instance)
    return int(status.Status)


def reported(archive: Archive) -> list[bool]:
    with archive.database.read() as connection:
        return [
            at is not None for at in connection.execute(select(tables.commitments.c.reported_at)).scalars()
        ]


def uids(items: Any) -> list[str]:
    return [item.ReferencedSOPInstanceUID for item in items]


def test_what_is_kept_is_promised_over_the_association_that_asked(
    listener: Listener, local_archive: Archive
) -> None:
    requester = Requester()
    sent = [mr_instance(), mr_instance()]
    with associated(listener, requester) as association:
        for each in sent:
            assert association.send_c_store(with_meta(each)).Status == 0x0000
        asked = request(*((MR_IMAGE, each.SOPInstanceUID) for each in sent))
        assert act(association, asked) == 0x0000
        assert requester.told.wait(20)
        assert eventually(lambda: reported(local_archive) == [True])
        # The study is settled though its sender is still there.
        (change,) = local_archive.changes_after(0)
        assert (change.kind, change.study_instance_uid) == (ChangeKind.STUDY_SETTLED, STUDY)
        assert association.send_c_store(with_meta(mr_instance())).Status == 0x0000
    ((event_type, information),) = requester.reports
    assert event_type == 1
    assert information.TransactionUID == "1.2.3.4"
    assert uids(information.ReferencedSOPSequence) == [each.SOPInstanceUID for each in sent]
    assert "FailedSOPSequence" not in information
    assert local_archive.changes_after(0)[1].kind == ChangeKind.STUDY_REOPENED


def test_what_cannot_be_promised_is_named_with_its_reason(
    listener: Listener, local_archive: Archive, tmp_path: Path
) -> None:
    lost = keep(local_archive, StudyInstanceUID="1.2.7", SeriesInstanceUID="1.2.7.1")
    next(tmp_path.rglob("*.dcm")).unlink()
    kept, other = keep(local_archive), keep(local_archive)
    asked = request(
        (MR_IMAGE, kept.SOPInstanceUID),
        (ENHANCED_MR, other.SOPInstanceUID),
        (MR_IMAGE, "1.2.9"),
        (MR_IMAGE, lost.SOPInstanceUID),
    )
    requester = Requester()
    with associated(listener, requester) as association:
        assert act(association, asked) == 0x0000
        assert requester.told.wait(20)
    ((event_type, information),) = requester.reports
    assert event_type == 2
    assert uids(information.ReferencedSOPSequence) == [kept.SOPInstanceUID]
    assert {item.ReferencedSOPInstanceUID: item.FailureReason for item in information.FailedSOPSequence} == {
        other.SOPInstanceUID: 0x0119,
        "1.2.9": 0x0112,
        lost.SOPInstanceUID: 0x0110,
    }


def test_an_instance_of_another_site_is_none_of_the_requesters(
    listener: Listener, local_archive: Archive
) -> None:
    own, of_both, of_another = keep(local_archive), keep(local_archive), mr_instance()
    for each in (of_both, of_another):
        sent = arrival(each, calling_ae="MRI_2", site_id="S2")
        assert Intake(archive=local_archive).receive(sent).size
    asked = request(*((MR_IMAGE, each.SOPInstanceUID) for each in (own, of_both, of_another)))
    requester = Requester()
    with associated(listener, requester) as association:
        assert act(association, asked) == 0x0000
        assert requester.told.wait(20)
    ((event_type, information),) = requester.reports
    assert event_type == 2
    assert uids(information.ReferencedSOPSequence) == [own.SOPInstanceUID, of_both.SOPInstanceUID]
    (failed,) = information.FailedSOPSequence
    assert (failed.ReferencedSOPInstanceUID, failed.FailureReason) == (of_another.SOPInstanceUID, 0x0112)


@pytest.mark.parametrize(("site_id", "event_type"), [("S1", 1), ("S2", 2)])
def test_an_instance_whose_receipt_is_lost_belongs_to_the_senders_of_its_study(
    listener: Listener, local_archive: Archive, tmp_path: Path, site_id: str, event_type: int
) -> None:
    kept = mr_instance()
    elsewhere = Archive.open(f"sqlite:///{tmp_path}/lost.sqlite", str(tmp_path / "objects"))
    migrate(elsewhere.database)
    assert Intake(archive=elsewhere).receive(arrival(kept, site_id=site_id)).size
    elsewhere.database.close()
    assert list(rebuild(local_archive)) == [None]
    requester = Requester()
    with associated(listener, requester) as association:
        assert act(association, request((MR_IMAGE, kept.SOPInstanceUID))) == 0x0000
        assert requester.told.wait(20)
    assert [told for told, _ in requester.reports] == [event_type]


@pytest.mark.parametrize(
    ("asked", "action", "instance", "expected"),
    [
        (request((MR_IMAGE, "1.2.3")), 2, PUSH_MODEL_INSTANCE, 0x0123),
        (request((MR_IMAGE, "1.2.3")), 1, "1.2.840.10008.1.20.1.2", 0x0112),
        (request(), 1, PUSH_MODEL_INSTANCE, 0x0115),
        (request((MR_IMAGE, "1.2.3"), transaction="1"), 1, PUSH_MODEL_INSTANCE, 0x0115),
    ],
)
def test_a_request_that_cannot_be_followed_is_refused(  # noqa: PLR0917 - a row of the table
    listener: Listener, local_archive: Archive, asked: Dataset, action: int, instance: str, expected: int
) -> None:
    with associated(listener, Requester()) as association:
        assert act(association, asked, action, instance) == expected
    assert reported(local_archive) == []


def test_a_requester_that_has_gone_is_called_back(listener: Listener, local_archive: Archive) -> None:
    kept = keep(local_archive)
    requester = Requester()
    with listening(requester) as port:
        destinations.add(local_archive.database, Destination(ae_title="MRI_1", host="127.0.0.1", port=port))
        with associated(listener, Requester()) as association:
            assert act(association, request((MR_IMAGE, kept.SOPInstanceUID))) == 0x0000
        assert eventually(lambda: reported(local_archive) == [True])
    ((event_type, information),) = requester.reports
    assert (event_type, uids(information.ReferencedSOPSequence)) == (1, [kept.SOPInstanceUID])


def test_a_report_that_nobody_takes_is_tried_again_after_a_restart(local_archive: Archive) -> None:
    local_archive.objects.close()
    register(local_archive, "MRI_1", Retrieval.NOTHING)
    settings = ListenerSettings(port=0)
    requester = Requester()
    with Listener(settings, local_archive) as first:
        kept = keep(local_archive)
        with associated(first, Requester()) as association:
            assert act(association, request((MR_IMAGE, kept.SOPInstanceUID))) == 0x0000
        assert eventually(lambda: _attempts(local_archive) >= 1)
    assert reported(local_archive) == [False]
    local_archive.objects.close()
    with listening(requester) as port:
        destinations.add(local_archive.database, Destination(ae_title="MRI_1", host="127.0.0.1", port=port))
        with Listener(settings, local_archive):
            assert eventually(lambda: reported(local_archive) == [True])
    assert len(requester.reports) == 1


def _attempts(archive: Archive) -> int:
    with archive.database.read() as connection:
        return int(connection.execute(select(tables.commitments.c.attempts)).scalar_one())


def test_a_transaction_is_due_until_its_report_is_delivered(archive: Archive) -> None:
    reference = Reference(sop_class_uid=MR_IMAGE, sop_instance_uid="1.2.3")
    transaction = Commitment(
        transaction_uid="1.2", calling_ae="MRI_1", called_ae="IMAGING", references=(reference,)
    )
    with archive.database.write() as connection:
        commitments.add(connection, transaction)
        assert commitments.due(connection) == []
        commitments.release(connection, transaction)
        assert commitments.due(connection) == [transaction]
        assert commitments.postpone(connection, transaction)
        assert not commitments.postpone(connection, transaction)  # another process has taken it
        assert commitments.due(connection) == []
        commitments.add(connection, transaction)  # asked for again
        commitments.release(connection, transaction)
        assert commitments.due(connection) == [transaction]
        commitments.mark_reported(connection, transaction)
        assert commitments.due(connection) == []


@pytest.mark.peer("orthanc")
def test_orthanc_is_promised_what_it_has_pushed(
    listener: Listener, local_archive: Archive, tmp_path: Path
) -> None:
    register(local_archive, "ORTHANC", Retrieval.NOTHING)
    we = {"archive": Modality(ae_title="IMAGING", port=listener.port)}
    with orthanc(tmp_path / "orthanc", modalities=we) as peer:
        there = Destination(ae_title="ORTHANC", host="127.0.0.1", port=peer.dicom_port)
        destinations.add(local_archive.database, there)
        kept = [keep(local_archive), keep(local_archive)]
        names = [(MR_IMAGE, each.SOPInstanceUID) for each in kept] + [(MR_IMAGE, generate_uid())]
        asked = [{"SOPClassUID": sop_class, "SOPInstanceUID": uid} for sop_class, uid in names]
        answer = peer.client.post("/modalities/archive/storage-commitment", json={"DicomInstances": asked})
        answer.raise_for_status()
        path = answer.json()["Path"]
        assert eventually(lambda: peer.client.get(path).json()["Status"] != "Pending")
        told = peer.client.get(path).json()
    assert told["Status"] == "Failure", told
    assert {each["SOPInstanceUID"] for each in told["Success"]} == {each.SOPInstanceUID for each in kept}
    ((missing, reason),) = [(each["SOPInstanceUID"], each["FailureReason"]) for each in told["Failures"]]
    assert (missing, reason) == (names[-1][1], 0x0112)
