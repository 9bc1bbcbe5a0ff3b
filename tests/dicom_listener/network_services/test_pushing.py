"""Other makers' senders push in every transfer syntax, and the listener ends in the middle of a push."""

import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from openjpeg.utils import encode_array
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from dicom_listener.archive.archive import Archive
from dicom_listener.network.server import Listener
from tests.dicom_listener.hostile.doors import Door, serving
from tests.dicom_listener.instances import encoded, mr_instance, with_meta
from tests.dicom_listener.peers import association_request, fragment, said, status_of, store_command

JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"


def converted(program: str, *options: str) -> Callable[[Path], None]:
    """Have DCMTK write a file again in another transfer syntax."""

    def convert(path: Path) -> None:
        subprocess.run([program, *options, str(path), str(path)], check=True, capture_output=True)

    return convert


def as_jpeg_2000(path: Path) -> None:
    """Compress the pixels of a file without loss."""
    data_set = dcmread(path)
    data_set.PixelData = encapsulate([encode_array(data_set.pixel_array, bits_stored=12)])
    data_set["PixelData"].VR = "OB"
    data_set.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dcmwrite(path, data_set)


SYNTAXES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "-xi": ("1.2.840.10008.1.2", converted("dcmconv", "+ti")),
    "-xe": ("1.2.840.10008.1.2.1", converted("dcmconv", "+te")),
    "-xb": ("1.2.840.10008.1.2.2", converted("dcmconv", "+tb")),
    "-xd": ("1.2.840.10008.1.2.1.99", converted("dcmconv", "+td")),
    "-xs": (JPEG_LOSSLESS, converted("dcmcjpeg", "+e1")),
    "-xt": (str(JPEGLSLossless), converted("dcmcjpls")),
    "-xv": (str(JPEG2000Lossless), as_jpeg_2000),
    "-xr": (str(RLELossless), converted("dcmcrle")),
}
"""DCMTK's option to propose a transfer syntax, the syntax, and how to write it."""


def file_in(folder: Path, convert: Callable[[Path], None]) -> tuple[Path, Dataset]:
    path = folder / "instance.dcm"
    dcmwrite(path, with_meta(mr_instance(side=64)), enforce_file_format=True)
    convert(path)
    return path, dcmread(path)


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("sender", ["storescu", "dcmsend"])
@pytest.mark.parametrize(("option", "row"), SYNTAXES.items(), ids=[row[0] for row in SYNTAXES.values()])
def test_dcmtk_pushes_in_every_transfer_syntax(  # noqa: PLR0917 - a row of the table
    listener: Listener,
    local_archive: Archive,
    tmp_path: Path,
    sender: str,
    option: str,
    row: tuple[str, Callable[[Path], None]],
) -> None:
    path, sent = file_in(tmp_path, row[1])
    assert sent.file_meta.TransferSyntaxUID == row[0]
    options = [option] if sender == "storescu" else ["--decompress-never"]
    names = ["-aet", "MRI_1", "-aec", "IMAGING", "127.0.0.1", str(listener.port)]
    done = subprocess.run([sender, *options, *names, str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = dcmread(BytesIO(local_archive.read(sent.SOPInstanceUID)))
    if sender == "storescu":
        assert kept.file_meta.TransferSyntaxUID == row[0]
        assert kept.PixelData == sent.PixelData
    assert kept.pixel_array.tolist() == sent.pixel_array.tolist()


def pushing(door: Door, acknowledged: dict[str, bytes], begun: threading.Event, number: int) -> None:
    """Push until the connection ends, and note what was acknowledged."""
    with suppress(OSError, AssertionError), door.associated(association_request(calling=b"MRI_2")) as sender:
        for count in range(100_000):
            uid = f"1.2.5.{number}.{count}"
            content = encoded(mr_instance(SOPInstanceUID=uid, side=128))
            sender.sendall(fragment(store_command(uid), is_command=True) + fragment(content))
            if status_of(said(sender)) != 0x0000:
                return
            acknowledged[uid] = content
            if count > 10:
                begun.set()


def test_a_termination_in_the_middle_of_a_push_loses_nothing_acknowledged(
    tmp_path: Path, certificates: Path
) -> None:
    acknowledged: dict[str, bytes] = {}
    begun = threading.Event()
    with serving(tmp_path / "archive", certificates, {}) as process:
        door = Door(process=process, is_tls=False)
        senders = [
            threading.Thread(target=pushing, args=(door, acknowledged, begun, number)) for number in range(3)
        ]
        for sender in senders:
            sender.start()
        assert begun.wait(60)
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(60) == 0
        for sender in senders:
            sender.join(60)
    assert acknowledged
    with serving(tmp_path / "archive", certificates, {}) as process, process.archive() as archive:
        archive.catch_up()
        for uid, content in acknowledged.items():
            assert archive.read(uid).endswith(content)
