"""Which entries of the chain are told, and as what (PS3.15 A.5.3).

Told are the acts that concern security and the use of images. What was done to the trial's own records stays
in the chain, which has before, after and reason: an audit message has no place for them, and a reason is free
text that may name a person. No identity of a patient is told: of a subject its identifier in the trial, of a
study its UID.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from imaging_service.audit.chain import Head
from imaging_service.audit.reporting import codes
from imaging_service.audit.reporting.message import (
    AuditMessage,
    Code,
    Deed,
    Participant,
    ParticipantObject,
    Success,
)
from imaging_service.audit.tables import AuditEntry

ITSELF = "imaging-service"
WITHHELD = "withheld"
"""In the place of a patient's number, which messages about instances must have."""

_STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What an act is told as."""

    code: Code
    kind: Code | None = None
    deed: Deed = Deed.EXECUTE
    success: Success = Success.WHOLE


def _changed(kind: Code) -> Event:
    return Event(code=codes.SECURITY_ALERT, kind=kind)


_LOGOUT = Event(code=codes.USER_AUTHENTICATION, kind=codes.LOGOUT)
_LOGIN = Event(code=codes.USER_AUTHENTICATION, kind=codes.LOGIN)

EVENTS: Mapping[str, Event] = MappingProxyType(
    {
        "start program": Event(code=codes.APPLICATION_ACTIVITY, kind=codes.APPLICATION_START),
        "stop program": Event(code=codes.APPLICATION_ACTIVITY, kind=codes.APPLICATION_STOP),
        "sign in": _LOGIN,
        "enter password again": _LOGIN,
        "refuse sign in": Event(
            code=codes.USER_AUTHENTICATION, kind=codes.LOGIN, success=Success.MINOR_FAILURE
        ),
        "sign out": _LOGOUT,
        "end session": _LOGOUT,
        "end sessions": _LOGOUT,
        "search instances": Event(code=codes.QUERY),
        "look at study": Event(code=codes.INSTANCES_ACCESSED, deed=Deed.READ),
        "retrieve instances": Event(code=codes.INSTANCES_TRANSFERRED, deed=Deed.READ),
        "export": Event(code=codes.EXPORT, deed=Deed.READ),
        "create account": _changed(codes.USER_ATTRIBUTES_CHANGED),
        "close account": _changed(codes.USER_ATTRIBUTES_CHANGED),
        "set password": _changed(codes.USER_ATTRIBUTES_CHANGED),
        "grant": _changed(codes.SECURITY_ROLES_CHANGED),
        "end grant": _changed(codes.SECURITY_ROLES_CHANGED),
        "create API key": _changed(codes.USER_ATTRIBUTES_CHANGED),
        "revoke API key": _changed(codes.USER_ATTRIBUTES_CHANGED),
        "register certificate": _changed(codes.USER_ATTRIBUTES_CHANGED),
        "revoke certificate": _changed(codes.USER_ATTRIBUTES_CHANGED),
        "link identity": _changed(codes.USER_ATTRIBUTES_CHANGED),
        "unlink identity": _changed(codes.USER_ATTRIBUTES_CHANGED),
        "register webhook": _changed(codes.SECURITY_CONFIGURATION),
        "enable webhook": _changed(codes.SECURITY_CONFIGURATION),
        "disable webhook": _changed(codes.SECURITY_CONFIGURATION),
        "end webhook": _changed(codes.SECURITY_CONFIGURATION),
    }
)
"""By the act; what is not in the table is not told."""


def message_of(entry: AuditEntry) -> AuditMessage | None:
    """Return what an entry is told as; None for one that is not."""
    event = EVENTS.get(entry.action)
    if event is None:
        return None
    said = json.loads(entry.after or "{}")
    return AuditMessage(
        event=event.code,
        types=() if event.kind is None else (event.kind,),
        deed=event.deed,
        success=event.success,
        at=entry.at,
        participants=_participants(entry, event, said),
        objects=[*_objects(entry, event), entry_object(Head(sequence=entry.sequence, hash=entry.hash))],
    )


def entry_object(entry: Head) -> ParticipantObject:
    """Return the entry that a message comes from: its number tells doubles, its hash witnesses the chain."""
    return ParticipantObject(
        object_id=str(entry.sequence),
        id_type=codes.ENTRY,
        kind="2",
        role="13",  # security resource
        name=f"audit entry {entry.sequence}",
        details={"hash": entry.hash},
    )


def study_object(study_instance_uid: str, instances: int | None = None) -> ParticipantObject:
    """Return a study."""
    return ParticipantObject(
        object_id=study_instance_uid,
        id_type=codes.STUDY_INSTANCE_UID,
        kind="2",
        role="3",  # report
        instances=instances,
    )


def patient_object() -> ParticipantObject:
    """Return the patient, unnamed."""
    return ParticipantObject(
        object_id=WITHHELD, id_type=codes.PATIENT_NUMBER, kind="1", role="1", name=WITHHELD
    )


def _participants(entry: AuditEntry, event: Event, said: Mapping[str, str]) -> Sequence[Participant]:
    # whose sign-in is refused is nobody yet: the account that was tried stands for it
    who = entry.entity_id if event.success is not Success.WHOLE else entry.account_id or entry.actor
    name = None if event.success is not Success.WHOLE else entry.actor
    if event.code == codes.APPLICATION_ACTIVITY:
        return [Participant(user_id=entry.actor, name=entry.actor, roles=[codes.APPLICATION])]
    if event.code in {codes.QUERY, codes.INSTANCES_TRANSFERRED}:
        asker, we = (codes.SOURCE, codes.DESTINATION) if event.code == codes.QUERY else _FROM_US
        return [
            Participant(user_id=who, name=name, is_requestor=True, roles=[asker]),
            Participant(user_id=ITSELF, roles=[we]),
        ]
    if event.code == codes.EXPORT:
        return [
            Participant(user_id=who, name=name, is_requestor=True, roles=[codes.SOURCE]),
            Participant(user_id=who, roles=[codes.DESTINATION_MEDIA], media=codes.ADDRESS),
        ]
    address = said.get("address") if event.code == codes.USER_AUTHENTICATION else None
    return [
        Participant(user_id=who, name=name, is_requestor=True, address=address),
        Participant(user_id=ITSELF),
    ]


_FROM_US = (codes.DESTINATION, codes.SOURCE)


def _objects(entry: AuditEntry, event: Event) -> Sequence[ParticipantObject]:
    if event.code in {codes.INSTANCES_ACCESSED, codes.INSTANCES_TRANSFERRED}:
        return [study_object(entry.entity_id), patient_object()]
    if event.code == codes.QUERY:
        return [
            ParticipantObject(
                object_id=_STUDY_ROOT_FIND,
                id_type=codes.SOP_CLASS_UID,
                kind="2",
                role="3",
                query=entry.entity_id,
            )
        ]
    if event.code == codes.EXPORT:
        return [_thing(entry, codes.REPORT_NUMBER, role="3")]
    if event.code == codes.SECURITY_ALERT:
        is_account = entry.entity == "account"
        return [_thing(entry, codes.USER_IDENTIFIER if is_account else codes.URI, role="13")]
    return []


def _thing(entry: AuditEntry, id_type: Code, role: str) -> ParticipantObject:
    return ParticipantObject(
        object_id=f"{entry.entity}/{entry.entity_id}",
        id_type=id_type,
        kind="2",
        role=role,
        name=f"{entry.entity} {entry.entity_id}",
        details={"Alert Description": entry.action} if role == "13" else {},
    )
