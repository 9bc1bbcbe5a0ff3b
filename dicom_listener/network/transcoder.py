"""Transcoding in a process of its own, which a broken or hostile codestream may end without harm.

The listener itself then needs none of the codecs, which weigh more than all the rest of it.
"""

import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO

from dicom_listener.archive.contents import PIECE, Content, FileContent
from dicom_listener.archive.drafts import write_all
from dicom_listener.archive.syntaxes import (
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
    TRANSFER_SYNTAXES,
)
from dicom_listener.errors import TranscodingError

LOSSLESS = frozenset(
    {
        "1.2.840.10008.1.2.5",
        "1.2.840.10008.1.2.4.57",
        "1.2.840.10008.1.2.4.70",
        "1.2.840.10008.1.2.4.80",
        "1.2.840.10008.1.2.4.90",
        "1.2.840.10008.1.2.4.201",
        "1.2.840.10008.1.2.4.202",
    }
)
"""Compressed transfer syntaxes from which every pixel comes back as it was."""

TARGETS = (EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN)

HEAD = struct.Struct(">64sQ")
"""What precedes a request: the wanted transfer syntax and the length of the file."""

ANSWER = struct.Struct(">?Q")
"""What precedes an answer: whether it is the data set, and its length; otherwise it names the error."""

_ENDED = "the codec ended"
_WORKER = "dicom_listener.network.transcode"


def can_transcode(transfer_syntax_uid: str) -> bool:
    """Tell whether a data set in this transfer syntax can be written in the `TARGETS`."""
    return transfer_syntax_uid in LOSSLESS or not TRANSFER_SYNTAXES[transfer_syntax_uid].is_encapsulated


class Transcoder:
    """The process, started when it is first needed; requests take turns."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()

    @contextmanager
    def transcoded(self, content: Content, transfer_syntax_uid: str) -> Iterator[Content]:
        """Write the data set of a DICOM file in one of the `TARGETS`, and lend it.

        Parameters
        ----------
        content
            A DICOM file (PS3.10) in a transfer syntax that `can_transcode`.
        transfer_syntax_uid
            One of the `TARGETS`.

        Yields
        ------
        Content
            The data set without file meta information, in a temporary file.

        Raises
        ------
        TranscodingError
            When the pixel data cannot be decoded.
        """
        with TemporaryFile(buffering=0) as file:
            answer = FileContent(file)
            with self._turn:
                try:
                    is_done = self._ask(content, transfer_syntax_uid, file)
                except (OSError, struct.error) as error:
                    self._end()
                    raise TranscodingError(_ENDED) from error
            if not is_done:
                raise TranscodingError(bytes(answer.view()).decode())
            yield answer

    def _ask(self, content: Content, transfer_syntax_uid: str, answer: IO[bytes]) -> bool:
        """Write what the process answers into a file; tell whether it is a data set."""
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise BrokenPipeError
        process.stdin.write(HEAD.pack(transfer_syntax_uid.encode(), content.length))
        for piece in content.pieces():
            process.stdin.write(piece)
        process.stdin.flush()
        is_done, length = ANSWER.unpack(process.stdout.read(ANSWER.size))
        while length:
            piece = process.stdout.read(min(length, PIECE))
            if not piece:
                raise BrokenPipeError
            write_all(answer.fileno(), piece)
            length -= len(piece)
        return bool(is_done)

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._end()
            variables = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", _WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=variables,
            )
        return self._process

    def _end(self) -> None:
        """Let go of a process that has ended, or end it."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            _close(pipe)
        self._process = None

    close = _end


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        try:
            pipe.close()
        except BrokenPipeError:
            return  # what it still had to say, nobody reads


TRANSCODER = Transcoder()
"""The process of this process; it ends when its input does."""
