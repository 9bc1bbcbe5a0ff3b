"""Sign in at a real identity provider, enter the password there again, and believe no hostile one."""

import base64
import hmac
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select

from imaging_service.accounts.cookie import PLAIN_NAME
from imaging_service.accounts.openid import tokens
from imaging_service.accounts.openid.provider import Provider
from imaging_service.accounts.tables import ProviderVisit
from imaging_service.app import CHAPTERS
from imaging_service.audit.tables import AuditEntry
from imaging_service.errors import SettingsError
from imaging_service.settings import ServiceSettings
from tests.builders.identity_provider import CLIENT_SECRET, Browser, identity_provider
from tests.builders.peers import free_port
from tests.builders.reading import Imaged, ReadingRoom, measured, reading_room
from tests.builders.service import QUICK, TestService, running_service

CALLBACK = "http://testserver/api/v1/openid/callback"
ISSUER_SUBJECT = "ada@hospital"
VISIT = f"{PLAIN_NAME}-visit"


@pytest.fixture
def browser() -> Iterator[Browser]:
    with httpx.Client(timeout=30) as pages:
        yield Browser(pages)


@contextmanager
def service_of(
    database_url: str, issuer: str, chapters: Sequence[str] = ("accounts", "operations")
) -> Iterator[TestService]:
    with running_service(
        database_url,
        now=datetime.now(UTC),
        chapters=chapters,
        oidc_issuer=issuer,
        oidc_client_secret=CLIENT_SECRET,
    ) as service:
        yield service


def link(service: TestService, issuer: str, account: str = "reader1", subject: str = ISSUER_SUBJECT) -> Any:
    path = f"/accounts/{service.account_id(account)}/identities"
    return service.post(path, "administrator", json={"issuer": issuer, "subject": subject})


def cookies_of(answer: Any) -> dict[str, str]:
    pairs = [line.split(";")[0].partition("=") for line in answer.headers.get_list("set-cookie")]
    return {name: value.strip('"') for name, _, value in pairs}


def go(service: TestService, path: str, **cookies: str) -> Any:
    """Open a path of the service as a browser with these cookies, and follow no redirection."""
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return service.client.get(path, headers={"Cookie": header}, follow_redirects=False)


def depart(service: TestService, path: str = "/api/v1/openid/sign-in?return_to=/room", **cookies: str) -> Any:
    answer = go(service, path, **cookies)
    assert answer.status_code == 302, answer.text
    return answer


def come_back(service: TestService, address: str, departed: Any) -> Any:
    parts = urlsplit(address)
    return go(service, f"{parts.path}?{parts.query}", **cookies_of(departed))


@pytest.mark.peer("oidc-provider")
def test_a_linked_person_signs_in_at_a_real_provider(database_url: str, tmp_path: Path, browser: Browser):
    with identity_provider(tmp_path, CALLBACK) as issuer, service_of(database_url, issuer) as service:
        assert link(service, issuer).status_code == 201
        departed = depart(service)
        query = parse_qs(urlsplit(departed.headers["location"]).query)
        assert (query["code_challenge_method"], query["response_type"]) == (["S256"], ["code"])
        address = browser.sign_in(departed.headers["location"], ISSUER_SUBJECT, back_to=CALLBACK)
        arrived = come_back(service, address, departed)
        assert arrived.status_code == 200, arrived.text
        assert '<meta http-equiv="refresh" content="0;url=/room">' in arrived.text
        token = cookies_of(arrived)[PLAIN_NAME]
        me = go(service, "/api/v1/accounts/me", **{PLAIN_NAME: token})
        assert me.json()["account"] == "reader1"
        session = service.get("/sessions", headers={"Cookie": f"{PLAIN_NAME}={token}"}).json()
        assert [(each["method"], each["is_current"]) for each in session] == [("openid", True)]

        again = come_back(service, address, departed)  # state and code replayed
        assert (again.status_code, PLAIN_NAME in cookies_of(again)) == (401, False)


@pytest.mark.peer("oidc-provider")
def test_the_password_entered_again_at_the_provider_carries_one_signature(
    sqlite_url: str, tmp_path: Path, browser: Browser
):
    with identity_provider(tmp_path, CALLBACK) as issuer, service_of(sqlite_url, issuer) as service:
        link(service, issuer)
        departed = depart(service)
        arrived = come_back(
            service, browser.sign_in(departed.headers["location"], ISSUER_SUBJECT, back_to=CALLBACK), departed
        )
        mine = {PLAIN_NAME: cookies_of(arrived)[PLAIN_NAME]}

        filled = browser.forms_filled
        departed = depart(service, "/api/v1/openid/reauthentication?return_to=/room", **mine)
        query = parse_qs(urlsplit(departed.headers["location"]).query)
        assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
        address = browser.sign_in(departed.headers["location"], ISSUER_SUBJECT, back_to=CALLBACK)
        assert browser.forms_filled > filled, "the provider asked again although its session is alive"
        arrived = come_back(service, address, departed)
        assert "/room#authentication_id=" in arrived.text, arrived.text
        assert PLAIN_NAME not in cookies_of(arrived)
        with service.database.read() as session:
            entries = session.scalars(
                select(AuditEntry).where(AuditEntry.action == "enter password again")
            ).all()
        assert [json.loads(entry.after or "")["method"] for entry in entries] == ["openid"]


def authenticated_again(service: TestService, browser: Browser, mine: dict[str, str]) -> str:
    """Enter the password at the provider once more, and return what a signature is told of it."""
    service.clock.set(datetime.now(UTC))
    departed = depart(service, "/api/v1/openid/reauthentication?return_to=/room", **mine)
    address = browser.sign_in(departed.headers["location"], ISSUER_SUBJECT, back_to=CALLBACK)
    service.clock.set(datetime.now(UTC))  # the provider's clock goes on
    arrived = come_back(service, address, departed)
    found = re.search(r"#authentication_id=([0-9a-f-]{36})", arrived.text)
    assert found, arrived.text
    return found[1]


def draft(room: ReadingRoom) -> str:
    """Open a read of a new subject and enter a lesion."""
    imaged: Imaged = room.image(room.someone(), 0)
    read_id = room.open("reader1", imaged)
    assert room.enter("reader1", read_id, "T01", measured(imaged, 40.0, "liver")).status_code == 201
    return read_id


@pytest.mark.peer("oidc-provider")
def test_a_read_is_signed_by_the_password_entered_at_the_provider(
    sqlite_url: str, tmp_path: Path, browser: Browser
):
    """All of it over REST: sign in there, read, enter the password there again, sign here, once."""
    with (
        identity_provider(tmp_path, CALLBACK) as issuer,
        service_of(sqlite_url, issuer, CHAPTERS) as service,
    ):
        room = reading_room(service)
        link(service, issuer)
        departed = depart(service)
        address = browser.sign_in(departed.headers["location"], ISSUER_SUBJECT, back_to=CALLBACK)
        service.clock.set(datetime.now(UTC))  # the provider's clock goes on
        mine = {PLAIN_NAME: cookies_of(come_back(service, address, departed))[PLAIN_NAME]}
        bearer = {"Authorization": f"Bearer {mine[PLAIN_NAME]}"}

        def sign(read_id: str, authentication_id: str) -> Any:
            body = {"authentication_id": authentication_id, "meaning": "I confirm this read."}
            return service.post(f"/reads/{read_id}/signature", headers=bearer, json=body)

        read_id, other = draft(room), draft(room)
        event = authenticated_again(service, browser, mine)
        signed = sign(read_id, event)
        assert signed.status_code == 201, signed.text
        shown = service.get(f"/reads/{read_id}", headers=bearer).json()["signature"]
        assert (shown["printed_name"], shown["meaning"]) == ("Reader1", "I confirm this read.")

        spent = sign(other, event)
        assert (spent.status_code, spent.json()["code"]) == (401, "authentication_spent")
        unknown = sign(other, "00000000-0000-4000-8000-000000000000")
        assert unknown.status_code == 401

        late = authenticated_again(service, browser, mine)
        service.clock.advance(timedelta(seconds=service.settings.signing_seconds + 60))
        assert sign(other, late).json()["code"] == "authentication_spent"
        assert sign(other, authenticated_again(service, browser, mine)).status_code == 201

        theirs = draft(room)
        event = authenticated_again(service, browser, mine)
        body = {"authentication_id": event, "meaning": "I confirm this read."}
        stolen = service.post(f"/reads/{theirs}/signature", "reader2", json=body)
        assert stolen.status_code in {401, 404}
        assert sign(theirs, event).status_code == 201


@pytest.mark.peer("oidc-provider")
def test_a_password_entered_by_another_person_signs_nothing(
    sqlite_url: str, tmp_path: Path, browser: Browser
):
    with identity_provider(tmp_path, CALLBACK) as issuer, service_of(sqlite_url, issuer) as service:
        link(service, issuer)
        link(service, issuer, "reader2", "bob@hospital")
        token = service.token("reader1")
        departed = depart(service, "/api/v1/openid/reauthentication", **{PLAIN_NAME: token})
        address = browser.sign_in(departed.headers["location"], "bob@hospital", back_to=CALLBACK)
        refused = come_back(service, address, departed)
        assert (refused.status_code, "another person" in refused.text) == (401, True)


@pytest.mark.peer("oidc-provider")
def test_nobody_makes_an_account_for_themselves(sqlite_url: str, tmp_path: Path, browser: Browser):
    with identity_provider(tmp_path, CALLBACK) as issuer, service_of(sqlite_url, issuer) as service:
        departed = depart(service)
        address = browser.sign_in(departed.headers["location"], "stranger", back_to=CALLBACK)
        refused = come_back(service, address, departed)
        assert refused.status_code == 401
        assert "knows you as &#x27;stranger&#x27;, and no open account is linked" in refused.text
        assert len(service.get("/accounts?limit=100", "administrator").json()["items"]) == len(
            {item["account"] for item in service.get("/accounts?limit=100", "administrator").json()["items"]}
        )


@pytest.mark.peer("oidc-provider")
def test_the_providers_new_keys_are_read_when_they_are_met(sqlite_url: str, tmp_path: Path, browser: Browser):
    port = free_port()
    with service_of(sqlite_url, f"http://127.0.0.1:{port}") as service:
        for _ in range(2):  # the second time with another key, while the first one's is still known
            with identity_provider(tmp_path, CALLBACK, port=port) as issuer:
                link(service, issuer)
                departed = depart(service)
                address = browser.sign_in(departed.headers["location"], ISSUER_SUBJECT, back_to=CALLBACK)
                assert PLAIN_NAME in cookies_of(come_back(service, address, departed))


class HostileProvider:
    """Says what a test wants it to say."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, private=True, auto_kid=True)
        self.id_token: Callable[[str], str] = lambda nonce: self.signed(self.claims(nonce))
        self.nonce = ""
        self.metadata: dict[str, Any] = {}
        self.codes: list[dict[str, list[str]]] = []
        hostile = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = (
                    {"keys": [hostile.key.as_dict(private=False)]}
                    if "jwks" in self.path
                    else hostile.metadata
                )
                self._answer(found)

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                hostile.codes.append(form)
                self._answer({"id_token": hostile.id_token(hostile.nonce)})

            def _answer(self, found: Any) -> None:
                body = json.dumps(found).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.metadata = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        }

    def claims(self, nonce: str, **changes: Any) -> dict[str, Any]:
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": self.issuer,
            "aud": "imaging-service",
            "sub": ISSUER_SUBJECT,
            "nonce": nonce,
            "iat": now,
            "exp": now + 300,
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def signed(self, claims: dict[str, Any], key: RSAKey | None = None) -> str:
        key = key or self.key
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, key)


@pytest.fixture(scope="module")
def hostile() -> Iterator[HostileProvider]:
    provider = HostileProvider()
    thread = threading.Thread(target=provider.server.serve_forever, daemon=True)
    thread.start()
    yield provider
    provider.server.shutdown()
    provider.server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def attacked(hostile: HostileProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestService]:
    url = f"sqlite:///{tmp_path_factory.mktemp('hostile')}/database.sqlite"
    with service_of(url, hostile.issuer) as service:
        link(service, hostile.issuer)
        yield service


def returned(service: TestService, hostile: HostileProvider, departed: Any, **changes: str) -> Any:
    query = parse_qs(urlsplit(departed.headers["location"]).query)
    hostile.nonce = query["nonce"][0]
    back = {"code": "a code", "state": query["state"][0]} | changes
    return come_back(service, f"{CALLBACK}?{urlencode(back)}", departed)


def test_the_same_provider_is_believed_when_it_is_honest(attacked: TestService, hostile: HostileProvider):
    attacked.clock.set(datetime.now(UTC))
    hostile.id_token = lambda nonce: hostile.signed(hostile.claims(nonce))
    arrived = returned(attacked, hostile, depart(attacked))
    assert arrived.status_code == 200, arrived.text
    assert {"code_verifier", "code", "redirect_uri"} <= hostile.codes[-1].keys()


NOW = int(datetime.now(UTC).timestamp())
LIES: dict[str, Callable[[HostileProvider, str], str]] = {
    "another nonce": lambda p, _: p.signed(p.claims("another")),
    "no nonce": lambda p, _: p.signed({k: v for k, v in p.claims("").items() if k != "nonce"}),
    "another audience": lambda p, n: p.signed(p.claims(n, aud="another-service")),
    "our name among others, asked for by another": lambda p, n: p.signed(
        p.claims(n, aud=["imaging-service", "x"], azp="x")
    ),
    "several audiences and no asker": lambda p, n: p.signed(p.claims(n, aud=["imaging-service", "x"])),
    "another issuer": lambda p, n: p.signed(p.claims(n, iss="http://127.0.0.1:1")),
    "expired": lambda p, n: p.signed(p.claims(n, exp=NOW - 31)),
    "no end": lambda p, n: p.signed(p.claims(n, exp=None)),
    "an end that is no number": lambda p, n: p.signed(p.claims(n, exp="tomorrow")),
    "made an hour ago": lambda p, n: p.signed(p.claims(n, iat=NOW - 3600)),
    "made tomorrow": lambda p, n: p.signed(p.claims(n, iat=NOW + 86_400)),
    "not valid yet": lambda p, n: p.signed(p.claims(n, nbf=NOW + 3600)),
    "nobody": lambda p, n: p.signed(p.claims(n, sub="")),
    "somebody who is a number": lambda p, n: p.signed(p.claims(n, sub=7)),
    "a key of nobody's": lambda p, n: p.signed(
        p.claims(n), RSAKey.generate_key(2048, private=True)
    ),
    "alg none": lambda p, n: by_hand("none", p.claims(n)),
    "signed with the public key as a secret": lambda p, n: by_hand(
        "HS256", p.claims(n), p.key.as_pem(private=False)
    ),
    "no token at all": lambda _p, _n: "not.a.token",
}  # fmt: skip


def by_hand(algorithm: str, claims: dict[str, Any], secret: bytes = b"") -> str:
    """Make a token that no honest library would make."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    text = ".".join(part(json.dumps(each).encode()) for each in ({"alg": algorithm}, claims))
    signature = hmac.digest(secret, text.encode(), "sha256") if secret else b""
    return f"{text}.{part(signature)}"


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_of_a_provider_signs_anybody_in(attacked: TestService, hostile: HostileProvider, lie: str):
    attacked.clock.set(datetime.now(UTC))
    hostile.id_token = lambda nonce: LIES[lie](hostile, nonce)
    refused = returned(attacked, hostile, depart(attacked))
    assert refused.status_code == 401, refused.text
    assert "refused" in refused.text
    assert PLAIN_NAME not in cookies_of(refused)


def test_an_answer_is_taken_from_the_browser_that_asked_and_once(
    attacked: TestService, hostile: HostileProvider
):
    attacked.clock.set(datetime.now(UTC))
    hostile.id_token = lambda nonce: hostile.signed(hostile.claims(nonce))
    mine, other = depart(attacked), depart(attacked)
    state = parse_qs(urlsplit(mine.headers["location"]).query)["state"][0]
    stolen = come_back(attacked, f"{CALLBACK}?{urlencode({'code': 'c', 'state': state})}", other)
    assert (stolen.status_code, "not for this browser" in stolen.text) == (401, True)
    assert returned(attacked, hostile, mine).status_code == 200
    assert returned(attacked, hostile, mine).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [{"state": "guessed"}, {"code": ""}, {"iss": "http://127.0.0.1:1"}],
    ids=lambda c: next(iter(c)),
)
def test_a_wrong_way_back_leads_nowhere(
    attacked: TestService, hostile: HostileProvider, changes: dict[str, str]
):
    attacked.clock.set(datetime.now(UTC))
    hostile.id_token = lambda nonce: hostile.signed(hostile.claims(nonce))
    assert returned(attacked, hostile, depart(attacked), **changes).status_code == 401


def test_a_visit_ends_after_ten_minutes(attacked: TestService, hostile: HostileProvider):
    attacked.clock.set(datetime.now(UTC) - timedelta(minutes=10, seconds=1))
    departed = depart(attacked)
    attacked.clock.set(datetime.now(UTC))
    assert returned(attacked, hostile, departed).status_code == 401
    depart(attacked)
    with attacked.database.read() as session:
        begun = session.scalars(select(ProviderVisit.begun_at)).all()
    assert all(attacked.clock.now() - at < timedelta(minutes=10) for at in begun)


@pytest.mark.parametrize(
    ("auth_time", "status"), [(0, 200), (-3600, 401), (3600, 401), (None, 401)],
    ids=["just now", "an hour ago", "in an hour", "not told"],
)  # fmt: skip
def test_for_a_signature_the_provider_must_say_that_it_asked_again(
    attacked: TestService, hostile: HostileProvider, auth_time: int | None, status: int
):
    attacked.clock.set(datetime.now(UTC))
    attacked.forget_tokens()
    at = None if auth_time is None else int(datetime.now(UTC).timestamp()) + auth_time
    hostile.id_token = lambda nonce: hostile.signed(hostile.claims(nonce, auth_time=at))
    departed = depart(attacked, "/api/v1/openid/reauthentication", **{PLAIN_NAME: attacked.token("reader1")})
    assert returned(attacked, hostile, departed).status_code == status


@pytest.mark.parametrize(
    "return_to", ["//elsewhere.example", "/\\elsewhere.example", "http://elsewhere.example", "/a#b", '/"><x']
)
def test_the_way_back_stays_in_the_house(attacked: TestService, return_to: str):
    answer = go(attacked, f"/api/v1/openid/sign-in?{urlencode({'return_to': return_to})}")
    assert answer.status_code == 422


def test_a_provider_that_is_away_is_told_as_busy(sqlite_url: str):
    with service_of(sqlite_url, f"http://127.0.0.1:{free_port()}") as service:
        answer = go(service, "/api/v1/openid/sign-in")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_a_provider_that_calls_itself_otherwise_is_not_asked(sqlite_url: str, hostile: HostileProvider):
    with service_of(sqlite_url, f"{hostile.issuer}/") as service:
        assert go(service, "/api/v1/openid/sign-in").status_code == 401


def test_without_a_provider_there_is_only_the_password(sqlite_service: TestService):
    assert sqlite_service.get("/sessions/methods").json() == {"password": True, "openid": False}
    assert go(sqlite_service, "/api/v1/openid/sign-in").status_code == 404


def test_a_provider_elsewhere_needs_tls():
    settings = ServiceSettings(**QUICK)
    with pytest.raises(SettingsError, match="must begin with https"):
        Provider(settings, "http://login.example")


def test_only_signatures_with_a_public_key_are_known():
    assert not {"none", "HS256", "HS384", "HS512"} & set(tokens.ALGORITHMS)


def test_an_identity_is_one_accounts_and_can_be_taken_away(service: TestService):
    issuer = "https://login.example"
    linked = link(service, issuer)
    assert linked.status_code == 201, linked.text
    taken = link(service, issuer, "reader2")
    assert (taken.status_code, taken.json()["code"]) == (409, "identity_linked")
    machine = link(service, issuer, "service", "robot")
    assert (machine.status_code, machine.json()["code"]) == (422, "not_a_person")
    path = f"/accounts/{service.account_id('reader1')}/identities"
    assert [each["subject"] for each in service.get(path, "administrator").json()] == [ISSUER_SUBJECT]
    one = f"{path}/{linked.json()['identity_id']}"
    assert [service.delete(one, "administrator").status_code for _ in range(2)] == [204, 404]
    assert link(service, issuer, "reader2").status_code == 201
