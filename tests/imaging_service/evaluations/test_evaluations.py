"""A site's own evaluation is entered apart, corrected on the record, and compared with central review."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from imaging_service.accounts.principal import Role
from tests.builders.adjudicating import PD, PR, SD, case, decide, read_by_both, read_lengths
from tests.builders.reading import TRIAL, Imaged, ReadingRoom, reading_room
from tests.builders.service import running_service


def evaluate(
    room: ReadingRoom, imaged: Imaged, response: str, account: str = "coordinator", **more: Any
) -> Any:
    body = {
        "overall_response": response,
        "has_progressed": response == "PD",
        "reason": "As the site entered it.",
        **more,
    }
    return room.service.put(
        f"/trials/{TRIAL}/timepoints/{imaged.timepoint_id}/evaluation", account, json=body
    )


def listed(room: ReadingRoom, subject: str, account: str = "coordinator") -> list[dict[str, Any]]:
    answer = room.service.get(f"/trials/{TRIAL}/evaluations?subject={subject}", account)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


@pytest.fixture
def imaged(quick_room: ReadingRoom) -> Imaged:
    subject = quick_room.someone()
    quick_room.image(subject, 0)
    return quick_room.image(subject, 1)


def test_a_correction_is_a_new_edition_and_the_old_one_stays(room: ReadingRoom) -> None:
    subject = room.someone()
    imaged = room.image(subject, 1)
    first = evaluate(room, imaged, "SD")
    assert first.status_code == 201, first.text
    assert evaluate(room, imaged, "SD").status_code == 200  # said again
    unseen = evaluate(room, imaged, "PD")
    assert (unseen.status_code, unseen.json()["code"]) == (409, "changed_meanwhile")
    assert evaluate(room, imaged, "PD", replaces=1).status_code == 201
    assert evaluate(room, imaged, "PR", replaces=1).status_code == 409
    assert [
        (each["edition"], each["overall_response"], each["is_current"]) for each in listed(room, subject)
    ] == [
        (1, "SD", False),
        (2, "PD", True),
    ]
    with (
        pytest.raises(DBAPIError, match="a site evaluation never changes"),
        room.service.database.writer.begin() as connection,
    ):
        connection.execute(text("UPDATE site_evaluations SET overall_response = 'CR'"))


@pytest.mark.parametrize(
    ("response", "more", "code"),
    [
        ("PD", {"has_progressed": False}, "evaluation_contradicts"),
        ("XX", {}, None),
        ("SD", {"reason": ""}, None),
    ],
    ids=["PD without progression", "no such response", "no reason"],
)
def test_an_entry_that_cannot_be_is_refused(
    quick_room: ReadingRoom, imaged: Imaged, response: str, more: dict[str, Any], code: str | None
) -> None:
    refused = evaluate(quick_room, imaged, response, **more)
    assert refused.status_code == 422
    assert code in {None, refused.json()["code"]}


def test_clinical_progression_without_a_response_of_progression_is_kept(
    quick_room: ReadingRoom, imaged: Imaged
) -> None:
    assert evaluate(quick_room, imaged, "SD", has_progressed=True).status_code == 201


def test_baseline_and_what_has_no_images_is_not_evaluated(quick_room: ReadingRoom) -> None:
    subject = quick_room.someone()
    baseline = evaluate(quick_room, quick_room.image(subject, 0), "SD")
    assert (baseline.status_code, baseline.json()["code"]) == (422, "baseline_evaluated")
    expected = Imaged(timepoint_id=quick_room.expect(subject, 1), instance="", uncalibrated="")
    nothing = evaluate(quick_room, expected, "SD")
    assert (nothing.status_code, nothing.json()["code"]) == (422, "nothing_to_evaluate")


def test_a_site_s_account_enters_and_sees_its_own_site_only(quick_room: ReadingRoom) -> None:
    room = quick_room
    room.service.add_account("site-two", Role.COORDINATOR)
    room.service.grant("site-two", TRIAL, site_id="S02")
    own, other = room.someone("S02"), room.someone("S01")
    ours, theirs = room.image(own, 1), room.image(other, 1)
    assert evaluate(room, ours, "SD", "site-two").status_code == 201
    assert evaluate(room, theirs, "SD", "site-two").status_code == 404
    assert evaluate(room, theirs, "SD").status_code == 201
    assert [each["subject_id"] for each in listed(room, own, "site-two")] == [own]
    assert listed(room, other, "site-two") == []


def test_no_reader_or_adjudicator_ever_sees_what_the_site_says(room: ReadingRoom) -> None:
    """A unique word in the reason, and a response that only the site gives: neither is in any answer."""
    service = room.service
    service.grant("adjudicator", TRIAL)
    subject = room.someone()
    images = [room.image(subject, number) for number in range(3)]
    for imaged in images[1:]:
        assert evaluate(room, imaged, "NED", reason="CANARY-OF-THE-SITE").status_code == 201
    read_lengths(room, "reader1", images, [50.0, SD, PD])
    read_lengths(room, "reader2", images, [50.0, SD, SD])

    texts = [case(room, subject).text, decide(room, subject, 1).text, case(room, subject).text]
    texts += [service.get("/adjudications", "adjudicator").text]
    for account in ("reader1", "reader2", "adjudicator"):
        for path in (f"/trials/{TRIAL}/evaluations", f"/trials/{TRIAL}/evaluations/comparison"):
            assert service.get(path, account).status_code == 403
        texts += [service.get(path, account).text for path in ("/worklist", "/trials", f"/trials/{TRIAL}")]
        texts += [service.get(f"/timepoints/{each.timepoint_id}/series", account).text for each in images]
    for account in ("reader1", "reader2"):
        for imaged in images:
            read_id = room.open(account, imaged)
            texts += [service.get(f"/reads/{read_id}{part}", account).text for part in ("", "/assessment")]
    assert [each for each in texts if "CANARY-OF-THE-SITE" in each or '"NED"' in each] == []

    told = service.get(f"/trials/{TRIAL}/evaluations/comparison", "coordinator").json()
    assert {each["site"] for each in told["discordances"] if each["subject_id"] == subject} == {"NED", "N"}

    service.add_account("doubled", Role.READER, Role.COORDINATOR)
    service.grant("doubled", TRIAL, reader_slot=3)
    for path in (f"/trials/{TRIAL}/evaluations", f"/trials/{TRIAL}/evaluations/comparison"):
        assert service.get(path, "doubled").status_code == 403
    assert evaluate(room, images[1], "SD", "doubled").status_code == 403


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ReadingRoom, str, str]]:
    """One subject on which all agree, and one where the site sees PD while central review sees SD."""
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('compared')}/room.sqlite") as running:
        room = reading_room(running)
        same, images = read_by_both(room, [PR, PD], [PR, PD])
        evaluate(room, images[1], "PR")
        evaluate(room, images[2], "PD")
        other, images = read_by_both(room, [SD, SD], [SD, SD], site_id="S02")
        evaluate(room, images[1], "SD")
        evaluate(room, images[2], "PD")
        read_by_both(room, [SD], [SD])  # the site says nothing about this one
        yield room, same, other


def test_site_and_central_side_by_side(compared: tuple[ReadingRoom, str, str]) -> None:
    room, _, other = compared
    answer = room.service.get(f"/trials/{TRIAL}/evaluations/comparison", "sponsor")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert {
        each["variable"]: (each["agreement"]["count"], each["agreement"]["of"]) for each in told["agreement"]
    } == {"overall_response": (3, 4), "progression": (1, 2), "progression_date": (1, 1)}
    # 4 pairs, 3 agree: PR PR, PD PD, SD SD, PD SD. By chance PR 1/4*1/4 + PD 2/4*1/4 + SD 1/4*2/4 = 5/16;
    # kappa = (12/16 - 5/16) / (11/16) = 7/11
    assert told["response_kappa"]["value"] == pytest.approx(7 / 11)
    assert [
        (each["subject_id"], each["variable"], each["site"], each["central"]) for each in told["discordances"]
    ] == [
        (other, "overall_response", "PD", "SD"),
        (other, "progression", "Y", "N"),
    ]
    assert {(each["reader"], each["is_accepted"]) for each in told["discordances"]} == {(1, True)}


def test_the_discordances_as_csv(compared: tuple[ReadingRoom, str, str]) -> None:
    room, _, other = compared
    answer = room.service.get(f"/trials/{TRIAL}/evaluations/comparison?format=csv", "coordinator")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["subject_id"], row["site_id"], row["number"], row["site"]) for row in rows] == [
        (other, "S02", "2", "PD"),
        (other, "S02", "", "Y"),
    ]


def test_nothing_to_compare_is_told_as_such(quick_room: ReadingRoom) -> None:
    quick_room.service.add_account("empty-site", Role.COORDINATOR)
    opened = quick_room.service.post(
        f"/trials/{TRIAL}/sites", "administrator", json={"site_id": "S09", "name": "Hospital S09"}
    )
    assert opened.status_code == 201
    quick_room.service.grant("empty-site", TRIAL, site_id="S09")
    told = quick_room.service.get(f"/trials/{TRIAL}/evaluations/comparison", "empty-site").json()
    assert [each["agreement"]["estimate"] for each in told["agreement"]] == [None] * 3
    assert told["response_kappa"] == {"pairs": 0, "value": None, "lower": None, "upper": None}
    assert told["discordances"] == []
