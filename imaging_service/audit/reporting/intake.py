"""What the listener's receipts are told as: transfers of instances, and senders that were turned away."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from types import MappingProxyType

from dicom_listener.archive.records import FiledReceipt, Outcome, Receipt
from imaging_service.audit.chain import Head
from imaging_service.audit.reporting import codes
from imaging_service.audit.reporting.acts import entry_object, patient_object, study_object
from imaging_service.audit.reporting.message import (
    AuditMessage,
    Deed,
    Participant,
    ParticipantObject,
    Success,
)

ITSELF = "dicom-listener"

SUCCESS: Mapping[Outcome, Success] = MappingProxyType(
    {
        Outcome.STORED: Success.WHOLE,
        Outcome.ALREADY_STORED: Success.WHOLE,
        Outcome.CONFLICT_KEPT: Success.MINOR_FAILURE,
        Outcome.HELD: Success.MINOR_FAILURE,
        Outcome.REFUSED_UID_CONFLICT: Success.SERIOUS_FAILURE,
        Outcome.REFUSED_MISMATCH: Success.SERIOUS_FAILURE,
        Outcome.REFUSED_NOT_UNDERSTOOD: Success.SERIOUS_FAILURE,
        Outcome.REFUSED_OUT_OF_RESOURCES: Success.SERIOUS_FAILURE,
        Outcome.REFUSED_CALLING_AE: Success.SERIOUS_FAILURE,
        Outcome.REFUSED_CALLED_AE: Success.SERIOUS_FAILURE,
        Outcome.REFUSED_NETWORK: Success.SERIOUS_FAILURE,
        Outcome.REFUSED_CERTIFICATE: Success.SERIOUS_FAILURE,
    }
)
"""How the end of an intake is told."""


def messages_of(receipts: Iterable[FiledReceipt], entry: Head) -> Iterator[AuditMessage]:
    """Yield a message for the instances of one study that came in one after the other over one association.

    Parameters
    ----------
    receipts
        Those that the entry covers, in their order.
    entry
        Of the chain.
    """
    filed = (each.receipt for each in receipts)
    for _, together in groupby(filed, key=_event):
        found = list(together)
        if found[0].sop_instance_uid:
            yield _transfer(found, entry)
        else:
            yield _turned_away(found[0], entry)


def _event(receipt: Receipt) -> tuple[str, ...]:
    alone = "" if receipt.sop_instance_uid else str(receipt.received_at)
    return (receipt.association_id, receipt.study_instance_uid, receipt.outcome, alone)


def _transfer(together: list[Receipt], entry: Head) -> AuditMessage:
    first = together[0]
    is_new = first.outcome is Outcome.STORED
    return AuditMessage(
        event=codes.INSTANCES_TRANSFERRED,
        deed=Deed.CREATE if is_new else Deed.READ,  # R: the receiver holds them, and has changed nothing
        success=SUCCESS[first.outcome],
        at=first.received_at,
        participants=[
            Participant(
                user_id=first.calling_ae or first.site_id or "unknown",
                is_requestor=True,
                roles=[codes.SOURCE],
                address=first.peer_address or None,
            ),
            Participant(user_id=first.called_ae or ITSELF, roles=[codes.DESTINATION]),
        ],
        objects=[
            study_object(first.study_instance_uid or "unknown", instances=len(together)),
            patient_object(),
            entry_object(entry),
        ],
    )


def _turned_away(receipt: Receipt, entry: Head) -> AuditMessage:
    sender = receipt.calling_ae or "unknown"
    return AuditMessage(
        event=codes.SECURITY_ALERT,
        types=[codes.NODE_AUTHENTICATION],
        deed=Deed.EXECUTE,
        success=SUCCESS[receipt.outcome],
        at=receipt.received_at,
        participants=[
            Participant(user_id=sender, is_requestor=True, address=receipt.peer_address or None),
            Participant(user_id=receipt.called_ae or ITSELF),
        ],
        objects=[
            ParticipantObject(
                object_id=sender,
                id_type=codes.NODE_ID,
                kind="2",
                role="13",
                details={"Alert Description": receipt.outcome.value},
            ),
            entry_object(entry),
        ],
    )
