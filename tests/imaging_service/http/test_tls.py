"""TLS of the service itself, machines known by their certificates, and what proxies may say."""

import base64
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from imaging_service.errors import SettingsError
from imaging_service.http.tls import server_context
from imaging_service.settings import ServiceSettings
from tests.builders.certificates import Authority, Certified
from tests.builders.service import PASSWORD, QUICK, TestService, on_loopback, running_service

ME = "/api/v1/accounts/me"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def address(sqlite_service: TestService, authority: Authority) -> Iterator[str]:
    server = authority.certify("server")
    with on_loopback(
        sqlite_service,
        tls_certificate=server.certificate,
        tls_key=server.key,
        tls_client_authorities=authority.file,
        head_deadline_seconds=1.0,
    ) as address:
        yield address


def register(service: TestService, shown: Certified, account: str = "service") -> Any:
    path = f"/accounts/{service.account_id(account)}/certificates"
    payload = {"title": "EDC", "fingerprint": shown.fingerprint.upper()}
    return service.post(path, "administrator", json=payload)


def asks(
    address: str, authority: Authority, shown: Certified | None = None, **headers: str
) -> httpx.Response:
    context = ssl.create_default_context(cafile=authority.file)
    if shown is not None:
        context.load_cert_chain(shown.certificate, shown.key)
    return httpx.get(f"{address}{ME}", verify=context, headers=headers, timeout=30)


def test_a_machine_is_known_by_its_certificate(
    sqlite_service: TestService, authority: Authority, address: str
):
    machine = authority.certify("machine")
    assert asks(address, authority, machine).json()["code"] == "certificate_unknown"
    registered = register(sqlite_service, machine)
    assert registered.status_code == 201, registered.text
    known = asks(address, authority, machine)
    assert (known.status_code, known.json()["account"]) == (200, "service")
    assert known.headers["strict-transport-security"] == "max-age=31536000"

    one = f"/certificates/{registered.json()['certificate_id']}"
    assert [sqlite_service.delete(one, "administrator").status_code for _ in range(2)] == [204, 204]
    assert asks(address, authority, machine).status_code == 401


def test_a_certificate_is_one_machines_and_no_persons(sqlite_service: TestService, authority: Authority):
    machine = authority.certify("machine")
    assert register(sqlite_service, machine).status_code == 201
    assert register(sqlite_service, machine).json()["code"] == "certificate_registered"
    assert register(sqlite_service, authority.certify("ada"), "reader1").json()["code"] == "not_a_service"
    path = f"/accounts/{sqlite_service.account_id('service')}/certificates"
    assert [each["title"] for each in sqlite_service.get(path, "administrator").json()] == ["EDC"]


def test_without_a_certificate_a_token_does(sqlite_service: TestService, authority: Authority, address: str):
    token = f"Bearer {sqlite_service.token('reader1')}"
    assert asks(address, authority, Authorization=token).json()["account"] == "reader1"
    assert asks(address, authority).status_code == 401


def test_a_certificate_of_another_authority_ends_the_handshake(
    sqlite_service: TestService, authority: Authority, address: str, tmp_path: Path
):
    forged = Authority(tmp_path, "Another").certify("machine")
    register(sqlite_service, forged)
    with pytest.raises((httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError)):
        asks(address, authority, forged)


def test_who_says_nothing_in_the_handshake_is_let_go_and_keeps_nobody_waiting(
    authority: Authority, address: str
):
    port = int(address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as silent:
        assert asks(address, authority).status_code == 401
        assert silent.recv(1) == b""  # closed by the service


def test_plain_http_is_not_answered(address: str):
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{address.replace('https', 'http')}{ME}", timeout=30)


def settings(**given: Any) -> ServiceSettings:
    return ServiceSettings(**QUICK, **given)


def test_what_is_wrong_with_the_files_is_told(tmp_path: Path, authority: Authority):
    server, other = authority.certify("server"), authority.certify("other")
    wrong: list[tuple[dict[str, Path], str]] = [
        ({"tls_key": server.key}, "TLS needs a certificate"),
        ({"tls_certificate": tmp_path / "none.pem"}, "cannot be used with its key"),
        ({"tls_certificate": server.certificate, "tls_key": other.key}, "key values mismatch"),
        (
            {
                "tls_certificate": server.certificate,
                "tls_key": server.key,
                "tls_client_authorities": tmp_path / "none.pem",
            },
            "authorities .* cannot be used",
        ),
    ]
    for given, sentence in wrong:
        with pytest.raises(SettingsError, match=sentence):
            server_context(settings(**given))
    assert server_context(settings()) is None


@pytest.fixture
def behind(sqlite_url: str) -> Iterator[TestService]:
    """Give a service behind a proxy at 10.0.0.5, and other addresses that are not."""
    with running_service(
        sqlite_url,
        chapters=("accounts", "operations"),
        trusted_proxies="10.0.0.5/32 10.1.0.0/16",
        proxy_certificate_header="Client-Cert",
        anonymous_requests_per_minute=3,
        wrong_tokens_per_minute=2,
    ) as service:
        yield service


def sign_in_from(service: TestService, peer: str, **headers: str) -> str:
    """Sign in with `peer` at the other end of the connection, and return the address that was believed."""
    service.client._transport.client = (peer, 1)  # noqa: SLF001  the test client's own
    payload = {"account": "reader1", "password": PASSWORD}
    answer = service.client.post("/api/v1/sessions", json=payload, headers=headers)
    assert answer.status_code == 201, answer.text
    token = {"Authorization": f"Bearer {answer.json()['token']}"}
    sessions: list[dict[str, Any]] = service.get("/sessions", headers=token).json()
    return str(next(each["address"] for each in sessions if each["is_current"]))


@pytest.mark.parametrize(
    ("peer", "forwarded", "believed"),
    [
        ("10.0.0.5", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.5", "198.51.100.1, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.5", "192.0.2.7, 10.1.2.3", "192.0.2.7"),
        ("10.0.0.5", "192.0.2.7, nonsense", "10.0.0.5"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "10.1.2.3", "10.0.0.5"),
        ("192.0.2.9", "192.0.2.7", "192.0.2.9"),
        ("10.0.0.6", "192.0.2.7", "10.0.0.6"),
    ],
    ids=[
        "a caller", "a caller who lies", "two proxies of ours", "nonsense", "nobody named", "only ours",
        "a stranger who claims to be a proxy", "a neighbour of the proxy",
    ],
)  # fmt: skip
def test_only_our_proxies_say_who_calls(behind: TestService, peer: str, forwarded: str, believed: str):
    assert sign_in_from(behind, peer, **{"X-Forwarded-For": forwarded}) == believed


def test_only_our_proxies_say_that_it_was_tls(behind: TestService):
    def cookie(peer: str) -> str:
        behind.client._transport.client = (peer, 1)  # noqa: SLF001
        payload = {"account": "reader1", "password": PASSWORD}
        answer = behind.client.post("/api/v1/sessions", json=payload, headers={"X-Forwarded-Proto": "https"})
        return str(answer.headers["set-cookie"])

    assert "Secure" in cookie("10.0.0.5")
    assert "Secure" not in cookie("192.0.2.9")


def test_only_our_proxies_pass_certificates(behind: TestService, authority: Authority):
    machine = authority.certify("machine")
    register(behind, machine)
    rfc_9440 = f":{base64.b64encode(machine.der).decode()}:"
    pem = quote(machine.certificate.read_text())

    def answered(peer: str, header: str) -> int:
        behind.client._transport.client = (peer, 1)  # noqa: SLF001
        return int(behind.get("/accounts/me", headers={"Client-Cert": header}).status_code)

    assert [answered("10.0.0.5", header) for header in (rfc_9440, pem)] == [200, 200]
    assert [answered("192.0.2.9", header) for header in (rfc_9440, pem)] == [401, 401]
    assert [answered("10.0.0.5", header) for header in ("nonsense", ":nonsense!:", "x" * 20_000)] == [400] * 3


def test_nobody_known_may_ask_only_so_often_and_whoever_is_known_goes_on(behind: TestService):
    token = behind.headers("reader1")
    answers = [behind.get("/sessions/methods") for _ in range(4)]
    assert [answer.status_code for answer in answers][-1] == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert behind.get("/accounts/me", headers=token).status_code == 200
    behind.client._transport.client = ("192.0.2.77", 1)  # noqa: SLF001
    assert behind.get("/sessions/methods").status_code == 200


def test_who_tries_tokens_waits_and_a_good_one_behind_the_same_address_goes_on(behind: TestService):
    good = behind.headers("reader1")
    assert behind.get("/accounts/me", headers=good).status_code == 200
    tried = [
        behind.get("/accounts/me", headers={"Authorization": f"Bearer guess{number}"}).status_code
        for number in range(4)
    ]
    assert tried == [401, 401, 429, 429]
    assert behind.get("/accounts/me", headers=good).status_code == 200
