"""What is offered to a recognised sender beside storage: each association is bound to its own sender."""

from typing import Any

from pynetdicom import evt

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.senders import Sender
from dicom_listener.network.find import FindService


class Services:
    """The services of one process over one archive."""

    def __init__(self, archive: Archive) -> None:
        """Serve `archive`."""
        self._find = FindService(archive)

    def offer(self, association: Any, sender: Sender) -> None:  # noqa: ANN401 - the library's association
        """Let a recognised sender's association use the services."""
        association.bind(evt.EVT_C_FIND, self._find.answer, [sender])
