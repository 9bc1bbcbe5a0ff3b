"""Recognise who asks for an association."""

from collections.abc import Collection

from dicom_listener.archive import senders
from dicom_listener.archive.database import Database
from dicom_listener.archive.records import Outcome
from dicom_listener.archive.senders import Sender


def recognise(
    database: Database, calling_ae: str, called_ae: str, address: str, shown: Collection[str] = ()
) -> Sender | Outcome:
    """Return the registered sender, or the outcome with which the association is rejected.

    A sender that is registered with a certificate must have `shown` it.

    Registrations are read at every request, so that adding or removing one needs no restart.
    """
    with database.read() as connection:
        registered = senders.of_calling_ae(connection, calling_ae)
    if not registered:
        return Outcome.REFUSED_CALLING_AE
    addressed = [sender for sender in registered if sender.called_ae == called_ae]
    if not addressed:
        return Outcome.REFUSED_CALLED_AE
    for sender in addressed:
        if sender.is_on(address):
            is_proven = not sender.certificate or sender.certificate in shown
            return sender if is_proven else Outcome.REFUSED_CERTIFICATE
    return Outcome.REFUSED_NETWORK


def printable(title: str) -> str:
    """Return an AE title as it came, safe for a receipt and a log line: at most 16 printable characters."""
    safe = (letter if letter.isascii() and letter.isprintable() else "?" for letter in title)
    return "".join(safe)[:16]
