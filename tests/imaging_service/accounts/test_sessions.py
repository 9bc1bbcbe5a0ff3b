from tests.builders.service import TestService


def test_a_signed_in_account_is_known(service: TestService):
    me = service.get("/accounts/me", "reader1")
    assert me.status_code == 200, me.text
    assert (me.json()["account"], me.json()["roles"]) == ("reader1", ["reader"])
