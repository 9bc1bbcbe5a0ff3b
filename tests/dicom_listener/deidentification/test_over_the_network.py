"""A device pushes, and asks for a promise, by its own UIDs; in the archive nobody finds them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.senders import Deidentify, Sender, networks_from
from dicom_listener.deidentification import filing
from dicom_listener.deidentification.key import Key
from dicom_listener.network.server import Listener
from dicom_listener.settings import ListenerSettings
from tests.dicom_listener.instances import MR_IMAGE, mr_instance, with_meta
from tests.dicom_listener.network_services.test_commitment import Requester, act, associated, request, uids

SECRET = b"thirty-two bytes and a few more of them"
KEY = Key(secret=SECRET)


@pytest.fixture
def listener(local_archive: Archive, tmp_path: Path) -> Iterator[Listener]:
    """Listen as a site's device is registered to be de-identified."""
    local_archive.objects.close()
    (tmp_path / "key").write_bytes(SECRET)
    senders.add(
        local_archive.database,
        Sender(
            calling_ae="MRI_1",
            called_ae="IMAGING",
            networks=networks_from(["127.0.0.0/8"]),
            site_id="S1",
            deidentify=Deidentify.REQUIRED,
        ),
    )
    settings = ListenerSettings(
        port=0, deidentification_key_file=str(tmp_path / "key"), originals=str(tmp_path / "originals")
    )
    with Listener(settings, local_archive) as running:
        yield running


def test_a_push_is_de_identified_held_where_it_must_be_and_promised_by_its_own_uids(
    listener: Listener, local_archive: Archive
) -> None:
    plain, doubtful = mr_instance(), mr_instance(BurnedInAnnotation="YES")
    requester = Requester()
    with associated(listener, requester) as association:
        for sent in (plain, plain, doubtful):
            assert association.send_c_store(with_meta(sent)).Status == 0x0000
        asked = [(MR_IMAGE, each.SOPInstanceUID) for each in (plain, doubtful)]
        assert act(association, request(*asked, (MR_IMAGE, "1.2.3.99"))) == 0x0000
        assert requester.told.wait(20)
    event_type, report = requester.reports[0]
    assert event_type == 2  # some are missing
    assert uids(report.ReferencedSOPSequence) == [plain.SOPInstanceUID, doubtful.SOPInstanceUID]
    assert uids(report.FailedSOPSequence) == ["1.2.3.99"]
    assert local_archive.instance(KEY.uid(plain.SOPInstanceUID)) is not None
    assert local_archive.instance(plain.SOPInstanceUID) is None
    assert local_archive.counts()["instances"] == 1
    with local_archive.database.read() as connection:
        assert [each.sop_instance_uid for each in filing.held(connection)] == [
            KEY.uid(doubtful.SOPInstanceUID)
        ]
