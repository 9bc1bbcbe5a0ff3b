"""Metadata in the DICOM JSON model: what was written before about equal bytes changes nothing."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset

from dicom_listener.archive.archive import Archive
from imaging_service.images.dicomweb.blinding import Blinding, blinded
from imaging_service.images.dicomweb.kept import KeptInstance, Layouts
from imaging_service.images.dicomweb.metadata import Fragments, metadata_of
from tests.builders.arrivals import STUDY, TrialHouse, mr_instance, trial_house

ADDRESS = "http://127.0.0.1/instances/1"
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
SHOWN = (
    None,
    Blinding(reading_id="R-1", baseline_on=date(2024, 12, 20), timepoint="0"),
    Blinding(reading_id="R-2", baseline_on=None),
)


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def instances() -> list[Dataset]:
    """Return images that are alike but for what makes equal bytes mean another thing."""
    with_private = mr_instance("20241220", number=4)
    block = with_private.private_block(0x0019, "MAKER", create=True)
    block.add_new(0x01, "LO", "T1 dynamic")
    block.add_new(0x02, "SL", 7)
    varied: list[dict[str, Any]] = [
        {},
        {"ContentDate": "20241221", "PatientWeight": "71.5", "ImageType": ["ORIGINAL", "PRIMARY"]},
        {"PatientIdentityRemoved": "YES", "SmallestImagePixelValue": 3, "WindowCenter": [40, 400]},
        {"SpecificCharacterSet": "ISO_IR 100", "SeriesDescription": "T1 dynamisch, Köln"},
        {"SpecificCharacterSet": "ISO_IR 192", "SeriesDescription": "T1 dynamisch, Köln"},
        {"AnatomicRegionSequence": [code("10200004", "SCT", "Liver")], "StudyTime": "101500"},
        {"ProcedureCodeSequence": [code("CANARY", "99HERE", "CANARY")], "RescaleSlope": "1.50"},
        {"StudyDate": "20240230", "TriggerTime": None, "PatientComments": "long " * 100},
    ]
    alike = [mr_instance("20241220", number=10 + place, **each) for place, each in enumerate(varied)]
    return [*alike, with_private]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("metadata")
    with trial_house(f"sqlite:///{folder}/house.sqlite", Path(folder)) as opened:
        house: TrialHouse = opened
        house.enrol()
        house.receive(*instances())
        yield house.archive


def all_kept(archive: Archive) -> list[KeptInstance]:
    records = archive.instances_of(f"{STUDY}.1")
    assert len(records) == len(instances())
    return [Layouts().open(archive.objects, record) for record in records]


def reference(kept: KeptInstance, archive: Archive, blinding: Blinding | None) -> Dataset:
    """Return what pydicom says of the whole file."""
    whole = dcmread(io.BytesIO(archive.read(kept.record.sop_instance_uid)))
    shown = whole if blinding is None else blinded(whole, blinding)
    if "PixelData" in shown:
        del shown.PixelData
    shown.add_new(0x00083002, "UI", kept.record.transfer_syntax_uid)
    shown.file_meta = FileMetaDataset()
    return shown


@pytest.mark.parametrize("blinding", SHOWN, ids=["as it came", "of a reader", "without a baseline"])
def test_metadata_are_those_of_each_instance_alone(archive: Archive, blinding: Blinding | None) -> None:
    fragments = Fragments()
    for _ in range(2):  # the second time much is known
        for kept in all_kept(archive):
            found = metadata_of(kept, blinding, ADDRESS, fragments)
            read = Dataset.from_json(found.decode(), bulk_data_uri_handler=lambda _tag, _vr, _uri: b"")
            assert read.pop(0x7FE00010) is not None
            assert read.to_json_dict() == reference(kept, archive, blinding).to_json_dict()
            assert found == metadata_of(kept, blinding, ADDRESS)


def test_what_one_reader_is_shown_is_not_given_to_another(archive: Archive) -> None:
    fragments = Fragments(contexts=1)
    kept = all_kept(archive)[0]
    for blinding in (*SHOWN, *SHOWN):
        assert metadata_of(kept, blinding, ADDRESS, fragments) == metadata_of(kept, blinding, ADDRESS)


def test_fragments_are_bounded() -> None:
    fragments = Fragments(contexts=2, most=3)
    first = fragments.under("first")
    first |= {(tag, "US", b"12"): b"" for tag in range(4)}
    assert fragments.under("first") == {}
    first[1, "US", b"12"] = b""
    assert fragments.under("second") == {}
    assert fragments.under("third") == {}
    assert fragments.under("first") == {}
