"""Everything that the listener refuses, in one tree.

* ListenerError
  + ConfigurationError: a person must change a setting
    - SettingError
    - AddressTakenError
    - FolderUnusableError
    - ObjectsAddressError
    - DatabaseAddressError
    - SenderRegistrationError
    - DestinationRegistrationError
    - FileUnreadableError
    - KeyUnusableError
  + HeldForPersonError: an instance is kept, and not given to anybody before a person has looked at it
  + ArchiveError: the archive cannot do what was asked
    - ArchiveNotReadyError
    - ArchiveVersionError
    - OutOfResourcesError: disk full, database or object store away; the sender may try again
    - KeyMissingError: the secret of the de-identification is not set
    - OriginalUnknownError
    - ObjectMissingError
    - ObjectDamagedError
    - InstanceUnknownError
  + SearchKeyError: a key of a search is not what its attribute can be
  + IdentifierError: a request's identifier does not fit its information model
  + CommitmentRequestError: a storage commitment request that cannot be followed
  + TooManyMatchesError: more instances are asked for than one request may move
  + TranscodingError: a data set cannot be written in another transfer syntax
  + DestinationError: nothing can be sent there
    - DestinationUnknownError
  + DataSetError: what was sent is not kept, and why
    - MalformedDataSetError: its structure cannot be followed
    - UnacceptableDataSetError: its structure holds, its content does not
    - MismatchedDataSetError: it is not what its command announced
"""

from enum import StrEnum


class ListenerError(Exception):
    """A refusal that reads as a sentence."""


class ConfigurationError(ListenerError):
    """A setting that cannot be used; the command ends with exit code 2."""


class SettingError(ConfigurationError):
    """A setting has a value that it cannot have."""

    def __init__(self, name: str, value: object, reason: str) -> None:
        """Name the setting, what it is and what was wanted."""
        super().__init__(f"The setting {name} is {value!r}: {reason}.")


class AddressTakenError(ConfigurationError):
    """Another program listens where this one was asked to."""

    def __init__(self, host: str, port: int, reason: str, *, setting: str = "DICOM_LISTENER_PORT") -> None:
        """Name the address, what the system said, and the setting to change."""
        super().__init__(
            f"The listener cannot listen on {host} port {port}: {reason}. "
            f"Stop the other program, or set {setting} to a free port."
        )


class FolderUnusableError(ConfigurationError):
    """A folder of the archive cannot be made or written to."""

    def __init__(self, folder: object, reason: str) -> None:
        """Name the folder and what the system said."""
        super().__init__(f"The archive cannot write to the folder {folder}: {reason}.")


class ObjectsAddressError(ConfigurationError):
    """The object store cannot be opened at the address given."""

    def __init__(self, found: str, wanted: str = "a folder or s3://bucket/prefix") -> None:
        """Name what the address says and what was wanted."""
        super().__init__(f"The objects address is {found}; wanted {wanted}.")


class DatabaseAddressError(ConfigurationError):
    """The database cannot be opened at the address given."""

    def __init__(self, found: str, wanted: str = "sqlite:///path or postgresql://user@host/name") -> None:
        """Name what the address says, without its password, and what was wanted."""
        super().__init__(f"The database address {found}; wanted {wanted}.")


class SenderRegistrationError(ConfigurationError):
    """A sender that cannot be registered or removed as asked."""

    def __init__(self, *, found: str, wanted: str) -> None:
        """Say what was found and what was wanted."""
        super().__init__(f"{found}; wanted {wanted}.")


class DestinationRegistrationError(SenderRegistrationError):
    """A destination that cannot be registered or removed as asked."""


class FileUnreadableError(ConfigurationError):
    """A file that cannot be sent."""

    def __init__(self, path: object, reason: str) -> None:
        """Name the file and say why."""
        super().__init__(f"The file {path} cannot be sent: {reason}.")


class KeyUnusableError(ConfigurationError):
    """The secret of the de-identification cannot be used."""

    def __init__(self, path: object, reason: str) -> None:
        """Name the file and say why."""
        super().__init__(
            f"The key of the de-identification in {path} cannot be used: {reason}. "
            "Set DICOM_LISTENER_DEIDENTIFICATION_KEY_FILE to a file with 32 random bytes or more."
        )


class ArchiveError(ListenerError):
    """The archive cannot do what was asked of it."""


class ArchiveNotReadyError(ArchiveError):
    """The archive's database is empty or of another version."""

    def __init__(self, address: str) -> None:
        """Name the database."""
        super().__init__(
            f"The database {address} holds no archive of this version; run 'dicom-listener migrate'."
        )


class ArchiveVersionError(ArchiveError):
    """The archive's database was written by a later version of this program."""

    def __init__(self, address: str) -> None:
        """Name the database."""
        super().__init__(f"The database {address} was written by a later version of dicom-listener.")


class OutOfResourcesError(ArchiveError):
    """Nothing was kept, because the disk, the database or the object store did not take it.

    The sender is told 0xA700 and may send again (PS3.4 Table B.2-1).
    """

    def __init__(self, what: str, reason: str) -> None:
        """Name what did not take it, and what the system said."""
        super().__init__(f"{what} cannot be used at the moment: {reason}.")


class KeyMissingError(ArchiveError):
    """A sender's instances are to be de-identified, and there is no secret to do it with."""

    def __init__(self) -> None:
        """Say what is missing; the sender may try again."""
        super().__init__(
            "Instances of this sender are to be de-identified, and no key is set: "
            "set DICOM_LISTENER_DEIDENTIFICATION_KEY_FILE."
        )


class OriginalUnknownError(ArchiveError):
    """No instance is held under this UID."""

    def __init__(self, sop_instance_uid: str) -> None:
        """Name it."""
        super().__init__(
            f"No instance {sop_instance_uid!r} is held; 'dicom-listener held list' names those that are."
        )


class RecordDamagedError(ArchiveError):
    """A record of the intake log is no more what was acknowledged."""

    def __init__(self, sequence: int) -> None:
        """Name the record."""
        super().__init__(f"Record {sequence} of the intake log has other bytes than were acknowledged.")


class ObjectMissingError(ArchiveError):
    """An object that the index names is not in the object store."""

    def __init__(self, digest: str) -> None:
        """Name the object."""
        super().__init__(f"The object store holds no object {digest}.")
        self.digest = digest


class ObjectDamagedError(ArchiveError):
    """An object in the store is not as it was written."""

    def __init__(self, digest: str) -> None:
        """Name the object."""
        super().__init__(f"The object {digest} is damaged; run 'dicom-listener verify'.")
        self.digest = digest


class InstanceUnknownError(ArchiveError):
    """No instance of this SOP Instance UID was received."""

    def __init__(self, sop_instance_uid: str) -> None:
        """Name the instance."""
        super().__init__(f"The archive holds no instance {sop_instance_uid!r}.")


class SearchKeyError(ListenerError):
    """A key of a search holds what its attribute cannot be; its value is a patient's and not repeated."""

    def __init__(self, keyword: str, found: str, wanted: str) -> None:
        """Name the attribute, and say what was found and wanted."""
        super().__init__(f"The key {keyword} holds {found}; wanted {wanted}.")


class IdentifierError(ListenerError):
    """The identifier of a request does not fit its information model; its values are not repeated."""

    def __init__(self, keyword: str, wanted: str) -> None:
        """Name the attribute, and say what was wanted."""
        super().__init__(f"{keyword} is not {wanted}.")


class CommitmentRequestError(ListenerError):
    """A storage commitment request that cannot be followed."""

    def __init__(self, status: int, wanted: str) -> None:
        """Keep the status for the answer, and say what was wanted."""
        super().__init__(f"The request does not name {wanted}.")
        self.status = status


class TooManyMatchesError(ListenerError):
    """More instances are asked for than one request may move."""

    def __init__(self, maximum: int) -> None:
        """Say how many there may be."""
        super().__init__(f"There are more than {maximum} matches.")


class TranscodingError(ListenerError):
    """A data set cannot be written in another transfer syntax."""

    def __init__(self, kind: str) -> None:
        """Say what went wrong, not with which values."""
        super().__init__(f"the data set cannot be transcoded: {kind}")
        self.kind = kind


class DestinationError(ListenerError):
    """Nothing can be sent to a destination."""

    def __init__(self, ae_title: str, reason: str) -> None:
        """Name the destination and say why."""
        super().__init__(f"Nothing can be sent to {ae_title!r}: {reason}.")


class DestinationUnknownError(DestinationError):
    """The destination is not registered."""

    def __init__(self, ae_title: str) -> None:
        """Name it."""
        super().__init__(ae_title, "it is not a registered destination")


class Reason(StrEnum):
    """Why a data set was not kept; the codes of receipts and metrics."""

    STRUCTURE = "structure"
    TOO_DEEP = "too_deep"
    TOO_MANY_ELEMENTS = "too_many_elements"
    INFLATES_TOO_FAR = "inflates_too_far"
    MALFORMED_UID = "malformed_uid"
    MISSING_UID = "missing_uid"
    MALFORMED_IDENTIFIER = "malformed_identifier"
    PIXEL_DATA_CONTRADICTS_HEADER = "pixel_data_contradicts_header"
    UID_MISMATCH = "uid_mismatch"
    SOP_CLASS_MISMATCH = "sop_class_mismatch"
    TRANSFER_SYNTAX = "transfer_syntax"
    UID_CONFLICT = "uid_conflict"
    STUDY_MISMATCH = "study_mismatch"


class HeldForPersonError(ListenerError):
    """An instance that is kept apart, because it may tell whose it is; it is durable."""


class DataSetError(ListenerError):
    """A data set that is not kept.

    Parameters
    ----------
    reason
        The code under which it is counted.
    message
        A sentence without identifiers of a patient: it goes to logs and to the sender.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        """Keep the code beside the sentence."""
        super().__init__(message)
        self.reason = reason


class MalformedDataSetError(DataSetError):
    """The structure of the data set cannot be followed to its last byte."""


class UnacceptableDataSetError(DataSetError):
    """The structure holds, but a value in it cannot be accepted."""


class MismatchedDataSetError(DataSetError):
    """The data set is not what its C-STORE command announced."""
