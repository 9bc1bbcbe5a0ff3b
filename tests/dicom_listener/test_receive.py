import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import generate_uid
from sqlalchemy import text

from dicom_listener.archive import index
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.integrity import verify
from dicom_listener.archive.kept import digest_of
from dicom_listener.archive.records import ChangeKind, FindingCode, Outcome, Source
from dicom_listener.archive.search import StudyFilter
from dicom_listener.errors import InstanceUnknownError, OutOfResourcesError, Reason, UnacceptableDataSetError
from dicom_listener.intake.receive import Intake
from dicom_listener.settings import ConflictPolicy
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.instances import (
    DEFLATED,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    encoded,
    mr_instance,
)

STUDY = "1.2.826.0.1.3680043.8.498.1"


def files_of(folder: Path) -> set[Path]:
    return set(folder.rglob("*.dcm"))


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE, DEFLATED])
def test_the_data_set_is_kept_byte_for_byte(intake: Intake, syntax: str) -> None:
    sent = arrival(mr_instance(SOPInstanceUID="1.2.3"), syntax)
    assert intake.receive(sent).outcome is Outcome.STORED
    record = intake.archive.instance("1.2.3")
    assert record is not None
    kept = intake.archive.read("1.2.3")
    assert kept[record.header_length :] == sent.data_set
    assert record.digest == hashlib.sha256(sent.data_set).hexdigest()
    assert (record.size, record.transfer_syntax_uid) == (len(kept), syntax)


def test_the_index_tells_study_series_and_instance(intake: Intake) -> None:
    for number in (2, 1):
        intake.receive(arrival(mr_instance(SOPInstanceUID=f"1.2.{number}", InstanceNumber=number)))
    study = intake.archive.study(STUDY)
    assert study is not None
    assert (study.patient_id, study.patient_ids, study.modalities) == ("S1-001", ("S1-001",), ("MR",))
    assert study.sources == (Source(site_id="S1", calling_ae="MRI_1"),)
    assert (study.number_of_series, study.number_of_instances, study.settled_at) == (1, 2, None)
    assert (study.clinical_trial_protocol_id, study.clinical_trial_subject_id) == ("HER2-MBC", "S1-001")
    (series,) = intake.archive.series_of(STUDY)
    assert (series.modality, series.number_of_instances) == ("MR", 2)
    instances = intake.archive.instances_of(series.series_instance_uid)
    assert [instance.instance_number for instance in instances] == [1, 2]
    assert {(instance.rows, instance.columns) for instance in instances} == {(8, 8)}


def test_the_same_instance_again_is_success_and_one_copy(intake: Intake, tmp_path: Path) -> None:
    sent = arrival(mr_instance())
    outcomes = [intake.receive(sent).outcome for _ in range(3)]
    assert outcomes == [Outcome.STORED, Outcome.ALREADY_STORED, Outcome.ALREADY_STORED]
    assert intake.archive.counts()["instances"] == len(files_of(tmp_path)) == 1
    assert [filed.receipt.outcome for filed in intake.archive.receipts_after(0)] == outcomes


def test_other_content_under_the_same_uid_is_kept_apart(intake: Intake) -> None:
    first = arrival(mr_instance(SOPInstanceUID="1.2.3"))
    second = arrival(mr_instance(SOPInstanceUID="1.2.3", SeriesDescription="changed"))
    assert [intake.receive(sent).outcome for sent in (first, second, second, first)] == [
        Outcome.STORED,
        Outcome.CONFLICT_KEPT,
        Outcome.CONFLICT_KEPT,
        Outcome.ALREADY_STORED,
    ]
    assert intake.archive.read("1.2.3").endswith(bytes(first.data_set))
    (conflict,) = intake.archive.conflicts_of(STUDY)
    assert intake.archive.objects.get(conflict.digest).endswith(bytes(second.data_set))
    (finding,) = intake.archive.findings_of(STUDY)
    assert (finding.code, finding.sop_instance_uid) == (FindingCode.CONTENT_CONFLICT, "1.2.3")
    assert [change.kind for change in intake.archive.changes_after(0)] == [ChangeKind.CONFLICT_KEPT]


def test_other_content_is_refused_where_the_setting_says_so(archive: Archive, tmp_path: Path) -> None:
    intake = Intake(archive=archive, conflicts=ConflictPolicy.REFUSE)
    first = arrival(mr_instance(SOPInstanceUID="1.2.3"))
    intake.receive(first)
    reception = intake.receive(arrival(mr_instance(SOPInstanceUID="1.2.3", PatientName="Other")))
    assert (reception.outcome, reception.reason) == (Outcome.REFUSED_UID_CONFLICT, Reason.UID_CONFLICT)
    assert len(files_of(tmp_path)) == 1
    assert archive.conflicts_of(STUDY) == ()
    assert intake.receive(first).outcome is Outcome.ALREADY_STORED


def test_of_many_contents_at_once_one_is_first_and_the_others_are_conflicts(intake: Intake) -> None:
    contents = [arrival(mr_instance(SOPInstanceUID="1.2.3", AccessionNumber=f"A{n}")) for n in range(6)]
    with ThreadPoolExecutor(6) as threads:
        outcomes = [reception.outcome for reception in threads.map(intake.receive, contents)]
    assert sorted(outcomes) == [Outcome.CONFLICT_KEPT] * 5 + [Outcome.STORED]
    first = contents[outcomes.index(Outcome.STORED)]
    assert intake.archive.read("1.2.3").endswith(bytes(first.data_set))
    assert intake.archive.counts()["conflicts"] == 5


def test_the_same_bytes_under_another_syntax_are_a_conflict(intake: Intake) -> None:
    sent = arrival(mr_instance(PixelData=None))
    intake.receive(sent)
    relabelled = replace(sent, transfer_syntax_uid="1.2.840.10008.1.2.5")
    assert intake.receive(relabelled).outcome is Outcome.CONFLICT_KEPT
    (conflict,) = intake.archive.conflicts_of(STUDY)
    assert (conflict.transfer_syntax_uid, conflict.digest) == (
        "1.2.840.10008.1.2.5",
        digest_of(sent.data_set),
    )
    refusing = replace(intake, conflicts=ConflictPolicy.REFUSE)
    assert refusing.receive(relabelled).outcome is Outcome.REFUSED_UID_CONFLICT
    assert intake.archive.counts()["instances"] == 1
    assert list(verify(intake.archive)) == [None, None]


MISMATCHES = {
    "another instance": ({"sop_instance_uid": "1.2.99"}, Outcome.REFUSED_MISMATCH, Reason.UID_MISMATCH),
    "another class": (
        {"sop_class_uid": "1.2.840.10008.5.1.4.1.1.7"},
        Outcome.REFUSED_MISMATCH,
        Reason.SOP_CLASS_MISMATCH,
    ),
    "a path for a UID": (
        {"sop_instance_uid": "../../etc/passwd"},
        Outcome.REFUSED_NOT_UNDERSTOOD,
        Reason.MALFORMED_UID,
    ),
    "no UID": ({"sop_instance_uid": ""}, Outcome.REFUSED_NOT_UNDERSTOOD, Reason.MALFORMED_UID),
    "no data set": ({"data_set": b""}, Outcome.REFUSED_NOT_UNDERSTOOD, Reason.MISSING_UID),
    "a data set cut short": ({"data_set": b"\x08\x00\x05"}, Outcome.REFUSED_NOT_UNDERSTOOD, Reason.STRUCTURE),
    "another syntax than announced": (
        {"transfer_syntax_uid": IMPLICIT_LE},
        Outcome.REFUSED_NOT_UNDERSTOOD,
        Reason.STRUCTURE,
    ),
}


@pytest.mark.parametrize(("values", "outcome", "reason"), MISMATCHES.values(), ids=MISMATCHES)
def test_what_is_not_as_announced_is_refused_with_a_receipt_and_nothing_kept(
    intake: Intake, tmp_path: Path, values: dict[str, Any], outcome: Outcome, reason: Reason
) -> None:
    reception = intake.receive(replace(arrival(mr_instance()), **values))
    assert (reception.outcome, reception.reason) == (outcome, reason)
    assert reception.sentence.endswith(".")
    assert intake.archive.counts()["instances"] == len(files_of(tmp_path)) == 0
    (filed,) = intake.archive.receipts_after(0)
    assert (filed.receipt.outcome, filed.receipt.reason) == (outcome, reason)
    assert "/" not in filed.receipt.sop_instance_uid


def test_one_study_under_two_patients_is_kept_and_brought_to_a_person(intake: Intake) -> None:
    intake.receive(arrival(mr_instance()))
    intake.receive(arrival(mr_instance(SOPInstanceUID=generate_uid(), PatientID="S1-002")))
    study = intake.archive.study(STUDY)
    assert study is not None
    assert (study.patient_id, study.patient_ids) == ("S1-001", ("S1-001", "S1-002"))
    (finding,) = intake.archive.findings_of(STUDY)
    assert finding.code is FindingCode.PATIENT_MISMATCH
    assert "S1-00" not in finding.sentence
    assert [change.kind for change in intake.archive.changes_after(0)] == [ChangeKind.PATIENT_MISMATCH]


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_an_odd_study_date_is_kept_and_brought_to_a_person(intake: Intake) -> None:
    assert intake.receive(arrival(mr_instance(StudyDate="20261399"))).outcome is Outcome.STORED
    study = intake.archive.study(STUDY)
    assert study is not None
    assert study.study_date is None
    assert [finding.code for finding in intake.archive.findings_of(STUDY)] == [
        FindingCode.STUDY_DATE_UNREADABLE
    ]


def test_a_series_of_another_study_is_brought_to_a_person(intake: Intake) -> None:
    intake.receive(arrival(mr_instance()))
    intake.receive(arrival(mr_instance(SOPInstanceUID="1.2.4", StudyInstanceUID="1.2.5")))
    assert [finding.code for finding in intake.archive.findings_of("1.2.5")] == [FindingCode.STUDY_MISMATCH]


def test_two_senders_of_one_study_are_both_named(intake: Intake) -> None:
    intake.receive(arrival(mr_instance()))
    intake.receive(arrival(mr_instance(), calling_ae="MRI_2", site_id="S2"))
    study = intake.archive.study(STUDY)
    assert study is not None
    assert [(source.site_id, source.calling_ae) for source in study.sources] == [
        ("S1", "MRI_1"),
        ("S2", "MRI_2"),
    ]


def test_without_the_database_nothing_is_acknowledged_and_the_next_try_succeeds(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = arrival(mr_instance())

    def fail(*_arguments: object) -> None:
        raise OutOfResourcesError(what="The database", reason="it is away")

    with monkeypatch.context() as patch:
        patch.setattr(index, "add", fail)
        reception = intake.receive(sent)
    assert (reception.outcome, reception.sentence) == (
        Outcome.REFUSED_OUT_OF_RESOURCES,
        "The database cannot be used at the moment: it is away.",
    )
    assert intake.archive.counts()["instances"] == intake.archive.counts()["receipts"] == 0
    assert intake.receive(sent).outcome is Outcome.STORED
    assert intake.archive.read(sent.sop_instance_uid).endswith(bytes(sent.data_set))


def test_a_locked_database_is_waited_for_and_then_said_to_be_busy(local_archive: Archive) -> None:
    intake = Intake(archive=local_archive)
    blocker = local_archive.database.engine.raw_connection()
    blocker.execute("BEGIN IMMEDIATE")
    try:
        for connection in [local_archive.database.engine.raw_connection()]:
            connection.execute("PRAGMA busy_timeout = 50")
            connection.close()
        reception = intake.receive(arrival(mr_instance()))
    finally:
        blocker.rollback()
        blocker.close()
    assert reception.outcome is Outcome.REFUSED_OUT_OF_RESOURCES
    assert "locked" in reception.sentence
    assert local_archive.counts()["instances"] == 0


def test_a_full_disk_leaves_the_index_as_it_was(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = arrival(mr_instance())
    intake.receive(kept)

    def fail(*_arguments: object) -> None:
        raise OutOfResourcesError(what="The folder", reason="No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(intake.archive.objects, "put", fail)
        assert intake.receive(arrival(mr_instance())).outcome is Outcome.REFUSED_OUT_OF_RESOURCES
    assert intake.archive.counts()["instances"] == 1
    assert intake.archive.read(kept.sop_instance_uid).endswith(bytes(kept.data_set))


def test_an_object_that_was_lost_is_kept_again_when_it_comes_again(intake: Intake, tmp_path: Path) -> None:
    sent = arrival(mr_instance(SOPInstanceUID="1.2.3"))
    intake.receive(sent)
    files_of(tmp_path).pop().unlink()
    assert intake.receive(sent).outcome is Outcome.ALREADY_STORED
    record = intake.archive.instance("1.2.3")
    assert record is not None
    content = intake.archive.read("1.2.3")
    assert digest_of(content[: record.header_length]) == record.header_digest


def test_a_gate_changes_or_refuses_before_anything_is_kept(archive: Archive) -> None:
    replacement = mr_instance(SOPInstanceUID="1.2.3", PatientName="Anonymous")

    def anonymise(sent, _header):
        return replace(sent, sop_instance_uid="1.2.3", data_set=encoded(replacement))

    def refuse(_sent, _header):
        raise UnacceptableDataSetError(Reason.MALFORMED_IDENTIFIER, "It shows a name in its pixels.")

    assert (
        Intake(archive=archive, gates=(anonymise,)).receive(arrival(mr_instance())).outcome is Outcome.STORED
    )
    assert b"Anonymous" in archive.read("1.2.3")
    refused = Intake(archive=archive, gates=(refuse,)).receive(arrival(mr_instance()))
    assert refused.outcome is Outcome.REFUSED_NOT_UNDERSTOOD
    assert archive.counts()["instances"] == 1


def test_receipts_are_ordered_and_their_fingerprints_cover_them(intake: Intake) -> None:
    for number in range(5):
        intake.receive(arrival(mr_instance(SOPInstanceUID=f"1.2.{number}")))
    filed = intake.archive.receipts_after(0)
    assert [one.sequence for one in filed] == sorted(one.sequence for one in filed)
    assert intake.archive.receipts_after(filed[1].sequence, limit=2) == filed[2:4]
    assert [one.fingerprint for one in filed] == [one.receipt.fingerprint() for one in filed]
    changed = replace(filed[0].receipt, size=filed[0].receipt.size + 1)
    assert changed.fingerprint() != filed[0].fingerprint


def test_studies_are_found_by_what_they_have_in_common(intake: Intake) -> None:
    for number in (1, 2, 3):
        values = {"StudyInstanceUID": f"1.2.{number}", "SeriesInstanceUID": f"1.2.{number}.1"}
        dated = mr_instance(PatientID=f"P{number}", StudyDate=f"2026010{number}", **values)
        intake.receive(arrival(dated, site_id=f"S{number}"))

    def found(**wanted: Any) -> list[str]:
        return [study.study_instance_uid for study in intake.archive.studies(StudyFilter(**wanted))]

    assert found() == ["1.2.1", "1.2.2", "1.2.3"]
    assert found(patient_id="P2") == found(site_id="S2") == ["1.2.2"]
    first = intake.archive.study("1.2.1")
    third = intake.archive.study("1.2.3")
    assert first is not None
    assert third is not None
    assert found(studied_from=third.study_date) == ["1.2.3"]
    assert found(studied_to=first.study_date) == ["1.2.1"]
    assert found(modality="CT") == found(is_settled=True) == []
    assert len(found(modality="MR", is_settled=False)) == 3
    assert [study.study_instance_uid for study in intake.archive.studies(after="1.2.1", limit=1)] == ["1.2.2"]


def test_what_was_never_received_is_unknown(archive: Archive) -> None:
    assert archive.study("1.2.3") is None
    assert archive.instance("1.2.3") is None
    assert list(archive.series_of("1.2.3")) == []
    assert list(archive.instances_of("1.2.3")) == []
    with pytest.raises(InstanceUnknownError, match=r"1\.2\.3"):
        archive.read("1.2.3")


def test_a_value_from_a_data_set_is_never_part_of_a_statement(intake: Intake) -> None:
    hostile = "x'); DROP TABLE instances; --"
    intake.receive(arrival(mr_instance(PatientID=hostile)))
    assert [study.patient_id for study in intake.archive.studies(StudyFilter(patient_id=hostile))] == [
        hostile
    ]
    with intake.archive.database.read() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
