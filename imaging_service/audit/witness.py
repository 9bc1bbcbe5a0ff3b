"""Heads of the chain, kept in a file outside the database, one JSON object a line, signed with a key."""

import base64
import json
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from imaging_service.audit.chain import EMPTY, Head
from imaging_service.canonical import canonical_json
from imaging_service.errors import SettingsError

_LONGEST_LINE = 1024


def keep(path: Path, head: Head, at: datetime, key: Path | None = None) -> None:
    """Append a head to the file; on return it survives a power cut.

    Copy the file to where the database's owner cannot write, or print it: then a cut tail is found.
    A head that the file ends with already is not written again.

    Parameters
    ----------
    key
        Ed25519 private key in PEM, which signs the line (RFC 8032): then nobody without it can write one.

    Raises
    ------
    SettingsError
        The key cannot be used, or the last line of the file is damaged.
    """
    if head in {EMPTY, _last(path)[0]}:
        return
    entry: dict[str, Any] = {"sequence": head.sequence, "hash": head.hash, "at": at.isoformat()}
    if key is not None:
        entry["signature"] = base64.b64encode(_private(key).sign(_signed(entry))).decode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="ascii") as file:
        file.write(f"{json.dumps(entry)}\n")
        file.flush()
        os.fsync(file.fileno())


def keep_when_due(path: Path, head: Head, at: datetime, every: timedelta, key: Path | None = None) -> bool:
    """Keep the head when the last one was kept longer ago than `every`; return whether it was due."""
    kept_at = _last(path)[1]
    if kept_at is not None and at - kept_at < every:
        return False
    keep(path, head, at, key)
    return True


def read(path: Path, public_key: Path | None = None) -> list[Head]:
    """Return the heads in the file, oldest first; none when there is no file.

    Parameters
    ----------
    public_key
        Ed25519 public key in PEM: each line must be signed with its private one.

    Raises
    ------
    SettingsError
        A line is no head, or not signed as it must be: the file was damaged or forged.
    """
    if not path.exists():
        return []
    verifier = None if public_key is None else _public(public_key)
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    return [_head(line, number, path, verifier)[0] for number, line in enumerate(lines, start=1)]


def _last(path: Path) -> tuple[Head, datetime | None]:
    """Return the last head in the file and when it was kept, without reading the others."""
    if not path.exists():
        return EMPTY, None
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LONGEST_LINE))
        lines = file.read().decode("ascii", "replace").splitlines()
    return _head(lines[-1], "The last", path, None) if lines else (EMPTY, None)


def _head(
    line: str, number: int | str, path: Path, verifier: Ed25519PublicKey | None
) -> tuple[Head, datetime | None]:
    where = number if isinstance(number, str) else f"Line {number}"
    try:
        entry = json.loads(line)
        head = Head(sequence=int(entry["sequence"]), hash=str(entry["hash"]))
        at = datetime.fromisoformat(entry["at"]) if "at" in entry else None
    except (ValueError, KeyError, TypeError) as error:
        message = f"{where} of {path} is no witness of the audit chain; restore the file from its copy."
        raise SettingsError(message) from error
    if verifier is not None:
        try:
            verifier.verify(base64.b64decode(entry.get("signature", ""), validate=True), _signed(entry))
        except (InvalidSignature, ValueError, TypeError) as error:
            message = (
                f"{where} of {path} does not bear the signature of the witness's key; it was not kept by us."
            )
            raise SettingsError(message) from error
    return head, at


def _signed(entry: Mapping[str, Any]) -> bytes:
    return canonical_json({name: value for name, value in entry.items() if name != "signature"}).encode()


def _private(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unusable(path, "private") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable(path, "private")
    return key


def _public(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise _unusable(path, "public") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _unusable(path, "public")
    return key


def _unusable(path: Path, kind: str) -> SettingsError:
    return SettingsError(
        f"The {kind} key of the audit's witness cannot be read from {path}: wanted is Ed25519 in PEM."
    )
