"""A PACS: push the files of a study over DICOM with C-STORE, again until every one is acknowledged.

DCMTK's ``storescu`` where it is installed, else the one that comes with pynetdicom; both are started as
programs, so what the listener meets is a sender of another maker.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imaging_service.demo.errors import DemoError
from imaging_service.demo.waiting import until

_PATIENCE_SECONDS = 90.0
_PUSH_SECONDS = 120.0
_REJECTED = "rejected"
_ACKNOWLEDGED = re.compile(r"Received Store Response \((?:Success|Status: 0x0000 )")  # either program's words
_ENVIRONMENT = {"TCP_NODELAY": "1"}  # DCMTK would wait 40 ms for each image otherwise (Nagle's algorithm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacs:
    """A sender, and the listener it pushes to."""

    ae_title: str
    host: str
    port: int
    called_ae_title: str

    def push(self, folder: Path) -> None:
        """Push every file of ``folder`` and return when all are acknowledged.

        Raises
        ------
        DemoError
            When that does not happen for a minute and a half; with the sender's last words.
        """
        last_words = ""

        def attempt() -> bool | None:
            nonlocal last_words
            done = self._run(folder)
            last_words = _last_line(done)
            return True if _is_all_acknowledged(done, folder) else None

        try:
            until(attempt, seconds=_PATIENCE_SECONDS, what=f"{self.ae_title} to push {folder}")
        except DemoError as error:
            message = f"{error} The sender said: {last_words}"
            raise DemoError(message) from error

    def is_refused(self, folder: Path) -> str:
        """Try to push and return in which words the association was rejected.

        Raises
        ------
        DemoError
            When the listener accepted it.
        """

        def attempt() -> str | None:
            done = self._run(folder)
            words = done.stdout + done.stderr
            if _is_all_acknowledged(done, folder):
                message = f"The listener accepted {self.ae_title}, which is no registered sender."
                raise DemoError(message)
            return _reason_in(words) if _REJECTED in words.lower() else None

        return until(attempt, seconds=_PATIENCE_SECONDS, what=f"{self.ae_title} to be rejected")

    def _run(self, folder: Path) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603  fixed programs, arguments from the demo's own story
                [*self._program(), str(folder)],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PUSH_SECONDS,
                check=False,
                env={**os.environ, **_ENVIRONMENT},
            )
        except subprocess.TimeoutExpired as expired:
            return subprocess.CompletedProcess(expired.cmd, 1, "", f"no end after {_PUSH_SECONDS:.0f} s")

    def _program(self) -> Sequence[str]:
        titles = ["-aet", self.ae_title, "-aec", self.called_ae_title]
        address = [self.host, str(self.port)]
        storescu = shutil.which("storescu")
        if storescu is not None:
            # +sd: the path is a folder; -xr: RLE Lossless beside the uncompressed transfer syntaxes
            return [storescu, "-v", "-xr", "+sd", *titles, *address]
        return [sys.executable, "-m", "pynetdicom", "storescu", "-v", "-cx", *titles, *address]


def sender_name() -> str:
    """Return which program pushes."""
    return "DCMTK's storescu" if shutil.which("storescu") else "pynetdicom's storescu"


def _is_all_acknowledged(done: subprocess.CompletedProcess[str], folder: Path) -> bool:
    """Count the answers: pynetdicom's program ends with 0 even when instances were refused."""
    acknowledged = len(_ACKNOWLEDGED.findall(done.stdout + done.stderr))
    return done.returncode == 0 and acknowledged == sum(1 for _ in folder.iterdir())


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr + done.stdout).strip().splitlines()
    return lines[-1] if lines else f"nothing (exit code {done.returncode})"


def _reason_in(words: str) -> str:
    """Return the sender's line that names the reason of the rejection, without its log prefix."""
    lines = [line.partition(":")[2].strip() or line.strip() for line in words.splitlines()]
    named = [line for line in lines if line.lower().startswith("reason")]
    rejected = [line for line in lines if _REJECTED in line.lower()]
    return (named or rejected)[-1]
