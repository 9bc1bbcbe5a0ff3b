"""Every stored answer follows from stored inputs; whatever was tampered with is named."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.builders.reading import TRIAL, ReadingRoom, measured


def recomputed(room: ReadingRoom, subject: str) -> dict[str, Any]:
    path = f"/trials/{TRIAL}/assessments/recomputation?subject={subject}"
    answer = room.service.get(path, "coordinator")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def read_twice(room: ReadingRoom) -> tuple[str, str]:
    """Give a subject with a signed baseline and follow-up, and the follow-up's read."""
    subject = room.someone()
    images = [room.image(subject, number) for number in range(2)]
    lesions = [{"T01": measured(images[0], 50.0, "liver")}, {"T01": measured(images[1], 30.0)}]
    return subject, room.course("reader1", images, lesions)[1]["read_id"]


def test_what_nobody_touched_is_derived_the_same(room: ReadingRoom, read_twice: tuple[str, str]) -> None:
    assert recomputed(room, read_twice[0]) == {"checked": 2, "differences": []}


TAMPERINGS = [
    pytest.param(
        "read_lesions",
        "UPDATE read_lesions SET diameter_mm = '50.0' WHERE read_id = :read_id",
        {"signature_broken", "inputs_changed"},
        id="another diameter",
    ),
    pytest.param(
        "read_axes",
        "UPDATE read_axes SET end_column = end_column + 1 WHERE read_id = :read_id",
        {"signature_broken"},
        id="another point",
    ),
    pytest.param(
        "read_signatures",
        "UPDATE read_signatures SET record_hash = 'ff' WHERE read_id = :read_id",
        {"signature_broken", "signature_contradicts"},
        id="another record hash",
    ),
    pytest.param(
        "assessments",
        "UPDATE assessments SET answer = {answer} WHERE read_id = :read_id",
        {"answer_differs", "answer_contradicts"},
        id="another answer",
    ),
    pytest.param(
        "assessments",
        "UPDATE assessments SET inputs_sha256 = 'ff' WHERE read_id = :read_id",
        {"inputs_digest"},
        id="another digest",
    ),
]
ANSWERS = {
    "sqlite": "json_set(answer, '$.timepoint.overall_response', 'CR')",
    "postgresql": "jsonb_set(answer, '{timepoint,overall_response}', '\"CR\"')",
}


@pytest.mark.parametrize(("table", "statement", "codes"), TAMPERINGS)
def test_what_was_tampered_with_is_named(
    room: ReadingRoom, read_twice: tuple[str, str], table: str, statement: str, codes: set[str]
) -> None:
    subject, read_id = read_twice
    database = room.service.database
    kind = "sqlite" if database.is_sqlite else "postgresql"
    trigger = f"{table}_final_update"
    with database.writer.begin() as connection:  # as somebody with the database's own password could
        if kind == "sqlite":
            made = connection.scalar(
                text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": trigger}
            )
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        else:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}"))
        connection.execute(text(statement.replace("{answer}", ANSWERS[kind])), {"read_id": read_id})
        connection.execute(
            text(made if kind == "sqlite" else f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
        )
    found = recomputed(room, subject)["differences"]
    assert {each["code"] for each in found} == codes
    assert {each["read_id"] for each in found} == {read_id}
    assert all(len(each["sentence"]) > 40 for each in found)
