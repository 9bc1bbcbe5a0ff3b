"""What a person decides of instances that are held, and how long originals stay."""

from datetime import UTC, datetime, timedelta

from dicom_listener.archive.archive import Archive
from dicom_listener.archive.file_meta import split
from dicom_listener.archive.records import Outcome
from dicom_listener.deidentification import filing
from dicom_listener.deidentification.filing import Original, OriginalState
from dicom_listener.deidentification.originals import Originals
from dicom_listener.errors import OriginalUnknownError
from dicom_listener.intake.checks import Arrival
from dicom_listener.intake.receive import Intake, Reception


def release(intake: Intake, originals: Originals, sop_instance_uid: str, decision: str) -> Reception:
    """Let the de-identified copy of a held instance into the archive, as a person has decided.

    Parameters
    ----------
    intake
        The pipeline, whose gate lets pass what is released.
    originals
        Where the original is.
    sop_instance_uid
        Of the copy, as `filing.held` names it.
    decision
        Who has looked at it, and what was seen.

    Raises
    ------
    OriginalUnknownError
        Nothing is held under this UID.
    """
    archive = intake.archive
    found = _held(archive, sop_instance_uid)
    _decide(archive, found, OriginalState.RELEASED, decision)
    content = originals.read(found.digest)
    meta, length = split(content)
    reception = intake.receive(
        Arrival(
            sop_class_uid=meta.sop_class_uid,
            sop_instance_uid=meta.sop_instance_uid,
            transfer_syntax_uid=meta.transfer_syntax_uid,
            data_set=memoryview(content)[length:],
            provenance=meta.provenance,
        )
    )
    if reception.outcome not in {Outcome.STORED, Outcome.ALREADY_STORED, Outcome.CONFLICT_KEPT}:
        _decide(archive, found, OriginalState.HELD, "")
    return reception


def keep_back(archive: Archive, sop_instance_uid: str, decision: str) -> None:
    """Write down that no copy of a held instance may be made; its original stays.

    Raises
    ------
    OriginalUnknownError
        Nothing is held under this UID.
    """
    _decide(archive, _held(archive, sop_instance_uid), OriginalState.KEPT_BACK, decision)


def remove_expired(archive: Archive, originals: Originals, days: int, now: datetime) -> int:
    """Remove originals that came more than so many days ago, and return how many; what is held stays."""
    removed = 0
    while True:
        with archive.database.read() as connection:
            digests = filing.expired(connection, now - timedelta(days=days))
        if not digests:
            return removed
        for digest in digests:
            originals.remove(digest)
        with archive.database.write() as connection:
            filing.note_removed(connection, digests, now)
        removed += len(digests)


def _held(archive: Archive, sop_instance_uid: str) -> Original:
    with archive.database.read() as connection:
        found = filing.held_as(connection, sop_instance_uid)
    if found is None:
        raise OriginalUnknownError(sop_instance_uid)
    return found


def _decide(archive: Archive, original: Original, state: OriginalState, decision: str) -> None:
    with archive.database.write() as connection:
        filing.decide(connection, original.digest, state, decision=decision, at=datetime.now(UTC))
