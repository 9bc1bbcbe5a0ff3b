"""A listener whose peers may search, and a destination that keeps what it is sent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import AE, build_context, evt

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.destinations import Destination
from dicom_listener.archive.senders import Retrieval, Sender, networks_from
from dicom_listener.archive.syntaxes import TRANSFER_SYNTAXES
from dicom_listener.intake.receive import Intake
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.instances import EXPLICIT_LE, MR_IMAGE, mr_instance

STUDY = "1.2.826.0.1.3680043.8.498.1"


def register(archive: Archive, title: str, retrieves: Retrieval, site_id: str = "S1") -> None:
    """Let an AE title of this machine call."""
    networks = networks_from(["127.0.0.0/8"])
    senders.add(
        archive.database,
        Sender(
            calling_ae=title, called_ae="IMAGING", networks=networks, site_id=site_id, retrieves=retrieves
        ),
    )


def keep(archive: Archive, syntax: str = EXPLICIT_LE, **values: Any) -> Dataset:
    """Receive one instance and return it."""
    sent = mr_instance(**values)
    sent["PixelData"].is_undefined_length = TRANSFER_SYNTAXES[syntax].is_encapsulated
    assert Intake(archive=archive).receive(arrival(sent, syntax)).size
    return sent


@dataclass
class Shelf:
    """What a destination was sent."""

    port: int = 0
    received: list[tuple[str, str, bytes]] = field(default_factory=list)  # UID, transfer syntax, bytes
    originators: set[tuple[str, int]] = field(default_factory=set)
    answer: Callable[[Any], int] = lambda _: 0x0000

    @property
    def destination(self) -> Destination:
        return Destination(ae_title="SHELF", host="127.0.0.1", port=self.port)

    def take(self, event: Any) -> int:
        status = self.answer(event)
        if status == 0x0000:
            request = event.request
            self.received.append(
                (
                    str(request.AffectedSOPInstanceUID),
                    str(event.context.transfer_syntax),
                    request.DataSet.getvalue(),
                )
            )
            self.originators.add(
                (request.MoveOriginatorApplicationEntityTitle, request.MoveOriginatorMessageID)
            )
        return status


@contextmanager
def shelf(*syntaxes: str, classes: tuple[str, ...] = (MR_IMAGE,)) -> Iterator[Shelf]:
    """Start a destination that accepts MR images in these transfer syntaxes."""
    kept = Shelf()
    entity = AE(ae_title="SHELF")
    contexts = [build_context(uid, [UID(each) for each in syntaxes or (EXPLICIT_LE,)]) for uid in classes]
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, contexts=contexts, evt_handlers=[(evt.EVT_C_STORE, kept.take)]
    )
    assert server is not None
    kept.port = server.server_address[1]
    try:
        yield kept
    finally:
        server.shutdown()


@pytest.fixture
def destination() -> Iterator[Shelf]:
    with shelf() as kept:
        yield kept
