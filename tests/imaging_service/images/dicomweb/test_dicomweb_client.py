"""A client of other makers, dicomweb-client, over a running service on loopback."""

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from dicomweb_client import DICOMwebClient
from PIL import Image
from pydicom import Dataset, dcmread

from tests.builders.arrivals import STUDY, TrialHouse
from tests.builders.service import on_loopback

SERIES, INSTANCE = f"{STUDY}.1", f"{STUDY}.1.1"
PIXELS = np.frombuffer(bytes(range(32)), "<u2").reshape(4, 4)

Connect = Callable[[str], DICOMwebClient]


@pytest.fixture(scope="module")
def connect(house: TrialHouse) -> Iterator[Connect]:
    """Give clients that are signed in as an account."""
    with on_loopback(house.service) as address:
        yield lambda account: DICOMwebClient(
            f"{address}/api/v1/dicomweb", headers=house.service.headers(account)
        )


def test_it_searches_and_reads_the_answers(connect: Connect) -> None:
    client = connect("coordinator")
    found = [
        Dataset.from_json(each) for each in client.search_for_studies(search_filters={"PatientID": "P-*"})
    ]
    assert [each.StudyInstanceUID for each in found] == [STUDY, "1.2.5"]
    assert found[0].PatientName == "Canary^Name"
    assert len(client.search_for_series(STUDY)) == 2
    assert len(client.search_for_instances(STUDY, SERIES)) == 2
    assert len(client.search_for_studies(limit=1, offset=1)) == 1


def test_it_retrieves_instances_metadata_frames_bulk_data_and_pictures(
    connect: Connect, house: TrialHouse
) -> None:
    client = connect("coordinator")
    kept = dcmread(io.BytesIO(house.archive.read(INSTANCE)))
    assert client.retrieve_instance(STUDY, SERIES, INSTANCE) == kept
    assert [each.SOPInstanceUID for each in client.retrieve_series(STUDY, SERIES)] == [
        INSTANCE,
        f"{STUDY}.1.2",
    ]
    assert len(client.retrieve_study(STUDY)) == 3
    metadata = client.retrieve_instance_metadata(STUDY, SERIES, INSTANCE)
    described = Dataset.from_json(metadata, bulk_data_uri_handler=lambda _tag, _vr, _uri: b"")
    assert described.PixelSpacing == kept.PixelSpacing
    (frame,) = client.retrieve_instance_frames(STUDY, SERIES, INSTANCE, [1])
    assert (np.frombuffer(frame, "<u2").reshape(4, 4) == PIXELS).all()
    named = metadata["7FE00010"]["BulkDataURI"]  # this client leaves the port out of its Host header
    place = named.partition("/dicomweb/")[2]
    (bulk,) = client.retrieve_bulkdata(f"{client.base_url}/{place}")
    assert bulk == PIXELS.tobytes()
    picture = client.retrieve_instance_rendered(STUDY, SERIES, INSTANCE, media_types=("image/png",))
    assert Image.open(io.BytesIO(picture)).size == (4, 4)


def test_it_shows_a_reader_blinded_images_of_what_is_open(connect: Connect, house: TrialHouse) -> None:
    client, reading_id = connect("reader1"), house.get("/subjects/01-001")["reading_id"]
    (study,) = (Dataset.from_json(each) for each in client.search_for_studies())
    assert (study.StudyInstanceUID, study.PatientID) == (STUDY, reading_id)
    for instance in client.retrieve_study(STUDY):
        assert instance.PatientID == reading_id
        assert (instance.pixel_array == PIXELS).all()
    assert client.search_for_series("1.2.5") == []
