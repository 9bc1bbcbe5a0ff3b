"""Subjects that two readers have read, and an adjudicator who decides."""

from collections.abc import Sequence
from typing import Any

from tests.builders.reading import TRIAL, Imaged, ReadingRoom, measured
from tests.builders.service import PASSWORD

PR, SD, PD = 30.0, 45.0, 70.0
"""Lengths of a target that had 50 mm at baseline."""


def read_lengths(room: ReadingRoom, account: str, images: Sequence[Imaged], lengths: Sequence[float]) -> None:
    """Let a reader measure one liver target of these lengths, baseline first."""
    lesions = [
        {"T01": measured(imaged, mm, "liver" if place == 0 else None)}
        for place, (imaged, mm) in enumerate(zip(images, lengths, strict=True))
    ]
    room.course(account, images, lesions)


def read_by_both(
    room: ReadingRoom, first: Sequence[float], second: Sequence[float], *, site_id: str = "S01"
) -> tuple[str, list[Imaged]]:
    """Enrol a subject whose baseline has 50 mm and let each reader measure what follows."""
    subject = room.someone(site_id)
    images = [room.image(subject, number) for number in range(max(len(first), len(second)) + 1)]
    for account, lengths in (("reader1", first), ("reader2", second)):
        read_lengths(room, account, images[: len(lengths) + 1], [50.0, *lengths])
    return subject, images


def waiting(room: ReadingRoom, account: str = "adjudicator") -> dict[str, dict[str, Any]]:
    """Return the adjudicator's open cases by reading id."""
    answer = room.service.get("/adjudications?limit=500", account)
    assert answer.status_code == 200, answer.text
    return {each["reading_id"]: each for each in answer.json()["items"]}


def case(room: ReadingRoom, subject: str, account: str = "adjudicator") -> Any:
    """Ask for a subject's case."""
    return room.service.get(f"/trials/{TRIAL}/adjudications/{room.reading_id(subject)}", account)


def decide(room: ReadingRoom, subject: str, chosen: int, account: str = "adjudicator", **more: Any) -> Any:
    """Choose a reader, on the case as it is now."""
    body = {
        "password": PASSWORD,
        "meaning": "I confirm this adjudication.",
        "chosen_reader": chosen,
        "reason": "The lesion is better outlined there.",
        "evidence_sha256": more.pop("evidence_sha256", None) or case(room, subject).json()["evidence_sha256"],
        **more,
    }
    path = f"/trials/{TRIAL}/adjudications/{room.reading_id(subject)}/decision"
    return room.service.post(path, account, json=body)


def review(room: ReadingRoom, subject: str) -> dict[str, Any]:
    """Return how far a subject's review has come."""
    answer = room.service.get(f"/trials/{TRIAL}/reviews?subject={subject}", "coordinator")
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["items"]
    return dict(found)


def amend(room: ReadingRoom, account: str, imaged: Imaged, mm: float, *, is_baseline: bool = False) -> None:
    """Unlock a reader's read, draw the target anew, and sign."""
    revision = unlock(room, account, imaged)
    version = revision["lesions"][0]["version"]
    entry = measured(imaged, mm, "liver" if is_baseline else None)
    headers = {"If-Match": f'"{version}"'}
    entered = room.enter(account, revision["read_id"], "T01", entry, headers=headers)
    assert entered.status_code == 200, entered.text
    signed = room.sign(account, revision["read_id"])
    assert signed.status_code == 201, signed.text


def unlock(room: ReadingRoom, account: str, imaged: Imaged) -> dict[str, Any]:
    """Let a coordinator unlock a reader's read and return the new revision."""
    reason = {"reason": "The reader reports a slip of the mouse."}
    answer = room.service.post(f"/reads/{room.open(account, imaged)}/unlocking", "coordinator", json=reason)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())
