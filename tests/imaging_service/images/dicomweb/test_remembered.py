"""What is answered from memory is what would be answered anew, to the same caller, with nothing changed."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.builders.arrivals import STUDY, TRIAL, TrialHouse, mr_instance, trial_house

SEARCH = "/dicomweb/studies"
SERIES = f"{SEARCH}/{STUDY}/series/{STUDY}.1"
FRAME = f"{SERIES}/instances/{STUDY}.1.1/frames/1"


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[TrialHouse]:
    """Give a trial with a reader and the baseline of a subject."""
    with trial_house(sqlite_url, tmp_path) as opened:
        opened.service.grant("reader1", TRIAL, reader_slot=1)
        opened.enrol()
        opened.push(mr_instance("20241220"))
        opened.settle()
        opened.follow()
        opened.service.get("/accounts/me", "coordinator")  # notes that the session is used, once a minute
        opened.service.get("/accounts/me", "reader1")
        for account in ("coordinator", "reader1"):  # the first use is entered in the audit, once in a while
            for path in (SEARCH, f"{SERIES}/metadata", f"{SERIES}/instances"):
                ask(opened, path, account)
        yield opened


def ask(house: TrialHouse, path: str, account: str = "coordinator", **headers: str) -> Any:
    """Ask for a path below DICOMweb."""
    return house.service.get(
        path, account, headers={name.replace("_", "-"): each for name, each in headers.items()}
    )


def is_remembered(answer: Any) -> bool:
    """Tell whether an answer came from memory: only then it has a tag."""
    return "etag" in answer.headers


@pytest.mark.parametrize("path", [SEARCH, f"{SERIES}/metadata", f"{SERIES}/instances"])
def test_the_same_again_is_answered_from_memory(house: TrialHouse, path: str) -> None:
    first, again = ask(house, path), ask(house, path)
    assert (is_remembered(first), is_remembered(again)) == (False, True)
    assert first.json() == again.json() != []
    assert first.headers["content-type"] == again.headers["content-type"]
    known = ask(house, path, If_None_Match=again.headers["etag"])
    assert (known.status_code, known.content) == (304, b"")


def test_an_arrival_is_seen_at_once(house: TrialHouse) -> None:
    for number in (2, 3):
        assert len(ask(house, f"{SERIES}/instances").json()) == number - 1
        assert is_remembered(ask(house, f"{SERIES}/instances"))
        house.push(mr_instance("20241220", number=number))
    assert not is_remembered(ask(house, f"{SERIES}/instances"))
    assert len(ask(house, f"{SERIES}/metadata").json()) == 3


def test_another_account_another_address_and_another_query_are_other_requests(house: TrialHouse) -> None:
    unblinded = ask(house, SEARCH).json()
    blinded = ask(house, SEARCH, "reader1")
    assert not is_remembered(blinded)
    assert unblinded[0]["00100020"] != blinded.json()[0]["00100020"]
    assert not is_remembered(ask(house, f"{SEARCH}?limit=5"))
    assert not is_remembered(ask(house, SEARCH, Host="other"))
    assert ask(house, SEARCH, "sponsor").status_code == 403
    assert house.service.get(SEARCH).status_code == 401


def test_whoever_signs_out_gets_nothing_more(house: TrialHouse) -> None:
    assert ask(house, SEARCH).status_code == 200
    assert is_remembered(ask(house, SEARCH))
    assert house.service.delete("/sessions/current", "coordinator").status_code < 300
    assert ask(house, SEARCH).status_code == 401


def test_a_reader_who_loses_the_slot_sees_nothing_at_once(house: TrialHouse) -> None:
    assert len(ask(house, SEARCH, "reader1").json()) == 1
    assert ask(house, FRAME, "reader1").status_code == 200
    assert is_remembered(ask(house, SEARCH, "reader1"))
    with house.service.database.writer.begin() as connection:
        connection.execute(text("DELETE FROM account_grants WHERE reader_slot = 1"))
    assert ask(house, FRAME, "reader1").status_code == 404
    assert ask(house, SEARCH, "reader1").json() == []
    assert ask(house, f"{SERIES}/metadata", "reader1").status_code == 404


def test_half_a_minute_later_everything_is_asked_anew(house: TrialHouse) -> None:
    ask(house, SEARCH)
    assert is_remembered(ask(house, SEARCH))
    house.service.clock.advance(timedelta(seconds=31))
    assert not is_remembered(ask(house, SEARCH))


def test_what_is_refused_is_not_remembered(house: TrialHouse) -> None:
    for _ in range(2):
        assert not is_remembered(ask(house, f"{SEARCH}/1.2.99/metadata"))


def test_a_frame_that_the_browser_has_is_not_sent_again_and_its_right_is_asked(house: TrialHouse) -> None:
    first = ask(house, FRAME)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert ask(house, FRAME, If_None_Match=tag).status_code == 304
    assert ask(house, FRAME, If_None_Match='"another"').content == first.content
    assert ask(house, FRAME, "reader2", If_None_Match=tag).status_code == 404
    picture = ask(house, f"{FRAME}/rendered", Accept="image/png")
    again = ask(house, f"{FRAME}/rendered", Accept="image/png", If_None_Match=picture.headers["etag"])
    assert (picture.status_code, again.status_code) == (200, 304)
