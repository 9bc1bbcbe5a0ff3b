"""A listener process, in the memory of a process that imports only what it serves with.

The command reads settings and brings the database up to date with libraries that a running listener never
needs again, and the DICOM library loads numpy and every codec it finds. Together they weigh more than the
listener. So the command gives way to a process that has neither: `replace_process`.
"""

import os
import pickle
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from dicom_listener.settings import ListenerSettings

_UNUSED = ("numpy", "gdcm", "PIL", "openjpeg", "pylibjpeg", "rle", "requests", "rich")
_ARENAS = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": str(2**20)}
_PROGRAM = ("dicom-listener", "serve")  # as whoever looks for the process knows it


class Values:
    """The settings as plain values under their names."""

    def __init__(self, values: dict[str, object]) -> None:
        """Take the values."""
        self.__dict__.update(values)


def is_replaceable() -> bool:
    """Tell whether this process is the command alone: nobody else has a thread in it."""
    return threading.active_count() == 1


def replace_process(settings: "ListenerSettings") -> NoReturn:
    """Go on as a listener process."""
    descriptor = os.memfd_create("settings", 0)
    os.write(descriptor, pickle.dumps(dict(settings)))
    os.lseek(descriptor, 0, os.SEEK_SET)
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    variables = os.environ | _ARENAS | {"PYTHONPATH": os.pathsep.join(paths)}
    arguments = [sys.executable, "-m", __name__, str(descriptor), *_PROGRAM]
    os.execve(sys.executable, arguments, variables)  # noqa: S606 - our own module


def serve(settings: "ListenerSettings") -> NoReturn:
    """Listen until SIGTERM or Ctrl-C."""
    from dicom_listener.archive.archive import Archive  # noqa: PLC0415 - after `main` has seen to numpy
    from dicom_listener.intake.door import remove_expired_originals, require_key  # noqa: PLC0415 - as above
    from dicom_listener.logs import finish_logs  # noqa: PLC0415 - as above
    from dicom_listener.network.server import Listener  # noqa: PLC0415 - as above
    from dicom_listener.operations.watching import watching  # noqa: PLC0415 - as above

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    archive = Archive.open(settings.database_url, settings.objects, settings.intake_log)
    with closing(archive):
        require_key(settings, archive)
        remove_expired_originals(settings, archive)
        with Listener(settings, archive), watching(settings, archive):
            stopped.wait()
    finish_logs()
    sys.stderr.flush()
    # Threads of the network library may still wait for peers that will never answer.
    os._exit(0)


def main() -> NoReturn:
    """Serve with the settings in the descriptor that the first argument names."""
    from dicom_listener.errors import ListenerError  # noqa: PLC0415 - as above
    from dicom_listener.logs import finish_logs, set_up_logs  # noqa: PLC0415 - as above

    with os.fdopen(int(sys.argv[1]), "rb") as file:
        values = pickle.load(file)  # noqa: S301 - written a moment ago by `replace_process`
    if not values["deidentification_key_file"]:  # without a key nobody looks at pixels
        for name in _UNUSED:
            sys.modules[name] = None  # type: ignore[assignment] # so an import says that it is not installed
    set_up_logs()
    try:
        serve(Values(values))  # type: ignore[arg-type] # it has every setting
    except ListenerError as error:
        sys.stderr.write(f"{error}\n")
        code = 2
    except Exception as error:  # noqa: BLE001 - the last resort
        sys.stderr.write(f"dicom-listener ended because of an unexpected {type(error).__name__}.\n")
        code = 1
    finish_logs()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
