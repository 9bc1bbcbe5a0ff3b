"""Real associations over the loopback interface."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmwrite
from pydicom.uid import UID, generate_uid
from pynetdicom import AE
from pynetdicom.association import Association

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.records import ChangeKind, Outcome
from dicom_listener.archive.segment_log import SegmentLog
from dicom_listener.archive.syntaxes import TRANSFER_SYNTAXES
from dicom_listener.errors import AddressTakenError, ArchiveError, OutOfResourcesError
from dicom_listener.network.contexts import VERIFICATION, storage_uids
from dicom_listener.network.server import Listener
from dicom_listener.settings import ListenerSettings
from tests.dicom_listener.instances import (
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    MR_IMAGE,
    RLE,
    encoded,
    mr_instance,
    with_meta,
)

STUDY = "1.2.826.0.1.3680043.8.498.1"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


@contextmanager
def associated(
    listener: Listener,
    *,
    calling: str = "MRI_1",
    called: str = "IMAGING",
    syntaxes: tuple[str, ...] = (EXPLICIT_LE,),
    classes: tuple[str, ...] = (MR_IMAGE, VERIFICATION),
) -> Iterator[Association]:
    entity = AE(ae_title=calling)
    entity.acse_timeout = entity.dimse_timeout = 20
    entity.network_timeout = 60  # longer, so that an association outlives a response that the library loses
    for uid in classes:
        entity.add_requested_context(uid, list(syntaxes))
    association = entity.associate("127.0.0.1", listener.port, ae_title=called)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def store(association: Association, data_set: Dataset, syntax: str = EXPLICIT_LE) -> Dataset:
    return association.send_c_store(with_meta(data_set, syntax))


def rejection_of(association: Association) -> tuple[int | None, int | None, int | None]:
    answer = association.acceptor.primitive
    assert answer is not None
    return answer.result, answer.result_source, answer.diagnostic


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait for what another thread will do; how long is no matter of the test."""
    for _ in range(400):
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_an_echo_is_answered(listener: Listener) -> None:
    with associated(listener) as association:
        assert association.send_c_echo().Status == 0x0000


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE])
def test_an_instance_is_kept_as_it_was_sent(listener: Listener, local_archive: Archive, syntax: str) -> None:
    sent = mr_instance(SOPInstanceUID="1.2.3")
    with associated(listener, syntaxes=(syntax,)) as association:
        assert store(association, sent, syntax).Status == 0x0000
    record = local_archive.instance("1.2.3")
    assert record is not None
    assert local_archive.read("1.2.3")[record.header_length :] == encoded(sent, syntax)
    (filed,) = local_archive.receipts_after(0)
    assert (filed.receipt.calling_ae, filed.receipt.called_ae) == ("MRI_1", "IMAGING")
    assert (filed.receipt.site_id, filed.receipt.peer_address) == ("S1", "127.0.0.1")


def test_explicit_little_endian_is_chosen_where_it_is_offered(listener: Listener) -> None:
    with associated(listener, syntaxes=(IMPLICIT_LE, RLE, EXPLICIT_LE)) as association:
        chosen = {context.transfer_syntax[0] for context in association.accepted_contexts}
    assert chosen == {UID(EXPLICIT_LE)}


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES)
def test_every_transfer_syntax_is_accepted_alone(listener: Listener, syntax: str) -> None:
    with associated(listener, syntaxes=(syntax,), classes=(MR_IMAGE,)) as association:
        assert [context.transfer_syntax[0] for context in association.accepted_contexts] == [syntax]


def test_every_storage_class_is_accepted_and_computed_tomography_is_not(listener: Listener) -> None:
    classes = tuple(storage_uids(frozenset()))
    with associated(listener, classes=(*classes, CT_IMAGE)) as association:
        accepted = {context.abstract_syntax for context in association.accepted_contexts}
    assert accepted == set(classes)


@pytest.mark.parametrize(
    ("calling", "called", "reason", "outcome"),
    [
        ("NOBODY", "IMAGING", 0x03, Outcome.REFUSED_CALLING_AE),
        ("MRI_1", "OTHER", 0x07, Outcome.REFUSED_CALLED_AE),
    ],
)
def test_an_unknown_sender_is_rejected_with_a_receipt(  # noqa: PLR0917 - a row of the table
    listener: Listener, local_archive: Archive, calling: str, called: str, reason: int, outcome: Outcome
) -> None:
    with associated(listener, calling=calling, called=called) as association:
        assert association.is_rejected
        assert rejection_of(association) == (0x01, 0x01, reason)
    (filed,) = local_archive.receipts_after(0)
    assert (filed.receipt.outcome, filed.receipt.calling_ae) == (outcome, calling)


def test_a_sender_is_known_as_soon_as_it_is_registered(listener: Listener, local_archive: Archive) -> None:
    with associated(listener, calling="MRI_2") as association:
        assert association.is_rejected
    networks = senders.networks_from(["127.0.0.1"])
    senders.add(
        local_archive.database,
        senders.Sender(calling_ae="MRI_2", called_ae="IMAGING", networks=networks, site_id="S2"),
    )
    with associated(listener, calling="MRI_2") as association:
        assert association.is_established
    senders.remove(local_archive.database, "MRI_2", "IMAGING")
    with associated(listener, calling="MRI_2") as association:
        assert association.is_rejected


def test_other_content_under_the_same_uid_is_success_and_kept_apart(
    listener: Listener, local_archive: Archive
) -> None:
    first = mr_instance(SOPInstanceUID="1.2.3")
    second = mr_instance(SOPInstanceUID="1.2.3", SeriesDescription="changed")
    with associated(listener) as association:
        statuses = [store(association, sent).Status for sent in (first, first, second)]
    assert statuses == [0x0000] * 3
    assert local_archive.read("1.2.3").endswith(encoded(first))
    assert len(local_archive.conflicts_of(STUDY)) == 1


def test_a_data_set_that_contradicts_itself_is_refused_with_a_sentence(
    listener: Listener, local_archive: Archive
) -> None:
    contradiction = mr_instance(SOPInstanceUID="1.2.3", NumberOfFrames=7)
    with associated(listener) as association:
        answer = store(association, contradiction)
    assert answer.Status == 0xC000
    assert answer.ErrorComment.startswith("The pixel data have 128 bytes")
    assert local_archive.instance("1.2.3") is None


def test_a_data_set_of_another_uid_than_its_command_is_refused(
    listener: Listener, local_archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = BytesIO(encoded(mr_instance(SOPInstanceUID="1.2.4")))
    # The sender's command says 1.2.3, but what it encodes is another data set.
    monkeypatch.setattr("pynetdicom.association.encode", lambda *_arguments, **_options: other.getvalue())
    with associated(listener) as association:
        answer = store(association, mr_instance(SOPInstanceUID="1.2.3"))
    assert (answer.Status, answer.ErrorComment[:12]) == (0xA900, "The data set")
    assert local_archive.counts()["instances"] == 0


def test_a_full_disk_is_told_as_out_of_resources_and_the_next_try_succeeds(
    listener: Listener, local_archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise OutOfResourcesError(what="The folder", reason="No space left on device")

    sent = mr_instance(SOPInstanceUID="1.2.3")
    with associated(listener) as association:
        with monkeypatch.context() as patch:
            patch.setattr(SegmentLog, "append", fail)
            assert store(association, sent).Status == 0xA700
        assert local_archive.instance("1.2.3") is None
        assert store(association, sent).Status == 0x0000
    assert local_archive.read("1.2.3").endswith(encoded(sent))


def test_an_unforeseen_error_is_answered_and_the_association_goes_on(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise ZeroDivisionError

    with associated(listener) as association:
        with monkeypatch.context() as patch:
            patch.setattr(SegmentLog, "append", fail)
            assert store(association, mr_instance()).Status == 0x0110
        assert store(association, mr_instance()).Status == 0x0000


def test_while_the_database_is_away_an_association_is_put_off(
    listener: Listener, local_archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise ArchiveError

    with monkeypatch.context() as patch:
        patch.setattr(local_archive.database, "read", fail)
        with associated(listener) as association:
            assert rejection_of(association) == (0x02, 0x03, 0x01)
    with associated(listener) as association:
        assert association.is_established


def test_a_study_settles_after_its_association_has_ended(listener: Listener, local_archive: Archive) -> None:
    def kinds() -> list[ChangeKind]:
        return [change.kind for change in local_archive.changes_after(0)]

    with associated(listener) as association:
        store(association, mr_instance())
        time.sleep(1.0)  # five quiet periods
        assert kinds() == []
    assert eventually(lambda: kinds() == [ChangeKind.STUDY_SETTLED])
    with associated(listener) as association:
        store(association, mr_instance())
    settled_again = [ChangeKind.STUDY_SETTLED, ChangeKind.STUDY_REOPENED, ChangeKind.STUDY_SETTLED]
    assert eventually(lambda: kinds() == settled_again)


def test_many_senders_at_once_lose_nothing(listener: Listener, local_archive: Archive) -> None:
    def push(number: int) -> list[str]:
        sent = [mr_instance(InstanceNumber=number) for _ in range(8)]
        with associated(listener) as association:
            # The library loses a response now and then as a sender: what has no answer is sent again.
            for one in sent:
                while "Status" not in (answer := store(association, one)):
                    assert association.is_established
                assert answer.Status == 0x0000
        return [one.SOPInstanceUID for one in sent]

    with ThreadPoolExecutor(4) as threads:
        uids = [uid for pushed in threads.map(push, range(4)) for uid in pushed]
    assert all(local_archive.instance(uid) is not None for uid in uids)
    assert local_archive.counts()["instances"] == len(uids) == 32


def test_a_rejected_association_leaves_no_thread(listener: Listener) -> None:
    before = threading.active_count()
    for _ in range(10):
        with associated(listener, calling="NOBODY") as association:
            assert association.is_rejected
    assert eventually(lambda: threading.active_count() <= before)


def test_bytes_that_are_no_dicom_harm_nobody_else(listener: Listener) -> None:
    for junk in (b"GET / HTTP/1.1\r\n\r\n", bytes(64), b"\x01\x00\xff\xff\xff\xff", b"\x04"):
        with socket.create_connection(("127.0.0.1", listener.port)) as connection:
            connection.sendall(junk)
    with associated(listener) as association:
        assert store(association, mr_instance()).Status == 0x0000


def test_a_taken_port_is_a_sentence(listener: Listener, local_archive: Archive) -> None:
    with pytest.raises(AddressTakenError, match=f"port {listener.port}: Address already in use"):
        Listener(ListenerSettings(port=listener.port), local_archive).start()


def test_a_stopped_listener_has_closed_its_port(local_archive: Archive) -> None:
    local_archive.objects.close()
    with Listener(ListenerSettings(port=0), local_archive) as listener:
        port = listener.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.peer("dcmtk")
def test_dcmtk_echoes(listener: Listener) -> None:
    arguments = ["echoscu", "-aet", "MRI_1", "-aec", "IMAGING", "127.0.0.1", str(listener.port)]
    assert subprocess.run(arguments, check=False, timeout=60).returncode == 0
    arguments[2] = "NOBODY"
    refused = subprocess.run(arguments, check=False, timeout=60, capture_output=True, text=True)
    assert "Calling AE Title Not Recognized" in refused.stdout + refused.stderr


@pytest.mark.peer("dcmtk")
def test_dcmtk_pushes_a_folder(listener: Listener, local_archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "push"
    folder.mkdir()
    sent = [mr_instance(side=64, SOPInstanceUID=generate_uid(), InstanceNumber=n) for n in range(12)]
    for number, data_set in enumerate(sent):
        dcmwrite(folder / f"{number}.dcm", with_meta(data_set), enforce_file_format=True)
    arguments = ["storescu", "-aet", "MRI_1", "-aec", "IMAGING", "+sd", "127.0.0.1", str(listener.port)]
    done = subprocess.run([*arguments, str(folder)], check=False, timeout=120, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for data_set in sent:
        assert local_archive.read(data_set.SOPInstanceUID).endswith(encoded(data_set))
    assert eventually(
        lambda: [change.kind for change in local_archive.changes_after(0)] == [ChangeKind.STUDY_SETTLED]
    )
