"""Which SOP classes are received (PS3.4 Annex B.5) and served."""

from collections.abc import Collection

from pynetdicom import build_context
from pynetdicom.presentation import PresentationContext

from dicom_listener.archive.syntaxes import (
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
    TRANSFER_SYNTAXES,
)
from dicom_listener.choices import FurtherModality
from dicom_listener.intake.storage_classes import storage_uids
from dicom_listener.network.identifiers import PATIENT_ROOT, STUDY_ROOT

__all__ = ["SERVICE_CLASSES", "VERIFICATION", "storage_uids", "supported_contexts"]

VERIFICATION = "1.2.840.10008.1.1"

SERVICE_CLASSES = {
    "1.2.840.10008.1.20.1": "Storage Commitment Push Model",
    PATIENT_ROOT + "1": "Patient Root Query/Retrieve Information Model - FIND",
    PATIENT_ROOT + "2": "Patient Root Query/Retrieve Information Model - MOVE",
    PATIENT_ROOT + "3": "Patient Root Query/Retrieve Information Model - GET",
    STUDY_ROOT + "1": "Study Root Query/Retrieve Information Model - FIND",
    STUDY_ROOT + "2": "Study Root Query/Retrieve Information Model - MOVE",
    STUDY_ROOT + "3": "Study Root Query/Retrieve Information Model - GET",
}
"""What is served beside storage, by SOP class."""


def supported_contexts(further: Collection[FurtherModality]) -> list[PresentationContext]:
    """Return what is offered to every sender, transfer syntaxes in the order of preference."""
    contexts = [build_context(VERIFICATION, [EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN])]
    for uid in storage_uids(further):
        storage = build_context(uid, list(TRANSFER_SYNTAXES))
        storage.scu_role = storage.scp_role = (
            True  # the roles that a peer may propose: C-GET turns them around
        )
        contexts.append(storage)
    contexts += [
        build_context(uid, [EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN]) for uid in SERVICE_CLASSES
    ]
    return contexts
