"""An ext4 file system in an image whose power can be cut: what was not flushed is never written."""

import fcntl
import os
import struct
import subprocess
from pathlib import Path

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
_WITHOUT_FLUSHING_THE_JOURNAL = 2
_BYTES = 8 * 2**30  # of which only what is written takes room


class Disk:
    """The image, mounted at a folder; only root may do so."""

    def __init__(self, folder: Path) -> None:
        """Make and mount it below `folder`, or raise `OSError` where that is not possible."""
        self.image, self.mount = folder / "disk.img", folder / "disk"
        self.mount.mkdir()
        with self.image.open("wb") as file:
            file.truncate(_BYTES)
        _run("mkfs.ext4", "-q", "-F", str(self.image))
        self.insert()

    def insert(self) -> None:
        """Mount it; its journal is replayed."""
        _run("mount", "-o", "loop", str(self.image), str(self.mount))

    def cut(self) -> None:
        """End all writing at once."""
        descriptor = os.open(self.mount, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _WITHOUT_FLUSHING_THE_JOURNAL))
        finally:
            os.close(descriptor)

    def remove(self) -> None:
        """Unmount it."""
        _run("umount", str(self.mount))

    def throw_away(self) -> None:
        """Unmount it as soon as nobody uses it any more."""
        _run("umount", "--lazy", str(self.mount))


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise OSError(done.stderr.strip() or f"{command[0]} failed")
