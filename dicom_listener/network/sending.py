"""What the command ``dicom-listener send`` carries: files, and studies of the archive."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dicom_listener.archive import matching
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.destinations import Destination
from dicom_listener.archive.matching import Level, Search
from dicom_listener.archive.records import InstanceRecord
from dicom_listener.network.retrieve import MAXIMUM_SUBOPERATIONS
from dicom_listener.network.send import Courier, Delivery, Outgoing
from dicom_listener.network.tls import client_context

if TYPE_CHECKING:
    from dicom_listener.settings import ListenerSettings


def deliveries(
    archive: Archive,
    destination: Destination,
    settings: "ListenerSettings",
    files: Sequence[Path],
    studies: Sequence[str],
) -> Iterator[tuple[str, Delivery]]:
    """Send each instance over one association, and yield its SOP Instance UID and what became of it.

    Raises
    ------
    FileUnreadableError
        Before anything is sent, when a file is no DICOM file.
    DestinationError
        When the destination cannot be reached, or does not accept.
    """
    waiting = [Outgoing.file(path) for path in files]
    for uid in studies:
        waiting += [Outgoing.kept(record, archive.objects) for record in _instances(archive, uid)]
    if not waiting:
        return
    tls = client_context(settings) if destination.is_tls else None
    kinds = {outgoing.kind for outgoing in waiting}
    with Courier(destination, settings.ae_title, kinds, tls=tls) as courier:
        for outgoing in waiting:
            yield outgoing.sop_instance_uid, courier.deliver(outgoing)


def _instances(archive: Archive, study_instance_uid: str) -> Sequence[InstanceRecord]:
    search = Search(level=Level.STUDY, keys={"StudyInstanceUID": study_instance_uid})
    with archive.reading() as connection:
        return matching.instances(connection, search, limit=MAXIMUM_SUBOPERATIONS)
