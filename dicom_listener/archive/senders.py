"""Registered senders: which site a calling AE on a network belongs to."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from dicom_listener.archive import tables
from dicom_listener.archive.database import Database
from dicom_listener.errors import SenderRegistrationError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_AE_TITLE = re.compile(r"[!-\[\]-~](?:[ -\[\]-~]{0,14}[!-\[\]-~])?")

_LONGEST_NAME = 64
_CERTIFICATE = re.compile(r"sha256:[0-9a-f]{64}|[A-Za-z]+=[^\x00-\x1f]+")


class Retrieval(StrEnum):
    """What a sender may find and retrieve."""

    NOTHING = "nothing"
    SITE = "site"  # studies that its own site has sent
    ARCHIVE = "archive"


class Deidentify(StrEnum):
    """What is done to what a sender sends, before it is kept."""

    OFF = "off"  # it is kept as it came
    ON = "on"  # it is de-identified, unless it says that its identity has been removed (0012,0062)
    REQUIRED = "required"  # it is de-identified, whatever it says


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who may send, to which of our AE titles, from where, and for which site.

    Raises
    ------
    SenderRegistrationError
        When a title, a network or the site cannot be one.
    """

    calling_ae: str
    called_ae: str
    networks: tuple[Network, ...]
    site_id: str
    retrieves: Retrieval = Retrieval.NOTHING
    certificate: str = ""  # the one to show over TLS: sha256:… or its subject; empty where none is wanted
    deidentify: Deidentify = Deidentify.OFF
    trial_protocol: str = ""  # what stands in (0012,0020) of what is de-identified
    trial_sponsor: str = ""  # what stands in (0012,0010)

    def __post_init__(self) -> None:
        """Refuse what no association could carry."""
        for name, title in (("calling", self.calling_ae), ("called", self.called_ae)):
            if not is_ae_title(title):
                found = f"The {name} AE title is {title!r}"
                wanted = "1 to 16 printable characters without backslash (PS3.5 AE)"
                raise SenderRegistrationError(found=found, wanted=wanted)
        if not self.networks:
            raise SenderRegistrationError(
                found="The sender has no network", wanted="at least one, such as 10.1.2.0/24"
            )
        if not self.site_id.strip() or not self.site_id.isprintable():
            raise SenderRegistrationError(found=f"The site is {self.site_id!r}", wanted="its identifier")
        for name, text in (("trial protocol", self.trial_protocol), ("trial sponsor", self.trial_sponsor)):
            if len(text) > _LONGEST_NAME or not text.isascii() or not text.isprintable() or "\\" in text:
                wanted = f"at most {_LONGEST_NAME} printable ASCII characters without backslash (PS3.5 LO)"
                raise SenderRegistrationError(found=f"The {name} is {text!r}", wanted=wanted)
        if self.certificate and not _CERTIFICATE.fullmatch(self.certificate):
            found = f"The certificate is {self.certificate!r}"
            wanted = "sha256: with 64 lower-case hex digits, or its subject such as CN=MRI 1"
            raise SenderRegistrationError(found=found, wanted=wanted)

    def is_on(self, address: str) -> bool:
        """Tell whether a peer's address lies in one of the sender's networks."""
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped is not None:
            peer = peer.ipv4_mapped
        return any(peer in network for network in self.networks)


def is_ae_title(title: str) -> bool:
    """Tell whether `title` is 1 to 16 printable characters without backslash (PS3.5 AE).

    Examples
    --------
    >>> [is_ae_title(title) for title in ("MRI 1", "", " MRI", "A" * 17)]
    [True, False, False, False]
    """
    return _AE_TITLE.fullmatch(title) is not None


def networks_from(texts: Sequence[str]) -> tuple[Network, ...]:
    """Read networks in CIDR notation.

    Raises
    ------
    SenderRegistrationError
        When one is none.
    """
    networks = []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError as error:
            wanted = "an address or CIDR notation, such as 10.1.2.0/24"
            raise SenderRegistrationError(found=f"The network is {text!r}", wanted=wanted) from error
    return tuple(networks)


def add(database: Database, sender: Sender) -> None:
    """Register a sender; the running listener knows it at its next association.

    Raises
    ------
    SenderRegistrationError
        When this calling AE is registered for this called AE already.
    """
    values = {
        "calling_ae": sender.calling_ae,
        "called_ae": sender.called_ae,
        "networks": " ".join(map(str, sender.networks)),
        "site_id": sender.site_id,
        "added_at": datetime.now(UTC),
        "retrieves": sender.retrieves.value,
        "certificate": sender.certificate,
        "deidentify": sender.deidentify.value,
        "trial_protocol": sender.trial_protocol,
        "trial_sponsor": sender.trial_sponsor,
    }
    with database.write() as connection:
        try:
            connection.execute(insert(tables.senders).values(values))
        except IntegrityError as error:
            raise SenderRegistrationError(
                found=f"{sender.calling_ae!r} is registered for {sender.called_ae!r} already",
                wanted="another calling AE title, or the old one removed first",
            ) from error


def remove(database: Database, calling_ae: str, called_ae: str) -> None:
    """Remove a sender; the receipts of what it sent stay.

    Raises
    ------
    SenderRegistrationError
        When there is no such sender.
    """
    table = tables.senders
    wanted = (table.c.calling_ae == calling_ae, table.c.called_ae == called_ae)
    with database.write() as connection:
        if not connection.execute(delete(table).where(*wanted)).rowcount:
            raise SenderRegistrationError(
                found=f"No sender {calling_ae!r} is registered for {called_ae!r}",
                wanted="one that 'dicom-listener senders list' names",
            )


def all_of(connection: Connection) -> Sequence[Sender]:
    """Return every sender, by calling and called AE title."""
    return tuple(map(_sender, connection.execute(_ALL)))


def of_calling_ae(connection: Connection, calling_ae: str) -> Sequence[Sender]:
    """Return the registrations of one calling AE title."""
    return tuple(map(_sender, connection.execute(_OF_CALLING_AE, {"calling": calling_ae})))


_TITLES = (tables.senders.c.calling_ae, tables.senders.c.called_ae)
_ALL = select(tables.senders).order_by(*_TITLES)
_OF_CALLING_AE = _ALL.where(tables.senders.c.calling_ae == bindparam("calling"))


def _sender(row: Row[Any]) -> Sender:
    return Sender(
        calling_ae=row.calling_ae,
        called_ae=row.called_ae,
        networks=networks_from(row.networks.split()),
        site_id=row.site_id,
        retrieves=Retrieval(row.retrieves),
        certificate=row.certificate,
        deidentify=Deidentify(row.deidentify),
        trial_protocol=row.trial_protocol,
        trial_sponsor=row.trial_sponsor,
    )
