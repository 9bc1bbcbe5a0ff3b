"""What must hold of an instance before it is kept."""

from dataclasses import dataclass

from dicom_listener.archive.contents import Bytes
from dicom_listener.archive.file_meta import FileMeta
from dicom_listener.archive.header import Header, read_header
from dicom_listener.archive.objects import Draft
from dicom_listener.archive.provenance import Provenance
from dicom_listener.archive.records import Digest
from dicom_listener.archive.uids import is_uid
from dicom_listener.errors import MismatchedDataSetError, Reason, UnacceptableDataSetError


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An instance as it was announced and as it came."""

    sop_class_uid: str  # as the command or the request announced them
    sop_instance_uid: str
    transfer_syntax_uid: str
    data_set: Bytes  # encoded, without file meta information
    provenance: Provenance
    digest: Digest | None = None  # of the data set, where it was computed on the way
    draft: Draft | None = None  # where the data set was written on the way

    def file_meta(self) -> bytes:
        """Return what stands before the data set in the kept file."""
        return FileMeta(
            sop_class_uid=self.sop_class_uid,
            sop_instance_uid=self.sop_instance_uid,
            transfer_syntax_uid=self.transfer_syntax_uid,
            provenance=self.provenance,
        ).encode()


def check(arrival: Arrival, *, maximum_inflated: int) -> Header:
    """Scan the data set, and compare it with what was announced.

    Raises
    ------
    DataSetError
        When the instance must not be kept. Its sentence names no patient.
    """
    for name in ("sop_class_uid", "sop_instance_uid"):
        if not is_uid(getattr(arrival, name)):
            raise UnacceptableDataSetError(
                Reason.MALFORMED_UID, f"The {name} of the command is not a UID (PS3.5 section 9.1)."
            )
    header = read_header(arrival.data_set, arrival.transfer_syntax_uid, maximum_inflated=maximum_inflated)
    if header.sop_class_uid != arrival.sop_class_uid:
        raise MismatchedDataSetError(
            Reason.SOP_CLASS_MISMATCH, "The data set is of another SOP class than its command."
        )
    if header.sop_instance_uid != arrival.sop_instance_uid:
        raise MismatchedDataSetError(
            Reason.UID_MISMATCH, "The data set has another SOP Instance UID than its command."
        )
    return header
