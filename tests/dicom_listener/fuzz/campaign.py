"""Fuzz one target with atheris: ``python -m tests.dicom_listener.fuzz.campaign scan -runs=10000000 FOLDER``.

Without a folder the fuzzer sets out from the seeds alone; what it finds interesting is kept in the folder.
"""

import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["dicom_listener.archive", "dicom_listener.network"]):
    from tests.dicom_listener.fuzz.targets import TARGETS, seeds


def main() -> None:
    """Fuzz until the runs are over, or something is raised that must not be."""
    warnings.simplefilter("ignore")  # as the listener's own log does
    target, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds(target)):
            (Path(folder) / str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], "-max_len=4096", *options, folder], TARGETS[target]())
        atheris.Fuzz()


if __name__ == "__main__":
    main()
