"""Open the small port where the settings ask for one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from dicom_listener.archive.archive import Archive
from dicom_listener.operations.health import Health
from dicom_listener.operations.page import Watch, watched

if TYPE_CHECKING:
    from dicom_listener.settings import ListenerSettings

_log = structlog.get_logger()


@contextmanager
def watching(settings: "ListenerSettings", archive: Archive) -> Iterator[int | None]:
    """Answer watchers for the length of a block; yield the port, or None where none is wanted."""
    if settings.operations_port is None:
        yield None
        return
    health = Health(archive, settings.objects, least_free=settings.least_free_bytes)
    with watched(Watch(health), settings.operations_host, settings.operations_port) as port:
        _log.info("watched", host=settings.operations_host, port=port)
        yield port
