"""What a registered sender sends is de-identified before it is kept; doubts are held for a person."""

import io
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset, dcmread

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.integrity import rebuild, verify
from dicom_listener.archive.records import Outcome
from dicom_listener.archive.senders import Deidentify, Sender, networks_from
from dicom_listener.deidentification import filing
from dicom_listener.deidentification.key import Key
from dicom_listener.errors import KeyMissingError, KeyUnusableError, OriginalUnknownError
from dicom_listener.intake.door import open_gate, open_intake, originals_of, require_key
from dicom_listener.intake.held import keep_back, release, remove_expired
from dicom_listener.intake.settle import Settler
from dicom_listener.settings import ListenerSettings
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.instances import DEFLATED, IMPLICIT_LE, mr_instance

SECRET = b"thirty-two bytes and a few more of them"
KEY = Key(secret=SECRET)
UID = "1.2.826.0.1.3680043.8.498.1.77"
NEW_UID = KEY.uid(UID)


@pytest.fixture
def settings(tmp_path: Path) -> ListenerSettings:
    """Give settings with a secret and a folder for originals."""
    (tmp_path / "key").write_bytes(SECRET)
    return ListenerSettings(
        deidentification_key_file=str(tmp_path / "key"), originals=str(tmp_path / "originals")
    )


def registered(archive: Archive, mode: Deidentify, **values: str) -> None:
    """Register the sender of `arrival`."""
    sender = Sender(
        calling_ae=values.get("calling_ae", "MRI_1"),
        called_ae="IMAGING",
        site_id="S1",
        trial_protocol="TRIAL-7",
        networks=networks_from(["127.0.0.1"]),
        deidentify=mode,
    )
    senders.add(archive.database, sender)


def kept(archive: Archive, uid: str = NEW_UID) -> Dataset:
    """Return a kept instance as another library reads it."""
    return dcmread(io.BytesIO(archive.read(uid)))


def written_on(**values: object) -> Dataset:
    """Return an image with a name in its pixels."""
    page = Image.new("L", (256, 64))
    ImageDraw.Draw(page).text((4, 8), "DOE JANE 19700101", fill=255, font=ImageFont.load_default(16))
    pixels = np.asarray(page).astype("<u2") * 4
    known: dict[str, object] = {"Rows": 64, "Columns": 256, "PixelData": pixels.tobytes(), "side": 8}
    return mr_instance(SOPInstanceUID=UID, **(known | values))


def test_off_keeps_what_comes_as_it_comes(archive: Archive, settings: ListenerSettings) -> None:
    registered(archive, Deidentify.OFF)
    assert (
        open_intake(settings, archive).receive(arrival(mr_instance(SOPInstanceUID=UID))).outcome == "stored"
    )
    assert kept(archive, UID).PatientName == "Doe^Jane"
    assert not Path(settings.originals).exists()


def test_on_keeps_the_copy_in_the_archive_and_the_original_apart(
    archive: Archive, settings: ListenerSettings
) -> None:
    registered(archive, Deidentify.ON)
    sent = arrival(mr_instance(SOPInstanceUID=UID))
    assert open_intake(settings, archive).receive(sent).outcome is Outcome.STORED
    copy = kept(archive)
    assert copy.PatientName == copy.PatientID == KEY.name("\0S1-001")
    assert (copy.PatientIdentityRemoved, copy.ClinicalTrialSiteID) == ("YES", "S1")
    assert copy.ClinicalTrialProtocolID == "HER2-MBC"  # what the site has entered goes before
    assert archive.instance(UID) is None
    record = archive.instance(NEW_UID)
    (filed,) = archive.receipts_after(0)
    assert record is not None
    assert filed.receipt.digest == record.digest
    original = originals_of(settings).read(filed.receipt.original_digest)  # type: ignore[arg-type]
    assert original.endswith(sent.data_set)
    assert filed.receipt.original_digest not in set(archive.objects.digests())
    assert list(verify(archive)) == [None]
    assert list(rebuild(archive)) == [None]
    assert archive.instance(NEW_UID) is not None


def test_the_same_again_is_kept_once_and_other_content_is_a_conflict(
    archive: Archive, settings: ListenerSettings
) -> None:
    registered(archive, Deidentify.ON)
    intake = open_intake(settings, archive)
    outcomes = [
        intake.receive(arrival(mr_instance(SOPInstanceUID=UID, **values))).outcome.value
        for values in ({}, {}, {"SeriesNumber": 9})
    ]
    assert outcomes == ["stored", "already_stored", "conflict_kept"]


def test_on_lets_pass_what_says_that_it_is_de_identified_and_required_does_not(
    archive: Archive, settings: ListenerSettings
) -> None:
    registered(archive, Deidentify.ON)
    registered(archive, Deidentify.REQUIRED, calling_ae="MRI_2")
    intake, sent = (
        open_intake(settings, archive),
        mr_instance(SOPInstanceUID=UID, PatientIdentityRemoved="YES"),
    )
    assert intake.receive(arrival(sent)).outcome is Outcome.STORED
    assert kept(archive, UID).PatientName == "Doe^Jane"
    assert intake.receive(arrival(sent, calling_ae="MRI_2")).outcome is Outcome.STORED
    assert kept(archive).PatientName == KEY.name("\0S1-001")


def test_a_door_without_titles_follows_the_strictest_sender_of_its_site(
    archive: Archive, settings: ListenerSettings
) -> None:
    registered(archive, Deidentify.OFF)
    registered(archive, Deidentify.REQUIRED, calling_ae="MRI_2")
    intake = open_intake(settings, archive)
    web = {"calling_ae": "STOW-RS", "called_ae": "DICOMWEB"}
    assert intake.receive(arrival(mr_instance(SOPInstanceUID=UID), **web)).outcome is Outcome.STORED
    assert archive.instance(NEW_UID) is not None
    intake.receive(arrival(mr_instance(SOPInstanceUID="1.2.3"), **web, site_id="S2"))
    assert archive.instance("1.2.3") is not None


@pytest.mark.parametrize("syntax", [IMPLICIT_LE, DEFLATED])
def test_the_transfer_syntax_stays(archive: Archive, settings: ListenerSettings, syntax: str) -> None:
    registered(archive, Deidentify.ON)
    sent = arrival(mr_instance(SOPInstanceUID=UID), syntax)
    assert open_intake(settings, archive).receive(sent).outcome is Outcome.STORED
    assert kept(archive).file_meta.TransferSyntaxUID == syntax
    assert kept(archive).PatientName == KEY.name("\0S1-001")


def test_a_large_instance_passes_by_way_of_the_disk(
    local_archive: Archive, settings: ListenerSettings
) -> None:
    registered(local_archive, Deidentify.ON)
    pixels = bytes(512 * 512 * 2 * 12)
    large = mr_instance(
        SOPInstanceUID=UID, Rows=512, Columns=512, NumberOfFrames=12, PixelData=pixels, side=8,
        SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1",
    )  # fmt: skip
    assert open_intake(settings, local_archive).receive(arrival(large)).outcome is Outcome.STORED
    assert kept(local_archive).PixelData == pixels
    assert list(verify(local_archive)) == [None]


def test_without_a_secret_nothing_is_kept_and_the_listener_does_not_begin(
    archive: Archive, settings: ListenerSettings
) -> None:
    bare = settings.model_copy(update={"deidentification_key_file": ""})
    require_key(bare, archive)
    registered(archive, Deidentify.ON)
    reception = open_intake(bare, archive).receive(arrival(mr_instance(SOPInstanceUID=UID)))
    assert (reception.outcome, archive.counts()["instances"]) == (Outcome.REFUSED_OUT_OF_RESOURCES, 0)
    assert "DICOM_LISTENER_DEIDENTIFICATION_KEY_FILE" in reception.sentence
    with pytest.raises(KeyMissingError):
        require_key(bare, archive)


@pytest.mark.parametrize("content", [None, b"", b"short", b" " * 64])
def test_a_secret_that_is_none_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(KeyUnusableError, match="32 random bytes or more"):
        Key.read(tmp_path / "key")


def test_an_image_with_a_name_in_it_is_held_and_nothing_of_its_study_settles(
    archive: Archive, settings: ListenerSettings
) -> None:
    registered(archive, Deidentify.ON)
    intake = open_intake(settings, archive)
    other = arrival(mr_instance(SOPInstanceUID="1.2.3.4"))
    assert intake.receive(other).outcome is Outcome.STORED
    assert intake.receive(arrival(written_on())).outcome is Outcome.HELD
    assert intake.receive(arrival(written_on())).outcome is Outcome.HELD  # sent again
    assert archive.instance(NEW_UID) is None
    assert Settler(archive.database, 0).settle() == 0
    with archive.database.read() as connection:
        (held,) = filing.held(connection)
    assert (held.sop_instance_uid, held.sentence) == (NEW_UID, "Its pixels look as if text stood in them.")
    receipts = [each.receipt for each in archive.receipts_after(0)]
    assert [each.outcome for each in receipts] == [Outcome.STORED, Outcome.HELD, Outcome.HELD]
    assert receipts[1].original_digest == held.digest
    assert originals_of(settings).read(held.digest)


def test_a_person_releases_what_is_held(archive: Archive, settings: ListenerSettings) -> None:
    registered(archive, Deidentify.ON)
    open_intake(settings, archive).receive(arrival(written_on()))
    senders.remove(archive.database, "MRI_1", "IMAGING")  # nothing goes out as it came, whoever is registered
    intake = replace(open_intake(settings, archive), gates=(open_gate(settings, archive).let_pass,))
    assert release(intake, originals_of(settings), NEW_UID, "A ruler, no name. JR").outcome is Outcome.STORED
    assert kept(archive).PatientName == KEY.name("\0S1-001")
    assert Settler(archive.database, 0).settle() == 1
    with pytest.raises(OriginalUnknownError):
        release(intake, originals_of(settings), NEW_UID, "again")


def test_a_person_keeps_back_what_is_held(archive: Archive, settings: ListenerSettings) -> None:
    registered(archive, Deidentify.ON)
    intake = open_intake(settings, archive)
    intake.receive(arrival(mr_instance(SOPInstanceUID="1.2.3.4")))
    intake.receive(arrival(written_on()))
    keep_back(archive, NEW_UID, "Her name. JR")
    assert archive.instance(NEW_UID) is None
    assert Settler(archive.database, 0).settle() == 1
    assert intake.receive(arrival(written_on())).outcome is Outcome.HELD
    with archive.database.read() as connection:
        assert filing.held(connection) == ()


@pytest.mark.parametrize(
    "values",
    [
        {"BurnedInAnnotation": "YES"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
        {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]},
    ],
)
def test_what_the_header_says_of_its_pixels_is_heeded(
    local_archive: Archive, settings: ListenerSettings, values: dict[str, object]
) -> None:
    registered(local_archive, Deidentify.ON)
    sent = arrival(mr_instance(SOPInstanceUID=UID, **values))
    assert open_intake(settings, local_archive).receive(sent).outcome is Outcome.HELD


def test_originals_go_after_their_time_and_the_book_stays(
    archive: Archive, settings: ListenerSettings
) -> None:
    registered(archive, Deidentify.ON)
    intake, originals = open_intake(settings, archive), originals_of(settings)
    intake.receive(arrival(mr_instance(SOPInstanceUID="1.2.3.4")))
    intake.receive(arrival(written_on()))
    now = datetime.now(UTC)
    assert remove_expired(archive, originals, 30, now) == 0
    assert remove_expired(archive, originals, 30, now + timedelta(days=31)) == 1  # what is held stays
    assert remove_expired(archive, originals, 30, now + timedelta(days=31)) == 0
    assert len(list(Path(settings.originals).rglob("*.dcm"))) == 1
    with archive.database.read() as connection:
        assert len(filing.copy_of(connection, "1.2.3.4")) == 1


def test_originals_that_cannot_be_kept_let_nothing_into_the_archive(
    local_archive: Archive, settings: ListenerSettings, tmp_path: Path
) -> None:
    registered(local_archive, Deidentify.ON)
    (tmp_path / "originals").write_text("a file stands where the folder should be")
    reception = open_intake(settings, local_archive).receive(arrival(mr_instance(SOPInstanceUID=UID)))
    assert (reception.outcome, local_archive.counts()["instances"]) == (Outcome.REFUSED_OUT_OF_RESOURCES, 0)


def test_a_data_set_that_cannot_be_worked_on_is_held(
    local_archive: Archive, settings: ListenerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(local_archive, Deidentify.ON)
    monkeypatch.setattr("dicom_listener.intake.deidentify.deidentify", lambda *_: 1 / 0)
    sent = arrival(mr_instance(SOPInstanceUID=UID))
    assert open_intake(settings, local_archive).receive(sent).outcome is Outcome.HELD
    with local_archive.database.read() as connection:
        assert "cannot be de-identified" in filing.held(connection)[0].sentence


def test_a_deflated_copy_is_one_whole_stream(local_archive: Archive, settings: ListenerSettings) -> None:
    registered(local_archive, Deidentify.ON)
    open_intake(settings, local_archive).receive(arrival(mr_instance(SOPInstanceUID=UID), DEFLATED))
    record = local_archive.instance(NEW_UID)
    assert record is not None
    assert zlib.decompress(local_archive.read(NEW_UID)[record.header_length :], -zlib.MAX_WBITS)
