import random
from pathlib import Path

import pytest
from sqlalchemy import delete

from dicom_listener.archive import index, tables
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.integrity import Damage, DamagedObject, rebuild, recover, verify
from dicom_listener.archive.records import Digest, Outcome
from dicom_listener.errors import OutOfResourcesError
from dicom_listener.intake.receive import Intake
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.instances import mr_instance

STUDY = "1.2.826.0.1.3680043.8.498.1"


@pytest.fixture
def filled(intake: Intake) -> Archive:
    """Fill an archive with 30 instances and one conflict."""
    for number in range(30):
        intake.receive(arrival(mr_instance(SOPInstanceUID=f"1.2.{number}", InstanceNumber=number)))
    intake.receive(arrival(mr_instance(SOPInstanceUID="1.2.0", SeriesDescription="changed")))
    return intake.archive


def path_of(archive: Archive, folder: Path, uid: str) -> Path:
    record = archive.instance(uid)
    assert record is not None
    return next(folder.rglob(f"{record.digest}.dcm"))


def damages(archive: Archive) -> dict[str, Damage]:
    return {entry.sop_instance_uid: entry.damage for entry in verify(archive) if entry is not None}


def test_an_archive_as_it_was_written_has_no_damage(filled: Archive) -> None:
    assert list(verify(filled)) == [None] * 31


def test_each_flipped_bit_truncation_and_deletion_is_named_and_nothing_else(
    filled: Archive, tmp_path: Path
) -> None:
    chance = random.Random(20)  # noqa: S311 - a fixed choice of bits
    altered = {f"1.2.{number}": Damage.ALTERED for number in range(1, 21)}
    for uid in altered:
        path = path_of(filled, tmp_path, uid)
        content = bytearray(path.read_bytes())
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
    cut = path_of(filled, tmp_path, "1.2.21")
    cut.write_bytes(cut.read_bytes()[:-1])
    path_of(filled, tmp_path, "1.2.22").unlink()
    assert damages(filled) == altered | {"1.2.21": Damage.ALTERED, "1.2.22": Damage.MISSING}


def test_a_bit_of_the_file_meta_information_counts_too(filled: Archive, tmp_path: Path) -> None:
    path = path_of(filled, tmp_path, "1.2.5")
    content = bytearray(path.read_bytes())
    content[3] ^= 1  # in the preamble, which no reader looks at
    path.write_bytes(content)
    assert damages(filled) == {"1.2.5": Damage.ALTERED}


def test_the_index_is_made_again_from_the_objects_alone(filled: Archive) -> None:
    studies, series = filled.studies(), filled.series_of(STUDY)
    instances = filled.instances_of(series[0].series_instance_uid)
    conflicts = [conflict.digest for conflict in filled.conflicts_of(STUDY)]
    receipts = filled.receipts_after(0)
    with filled.database.write() as connection:
        index.clear(connection)
        connection.execute(delete(tables.senders))
    assert filled.counts()["instances"] == 0
    assert list(rebuild(filled)) == [None] * 31
    assert filled.series_of(STUDY) == series
    assert filled.instances_of(series[0].series_instance_uid) == instances
    assert [conflict.digest for conflict in filled.conflicts_of(STUDY)] == conflicts
    assert filled.receipts_after(0) == receipts
    (study,) = filled.studies()
    assert (study.sources, study.patient_id, study.received_at) == (
        studies[0].sources,
        studies[0].patient_id,
        studies[0].received_at,
    )


def test_a_rebuild_names_what_it_cannot_use(filled: Archive, tmp_path: Path) -> None:
    altered, garbage = path_of(filled, tmp_path, "1.2.7"), path_of(filled, tmp_path, "1.2.8")
    altered.write_bytes(altered.read_bytes() + b"x")
    garbage.write_bytes(b"garbage")
    found = [entry for entry in rebuild(filled) if entry is not None]
    assert {(entry.sop_instance_uid, entry.damage) for entry in found} == {
        ("1.2.7", Damage.ALTERED),
        ("", Damage.UNREADABLE),
    }
    assert filled.instance("1.2.7") is filled.instance("1.2.8") is None
    assert filled.counts()["instances"] == 28


def test_what_was_kept_but_not_indexed_when_the_process_ended_is_indexed_at_the_next_start(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise OutOfResourcesError(what="The database", reason="it is away")

    sent = arrival(mr_instance(SOPInstanceUID="1.2.3"))
    with monkeypatch.context() as patch:
        patch.setattr(index, "add", fail)
        assert intake.receive(sent).outcome is Outcome.REFUSED_OUT_OF_RESOURCES
    assert recover(intake.archive) == 1
    assert recover(intake.archive) == 0
    record = intake.archive.instance("1.2.3")
    assert record is not None
    (filed,) = intake.archive.receipts_after(0)
    assert (filed.receipt.outcome, filed.receipt.site_id) == (Outcome.STORED, "S1")
    assert list(verify(intake.archive)) == [None]
    assert intake.receive(sent).outcome is Outcome.ALREADY_STORED


def test_an_object_that_is_gone_or_unreadable_does_not_stop_recovery(intake: Intake, tmp_path: Path) -> None:
    digest = Digest("ab" * 32)
    intake.archive.objects.put(digest, (b"garbage",))
    assert recover(intake.archive) == 0
    assert isinstance(next(iter(rebuild(intake.archive))), DamagedObject)
    assert intake.archive.counts()["instances"] == 0
    assert (tmp_path / "objects").is_dir()
