"""An adjudicator sees both readers' reads side by side, knows nothing else of them, and decides."""

from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from pydicom import dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.builders.adjudicating import read_by_both, waiting
from tests.builders.arrivals import mr_instance
from tests.builders.browsing import picture, sign_in, violations
from tests.builders.reading import TRIAL, ReadingRoom, reading_room
from tests.builders.service import PASSWORD, on_loopback, running_service

pytestmark = [pytest.mark.peer("chromium"), pytest.mark.peer("axe-core")]


class PaintedArchive:
    """An archive whose every instance is a ramp of 256 x 256 pixels."""

    def read(self, sop_instance_uid: str) -> bytes:
        ramp = np.tile(np.arange(256, dtype=np.uint16), (256, 1))
        dataset = mr_instance(
            SOPInstanceUID=sop_instance_uid, Rows=256, Columns=256, PixelData=ramp.tobytes()
        )
        file = BytesIO()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dcmwrite(file, dataset, enforce_file_format=True)
        return file.getvalue()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingRoom]:
    url = f"sqlite:///{tmp_path_factory.mktemp('cases')}/room.sqlite"
    with running_service(url, archive=PaintedArchive()) as running:
        yield reading_room(running)


@pytest.fixture(scope="module")
def address(room: ReadingRoom) -> Iterator[str]:
    """Serve a subject whom reader 1 saw progress and reader 2 did not."""
    room.service.grant("adjudicator", TRIAL)
    read_by_both(room, [30.0, 62.0], [30.0, 31.0])
    with on_loopback(room.service) as served:
        yield served


def test_a_case_is_looked_at_and_decided(page: Page, room: ReadingRoom, address: str):
    (name,) = waiting(room)
    sign_in(page, address, "adjudicator")
    expect(page.get_by_role("heading", name="Adjudication")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name=f"Open {name}").click()
    expect(page.get_by_role("heading", name=f"Adjudication of {name}")).to_be_visible()
    page.get_by_role("tab", name="Timepoint 2").click()
    panel = page.get_by_role("tabpanel", name="Timepoint 2")
    expect(panel).to_contain_text("62.0 mm")
    expect(panel).to_contain_text("31.0 mm")
    assert violations(page) == []
    expect(panel.get_by_role("img")).to_have_count(2)
    expect(panel.get_by_role("img").first).to_have_js_property("naturalWidth", 256)
    expect(panel.locator(".measured-image line")).to_have_count(2)
    picture(page, "adjudication")
    page.get_by_role("button", name="Decide …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Sign").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Neither reader is chosen")
    dialog.get_by_label("Reader 2").check()
    dialog.get_by_label("Reason").fill("Reader 1 measured across a vessel.")
    dialog.get_by_label("Your password, again").fill(PASSWORD)
    assert violations(page) == []
    dialog.get_by_role("button", name="Sign").click()
    expect(page.get_by_text("No case waits.")).to_be_visible()
    review = room.service.get(f"/trials/{TRIAL}/reviews", "coordinator").json()["items"][0]
    assert (review["standing"], review["reader"]) == ("adjudicated", 2)
