"""Registered destinations: where instances and commitment reports may be sent to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from dicom_listener.archive import tables
from dicom_listener.archive.database import Database
from dicom_listener.archive.senders import is_ae_title
from dicom_listener.errors import DestinationRegistrationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """An application entity that listens.

    Raises
    ------
    DestinationRegistrationError
        When the title, the host or the port cannot be one.
    """

    ae_title: str
    host: str
    port: int
    is_tls: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be called."""
        if not is_ae_title(self.ae_title):
            wanted = "1 to 16 printable characters without backslash (PS3.5 AE)"
            raise DestinationRegistrationError(found=f"The AE title is {self.ae_title!r}", wanted=wanted)
        if not self.host or not self.host.isprintable() or " " in self.host:
            raise DestinationRegistrationError(
                found=f"The host is {self.host!r}", wanted="a host name or an address"
            )
        if not 0 < self.port < 65536:
            raise DestinationRegistrationError(found=f"The port is {self.port}", wanted="1 to 65535")


def add(database: Database, destination: Destination) -> None:
    """Register a destination; the running listener knows it at once.

    Raises
    ------
    DestinationRegistrationError
        When its AE title is registered already.
    """
    values = {name: getattr(destination, name) for name in destination.__slots__}
    with database.write() as connection:
        try:
            connection.execute(insert(tables.destinations).values(values | {"added_at": datetime.now(UTC)}))
        except IntegrityError as error:
            raise DestinationRegistrationError(
                found=f"{destination.ae_title!r} is a destination already",
                wanted="another AE title, or the old one removed first",
            ) from error


def remove(database: Database, ae_title: str) -> None:
    """Remove a destination.

    Raises
    ------
    DestinationRegistrationError
        When there is none of this AE title.
    """
    table = tables.destinations
    with database.write() as connection:
        if not connection.execute(delete(table).where(table.c.ae_title == ae_title)).rowcount:
            raise DestinationRegistrationError(
                found=f"No destination is called {ae_title!r}",
                wanted="one that 'dicom-listener destinations list' names",
            )


def all_of(connection: Connection) -> Sequence[Destination]:
    """Return every destination by AE title."""
    table = tables.destinations
    rows = connection.execute(select(table).order_by(table.c.ae_title))
    names = Destination.__slots__
    return tuple(Destination(**{name: getattr(row, name) for name in names}) for row in rows)


def named(connection: Connection, ae_title: str) -> Destination | None:
    """Return the destination of an AE title, or None."""
    return next((each for each in all_of(connection) if each.ae_title == ae_title), None)
