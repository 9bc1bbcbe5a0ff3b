"""A signature needs the password again, locks the read, and is given once."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from tests.builders.reading import Imaged, ReadingRoom, measured, state
from tests.builders.service import PASSWORD


@pytest.fixture
def complete(quick_room: ReadingRoom, baseline: Imaged, read_id: str) -> str:
    """Give a draft without gaps."""
    quick_room.enter("reader1", read_id, "T01", measured(baseline, 40.04, "liver"))
    return read_id


def test_a_signature_says_who_when_and_what_it_means(quick_room: ReadingRoom, complete: str) -> None:
    answer = quick_room.sign("reader1", complete)
    assert answer.status_code == 201, answer.text
    read = answer.json()["read"]
    assert read["status"] == "signed"
    signature = read["signature"]
    assert signature["printed_name"] == "Reader1"
    assert signature["role"] == "reader"
    assert signature["meaning"] == "I confirm this read."
    assert signature["signed_at"] == "2026-01-05T08:00:00Z"
    assert len(signature["record_hash"]) == 64


def test_lengths_are_rounded_once_at_signing(quick_room: ReadingRoom, complete: str) -> None:
    read = quick_room.sign("reader1", complete).json()["read"]
    (axis,) = read["lesions"][0]["axes"]
    assert axis["length_mm"] == pytest.approx(40.04)
    assert axis["reported_mm"] == "40.0"
    assert read["lesions"][0]["diameter_mm"] == "40.0"


def test_a_wrong_password_signs_nothing(quick_room: ReadingRoom, complete: str) -> None:
    answer = quick_room.sign("reader1", complete, password="not this one")  # noqa: S106  a wrong one
    assert answer.status_code == 401
    assert answer.json()["code"] == "wrong_password"
    assert quick_room.service.get(f"/reads/{complete}", "reader1").json()["status"] == "draft"


def test_a_signature_without_a_password_is_refused(quick_room: ReadingRoom, complete: str) -> None:
    body = {"meaning": "I confirm this read."}
    answer = quick_room.service.post(f"/reads/{complete}/signature", "reader1", json=body)
    assert answer.status_code == 401
    assert answer.json()["code"] == "password_missing"


def test_an_expired_token_signs_nothing(quick_room: ReadingRoom, complete: str) -> None:
    service = quick_room.service
    headers = service.headers("reader1")
    service.clock.advance(timedelta(seconds=service.settings.session_seconds))
    body = {"password": PASSWORD, "meaning": "I confirm this read."}
    answer = service.client.post(f"/api/v1/reads/{complete}/signature", json=body, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_invalid"
    assert service.get(f"/reads/{complete}", "reader1").json()["status"] == "draft"


def test_a_second_signature_is_refused(quick_room: ReadingRoom, complete: str) -> None:
    first = quick_room.sign("reader1", complete).json()["read"]
    second = quick_room.sign("reader1", complete, meaning="Once more.")
    assert second.status_code == 409
    assert second.json()["code"] == "already_signed"
    assert "does not change any more; a draft was wanted" in second.json()["detail"]
    assert quick_room.service.get(f"/reads/{complete}", "reader1").json()["signature"] == first["signature"]


def test_the_same_request_sent_again_is_answered_the_same(quick_room: ReadingRoom, complete: str) -> None:
    body = {"password": PASSWORD, "meaning": "I confirm this read."}
    key = {"Idempotency-Key": f"sign-{complete}"}
    path = f"/reads/{complete}/signature"
    first = quick_room.service.post(path, "reader1", json=body, headers=key)
    again = quick_room.service.post(path, "reader1", json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


def test_a_draft_that_was_changed_meanwhile_is_not_signed(quick_room: ReadingRoom, complete: str) -> None:
    seen = quick_room.service.get(f"/reads/{complete}", "reader1").json()["version"]
    quick_room.enter("reader1", complete, "NT01", state("present", "bone"))
    answer = quick_room.sign("reader1", complete, version=seen)
    assert answer.status_code == 409
    assert answer.json()["code"] == "changed_meanwhile"


def test_nothing_is_written_into_a_signed_read(
    quick_room: ReadingRoom, baseline: Imaged, complete: str
) -> None:
    quick_room.sign("reader1", complete)
    entered = quick_room.enter("reader1", complete, "T02", measured(baseline, 30.0, "lung"))
    assert (entered.status_code, entered.json()["code"]) == (409, "already_signed")
    withdrawn = quick_room.service.delete(f"/reads/{complete}/lesions/T01", "reader1")
    assert (withdrawn.status_code, withdrawn.json()["code"]) == (409, "already_signed")


INSERTION = """
INSERT INTO read_axes SELECT read_id, lesion_id, 7, axis, study_instance_uid, series_instance_uid,
    sop_instance_uid, modality, frame, start_column, start_row, end_column, end_row, length_mm, claimed_mm,
    reported_mm, plane, object_sha256
FROM read_axes WHERE read_id = :read_id
"""
STATEMENTS = [
    "UPDATE reads SET imaged_on = '2020-01-01' WHERE read_id = :read_id",
    "UPDATE reads SET signed_at = NULL WHERE read_id = :read_id",
    "DELETE FROM reads WHERE read_id = :read_id",
    "UPDATE read_lesions SET diameter_mm = '1.0' WHERE read_id = :read_id",
    "DELETE FROM read_lesions WHERE read_id = :read_id",
    "UPDATE read_axes SET end_column = 1 WHERE read_id = :read_id",
    "DELETE FROM read_axes WHERE read_id = :read_id",
    "UPDATE read_axes SET lesion_id = 'T09' WHERE read_id = :read_id",
    INSERTION,
    "UPDATE read_signatures SET meaning = 'Nothing' WHERE read_id = :read_id",
    "DELETE FROM read_signatures WHERE read_id = :read_id",
    "UPDATE assessments SET overall_response = 'CR' WHERE read_id = :read_id",
    "DELETE FROM assessments WHERE read_id = :read_id",
]


def test_the_database_itself_refuses_to_change_what_was_signed(room: ReadingRoom) -> None:
    subject = room.someone()
    baseline = room.image(subject, 0)
    room.read("reader1", baseline, {"T01": measured(baseline, 40.0, "liver")})
    read_id = room.open("reader1", baseline)
    before = room.service.get(f"/reads/{read_id}", "reader1").json()
    for statement in STATEMENTS:
        with (
            pytest.raises(DatabaseError, match="never changes"),
            room.service.database.writer.begin() as connection,
        ):
            connection.execute(text(statement), {"read_id": read_id})
    assert room.service.get(f"/reads/{read_id}", "reader1").json() == before


def test_a_draft_row_is_no_longer_a_draft_for_whom_waited(room: ReadingRoom) -> None:
    """A writer who waited for the read while it was being signed finds it signed."""
    subject = room.someone()
    baseline = room.image(subject, 0)
    read_id = room.open("reader1", baseline)
    assert room.enter("reader1", read_id, "T01", measured(baseline, 40.0, "liver")).status_code == 201
    assert room.sign("reader1", read_id).status_code == 201
    late: Any = room.enter("reader1", read_id, "T01", measured(baseline, 50.0, "liver"))
    assert late.status_code == 409
