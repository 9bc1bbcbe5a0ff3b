"""A collector of audit messages: syslog over TLS (RFC 5425) on this machine, and a judge of what it gets."""

import base64
import re
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.builders.certificates import Certified

HEAD = re.compile(
    rb"<(?P<priority>\d{1,3})>1 (?P<at>\S+) (?P<host>[!-~]{1,255}) (?P<program>[!-~]{1,48}) "
    rb"(?P<process>[!-~]{1,128}) (?P<kind>[!-~]{1,32}) - \xef\xbb\xbf"
)
"""What stands before the text of a syslog message (RFC 5424 section 6), without structured data."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """One syslog message."""

    raw: bytes

    @property
    def head(self) -> dict[str, bytes]:
        found = HEAD.match(self.raw)
        assert found is not None, self.raw[:200]
        return found.groupdict()

    @property
    def xml(self) -> ET.Element:
        found = HEAD.match(self.raw)
        assert found is not None, self.raw[:200]
        return ET.fromstring(self.raw[found.end() :])  # noqa: S314  our own, on this machine

    @property
    def event(self) -> str:
        return self.xml.find("EventIdentification/EventID").attrib["csd-code"]  # type: ignore[union-attr]

    @property
    def entry(self) -> int:
        """The entry of the chain that it comes from."""
        (found,) = [
            each.attrib["ParticipantObjectID"]
            for each in self.xml.iter("ParticipantObjectIdentification")
            if each.find("ParticipantObjectIDTypeCode").attrib["csd-code"] == "entry"  # type: ignore[union-attr]
        ]
        return int(found)


@dataclass(kw_only=True)
class FakeCollector:
    """Listens while it is `open`, and keeps what it has read."""

    certified: Certified
    clients: Path | None = None  # authorities whose client certificates it wants
    port: int = 0
    received: list[Received] = field(default_factory=list)
    breaks_after: int | None = None  # messages of a connection, which it then resets

    @contextmanager
    def open(self) -> Iterator[None]:
        """Take messages in."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certified.certificate, self.certified.key)
        if self.clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.clients)
        with socket.create_server(("127.0.0.1", self.port)) as listening:
            self.port = listening.getsockname()[1]
            is_closing = threading.Event()
            thread = threading.Thread(target=self._serve, args=(listening, context, is_closing))
            thread.start()
            try:
                yield
            finally:
                is_closing.set()
                with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5):
                    pass  # wakes it up
                thread.join(30)

    def _serve(self, listening: socket.socket, context: ssl.SSLContext, is_closing: threading.Event) -> None:
        while not is_closing.is_set():
            plain, _ = listening.accept()
            plain.settimeout(30)
            with suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as caller:
                self._read(caller)

    def _read(self, caller: ssl.SSLSocket) -> None:
        buffer, count = b"", 0
        while chunk := caller.recv(65_536):
            buffer += chunk
            while (found := re.match(rb"(\d+) ", buffer)) and len(buffer) >= found.end() + int(found[1]):
                end = found.end() + int(found[1])
                self.received.append(Received(raw=buffer[found.end() : end]))
                buffer, count = buffer[end:], count + 1
                if count == self.breaks_after:
                    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
        assert buffer == b"", "a message was cut"
        caller.unwrap()


_CODED = {"csd-code", "codeSystemName", "originalText"}
_OBJECT = ("ParticipantObjectIDTypeCode", "ParticipantObjectName", "ParticipantObjectQuery")


def faults_of(message: ET.Element) -> list[str]:
    """Return what PS3.15 A.5.1 (the RELAX NG schema) and A.5.3 ask for and a message does not have."""
    faults: list[str] = []

    def want(condition: object, sentence: str) -> None:
        if not condition:
            faults.append(sentence)

    def coded(element: ET.Element | None, what: str) -> None:
        want(element is not None and set(element.attrib) >= _CODED, f"{what} is not coded")

    order = [each.tag for each in message]
    ranks = {
        "EventIdentification": 0,
        "ActiveParticipant": 1,
        "AuditSourceIdentification": 2,
        "ParticipantObjectIdentification": 3,
    }
    want(message.tag == "AuditMessage", "the root is not AuditMessage")
    want(set(order) <= ranks.keys(), f"unknown elements: {order}")
    want([ranks[each] for each in order] == sorted(ranks[each] for each in order), f"out of order: {order}")
    want(order.count("EventIdentification") == 1, "not one event")
    want(order.count("ActiveParticipant") >= 1, "nobody took part")
    want(order.count("AuditSourceIdentification") == 1, "not one source")
    event = message.find("EventIdentification")
    assert event is not None
    coded(event.find("EventID"), "EventID")
    want([each.tag for each in event][:1] == ["EventID"], "EventID is not first")
    for each in event.findall("EventTypeCode"):
        coded(each, "EventTypeCode")
    want(event.attrib["EventActionCode"] in set("CRUDE"), "EventActionCode")
    want(event.attrib["EventOutcomeIndicator"] in {"0", "4", "8", "12"}, "EventOutcomeIndicator")
    want(datetime.fromisoformat(event.attrib["EventDateTime"]).tzinfo, "EventDateTime has no zone")
    for who in message.findall("ActiveParticipant"):
        want(who.attrib.get("UserID"), "a participant without UserID")
        want(who.attrib.get("UserIsRequestor") in {"true", "false"}, "UserIsRequestor")
        want(
            ("NetworkAccessPointID" in who.attrib) == ("NetworkAccessPointTypeCode" in who.attrib),
            "an access point without its type",
        )
        for each in who.findall("RoleIDCode"):
            coded(each, "RoleIDCode")
    source = message.find("AuditSourceIdentification")
    want(source is not None and source.attrib.get("AuditSourceID"), "AuditSourceID")
    for what in message.findall("ParticipantObjectIdentification"):
        want(what.attrib.get("ParticipantObjectID"), "an object without its ID")
        coded(what.find("ParticipantObjectIDTypeCode"), "ParticipantObjectIDTypeCode")
        told = [each.tag for each in what if each.tag in _OBJECT]
        want(len(told) == 2, f"an object has a name or a query: {told}")
        for each in what.findall("ParticipantObjectDetail"):
            want(base64.b64decode(each.attrib["value"], validate=True), "a detail is empty")
    return faults + _missing(message)


def _missing(message: ET.Element) -> list[str]:
    """Return the mandatory participants and objects of A.5.3 that are missing."""
    code = message.find("EventIdentification/EventID").attrib["csd-code"]  # type: ignore[union-attr]
    roles = {each.attrib["csd-code"] for each in message.iter("RoleIDCode")}
    kinds = {each.attrib["csd-code"] for each in message.iter("ParticipantObjectIDTypeCode")}
    types = {each.attrib["csd-code"] for each in message.iter("EventTypeCode")}
    wanted_roles, wanted_kinds, wanted_types = _MANDATORY[code]
    faults = [f"{code} without role {each}" for each in sorted(wanted_roles - roles)]
    faults += [f"{code} without object {each}" for each in sorted(wanted_kinds - kinds)]
    if wanted_types and not types & wanted_types:
        faults.append(f"{code} has the types {sorted(types)}")
    return faults


_MANDATORY: dict[str, tuple[set[str], set[str], set[str]]] = {
    "110100": ({"110150"}, set(), {"110120", "110121"}),  # A.5.3.1
    "110103": (set(), {"110180", "2"}, set()),  # A.5.3.6: study, patient
    "110104": ({"110153", "110152"}, {"110180", "2"}, set()),  # A.5.3.7
    "110106": ({"110153", "110154"}, set(), set()),  # A.5.3.8
    "110112": ({"110153", "110152"}, {"110181"}, set()),  # A.5.3.10
    "110113": (set(), set(), {"110126", "110129", "110136", "110137"}),  # A.5.3.11
    "110114": (set(), set(), {"110122", "110123"}),  # A.5.3.12
}
"""Of each event: roles of participants, types of objects' IDs, and types of which it has one."""
