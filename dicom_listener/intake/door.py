"""The intake as the settings want it: the same behind C-STORE and behind STOW-RS."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.senders import Deidentify
from dicom_listener.deidentification.key import Key
from dicom_listener.deidentification.originals import Originals
from dicom_listener.errors import KeyMissingError
from dicom_listener.intake.deidentify import DeidentificationGate
from dicom_listener.intake.held import remove_expired
from dicom_listener.intake.receive import Intake

if TYPE_CHECKING:
    from dicom_listener.settings import ListenerSettings


def open_intake(settings: "ListenerSettings", archive: Archive) -> Intake:
    """Return the intake of an archive."""
    return Intake(
        archive=archive,
        conflicts=settings.conflicts,
        maximum_inflated=settings.maximum_inflated_bytes,
        gates=(open_gate(settings, archive),),
    )


def open_gate(settings: "ListenerSettings", archive: Archive) -> DeidentificationGate:
    """Return the gate of de-identification, which reads its key when it first needs it."""

    @cache
    def key() -> Key | None:
        return read_key(settings)

    return DeidentificationGate(
        archive, originals_of(settings), key, maximum_inflated=settings.maximum_inflated_bytes
    )


def originals_of(settings: "ListenerSettings") -> Originals:
    """Return where originals are kept."""
    return Originals(Path(settings.originals))


def read_key(settings: "ListenerSettings") -> Key | None:
    """Return the secret of the de-identification, or None where none is set.

    Raises
    ------
    KeyUnusableError
        The file that is set holds none.
    """
    file = settings.deidentification_key_file
    return Key.read(Path(file)) if file else None


def require_key(settings: "ListenerSettings", archive: Archive) -> None:
    """Refuse to begin where a sender's instances are to be de-identified and nothing can do it.

    Raises
    ------
    KeyUnusableError, KeyMissingError
        There is no secret.
    """
    if read_key(settings) is None:
        with archive.database.read() as connection:
            if any(each.deidentify is not Deidentify.OFF for each in senders.all_of(connection)):
                raise KeyMissingError


def remove_expired_originals(settings: "ListenerSettings", archive: Archive) -> int:
    """Remove originals that are older than the settings let them become; return how many."""
    if settings.originals_days is None:
        return 0
    return remove_expired(archive, originals_of(settings), settings.originals_days, datetime.now(UTC))
