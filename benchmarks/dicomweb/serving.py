"""Serve one subject's series over DICOMweb in a process of its own, until its input ends."""

import json
import sys
from pathlib import Path

import numpy as np

from dicom_listener.archive.objects_folder import FolderObjectStore
from imaging_service.http.server import settle
from tests.builders.arrivals import STUDY, mr_instance, trial_house
from tests.builders.service import on_loopback

ROWS = COLUMNS = 512


def main() -> None:
    """Keep as many images as asked for, say where they are, and answer."""
    folder, images = Path(sys.argv[1]), int(sys.argv[2])
    noise = np.random.default_rng(7)
    with trial_house(f"sqlite:///{folder}/service.sqlite", folder) as house:
        house.archive.objects = FolderObjectStore(folder / "objects")
        house.archive.objects.prepare()
        house.enrol()
        pixels = (noise.integers(0, 1200, (ROWS, COLUMNS), np.uint16).tobytes() for _ in range(images))
        house.receive(
            *(
                mr_instance("20241220", number=number, Rows=ROWS, Columns=COLUMNS, PixelData=each)
                for number, each in enumerate(pixels, start=1)
            )
        )
        settle()
        with on_loopback(house.service) as address:
            told = {"address": f"{address}/api/v1/dicomweb", "study": STUDY}
            told["authorization"] = house.service.headers("coordinator")["Authorization"]
            print(json.dumps(told), flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    main()
