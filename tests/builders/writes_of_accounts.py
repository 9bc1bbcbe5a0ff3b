"""Pairs of writes about accounts: their sessions, grants, identities, keys and certificates."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from imaging_service.accounts.principal import Role
from tests.builders.reading import TRIAL, ReadingRoom
from tests.builders.service import PASSWORD
from tests.builders.write import REASON, Recipe, Write, new_name, pairs, same

ADMINISTRATOR = "administrator"


def _account(room: ReadingRoom, role: Role = Role.SERVICE) -> str:
    """Add an account and return its path."""
    name = new_name("machine")
    room.service.add_account(name, role)
    return f"/accounts/{room.service.account_id(name)}"


def _made(room: ReadingRoom, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = room.service.post(path, ADMINISTRATOR, json=body)
    assert answer.status_code in {200, 201}, answer.text
    made: dict[str, Any] = answer.json()
    return made


def _fingerprint() -> str:
    return hashlib.sha256(new_name("certificate").encode()).hexdigest()


def _signed_in(room: ReadingRoom) -> dict[str, str]:
    """Sign the sponsor in once more, and return the headers of that session."""
    answer = room.service.post("/sessions", json={"account": "sponsor", "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def sign_out(room: ReadingRoom) -> Write:
    return Write(
        account=None,
        path="/sessions/current",
        bodies=(None, None),
        headers=_signed_in(room),
        statuses=pairs((204, 401), (204, 204)),
    )


def end_session(room: ReadingRoom) -> Write:
    known = {each["session_id"] for each in room.service.get("/sessions", "sponsor").json()}
    _signed_in(room)
    (new,) = {each["session_id"] for each in room.service.get("/sessions", "sponsor").json()} - known
    path = f"/sessions/{new}"
    return Write(account="sponsor", path=path, bodies=(None, None), statuses=pairs((204, 204), (204, 404)))


def end_sessions(room: ReadingRoom) -> Write:
    name = new_name("ended")
    room.service.add_account(name, Role.SPONSOR)
    room.service.post("/sessions", json={"account": name, "password": PASSWORD})
    path = f"/accounts/{room.service.account_id(name)}/sessions/ending"
    return Write(
        account=ADMINISTRATOR, path=path, bodies=same({"reason": REASON}), statuses=pairs((200, 200))
    )


def end_grant(room: ReadingRoom) -> Write:
    account = _account(room)
    made = _made(room, f"{account}/grants", {"trial_id": TRIAL})
    path = f"{account}/grants/{made['grants'][0]['grant_id']}/ending"
    return Write(
        account=ADMINISTRATOR,
        path=path,
        bodies=same({"reason": REASON}),
        statuses=pairs((204, 204), (204, 404), (204, 409)),
    )


def link_identity(room: ReadingRoom) -> Write:
    body = {"issuer": "https://identity.example.org", "subject": new_name("person")}
    path = f"{_account(room, Role.READER)}/identities"
    return Write(account=ADMINISTRATOR, path=path, bodies=same(body), statuses=pairs((201, 409)))


def unlink_identity(room: ReadingRoom) -> Write:
    body = {"issuer": "https://identity.example.org", "subject": new_name("person")}
    account = _account(room, Role.READER)
    linked = _made(room, f"{account}/identities", body)
    path = f"{account}/identities/{linked['identity_id']}"
    return Write(account=ADMINISTRATOR, path=path, bodies=(None, None), statuses=pairs((204, 404)))


def create_key(room: ReadingRoom) -> Write:
    path = f"{_account(room)}/api-keys"
    # two keys of one title are two: a machine may hold several
    return Write(
        account=ADMINISTRATOR, path=path, bodies=same({"title": "Archive"}), statuses=pairs((201, 201))
    )


def rotate_key(room: ReadingRoom) -> Write:
    key = _made(room, f"{_account(room)}/api-keys", {"title": "Archive"})
    path = f"/api-keys/{key['key_id']}/rotation"
    return Write(
        account=ADMINISTRATOR, path=path, bodies=same({}), statuses=pairs((201, 409), (201, 404), (201, 201))
    )


def revoke_key(room: ReadingRoom) -> Write:
    key = _made(room, f"{_account(room)}/api-keys", {"title": "Archive"})
    path = f"/api-keys/{key['key_id']}"
    return Write(
        account=ADMINISTRATOR, path=path, bodies=(None, None), statuses=pairs((204, 204), (204, 404))
    )


def register_certificate(room: ReadingRoom) -> Write:
    body = {"title": "PACS", "fingerprint": _fingerprint()}
    path = f"{_account(room)}/certificates"
    return Write(account=ADMINISTRATOR, path=path, bodies=same(body), statuses=pairs((201, 409)))


def revoke_certificate(room: ReadingRoom) -> Write:
    body = {"title": "PACS", "fingerprint": _fingerprint()}
    certificate = _made(room, f"{_account(room)}/certificates", body)
    path = f"/certificates/{certificate['certificate_id']}"
    return Write(
        account=ADMINISTRATOR, path=path, bodies=(None, None), statuses=pairs((204, 204), (204, 404))
    )


P = "/api/v1"
OF_ACCOUNT = f"{P}/accounts/{{account_id}}"
RECIPES: Mapping[tuple[str, str], Recipe] = MappingProxyType(
    {
        ("DELETE", f"{P}/sessions/current"): sign_out,
        ("DELETE", f"{P}/sessions/{{session_id}}"): end_session,
        ("POST", f"{OF_ACCOUNT}/sessions/ending"): end_sessions,
        ("POST", f"{OF_ACCOUNT}/grants/{{grant_id}}/ending"): end_grant,
        ("POST", f"{OF_ACCOUNT}/identities"): link_identity,
        ("DELETE", f"{OF_ACCOUNT}/identities/{{identity_id}}"): unlink_identity,
        ("POST", f"{OF_ACCOUNT}/api-keys"): create_key,
        ("POST", f"{P}/api-keys/{{key_id}}/rotation"): rotate_key,
        ("DELETE", f"{P}/api-keys/{{key_id}}"): revoke_key,
        ("POST", f"{OF_ACCOUNT}/certificates"): register_certificate,
        ("DELETE", f"{P}/certificates/{{certificate_id}}"): revoke_certificate,
    }
)
