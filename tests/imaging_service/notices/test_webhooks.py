"""A receiver is told everything, at least once, in the order of each subject, and nobody else is."""

import hashlib
import hmac
from datetime import timedelta
from ipaddress import ip_address

import pytest

from imaging_service.jobs.policy import RetryPolicy
from imaging_service.notices.addresses import Addresses, ReceiverAddressError, kind_of, receiver_of, resolved
from imaging_service.notices.delivery import missing_jobs
from imaging_service.notices.kinds import Kind
from imaging_service.notices.posting import post
from tests.imaging_service.notices.conftest import OTHER, SUBJECT, TRIAL, Told, WorkerDied
from tests.imaging_service.notices.receiver import Receiver, receiving

WEBHOOKS = f"/trials/{TRIAL}/webhooks"
SHORT = RetryPolicy(attempts=3, first_pause=timedelta(seconds=5), longest_pause=timedelta(seconds=60))


def register(told: Told, receiver: Receiver, **more: object) -> dict[str, str]:
    answer = told.service.post(WEBHOOKS, "coordinator", json={"url": receiver.url, **more})
    assert answer.status_code == 201, answer.text
    registered: dict[str, str] = answer.json()
    return registered


def deliveries(told: Told, webhook: dict[str, str], **wanted: str):
    path = f"{WEBHOOKS}/{webhook['webhook_id']}/deliveries"
    return told.service.get(path, "coordinator", params=wanted).json()["items"]


def decide(told: Told, webhook: dict[str, str], delivery_id: str, decision: str):
    path = f"{WEBHOOKS}/{webhook['webhook_id']}/deliveries/{delivery_id}/decision"
    return told.service.post(path, "coordinator", json={"decision": decision, "reason": "It answers again."})


def test_a_receiver_is_told_in_order_without_a_persons_data(told: Told) -> None:
    with receiving() as receiver:
        register(told, receiver)
        for kind in (Kind.TIMEPOINT_RECEIVED, Kind.READ_SIGNED, Kind.PROGRESSION):
            told.publish(kind, timepoint_id="t-1", reference="r-1")
        told.work()
        assert receiver.told("kind", "sequence") == [
            ("timepoint_received", 1),
            ("read_signed", 2),
            ("progression", 3),
        ]
        assert receiver.told("reading_id")[0] == (told.notices()[0].reading_id,)
        everything = b"".join(each.body + repr(each.headers).encode() for each in receiver.got)
    assert SUBJECT.encode() not in everything
    assert set(receiver.got[0].told) == {
        *("delivery_id", "notice_id", "sequence", "kind", "trial_id"),
        *("reading_id", "timepoint_id", "reference", "at"),
    }


def test_a_receiver_can_prove_who_told_it(told: Told) -> None:
    with receiving() as receiver:
        secret = register(told, receiver)["secret"]
        told.publish(Kind.READ_SIGNED)
        told.work()
    got = receiver.got[0]
    signed = got.headers["Imaging-Timestamp"].encode() + b"." + got.body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert got.headers["Imaging-Signature"] == f"sha256={expected}"
    assert got.headers["Imaging-Delivery"] == got.told["delivery_id"]
    assert got.headers["Imaging-Timestamp"] == str(int(told.service.clock.now().timestamp()))


def test_the_key_is_told_once(told_on_sqlite: Told) -> None:
    with receiving() as receiver:
        secret = register(told_on_sqlite, receiver)["secret"]
        assert secret not in told_on_sqlite.service.get(WEBHOOKS, "coordinator").text
        assert secret not in told_on_sqlite.service.get("/audit", "administrator").text


def test_a_receiver_that_was_away_gets_everything_in_order_when_it_is_back(told: Told) -> None:
    with receiving() as receiver:
        webhook = register(told, receiver)
    told.publish(Kind.READ_SIGNED)
    told.publish(Kind.READ_UNLOCKED)
    told.publish(Kind.READ_SIGNED, subject_id=OTHER)
    told.work()
    waiting = deliveries(told, webhook, state="waiting")
    assert [each["attempts"] for each in waiting] == [1, 0, 1]  # the second waits behind the first
    assert waiting[0]["last_error"] == "The receiver did not answer: Connection refused."
    told.service.clock.advance(timedelta(seconds=1))
    told.work()  # not due yet
    assert [each["attempts"] for each in deliveries(told, webhook)] == [1, 0, 1]
    with receiving(receiver):
        told.service.clock.advance(timedelta(seconds=10))
        told.work()
    assert receiver.told("sequence") == [(1,), (3,), (2,)] or receiver.told("sequence") == [(1,), (2,), (3,)]
    assert [each["state"] for each in deliveries(told, webhook)] == ["delivered"] * 3


def test_what_one_subject_cannot_be_told_stops_only_that_subject(told: Told) -> None:
    with receiving() as receiver:
        receiver.refused_kinds = {"progression"}
        webhook = register(told, receiver)
        told.publish(Kind.PROGRESSION)
        told.publish(Kind.READ_UNLOCKED)
        told.publish(Kind.READ_SIGNED, subject_id=OTHER)
        told.work()
        assert receiver.told("sequence") == [(3,)]
        for _ in range(3):
            told.service.clock.advance(timedelta(minutes=2))
            told.work(policy=SHORT)
        dead = deliveries(told, webhook, state="dead")
        assert [(each["sequence"], each["attempts"]) for each in dead] == [(1, 3)]
        assert dead[0]["last_error"] == "The receiver answered 503; 200 to 299 was wanted."
        assert receiver.told("sequence") == [(3,)]  # the subject's later one waits behind the dead one
        assert len({each.told["delivery_id"] for each in receiver.refused}) == 1
        receiver.refused_kinds = set()
        assert decide(told, webhook, dead[0]["delivery_id"], "release").status_code == 200
        told.work()
    assert receiver.told("sequence") == [(3,), (1,), (2,)]


def test_a_dead_delivery_can_be_given_up(told_on_sqlite: Told) -> None:
    with receiving() as receiver:
        receiver.refused_kinds = {"progression"}
        webhook = register(told_on_sqlite, receiver)
        told_on_sqlite.publish(Kind.PROGRESSION)
        told_on_sqlite.publish(Kind.READ_UNLOCKED)
        for _ in range(4):
            told_on_sqlite.work(policy=SHORT)
            told_on_sqlite.service.clock.advance(timedelta(minutes=2))
        dead = deliveries(told_on_sqlite, webhook, state="dead")[0]["delivery_id"]
        assert decide(told_on_sqlite, webhook, dead, "discard").json()["state"] == "discarded"
        told_on_sqlite.work()
        assert receiver.told("sequence") == [(2,)]
        again = decide(told_on_sqlite, webhook, dead, "release")
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "The delivery is discarded; only a dead one waits for a decision.",
    )


def test_a_disabled_webhook_is_told_nothing_and_misses_nothing(told: Told) -> None:
    with receiving() as receiver:
        webhook = register(told, receiver)
        path = f"{WEBHOOKS}/{webhook['webhook_id']}"
        told.service.patch(path, "coordinator", json={"is_enabled": False, "reason": "It moves."})
        told.publish(Kind.READ_SIGNED)
        told.work()
        assert receiver.got == []
        told.service.patch(path, "coordinator", json={"is_enabled": True, "reason": "It has moved."})
        told.work()
        assert receiver.told("sequence") == [(1,)]


def test_an_ended_webhook_is_told_nothing_more(told_on_sqlite: Told) -> None:
    with receiving() as receiver:
        webhook = register(told_on_sqlite, receiver)
        told_on_sqlite.publish(Kind.READ_SIGNED)
        assert (
            told_on_sqlite.service.delete(f"{WEBHOOKS}/{webhook['webhook_id']}", "coordinator").status_code
            == 204
        )
        told_on_sqlite.work()
        assert receiver.got == []
    assert told_on_sqlite.service.get(WEBHOOKS, "coordinator").json() == []


def test_a_webhook_is_told_of_the_kinds_that_it_wants_from_its_registration_on(told_on_sqlite: Told) -> None:
    told_on_sqlite.publish(Kind.PROGRESSION)
    with receiving() as receiver:
        register(told_on_sqlite, receiver, kinds=["progression"])
        told_on_sqlite.publish(Kind.READ_SIGNED)
        told_on_sqlite.publish(Kind.PROGRESSION)
        told_on_sqlite.work()
    assert receiver.told("sequence") == [(3,)]


def test_a_redirect_is_not_followed(told_on_sqlite: Told) -> None:
    with receiving() as receiver:
        receiver.status = 307
        webhook = register(told_on_sqlite, receiver)
        told_on_sqlite.publish(Kind.READ_SIGNED)
        told_on_sqlite.work()
    assert deliveries(told_on_sqlite, webhook)[0]["last_error"] == (
        "The receiver answered 307, a redirect, which is not followed; 200 to 299 was wanted."
    )


def test_a_delivery_whose_answer_was_lost_comes_again_under_the_same_id(told: Told) -> None:
    """The worker dies after the receiver has taken it in, before that is written down."""
    with receiving() as receiver:
        register(told, receiver)
        told.publish(Kind.READ_SIGNED)
        with pytest.raises(WorkerDied):
            told.work(dies=True)
        told.service.clock.advance(timedelta(minutes=10))
        told.work()
    assert len(receiver.got) == 2
    assert len({each.headers["Imaging-Delivery"] for each in receiver.got}) == 1


def test_a_queue_that_lost_its_jobs_gets_them_again(told: Told) -> None:
    with receiving() as receiver:
        webhook = register(told, receiver)
        told.publish(Kind.READ_SIGNED)
        with told.service.database.read() as session:
            found = [job.payload["webhook_id"] for job in missing_jobs(session)]
        told.work()
        with told.service.database.read() as session:
            assert list(missing_jobs(session)) == []
    assert found == [webhook["webhook_id"]]


@pytest.mark.parametrize(
    ("ip", "kind"),
    [
        ("127.0.0.1", Addresses.LOOPBACK),
        ("::1", Addresses.LOOPBACK),
        ("10.1.2.3", Addresses.PRIVATE),
        ("192.168.0.9", Addresses.PRIVATE),
        ("fd00::1", Addresses.PRIVATE),
        ("::ffff:127.0.0.1", Addresses.LOOPBACK),
        ("169.254.169.254", None),
        ("fe80::1", None),
        ("0.0.0.0", None),  # noqa: S104  looked at, not bound
        ("224.0.0.1", None),
        ("93.184.216.34", Addresses.PUBLIC),
    ],
)
def test_where_an_address_is(ip: str, kind: Addresses | None) -> None:
    assert kind_of(ip_address(ip)) == kind


@pytest.mark.parametrize("allowed", [Addresses.PUBLIC, Addresses.PRIVATE])
def test_this_machine_is_told_only_where_the_setting_says_so(allowed: Addresses) -> None:
    with receiving() as receiver:
        failure = post(receiver.url, b"{}", {}, allowed=allowed, deadline_seconds=5)
    assert failure is not None
    assert failure.sentence.startswith("127.0.0.1 stands for 127.0.0.1, which is loopback; the setting")
    assert receiver.got == receiver.refused == []


def test_a_public_receiver_must_be_encrypted() -> None:
    with pytest.raises(ReceiverAddressError, match="https:// was wanted, found http://"):
        resolved(receiver_of("http://93.184.216.34/hook"), Addresses.LOOPBACK)


MISTAKES = {
    "no address": ({"url": "https:///hook"}, 422, "https://host/path was wanted"),
    "a name and a password in it": (
        {"url": "https://a:b@example.org/"},
        422,
        "holds no name, password or fragment",
    ),
    "a port beyond all": ({"url": "https://example.org:99999/"}, 422, "cannot be read"),
    "another scheme": ({"url": "ftp://example.org/x"}, 422, None),
    "an unknown kind": ({"url": "https://example.org/", "kinds": ["rain"]}, 422, None),
    "no address at all": ({}, 422, None),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_webhook_that_cannot_be_is_refused_with_its_reason(told_on_sqlite: Told, mistake: str) -> None:
    body, status, sentence = MISTAKES[mistake]
    answer = told_on_sqlite.service.post(WEBHOOKS, "coordinator", json=body)
    assert answer.status_code == status
    assert sentence is None or sentence in answer.json()["detail"]
    assert told_on_sqlite.service.get(WEBHOOKS, "coordinator").json() == []


def test_the_same_address_twice_is_refused(told_on_sqlite: Told) -> None:
    with receiving() as receiver:
        register(told_on_sqlite, receiver)
        answer = told_on_sqlite.service.post(WEBHOOKS, "coordinator", json={"url": receiver.url})
    assert (answer.status_code, answer.json()["code"]) == (409, "webhook_exists")


def test_who_sees_one_site_registers_no_webhook(told_on_sqlite: Told) -> None:
    told_on_sqlite.service.add_account("local", *told_on_sqlite.service_role("coordinator"))
    told_on_sqlite.service.grant("local", TRIAL, site_id="01")
    answer = told_on_sqlite.service.post(WEBHOOKS, "local", json={"url": "https://example.org/"})
    assert (answer.status_code, answer.json()["code"]) == (403, "whole_trial_wanted")
