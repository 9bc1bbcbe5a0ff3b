"""An audit message as PS3.15 A.5.1 defines it, and its XML."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from xml.etree.ElementTree import Element, SubElement, tostring


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A coded value; the standard calls its meaning the original text."""

    value: str
    meaning: str
    system: str = "DCM"


class Deed(StrEnum):
    """EventActionCode."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


class Success(StrEnum):
    """EventOutcomeIndicator."""

    WHOLE = "0"
    MINOR_FAILURE = "4"
    SERIOUS_FAILURE = "8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Who took part: a person or a program."""

    user_id: str
    is_requestor: bool = False
    name: str | None = None
    roles: Sequence[Code] = ()
    address: str | None = None  # IP address
    media: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantObject:
    """What it was about."""

    object_id: str
    id_type: Code
    kind: str | None = None  # ParticipantObjectTypeCode: "1" a person, "2" a system object
    role: str | None = None  # ParticipantObjectTypeCodeRole, of A.5.1.2.2
    name: str | None = None  # either this or the query is told
    query: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    instances: int | None = None  # of a study


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMessage:
    """One event."""

    event: Code
    types: Sequence[Code] = ()
    deed: Deed
    success: Success = Success.WHOLE
    at: datetime
    participants: Sequence[Participant]
    objects: Sequence[ParticipantObject] = ()


def as_xml(message: AuditMessage, source: str) -> bytes:
    """Return the message in UTF-8, told by `source`."""
    root = Element("AuditMessage")
    event = SubElement(
        root,
        "EventIdentification",
        {
            "EventActionCode": message.deed.value,
            "EventDateTime": message.at.isoformat(timespec="milliseconds"),
            "EventOutcomeIndicator": message.success.value,
        },
    )
    _coded(event, "EventID", message.event)
    for each in message.types:
        _coded(event, "EventTypeCode", each)
    for who in message.participants:
        _participant(root, who)
    told_by = SubElement(root, "AuditSourceIdentification", {"AuditSourceID": _plain(source)})
    SubElement(told_by, "AuditSourceTypeCode", {"csd-code": "4"})  # an application server
    for what in message.objects:
        _object(root, what)
    xml: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return xml


def _coded(parent: Element, name: str, code: Code) -> None:
    said = {"csd-code": code.value, "codeSystemName": code.system, "originalText": code.meaning}
    SubElement(parent, name, said)


def _participant(root: Element, who: Participant) -> None:
    said = {"UserID": _plain(who.user_id), "UserIsRequestor": str(who.is_requestor).lower()}
    if who.name is not None:
        said["UserName"] = _plain(who.name)
    if who.address:
        said |= {"NetworkAccessPointID": _plain(who.address), "NetworkAccessPointTypeCode": "2"}
    element = SubElement(root, "ActiveParticipant", said)
    for role in who.roles:
        _coded(element, "RoleIDCode", role)
    if who.media is not None:
        _coded(SubElement(element, "MediaIdentifier"), "MediaType", who.media)


def _object(root: Element, what: ParticipantObject) -> None:
    said = {"ParticipantObjectID": _plain(what.object_id)}
    if what.kind is not None:
        said["ParticipantObjectTypeCode"] = what.kind
    if what.role is not None:
        said["ParticipantObjectTypeCodeRole"] = what.role
    element = SubElement(root, "ParticipantObjectIdentification", said)
    _coded(element, "ParticipantObjectIDTypeCode", what.id_type)
    if what.query is not None:
        SubElement(element, "ParticipantObjectQuery").text = _in_base64(what.query)
    else:
        SubElement(element, "ParticipantObjectName").text = _plain(what.name or what.object_id)
    for kind, value in what.details.items():
        SubElement(element, "ParticipantObjectDetail", {"type": kind, "value": _in_base64(value)})
    if what.instances is not None:
        description = SubElement(element, "ParticipantObjectDescription")
        SubElement(description, "SOPClass", {"NumberOfInstances": str(what.instances)})


def _in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _plain(text: str) -> str:
    """Return a text without what XML cannot hold."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
