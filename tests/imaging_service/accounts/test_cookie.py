"""A page signs in and acts with a cookie; no other site's page can."""

import pytest

from imaging_service.accounts.cookie import PLAIN_NAME, SECURE_NAME
from tests.builders.service import PASSWORD, TestService

HERE = "http://testserver"
OURS = {"X-Requested-With": "imaging-service", "Origin": HERE}
SITE = {"site_id": "S01", "name": "Site one"}


def signed_in(service: TestService, origin: str = HERE, account: str = "administrator"):
    payload = {"account": account, "password": PASSWORD}
    answer = service.client.post(f"{origin}/api/v1/sessions", json=payload)
    assert answer.status_code == 201, answer.text
    return answer


def cookie_of(service: TestService, origin: str = HERE) -> dict[str, str]:
    return {"Cookie": signed_in(service, origin).headers["set-cookie"].split(";")[0]}


def new_account(service: TestService, headers: dict[str, str], origin: str = HERE):
    payload = {"account": "ada", "name": "Ada", "roles": ["reader"]}
    return service.client.post(f"{origin}/api/v1/accounts", json=payload, headers=headers)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(sqlite_service: TestService):
    answer = signed_in(sqlite_service)
    value, *attributes = answer.headers["set-cookie"].split("; ")
    assert value == f"{PLAIN_NAME}={answer.json()['token']}"
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=strict"]


def test_over_tls_the_cookie_never_leaves_tls_or_the_host(sqlite_service: TestService):
    answer = signed_in(sqlite_service, "https://testserver")
    value, *attributes = answer.headers["set-cookie"].split("; ")
    assert value.startswith(f"{SECURE_NAME}=")
    assert "Secure" in attributes


def test_a_page_reads_with_its_cookie(service: TestService):
    me = service.get("/accounts/me", headers=cookie_of(service))
    assert (me.status_code, me.json()["account"]) == (200, "administrator")


def test_a_page_changes_with_its_cookie_and_the_header(service: TestService):
    assert new_account(service, {**cookie_of(service), **OURS}).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Requested-With": "x"},
        {"Origin": HERE},
        {**OURS, "Origin": "http://elsewhere.example"},
        {**OURS, "Origin": "https://testserver"},
        {**OURS, "Origin": "http://testserver:8080"},
        {**OURS, "Origin": "null"},
        {**OURS, "Sec-Fetch-Site": "cross-site"},
        {**OURS, "Sec-Fetch-Site": "same-site"},
    ],
    ids=[
        "neither header", "no origin", "no own header", "another host", "another scheme", "another port",
        "a sandboxed page", "another site, says the browser", "another host of the site, says the browser",
    ],
)  # fmt: skip
def test_a_change_by_another_sites_page_is_refused(sqlite_service: TestService, headers: dict[str, str]):
    answer = new_account(sqlite_service, {**cookie_of(sqlite_service), **headers})
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert new_account(sqlite_service, {**cookie_of(sqlite_service), **OURS}).status_code == 201


def test_a_bearer_token_needs_no_such_header_and_goes_before_the_cookie(sqlite_service: TestService):
    reader = {"Authorization": f"Bearer {sqlite_service.token('reader1')}"}
    me = sqlite_service.get("/accounts/me", headers={**cookie_of(sqlite_service), **reader})
    assert me.json()["account"] == "reader1"
    wrong = {"Authorization": "Bearer wrong"}
    assert (
        sqlite_service.get("/accounts/me", headers={**cookie_of(sqlite_service), **wrong}).status_code == 401
    )


def test_a_cookie_of_the_plain_name_is_worth_nothing_over_tls(sqlite_service: TestService):
    secure = "https://testserver"
    assert (
        sqlite_service.client.get(
            f"{secure}/api/v1/accounts/me", headers=cookie_of(sqlite_service)
        ).status_code
        == 401
    )


def test_signing_out_ends_the_cookie_too(service: TestService):
    cookie = cookie_of(service)
    ended = service.delete("/sessions/current", headers={**cookie, **OURS})
    assert ended.status_code == 204
    assert "Max-Age=0" in ended.headers["set-cookie"]
    assert service.get("/accounts/me", headers=cookie).status_code == 401


def test_the_origin_is_the_public_address_where_it_is_set(sqlite_service: TestService):
    public = "https://review.example"
    sqlite_service.app.state.settings = sqlite_service.settings.model_copy(update={"public_address": public})
    cookie = cookie_of(sqlite_service)
    assert SECURE_NAME in cookie["Cookie"]
    assert new_account(sqlite_service, {**cookie, **OURS}).status_code == 403
    assert new_account(sqlite_service, {**cookie, **OURS, "Origin": public}).status_code == 201
