"""The intake as the settings want it: the same behind C-STORE and behind STOW-RS."""

from dicom_listener.archive.archive import Archive
from dicom_listener.intake.receive import Intake
from dicom_listener.settings import ListenerSettings


def open_intake(settings: ListenerSettings, archive: Archive) -> Intake:
    """Return the intake of an archive."""
    return Intake(
        archive=archive,
        conflicts=settings.conflicts,
        maximum_inflated=settings.maximum_inflated_bytes,
    )
