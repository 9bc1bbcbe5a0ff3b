"""TLS between real peers: which certificates open the door."""

import hashlib
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom import dcmwrite
from pynetdicom import AE
from pynetdicom.association import Association

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.destinations import Destination
from dicom_listener.archive.senders import Sender, networks_from
from dicom_listener.errors import DestinationError, SenderRegistrationError, SettingError
from dicom_listener.network.contexts import VERIFICATION
from dicom_listener.network.send import Courier
from dicom_listener.network.server import Listener
from dicom_listener.network.tls import client_context, server_context
from dicom_listener.settings import ListenerSettings
from tests.dicom_listener.instances import EXPLICIT_LE, MR_IMAGE, encoded, mr_instance, with_meta
from tests.dicom_listener.network_services.test_retrieve import outgoing


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make three self-signed certificates; the authorities are two of them."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("listener", "scanner", "stranger"):
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj"),
                *(f"/CN={name}/O=Hospital", "-addext", "subjectAltName=IP:127.0.0.1"),
                *("-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")),
            ],
            check=True,
            capture_output=True,
        )
    known = (folder / "listener.pem").read_text() + (folder / "scanner.pem").read_text()
    (folder / "authorities.pem").write_text(known)
    return folder


def settings_for(certificates: Path, name: str = "listener") -> ListenerSettings:
    return ListenerSettings(
        port=0,
        tls_port=0,
        tls_certificate=str(certificates / f"{name}.pem"),
        tls_key=str(certificates / f"{name}.key"),
        tls_authorities=str(certificates / "authorities.pem"),
    )


@pytest.fixture
def secure(local_archive: Archive, certificates: Path) -> Iterator[Listener]:
    local_archive.objects.close()
    fingerprint = hashlib.sha256(
        ssl.PEM_cert_to_DER_cert((certificates / "scanner.pem").read_text())
    ).hexdigest()
    registered = {
        "MRI_1": "CN=scanner,O=Hospital",
        "MRI_2": f"sha256:{fingerprint}",
        "MRI_3": "CN=another,O=Hospital",
        "MRI_4": "",
    }
    for title, certificate in registered.items():
        networks = networks_from(["127.0.0.0/8"])
        senders.add(
            local_archive.database,
            Sender(
                calling_ae=title,
                called_ae="IMAGING",
                networks=networks,
                site_id="S1",
                certificate=certificate,
            ),
        )
    with Listener(settings_for(certificates), local_archive) as running:
        yield running


@contextmanager
def associated(listener: Listener, title: str, tls: ssl.SSLContext | None) -> Iterator[Association]:
    entity = AE(ae_title=title)
    entity.add_requested_context(VERIFICATION)
    port = listener.port if tls is None else listener.tls_port
    assert port
    arguments = None if tls is None else (tls, "127.0.0.1")
    association = entity.associate("127.0.0.1", port, ae_title="IMAGING", tls_args=arguments)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


@pytest.mark.parametrize(
    ("title", "certificate", "is_let_in"),
    [
        ("MRI_1", "scanner", True),
        ("MRI_2", "scanner", True),
        ("MRI_3", "scanner", False),
        ("MRI_4", "scanner", True),
        ("MRI_1", "listener", False),
        ("MRI_1", None, False),
        ("MRI_4", None, True),
    ],
)
def test_a_sender_is_bound_to_its_certificate(
    secure: Listener,
    certificates: Path,
    title: str,
    certificate: str | None,
    is_let_in: bool,  # noqa: FBT001 - a column of the table
) -> None:
    tls = None if certificate is None else client_context(settings_for(certificates, certificate))
    with associated(secure, title, tls) as association:
        assert association.is_established is is_let_in
        assert association.is_rejected is not is_let_in


def test_a_certificate_of_no_authority_opens_nothing(secure: Listener, certificates: Path) -> None:
    tls = client_context(settings_for(certificates, "stranger"))
    assert tls is not None
    with (
        socket.create_connection(("127.0.0.1", secure.tls_port or 0)) as plain,
        tls.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        pytest.raises(ssl.SSLError, match="unknown ca"),
    ):
        connection.recv(1)


def test_an_instance_travels_over_tls(secure: Listener, certificates: Path, local_archive: Archive) -> None:
    sent = mr_instance()
    there = Destination(ae_title="IMAGING", host="127.0.0.1", port=secure.tls_port or 0, is_tls=True)
    tls = client_context(settings_for(certificates, "scanner"))
    with Courier(there, "MRI_1", [(MR_IMAGE, EXPLICIT_LE)], tls=tls) as courier:
        assert courier.deliver(outgoing(sent)).is_success
    assert local_archive.read(sent.SOPInstanceUID).endswith(encoded(sent))
    with pytest.raises(DestinationError, match="no certificate is set"), Courier(there, "MRI_1", []):
        pass


@pytest.mark.peer("dcmtk")
def test_dcmtk_pushes_over_tls(
    secure: Listener, certificates: Path, local_archive: Archive, tmp_path: Path
) -> None:
    sent = mr_instance()
    path = tmp_path / "instance.dcm"
    dcmwrite(path, with_meta(sent), enforce_file_format=True)
    own = ["+tls", str(certificates / "scanner.key"), str(certificates / "scanner.pem")]
    trust = ["+cf", str(certificates / "listener.pem")]
    names = ["-aet", "MRI_1", "-aec", "IMAGING", "127.0.0.1", str(secure.tls_port)]
    done = subprocess.run(
        ["storescu", *own, *trust, *names, str(path)], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert local_archive.read(sent.SOPInstanceUID).endswith(encoded(sent))


def test_versions_and_suites_are_those_of_bcp_195(certificates: Path) -> None:
    context = server_context(settings_for(certificates))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    suites = [each["name"] for each in context.get_ciphers() if each["protocol"] == "TLSv1.2"]
    assert suites
    assert all("GCM" in name and "DHE" in name for name in suites)


@pytest.mark.parametrize("name", ["tls_certificate", "tls_authorities"])
def test_a_file_that_cannot_be_used_is_named_by_its_setting(certificates: Path, name: str) -> None:
    wrong = settings_for(certificates).model_copy(update={name: "/nowhere.pem"})
    with pytest.raises(SettingError, match=f"DICOM_LISTENER_{name.upper()} is '/nowhere.pem'"):
        server_context(wrong)


def test_a_certificate_that_cannot_be_one_is_not_registered() -> None:
    with pytest.raises(SenderRegistrationError, match="The certificate is 'sha256:12'"):
        Sender(
            calling_ae="MRI_1",
            called_ae="IMAGING",
            networks=networks_from(["127.0.0.1"]),
            site_id="S1",
            certificate="sha256:12",
        )
