"""Two readers who have finished a subject and differ make a case; an adjudicator chooses one of them."""

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from imaging_service.accounts.principal import Role
from tests.builders.adjudicating import (
    PD,
    PR,
    SD,
    amend,
    case,
    decide,
    read_by_both,
    read_lengths,
    review,
    unlock,
    waiting,
)
from tests.builders.reading import TRIAL, ReadingRoom


def test_readers_who_agree_need_nobody_and_reader_1_is_accepted(judged: ReadingRoom) -> None:
    subject, _ = read_by_both(judged, [SD, PD], [SD, PD])
    found = review(judged, subject)
    assert (found["standing"], found["is_accepted"], found["reader"]) == ("agreed", True, 1)
    assert judged.reading_id(subject) not in waiting(judged)
    assert case(judged, subject).status_code == 404


def test_readers_who_differ_wait_for_the_adjudicator_whose_choice_is_accepted(judged: ReadingRoom) -> None:
    subject, _ = read_by_both(judged, [SD, SD], [SD, PD])
    item = waiting(judged)[judged.reading_id(subject)]
    # 2024-01-15 + 84 days = 2024-04-08
    assert item["differences"] == [
        {"variable": "progression", "reader_1": "N", "reader_2": "Y"},
        {"variable": "progression_date", "reader_1": None, "reader_2": "2024-04-08"},
    ]
    before = review(judged, subject)
    assert (before["standing"], before["is_accepted"]) == ("to_adjudicate", False)

    shown = case(judged, subject).json()
    assert [each["reader"] for each in shown["readers"]] == [1, 2]
    assert [each["overall_response"] for each in shown["readers"][1]["reads"]] == [None, "SD", "PD"]
    assert [each["sum_mm"] for each in shown["readers"][0]["reads"]] == ["50.0", "45.0", "45.0"]
    assert shown["readers"][1]["reads"][2]["lesions"][0]["diameter_mm"] == "70.0"

    signed = decide(judged, subject, 2)
    assert signed.status_code == 201, signed.text
    assert (signed.json()["chosen_reader"], signed.json()["edition"]) == (2, 1)
    assert signed.json()["printed_name"] == "Adjudicator"
    after = review(judged, subject)
    assert (after["standing"], after["is_accepted"], after["reader"]) == ("adjudicated", True, 2)
    assert judged.reading_id(subject) not in waiting(judged)


def test_outcomes_of_record_and_statistics_follow_the_decision(judged: ReadingRoom) -> None:
    subject, _ = read_by_both(judged, [SD, SD], [SD, PD])
    path = f"/trials/{TRIAL}/subjects/{subject}/outcomes?view=accepted"
    (before,) = judged.service.get(path, "sponsor").json()["readers"]
    assert (before["slot"], before["is_accepted"], before["progression"]) == (1, False, None)
    figures = judged.service.get(f"/trials/{TRIAL}/readers/statistics", "sponsor").json()
    assert decide(judged, subject, 2).status_code == 201
    (after,) = judged.service.get(path, "sponsor").json()["readers"]
    assert (after["slot"], after["is_accepted"]) == (2, True)
    assert after["progression"]["progressed_on"] == "2024-04-08"
    anew = judged.service.get(f"/trials/{TRIAL}/readers/statistics", "sponsor").json()
    assert anew["decided"]["count"] == figures["decided"]["count"] + 1
    assert anew["readers"][0]["disagreement_index"]["count"] == (
        figures["readers"][0]["disagreement_index"]["count"] + 1
    )


def test_an_amended_read_opens_the_case_again_and_the_old_decision_stays(judged: ReadingRoom) -> None:
    subject, images = read_by_both(judged, [SD, SD], [SD, PD])
    first = decide(judged, subject, 2).json()

    unlocked = unlock(judged, "reader1", images[2])
    found = review(judged, subject)
    assert (found["standing"], found["is_accepted"]) == ("reading", False)
    assert judged.sign("reader1", unlocked["read_id"]).status_code == 201

    item = waiting(judged)[judged.reading_id(subject)]
    assert item["edition"] == 2
    second = decide(judged, subject, 1)
    assert second.status_code == 201, second.text
    found = review(judged, subject)
    assert (found["standing"], found["reader"]) == ("adjudicated", 1)
    assert [each["edition"] for each in found["decisions"]] == [1, 2]
    assert found["decisions"][0] == first


def test_an_amendment_can_bring_the_readers_to_agree(quick_judged: ReadingRoom) -> None:
    subject, images = read_by_both(quick_judged, [SD, SD], [SD, PD])
    decide(quick_judged, subject, 2)
    amend(quick_judged, "reader1", images[2], PD)
    found = review(quick_judged, subject)
    assert (found["standing"], found["reader"], len(found["decisions"])) == ("agreed", 1, 1)


def test_nothing_is_decided_on_a_case_that_changed_meanwhile(quick_judged: ReadingRoom) -> None:
    subject, images = read_by_both(quick_judged, [SD, SD], [SD, PD])
    seen = case(quick_judged, subject).json()["evidence_sha256"]
    amend(quick_judged, "reader1", images[2], PR)
    refused = decide(quick_judged, subject, 1, evidence_sha256=seen)
    assert (refused.status_code, refused.json()["code"]) == (409, "evidence_changed")
    assert review(quick_judged, subject)["decisions"] == []


def test_a_case_is_decided_once(quick_judged: ReadingRoom) -> None:
    subject, _ = read_by_both(quick_judged, [SD, SD], [SD, PD])
    assert decide(quick_judged, subject, 2).status_code == 201
    again = decide(quick_judged, subject, 1)
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_adjudicate")
    assert review(quick_judged, subject)["reader"] == 2


def test_no_case_before_both_have_finished(quick_judged: ReadingRoom) -> None:
    room = quick_judged
    subject = room.someone()
    images = [room.image(subject, number) for number in range(3)]
    read_lengths(room, "reader1", images, [50.0, SD, PD])
    assert review(room, subject)["standing"] == "reading"
    read_lengths(room, "reader2", images[:2], [50.0, SD])
    assert review(room, subject)["standing"] == "reading"
    assert room.reading_id(subject) not in waiting(room)
    refused = decide(room, subject, 1, evidence_sha256="0" * 64)
    assert refused.status_code == 404


def test_a_case_waits_for_the_calendar_unless_both_have_seen_progression(quick_judged: ReadingRoom) -> None:
    room = quick_judged
    still, _ = read_by_both(room, [SD, SD], [SD, PD])
    room.expect(still, 3)
    assert review(room, still)["standing"] == "reading"
    early, _ = read_by_both(room, [PD, PD], [SD, PD])
    room.expect(early, 3)
    assert review(room, early)["standing"] == "to_adjudicate"
    room.expect(over := read_by_both(room, [SD, SD], [SD, PD])[0], 3, not_done="Moved away.")
    assert review(room, over)["standing"] == "to_adjudicate"


def test_what_a_reader_reads_after_progression_leaves_a_decision_as_it_is(quick_judged: ReadingRoom) -> None:
    room = quick_judged
    subject, images = read_by_both(room, [PD], [SD, PD])
    assert decide(room, subject, 1).status_code == 201
    read_lengths_after = {"T01": {"state": "too_small"}}
    room.read("reader1", images[2], read_lengths_after)
    assert review(room, subject)["standing"] == "adjudicated"


def test_only_who_signs_with_the_right_password_decides(quick_judged: ReadingRoom) -> None:
    subject, _ = read_by_both(quick_judged, [SD, SD], [SD, PD])
    wrong = decide(quick_judged, subject, 2, password="wrong horse")  # noqa: S106  not anybody's
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_password")
    assert decide(quick_judged, subject, 2, reason="").status_code == 422
    assert review(quick_judged, subject)["decisions"] == []


def test_nobody_adjudicates_an_own_read(judged: ReadingRoom) -> None:
    room = judged
    room.service.add_account("both-hats", Role.READER, Role.ADJUDICATOR)
    subject, images = read_by_both(room, [SD, SD], [SD, PD])
    seen = case(room, subject).json()["evidence_sha256"]
    room.service.grant("both-hats", TRIAL, reader_slot=3)
    for answer in (
        case(room, subject, "both-hats"),
        decide(room, subject, 1, "both-hats", evidence_sha256=seen),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "adjudicator_not_independent")
    assert waiting(room, "both-hats") == {}
    assert images


def test_who_sees_the_trial_unblinded_does_not_adjudicate(quick_judged: ReadingRoom) -> None:
    room = quick_judged
    room.service.add_account("judging-coordinator", Role.COORDINATOR, Role.ADJUDICATOR)
    room.service.grant("judging-coordinator", TRIAL)
    subject, _ = read_by_both(room, [SD, SD], [SD, PD])
    assert case(room, subject, "judging-coordinator").status_code == 403
    listed = room.service.get(f"/trials/{TRIAL}/reviews", "judging-coordinator")
    assert (listed.status_code, listed.json()["code"]) == (403, "blinded")


def test_an_adjudicator_of_another_trial_finds_nothing(quick_judged: ReadingRoom) -> None:
    room = quick_judged
    room.service.add_account("stranger", Role.ADJUDICATOR)
    subject, _ = read_by_both(room, [SD, SD], [SD, PD])
    assert case(room, subject, "stranger").status_code == 404
    assert waiting(room, "stranger") == {}
    missing = room.service.get(f"/adjudications?trial_id={TRIAL}", "stranger")
    assert missing.status_code == 404


def test_no_answer_to_an_adjudicator_names_the_subject_the_site_or_a_reader(judged: ReadingRoom) -> None:
    subject, _ = read_by_both(judged, [SD, SD], [SD, PD], site_id="S02")
    texts = [judged.service.get("/adjudications?limit=500", "adjudicator").text, case(judged, subject).text]
    texts.append(decide(judged, subject, 2).text)
    texts.append(case(judged, subject).text)
    readers = [judged.service.account_id(each) for each in ("reader1", "reader2")]
    for shown in texts:
        assert [
            each for each in (subject, "S02", "N-4711", "Reader1", "Reader2", *readers) if each in shown
        ] == []


def test_the_worklist_comes_page_by_page(quick_judged: ReadingRoom) -> None:
    for _ in range(2):
        read_by_both(quick_judged, [SD, SD], [SD, PD])
    every, cursor = [], ""
    while True:
        answer = quick_judged.service.get(f"/adjudications?limit=1{cursor}", "adjudicator").json()
        every += [each["reading_id"] for each in answer["items"]]
        if answer["next_cursor"] is None:
            break
        cursor = f"&cursor={answer['next_cursor']}"
    assert every == sorted(waiting(quick_judged))


def test_a_decision_is_in_the_audit_and_never_changes(judged: ReadingRoom) -> None:
    subject, _ = read_by_both(judged, [SD, SD], [SD, PD])
    signed = decide(judged, subject, 2).json()
    with judged.service.database.read() as session:
        found = text("SELECT after, reason FROM audit_entries WHERE action = 'adjudicate subject'")
        entries = [
            row
            for row in session.execute(found)
            if json.loads(row.after)["record_hash"] == signed["record_hash"]
        ]
    assert [row.reason for row in entries] == ["The lesion is better outlined there."]
    for change in ("UPDATE adjudication_decisions SET chosen_slot = 1", "DELETE FROM adjudication_decisions"):
        with (
            pytest.raises(DBAPIError, match="an adjudication never changes"),
            judged.service.database.writer.begin() as connection,
        ):
            connection.execute(text(change))
