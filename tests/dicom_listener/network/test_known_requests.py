"""Association requests are decoded once, and every association has its own answer."""

import pytest

from dicom_listener.network.known_requests import decoded_request
from dicom_listener.network.requests import InvalidRequestError
from dicom_listener.network.server import Listener
from tests.dicom_listener.peers import (
    ACCEPTED,
    APPLICATION,
    REJECTED,
    answer,
    association_request,
    connected,
    request_of,
)


def test_a_request_that_comes_again_is_not_decoded_again() -> None:
    first, again, other = (
        decoded_request(content)
        for content in (association_request(), association_request(), association_request(b"MRI_2"))
    )
    assert again is first
    assert again.to_primitive() is first.to_primitive()
    assert other.to_primitive().calling_ae_title == "MRI_2"
    assert first.to_primitive().calling_ae_title == "MRI_1"


def test_a_request_of_another_protocol_is_made_anew_for_each_refusal() -> None:
    pdu = decoded_request(association_request()[:6] + b"\0\2" + association_request()[8:])
    assert pdu.to_primitive() is not pdu.to_primitive()


def test_what_is_no_request_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(InvalidRequestError):
            decoded_request(request_of(APPLICATION))


def test_a_sender_is_answered_alike_each_time_and_a_stranger_never_let_in(listener: Listener) -> None:
    answers = {b"MRI_1": ACCEPTED, b"UNKNOWN": REJECTED}
    for calling in (*answers, *answers):
        with connected(listener.port) as sender:
            sender.sendall(association_request(calling))
            assert answer(sender) == answers[calling]
