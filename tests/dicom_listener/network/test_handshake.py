"""Association requests answered by hand, beside the library that answers the others."""

import random
import struct
from typing import Any

import pytest
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu import A_ABORT_RQ, A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_RELEASE_RP
from pynetdicom.pdu_primitives import A_ASSOCIATE

from dicom_listener.archive.file_meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicom_listener.network.contexts import VERIFICATION, supported_contexts
from dicom_listener.network.handshake import AgreedContext, Agreement, Offer, read_association_request
from dicom_listener.network.known_requests import decoded_request
from dicom_listener.network.pdus import BY_PROVIDER, BY_USER, abort, rejection, release_response
from tests.dicom_listener.instances import EXPLICIT_LE, IMPLICIT_LE, MR_IMAGE
from tests.dicom_listener.peers import (
    APPLICATION,
    association_request,
    item,
    proposed,
    request_of,
    user_information,
)
from tests.dicom_listener.test_hostile import mutated

LONGEST = 131_072
CONTEXTS = supported_contexts(())
OFFER = Offer({str(each.abstract_syntax): tuple(each.transfer_syntax) for each in CONTEXTS}, longest=LONGEST)
ECHO, MR, LE, IMPLICIT = VERIFICATION.encode(), MR_IMAGE.encode(), EXPLICIT_LE.encode(), IMPLICIT_LE.encode()
CONTEXT, USER = proposed(1, MR, LE), user_information()
JPEG_LOSSLESS = b"1.2.840.10008.1.2.4.70"
DCMTK = user_information(item(0x55, b"OFFIS_DCMTK_367"))


def by_library(pdu: bytes) -> tuple[bytes, dict[int, tuple[str, str, bool]]] | None:
    """Return the library's A-ASSOCIATE-AC and what it agrees on; None where it does not accept."""
    try:
        request = decoded_request(pdu)
        primitive = request.to_primitive()
    except Exception:  # noqa: BLE001 - whatever it finds
        return None
    if request.protocol_version != 1:
        return None
    entity = AE(ae_title="IMAGING")
    entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    association = Association(entity, "acceptor")
    association.acceptor.maximum_length = LONGEST
    association.acceptor.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    association.acceptor.supported_contexts = CONTEXTS
    association.requestor.primitive = primitive
    told: list[Any] = []
    dul: Any = association.dul
    dul.send_pdu = told.append  # nobody listens
    association.acse.negotiate_association()
    acceptance = A_ASSOCIATE_AC()
    acceptance.from_primitive(told[0])
    agreed = {
        number: (str(each.abstract_syntax), str(each.transfer_syntax[0]), bool(each.as_scp))
        for number, each in association._accepted_cx.items()  # noqa: SLF001 - the library's name for it
    }
    return acceptance.encode(), agreed


def by_hand(agreement: Agreement) -> tuple[bytes, dict[int, tuple[str, str, bool]]]:
    agreed = {
        number: (each.abstract_syntax, each.transfer_syntax, each.is_scp)
        for number, each in agreement.contexts.items()
    }
    return agreement.acceptance, agreed


USUAL = {
    "one context": association_request(),
    "as DCMTK asks": request_of(APPLICATION, proposed(1, ECHO, IMPLICIT), DCMTK, calling=b"STORESCU"),
    "all 128 contexts": request_of(
        APPLICATION, *(proposed(2 * place + 1, MR, LE, IMPLICIT) for place in range(128)), USER
    ),
    "our order of preference": request_of(APPLICATION, proposed(1, MR, JPEG_LOSSLESS, IMPLICIT, LE), USER),
    "contexts out of order": request_of(APPLICATION, proposed(5, ECHO, LE), proposed(3, MR, LE), USER),
    "some refused": request_of(
        APPLICATION,
        proposed(1, b"1.2.3.4", LE),
        proposed(3, MR, b"1.2.3.9", b"1.2.3.10"),
        proposed(5, ECHO, JPEG_LOSSLESS),
        proposed(7, MR, LE),
        USER,
    ),
    "all refused": request_of(APPLICATION, proposed(1, b"1.2.3.4", LE), USER),
    "titles as long as they may be": request_of(
        APPLICATION, CONTEXT, USER, calling=b"A" * 16, called=b"AN AE WITH SPACE"
    ),
    "any length": request_of(APPLICATION, CONTEXT, user_information(longest=bytes(4))),
    "a short length": request_of(APPLICATION, CONTEXT, user_information(longest=b"\0\0\0\1")),
    "user information first": request_of(USER, CONTEXT, APPLICATION),
}

UNUSUAL = {
    "roles": request_of(
        APPLICATION, CONTEXT, user_information(item(0x54, struct.pack(">H", len(MR)) + MR + b"\1\1"))
    ),
    "an async window": request_of(APPLICATION, CONTEXT, user_information(item(0x53, b"\0\2\0\2"))),
    "an identity": request_of(APPLICATION, CONTEXT, user_information(item(0x58, b"\1\0\0\2me\0\0"))),
    "another application context": request_of(item(0x10, b"1.2.3"), CONTEXT, USER),
    "another protocol": request_of(APPLICATION, CONTEXT, USER, version=2),
    "two protocols": request_of(APPLICATION, CONTEXT, USER, version=3),
    "a title of blanks": request_of(APPLICATION, CONTEXT, USER, calling=b""),
    "a title after a blank": request_of(APPLICATION, CONTEXT, USER, calling=b" MRI_1"),
    "a title that ends in a NUL": request_of(APPLICATION, CONTEXT, USER, calling=b"MRI_1\0"),
    "a title of two lines": request_of(APPLICATION, CONTEXT, USER, calling=b"MRI_1\nX"),
    "a padded UID": request_of(APPLICATION, proposed(1, MR + b"\0", LE), USER),
    "a UID of zeros": request_of(APPLICATION, proposed(1, MR, b"1.002"), USER),
    "an item that nobody knows": request_of(APPLICATION, CONTEXT, USER, item(0x77, b"what")),
    "a reserved byte that is set": request_of(APPLICATION, CONTEXT, USER)[:-30] + b"\1" * 30,
    "a version that is no text": request_of(APPLICATION, CONTEXT, user_information(item(0x55, b"\x07"))),
    "no item": request_of(),
    "nothing": b"",
}


@pytest.mark.parametrize("pdu", USUAL.values(), ids=USUAL)
def test_a_usual_request_is_answered_as_the_library_answers_it(pdu: bytes) -> None:
    agreement = OFFER.agreement(pdu)
    assert agreement is not None
    assert by_hand(agreement) == by_library(pdu)


@pytest.mark.parametrize("pdu", UNUSUAL.values(), ids=UNUSUAL)
def test_what_is_out_of_the_ordinary_is_left_to_the_library(pdu: bytes) -> None:
    assert read_association_request(pdu) is None
    assert OFFER.agreement(pdu) is None


@pytest.mark.parametrize("name", ["as DCMTK asks", "some refused", "our order of preference"])
def test_whatever_is_answered_by_hand_the_library_would_answer_alike(name: str) -> None:
    source, answered = random.Random(11), 0  # noqa: S311 - a fuzzer that can be repeated
    for _ in range(1500):
        pdu = mutated(source, USUAL[name])
        agreement = OFFER.agreement(pdu)
        if agreement is not None:
            answered += 1
            assert by_hand(agreement) == by_library(pdu), pdu
    assert answered


def test_a_request_says_who_asks_for_what() -> None:
    request = read_association_request(request_of(APPLICATION, proposed(3, MR, LE, IMPLICIT), USER))
    assert request is not None
    assert (request.calling_ae, request.called_ae, request.longest) == ("MRI_1", "IMAGING", 16384)
    (proposal,) = request.proposals
    assert (proposal.context_id, proposal.abstract_syntax) == (3, MR_IMAGE)
    assert proposal.transfer_syntaxes == (EXPLICIT_LE, IMPLICIT_LE)


def test_a_request_that_comes_again_is_not_worked_out_again() -> None:
    first, again = (OFFER.agreement(association_request()) for _ in range(2))
    assert again is first
    assert first is not None
    assert first.contexts[1] == AgreedContext(
        context_id=1, abstract_syntax=MR_IMAGE, transfer_syntax=EXPLICIT_LE
    )


@pytest.mark.parametrize("reason", [(1, 1, 3), (1, 1, 7), (2, 3, 1)])
def test_a_rejection_is_the_library_s(reason: tuple[int, int, int]) -> None:
    primitive = A_ASSOCIATE()
    primitive.result, primitive.result_source, primitive.diagnostic = reason
    pdu = A_ASSOCIATE_RJ()
    pdu.from_primitive(primitive)
    assert rejection(*reason) == pdu.encode()


@pytest.mark.parametrize("source", [BY_USER, BY_PROVIDER])
def test_an_abort_is_the_library_s(source: int) -> None:
    pdu = A_ABORT_RQ()
    pdu.source, pdu.reason_diagnostic = source, 0
    assert abort(source) == pdu.encode()


def test_an_answer_to_a_release_is_the_library_s() -> None:
    assert release_response() == A_RELEASE_RP().encode()
