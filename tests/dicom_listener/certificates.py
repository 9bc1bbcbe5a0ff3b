"""Certificates for peers over TLS: an authority, what it vouches for, and one that nobody vouches for."""

import subprocess
from pathlib import Path

VOUCHED_FOR = ("listener", "site_1", "site_2")
STRANGER = "stranger"


def make_certificates(folder: Path) -> Path:
    """Write ``authority.pem`` and, for each name, ``NAME.pem`` and ``NAME.key`` into `folder`."""
    _make(folder, "authority", "-addext", "basicConstraints=critical,CA:TRUE")
    authority = ("-CA", str(folder / "authority.pem"), "-CAkey", str(folder / "authority.key"))
    for name in VOUCHED_FOR:
        _make(folder, name, *authority, "-addext", "basicConstraints=CA:FALSE")
    _make(folder, STRANGER)
    return folder


def _make(folder: Path, name: str, *options: str) -> None:
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    names = ("-subj", f"/CN={name}/O=Hospital", "-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem"))
    subprocess.run(
        ["openssl", "req", "-x509", *key, *names, *options, *files], check=True, capture_output=True
    )
