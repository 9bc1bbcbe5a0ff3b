"""Heads of the chain, kept in a file outside the database: one JSON object a line."""

import json
import os
from datetime import datetime
from pathlib import Path

from imaging_service.audit.chain import EMPTY, Head
from imaging_service.errors import SettingsError


def keep(path: Path, head: Head, at: datetime) -> None:
    """Append a head to the file; on return it survives a power cut.

    Copy the file to where the database's owner cannot write, or print it: then a cut tail is found.
    A head that the file ends with already is not written again.
    """
    if head in {EMPTY, (read(path) or [EMPTY])[-1]}:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"sequence": head.sequence, "hash": head.hash, "at": at.isoformat()})
    with path.open("a", encoding="ascii") as file:
        file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> list[Head]:
    """Return the heads in the file, oldest first; none when there is no file.

    Raises
    ------
    SettingsError
        A line is no head: the file was damaged.
    """
    if not path.exists():
        return []
    heads = []
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), start=1):
        try:
            entry = json.loads(line)
            heads.append(Head(sequence=int(entry["sequence"]), hash=str(entry["hash"])))
        except (ValueError, KeyError, TypeError) as error:
            message = (
                f"Line {number} of {path} is no witness of the audit chain; restore the file from its copy."
            )
            raise SettingsError(message) from error
    return heads
