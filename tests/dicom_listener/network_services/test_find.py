"""Searches over real associations: what matches, what is answered, what is refused."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pynetdicom import AE
from pynetdicom.association import Association

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.matching import ATTRIBUTES, Level, Match, Search, answers
from dicom_listener.archive.migrate import migrate
from dicom_listener.archive.senders import Retrieval, Sender, networks_from
from dicom_listener.errors import SearchKeyError
from dicom_listener.intake.receive import Intake
from dicom_listener.network.server import Listener
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.instances import mr_instance

PATIENT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"

A, B, C = "1.2.3.1", "1.2.3.2", "1.2.3.3"
STUDIES: dict[str, dict[str, Any]] = {
    A: {"PatientID": "P-1", "PatientName": "Doe^Jane", "StudyDate": "20260301", "StudyTime": "101500.25"},
    B: {"PatientID": "P-1", "PatientName": "Doe^Jane", "StudyDate": "20260401", "StudyTime": "1530"},
    C: {
        "PatientID": "P_2[x]%",
        "PatientName": "Müller^Öz",
        "SpecificCharacterSet": "ISO_IR 100",
        "StudyDate": None,
        "StudyTime": None,
        "PatientBirthDate": "19801231",
        "StudyDescription": "50% a*b",
    },
}
"""Three studies; the first has two series, one of them with two instances."""


def fill(archive: Archive) -> None:
    intake = Intake(archive=archive)
    for uid, values in STUDIES.items():
        site = "S2" if uid == C else "S1"
        members = [(1, "MR", 1), (1, "MR", 2), (2, "SEG", 1)] if uid == A else [(1, "MR", 1)]
        for series, modality, number in members:
            sent = mr_instance(
                **values,
                StudyInstanceUID=uid,
                SeriesInstanceUID=f"{uid}.{series}",
                SOPInstanceUID=f"{uid}.{series}.{number}",
                Modality=modality,
                SeriesNumber=series,
                InstanceNumber=number,
            )
            assert intake.receive(arrival(sent, site_id=site)).size


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Fill one archive on each kind of database, which every test here only reads."""
    folder = tmp_path_factory.mktemp("archive")
    with ExitStack() as stack:
        url = f"sqlite:///{folder}/index.sqlite"
        if request.param == "postgresql":
            url = stack.enter_context(request.getfixturevalue("postgres").database())
        archive = stack.enter_context(closing(Archive.open(url, str(folder / "objects"))))
        migrate(archive.database)
        archive.objects.prepare()
        fill(archive)
        yield archive


def found(archive: Archive, level: Level, site_id: str | None = None, **keys: str) -> list[str]:
    with archive.database.read() as connection:
        rows = answers(connection, Search(level=level, keys=keys, site_id=site_id))
    return [uid for uid, _ in rows]


@pytest.mark.parametrize(
    ("keyword", "value", "expected"),
    [
        ("PatientID", "P-1", [A, B]),
        ("PatientID", "p-1", []),
        ("PatientID", "p*", []),
        ("PatientID", "P?1", [A, B]),
        ("PatientID", "P_2*", [C]),
        ("PatientID", "*[x]%", [C]),
        ("PatientID", "P-1\\P_2[x]%", [A, B, C]),
        ("PatientID", "*", [A, B, C]),
        ("PatientID", "", [A, B, C]),
        ("PatientName", "doe^JANE", [A, B]),
        ("PatientName", "DOE*", [A, B]),
        ("PatientName", "Müller^Öz", [C]),
        ("PatientName", "M?ller*", [C]),
        ("StudyDescription", "50%*", [C]),
        ("StudyDescription", "5_%*", []),
        ("StudyInstanceUID", f"{A}\\{C}\\9.9", [A, C]),
        ("StudyDate", "20260301", [A]),
        ("StudyDate", "2026.03.01", [A]),
        ("StudyDate", "20260301-20260401", [A, B]),
        ("StudyDate", "-20260331", [A]),
        ("StudyDate", "20260302-", [B]),
        ("StudyDate", "20260402-20260301", []),
        ("StudyTime", "101500", [A]),
        ("StudyTime", "10", [A]),
        ("StudyTime", "11", []),
        ("StudyTime", "10-11", [A]),
        ("StudyTime", "-1529", [A]),
        ("StudyTime", "1530-", [B]),
        ("PatientBirthDate", "19700101", [A, B]),
        ("PatientBirthDate", "19750101-", [C]),
        ("ModalitiesInStudy", "SEG", [A]),
        ("ModalitiesInStudy", "SEG\\MR", [A, B, C]),
        ("ModalitiesInStudy", "CT", []),
        ("NumberOfStudyRelatedSeries", "7", [A, B, C]),
    ],
)
def test_a_study_matches_as_ps3_4_c_2_2_2_says(
    filled: Archive, keyword: str, value: str, expected: list[str]
) -> None:
    assert found(filled, Level.STUDY, **{keyword: value}) == expected


@pytest.mark.parametrize(
    ("level", "keys", "expected"),
    [
        (Level.PATIENT, {"PatientID": ""}, [A, C]),
        (Level.PATIENT, {"PatientID": "P-1"}, [A]),
        (Level.SERIES, {"StudyInstanceUID": A}, [f"{A}.1", f"{A}.2"]),
        (Level.SERIES, {"StudyInstanceUID": A, "Modality": "SEG"}, [f"{A}.2"]),
        (Level.SERIES, {"SeriesNumber": "2"}, [f"{A}.2"]),
        (Level.SERIES, {"SeriesNumber": "99999999999999999999"}, []),
        (Level.IMAGE, {"SeriesInstanceUID": f"{A}.1"}, [f"{A}.1.1", f"{A}.1.2"]),
        (Level.IMAGE, {"SeriesInstanceUID": f"{A}.1", "InstanceNumber": "2"}, [f"{A}.1.2"]),
        (Level.IMAGE, {"PatientID": "P_2*", "Rows": "8"}, [f"{C}.1.1"]),
    ],
)
def test_every_level_is_searched(
    filled: Archive, level: Level, keys: dict[str, str], expected: list[str]
) -> None:
    assert found(filled, level, **keys) == expected


def test_only_a_sites_own_studies_are_found_for_it(filled: Archive) -> None:
    for level in Level:
        of_site = found(filled, level, "S2", PatientID="")
        assert [uid.startswith(C) for uid in of_site] == [True]


def test_every_attribute_has_a_value_for_every_level_below_it(filled: Archive) -> None:
    with filled.database.read() as connection:
        for level in Level:
            known = tuple(Level)[: tuple(Level).index(level) + 1]
            keys = {name: "" for name, each in ATTRIBUTES.items() if each.level in known}
            first = answers(connection, Search(level=level, keys=keys), limit=1)[0][1]
            assert list(first) == list(keys)
            counts = {name: first[name] for name in keys if ATTRIBUTES[name].match is Match.RETURNED}
            expected = {
                "NumberOfPatientRelatedStudies": 2,
                "NumberOfPatientRelatedSeries": 3,
                "NumberOfPatientRelatedInstances": 4,
                "NumberOfStudyRelatedSeries": 2,
                "NumberOfStudyRelatedInstances": 3,
                "NumberOfSeriesRelatedInstances": 2,
            }
            assert counts.items() <= expected.items()


def test_pages_follow_each_other(filled: Archive) -> None:
    seen, after = [], ""
    with filled.database.read() as connection:
        search = Search(level=Level.IMAGE, keys={"SOPInstanceUID": ""})
        while page := answers(connection, search, after=after, limit=2):
            seen += [uid for uid, _ in page]
            after = seen[-1]
    assert seen == [f"{A}.1.1", f"{A}.1.2", f"{A}.2.1", f"{B}.1.1", f"{C}.1.1"]


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("StudyDate", "yesterday"),
        ("StudyDate", "20261332"),
        ("StudyTime", "1 o'clock"),
        ("SeriesNumber", "two"),
        ("PatientName", "*a" * 9),
        ("StudyInstanceUID", "\\".join(["1.2"] * 5001)),
    ],
)
def test_a_key_that_its_attribute_cannot_be_is_a_sentence_without_its_value(
    filled: Archive, keyword: str, value: str
) -> None:
    with pytest.raises(SearchKeyError, match=f"The key {keyword} holds") as refusal:
        found(filled, Level.SERIES, **{keyword: value})
    assert value not in str(refusal.value)


# Over associations


def register(archive: Archive, title: str, retrieves: Retrieval, site_id: str = "S1") -> None:
    networks = networks_from(["127.0.0.0/8"])
    senders.add(
        archive.database,
        Sender(
            calling_ae=title, called_ae="IMAGING", networks=networks, site_id=site_id, retrieves=retrieves
        ),
    )


@pytest.fixture
def searchable(listener: Listener, local_archive: Archive) -> Listener:
    register(local_archive, "ALL", Retrieval.ARCHIVE)
    register(local_archive, "SITE_2", Retrieval.SITE, "S2")
    fill(local_archive)
    return listener


@contextmanager
def associated(listener: Listener, title: str = "ALL") -> Iterator[Association]:
    entity = AE(ae_title=title)
    for uid in (PATIENT_FIND, STUDY_FIND):
        entity.add_requested_context(uid)
    association = entity.associate("127.0.0.1", listener.port, ae_title="IMAGING")
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def keys(level: str, **values: str) -> Dataset:
    asked = Dataset()
    asked.QueryRetrieveLevel = level
    for keyword, value in values.items():
        setattr(asked, keyword, value)
    return asked


def asked_of(
    listener: Listener, asked: Dataset, model: str = STUDY_FIND, title: str = "ALL"
) -> tuple[Dataset, list[Dataset]]:
    """Return the final status and the identifiers."""
    with associated(listener, title) as association:
        responses = list(association.send_c_find(asked, model))
    return responses[-1][0], [identifier for _, identifier in responses if identifier]


def test_a_search_is_answered_with_the_keys_that_were_asked_for(searchable: Listener) -> None:
    asked = keys("STUDY", PatientName="doe*", StudyDate="20260301-", ModalitiesInStudy="", AccessionNumber="")
    status, (first, second) = asked_of(searchable, asked)
    assert status.Status == 0x0000
    assert (first.StudyDate, second.StudyDate) == ("20260301", "20260401")
    assert sorted(first.ModalitiesInStudy) == ["MR", "SEG"]
    assert (first.PatientName, first.AccessionNumber) == ("Doe^Jane", "A1")
    assert (first.RetrieveAETitle, first.InstanceAvailability) == ("IMAGING", "ONLINE")
    assert "SpecificCharacterSet" not in first
    assert "StudyInstanceUID" not in first


def test_a_name_in_another_script_is_found_and_answered_in_utf_8(searchable: Listener) -> None:
    asked = keys("PATIENT", PatientID="", PatientName="Müller*")
    asked.SpecificCharacterSet = "ISO_IR 192"
    _, (answer,) = asked_of(searchable, asked, PATIENT_FIND)
    assert (answer.SpecificCharacterSet, answer.PatientName) == ("ISO_IR 192", "Müller^Öz")


def test_a_key_that_is_not_supported_is_told_by_the_pending_status(searchable: Listener) -> None:
    with associated(searchable) as association:
        asked = keys("STUDY", StudyInstanceUID=A, OtherPatientNames="")
        pending, final = (status.Status for status, _ in association.send_c_find(asked, STUDY_FIND))
    assert (pending, final) == (0xFF01, 0x0000)


@pytest.mark.parametrize(
    ("asked", "model", "expected"),
    [
        (keys("PATIENT", PatientID=""), STUDY_FIND, 0xA900),
        (keys("CABINET"), STUDY_FIND, 0xA900),
        (keys("SERIES", SeriesInstanceUID=""), STUDY_FIND, 0xA900),
        (keys("SERIES", StudyInstanceUID=f"{A}\\{B}"), STUDY_FIND, 0xA900),
        (keys("STUDY", StudyInstanceUID=""), PATIENT_FIND, 0xA900),
        (keys("STUDY", PatientID="P-1", StudyInstanceUID=""), PATIENT_FIND, 0x0000),
        (keys("IMAGE", StudyInstanceUID=A, SeriesInstanceUID=f"{A}.1"), STUDY_FIND, 0x0000),
    ],
)
def test_the_unique_keys_of_the_levels_above_are_wanted(
    searchable: Listener, asked: Dataset, model: str, expected: int
) -> None:
    assert asked_of(searchable, asked, model)[0].Status == expected


def test_a_sender_finds_nothing_unless_it_may(searchable: Listener) -> None:
    asked = keys("STUDY", StudyInstanceUID="")
    status, identifiers = asked_of(searchable, asked, title="MRI_1")
    assert (status.Status, identifiers) == (0x0124, [])
    _, (own,) = asked_of(searchable, asked, title="SITE_2")
    assert own.StudyInstanceUID == C


def test_answers_are_bounded(searchable: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicom_listener.network.find.MAXIMUM_ANSWERS", 2)
    status, identifiers = asked_of(searchable, keys("STUDY", StudyInstanceUID=""))
    assert (status.Status, len(identifiers)) == (0xA700, 2)


def test_a_search_can_be_cancelled(searchable: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    with associated(searchable) as association:
        responses = association.send_c_find(keys("STUDY", StudyInstanceUID=""), STUDY_FIND, msg_id=7)
        # The cancel request is seen before the search has begun to answer.
        original = answers

        def slow(*arguments: Any, **options: Any) -> Any:
            association.send_c_cancel(7, query_model=STUDY_FIND)
            time.sleep(0.2)  # the request and its cancellation travel in this order; let it arrive
            return original(*arguments, **options)

        monkeypatch.setattr("dicom_listener.archive.matching.answers", slow)
        statuses = [status.Status for status, _ in responses]
    assert statuses == [0xFE00]


def test_an_identifier_that_cannot_be_read_is_answered(
    searchable: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pynetdicom.association.encode", lambda *_arguments: b"\xff" * 30)
    status, _ = asked_of(searchable, keys("STUDY"))
    assert status.Status in {0xA900, 0xC000}


@pytest.mark.peer("dcmtk")
def test_dcmtk_finds_patients_studies_series_and_images(searchable: Listener, tmp_path: Path) -> None:
    def findscu(*arguments: str) -> list[Dataset]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        command = ["findscu", "-aet", "ALL", "-aec", "IMAGING", "-X", "-od", str(folder), *arguments]
        done = subprocess.run(
            [*command, "127.0.0.1", str(searchable.port)], check=False, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return [dcmread(path) for path in sorted(folder.iterdir())]

    patients = findscu("-P", "-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientID=*1")
    assert [answer.PatientID for answer in patients] == ["P-1"]
    studies = findscu(
        "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyDate=20260101-20260331", "-k", "StudyInstanceUID"
    )
    assert [answer.StudyInstanceUID for answer in studies] == [A]
    of_study = ("-k", f"StudyInstanceUID={A}")
    series = findscu("-S", "-k", "QueryRetrieveLevel=SERIES", *of_study, "-k", "SeriesInstanceUID")
    assert [answer.SeriesInstanceUID for answer in series] == [f"{A}.1", f"{A}.2"]
    of_series = ("-k", f"SeriesInstanceUID={A}.1")
    images = findscu("-S", "-k", "QueryRetrieveLevel=IMAGE", *of_study, *of_series, "-k", "SOPInstanceUID")
    assert [answer.SOPInstanceUID for answer in images] == [f"{A}.1.1", f"{A}.1.2"]
