"""A peer cannot tell whether the library serves it: the same bytes lead to the same answers and figures."""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from dicom_listener.archive import senders
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.migrate import migrate
from dicom_listener.archive.senders import Sender, networks_from
from dicom_listener.metrics import INSTANCES, REQUESTS, SERVICES
from dicom_listener.network.command_set import elements_of
from dicom_listener.network.contexts import VERIFICATION
from dicom_listener.network.identifiers import STUDY_ROOT
from dicom_listener.network.server import Listener
from dicom_listener.settings import ListenerSettings
from tests.dicom_listener.hostile.test_before_an_association import NONSENSE, ODD
from tests.dicom_listener.instances import EXPLICIT_LE, MR_IMAGE, encoded, mr_instance
from tests.dicom_listener.network.test_short_answers import echo, element, find, identifier
from tests.dicom_listener.peers import (
    ABORT,
    ACCEPTED,
    APPLICATION,
    DATA,
    RELEASE,
    RELEASED,
    association_request,
    connected,
    fragment,
    item,
    pdu,
    proposed,
    request_of,
    said,
    status_of,
    store_command,
    user_information,
)

SECONDS = 4.0  # that a peer may be silent; long enough for a machine that is busy
FIND = STUDY_ROOT + "1"
ABORTED = pdu(ABORT, bytes(4))
CONTEXTS = (proposed(1, MR_IMAGE.encode(), EXPLICIT_LE.encode()),)


def asking(*turns: bytes) -> tuple[bytes, ...]:
    """Return a request for storage, echoes and searches, and what is said after it, turn by turn."""
    return association_request(classes=(MR_IMAGE, VERIFICATION, FIND)), *turns


def commanding(content: bytes, context: int = 1) -> bytes:
    return fragment(content, context=context, is_command=True)


def storing(uid: str) -> bytes:
    return commanding(store_command(uid)) + fragment(encoded(mr_instance(SOPInstanceUID=uid)))


ECHO, ODD_ECHO = commanding(echo(), 3), commanding(echo() + element(0x1000, b"1.23"), 3)
SEARCH = commanding(find(), 5) + fragment(identifier(StudyInstanceUID=""), context=5)
HALF = commanding(store_command("1.2.9")) + fragment(bytes(100), is_last=False)

AGREED = {
    "a release": asking(RELEASE),
    "an abort": asking(ABORTED),
    "silence": asking(),
    "a release of five bytes": asking(pdu(0x05, bytes(5))),
    "a release of no bytes": asking(pdu(0x05, b"")),
    "an abort of no bytes": asking(pdu(ABORT, b"")),
    "a second request": asking(association_request()),
    "a request that is none": asking(pdu(0x01, b"")),
    "an acceptance": asking(pdu(0x02, association_request()[6:])),
    "a rejection": asking(pdu(0x03, bytes([0, 1, 1, 1]))),
    "an answer to a release": asking(pdu(0x06, bytes(4))),
    "an unknown PDU": asking(pdu(0x63, bytes(16))),
    "data of 4 GiB": asking(pdu(DATA, b"", 0xFFFFFFFF)),
    "data of no bytes": asking(pdu(DATA, b"")),
    "an echo": asking(ECHO, RELEASE),
    "an echo of a class that was not agreed on": asking(commanding(echo(), 1), RELEASE),
    "an echo in a context that was not agreed on": asking(commanding(echo(), 9), RELEASE),
    "an echo that says more": asking(ODD_ECHO, RELEASE),
    "echoes of both kinds": asking(ECHO, ODD_ECHO, ECHO, ODD_ECHO, ECHO, RELEASE),
    "a command that nobody knows": asking(commanding(echo().replace(b"\x30\0", b"\x31\0"), 3), RELEASE),
    "an instance": asking(storing("1.2.3"), RELEASE),
    "instances among echoes": asking(storing("1.2.4"), ODD_ECHO, storing("1.2.5"), ECHO, RELEASE),
    "an instance that is none": asking(commanding(store_command("1.2.6")) + fragment(b"junk"), RELEASE),
    "an instance whose UID is none": asking(commanding(store_command("1.02")) + fragment(b"junk"), RELEASE),
    "a release instead of a data set": asking(HALF + RELEASE),
    "an abort instead of a data set": asking(HALF + ABORTED),
    "an echo instead of a data set": asking(HALF + ECHO),
    "a data set in another context": asking(commanding(store_command("1.2.9")) + fragment(b"x", context=3)),
    "a data set without a command": asking(fragment(bytes(100))),
    "a search": asking(SEARCH, RELEASE),
    "searches among instances": asking(SEARCH, storing("1.2.7"), SEARCH, ECHO, RELEASE),
    "a search without what is searched": asking(commanding(find(), 5) + RELEASE),
    "an instance, with roles": (
        request_of(
            APPLICATION,
            *CONTEXTS,
            user_information(item(0x54, b"\0\x19" + MR_IMAGE.encode() + b"\0\1")),
        ),
        storing("1.2.8"),
        RELEASE,
    ),
    "an instance, with user information that nobody knows": (
        request_of(APPLICATION, *CONTEXTS, user_information(item(0x59, b"x"))),
        storing("1.2.10"),
        RELEASE,
    ),
}
"""What is said on an association: the request, and each turn once what came before it is answered."""
UNFINISHED = {
    "half a head": asking(RELEASE[:3]),
    "a PDU that does not end": asking(ECHO[:-1]),
    "a data set that does not end": asking(HALF),
}
"""These are aborted by whoever loses patience first."""

CONVERSATIONS = {name: (sent,) for name, sent in (NONSENSE | ODD).items()} | {
    f"an association, then {name}": turns for name, turns in (AGREED | UNFINISHED).items()
}
PATIENCE = [f"an association, then {name}" for name in UNFINISHED]
AT_ONCE = 32
Answers = Mapping[str, list[tuple[int, object]]]


@dataclass(frozen=True, kw_only=True)
class Way:
    """What became of every conversation, and how it was counted."""

    answers: Answers
    figures: Counter[str]


def spoken(port: int, *turns: bytes) -> list[tuple[int, object]]:
    """Hold a conversation, and return all that is answered; of a response what it tells."""
    answers: list[tuple[int, object]] = []
    remaining = list(turns)
    with connected(port) as peer:
        with suppress(OSError):
            peer.sendall(remaining.pop(0))
        while (told := said(peer)) is not None:
            kind, content = told
            is_turn = kind == ACCEPTED or status_of(told) not in {None, 0xFF00, 0xFF01}
            if is_turn and remaining:
                peer.sendall(remaining.pop(0))
            is_command = kind == DATA and bool(content[5] & 1)
            answers.append((kind, elements_of(content[6:]) if is_command else content))
    return answers


def figures() -> Counter[str]:
    return Counter(
        {
            f"{sample.name}{sorted(sample.labels.values())}": int(sample.value)
            for family in (REQUESTS, SERVICES, INSTANCES)
            for metric in family.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
        }
    )


def way_of(folder: Path, *, is_fast: bool) -> Way:
    """Let every conversation take place, many at the same time, with a listener of its own."""
    with ExitStack() as stack:
        archive = Archive.open(f"sqlite:///{folder}/index.sqlite", str(folder / "objects"))
        stack.callback(archive.close)
        migrate(archive.database)
        senders.add(
            archive.database,
            Sender(
                calling_ae="MRI_1",
                called_ae="IMAGING",
                networks=networks_from(["127.0.0.0/8"]),
                site_id="S1",
            ),
        )
        settings = ListenerSettings(
            port=0, association_seconds=SECONDS, idle_seconds=SECONDS, fast_store=is_fast
        )
        listener = stack.enter_context(Listener(settings, archive))
        before = figures()
        threads = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        ended = {name: threads.submit(spoken, listener.port, *each) for name, each in CONVERSATIONS.items()}
        answers = {name: future.result() for name, future in ended.items()}
        counted = figures()
        counted.subtract(before)
    return Way(answers=answers, figures=+counted)


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> tuple[Way, Way]:
    """Have them all take place without the library where that is possible, and again with it."""
    fast, library = (way_of(tmp_path_factory.mktemp("way"), is_fast=is_fast) for is_fast in (True, False))
    return fast, library


@pytest.mark.parametrize("name", [name for name in CONVERSATIONS if name not in PATIENCE])
def test_a_peer_is_told_the_same(ways: tuple[Way, Way], name: str) -> None:
    fast, library = ways
    assert fast.answers[name] == library.answers[name]


@pytest.mark.parametrize("name", PATIENCE)
def test_a_peer_that_does_not_finish_is_aborted(ways: tuple[Way, Way], name: str) -> None:
    for way in ways:
        assert [kind for kind, _ in way.answers[name]][:2] == [ACCEPTED, ABORT]


def test_requests_are_counted_alike(ways: tuple[Way, Way]) -> None:
    fast, library = ways
    assert fast.figures == library.figures


def test_the_conversations_are_what_they_say(ways: tuple[Way, Way]) -> None:
    for way in ways:
        kinds = {name: [kind for kind, _ in answers] for name, answers in way.answers.items()}
        told = {name: kinds[f"an association, then {name}"] for name in AGREED}
        assert told["instances among echoes"] == [ACCEPTED, DATA, DATA, DATA, DATA, RELEASED]
        assert told["an abort"] == [ACCEPTED]
        assert told["silence"] == told["a rejection"] == [ACCEPTED, ABORT]
        assert kinds["half a request"] in ([], [ABORT])
