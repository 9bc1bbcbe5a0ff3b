"""Pairs of writes about a trial: its protocol, readers, studies, quality, site queries, webhooks, reviews."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import text

from imaging_service.accounts.principal import Role
from tests.builders.reading import PROTOCOL, TRIAL, Imaged, ReadingRoom
from tests.builders.write import REASON, Recipe, Write, new_name, pairs, same

COORDINATOR = "coordinator"
OF_TRIAL = f"/trials/{TRIAL}"


def study_of(room: ReadingRoom, imaged: Imaged) -> str:
    """Return the study of a timepoint's images."""
    wanted = text("SELECT study_instance_uid FROM studies WHERE timepoint_id = :timepoint_id")
    with room.service.database.read() as session:
        return str(session.scalar(wanted, {"timepoint_id": imaged.timepoint_id}))


def _made(room: ReadingRoom, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = room.service.post(path, COORDINATOR, json=body)
    assert answer.status_code in {200, 201}, answer.text
    made: dict[str, Any] = answer.json()
    return made


def file_version(room: ReadingRoom) -> Write:
    trial = new_name("T")
    first = PROTOCOL.read_text().replace(TRIAL, trial)
    headers = {"Content-Type": "application/toml"}
    filed = room.service.post("/trials", "administrator", content=first, headers=headers)
    assert filed.status_code == 201, filed.text
    second = first.replace('version = "', 'effective_on = 2030-01-01\nversion = "2.')
    dry = room.service.post(
        f"/trials/{trial}/protocols/dry-run", "administrator", content=second, headers=headers
    )
    assert dry.status_code == 200, dry.text
    return Write(
        account="administrator",
        path=f"/trials/{trial}/protocols?digest={dry.json()['digest']}",
        bodies=same(second),
        headers=headers,
        statuses=pairs((201, 409), (201, 201)),
    )


def seat_reader(room: ReadingRoom) -> Write:
    trial = new_name("T")
    headers = {"Content-Type": "application/toml"}
    protocol = PROTOCOL.read_text().replace(TRIAL, trial)
    assert room.service.post("/trials", "administrator", content=protocol, headers=headers).status_code == 201
    names = [new_name("seated") for _ in range(2)]
    for name in names:
        room.service.add_account(name, Role.READER)
    bodies = ({"account": names[0]}, {"account": names[1]})
    path = f"/trials/{trial}/readers/1"
    return Write(account="administrator", path=path, bodies=bodies, statuses=pairs((200, 409)))


def assign_study(room: ReadingRoom) -> Write:
    imaged = room.image(room.someone(), 0)
    others = [room.someone(), room.someone()]
    bodies = tuple(
        {"subject_id": each, "timepoint": "unscheduled", "reason": REASON, "version": 1} for each in others
    )
    path = f"{OF_TRIAL}/studies/{study_of(room, imaged)}/assignment"
    return Write(account=COORDINATOR, path=path, bodies=(bodies[0], bodies[1]), statuses=pairs((200, 409)))


def split_study(room: ReadingRoom) -> Write:
    imaged = room.image(room.someone(), 0)
    study = study_of(room, imaged)
    series = room.add_series(study)
    bodies = tuple(
        {"series": [series], "timepoint": each, "reason": REASON, "version": 1, "imaged_on": "2024-02-01"}
        for each in (1, "unscheduled")
    )
    path = f"{OF_TRIAL}/studies/{study}/split"
    return Write(account=COORDINATOR, path=path, bodies=(bodies[0], bodies[1]), statuses=pairs((200, 409)))


def merge_studies(room: ReadingRoom) -> Write:
    subject = room.someone()
    study = study_of(room, room.image(subject, 1))
    others = [study_of(room, room.image(subject, number)) for number in (0, 2)]
    bodies = tuple({"with_study": each, "reason": REASON, "version": 1} for each in others)
    path = f"{OF_TRIAL}/studies/{study}/merge"
    return Write(account=COORDINATOR, path=path, bodies=(bodies[0], bodies[1]), statuses=pairs((200, 409)))


def accept_images(room: ReadingRoom) -> Write:
    imaged = room.image(room.someone(), 0)
    path = f"{OF_TRIAL}/timepoints/{imaged.timepoint_id}/quality"
    _made(room, f"{path}/rejection", {"reason": "Motion everywhere."})
    _made(room, f"{path}/reopening", {"reason": REASON})
    bodies = same({"reason": REASON})
    return Write(
        account=COORDINATOR,
        path=f"{path}/acceptance",
        bodies=bodies,
        statuses=pairs((200, 409), (200, 200)),
    )


def reopen_quality(room: ReadingRoom) -> Write:
    imaged = room.image(room.someone(), 0)
    path = f"{OF_TRIAL}/timepoints/{imaged.timepoint_id}/quality"
    _made(room, f"{path}/rejection", {"reason": "Motion everywhere."})
    return Write(
        account=COORDINATOR,
        path=f"{path}/reopening",
        bodies=same({"reason": REASON}),
        statuses=pairs((200, 409)),
    )


def _query(room: ReadingRoom, *steps: str) -> str:
    """Ask a site something, go some steps on, and return the query's path."""
    body = {"site_id": "S01", "code": "other", "text": "Which scanner was it?"}
    asked = _made(room, f"{OF_TRIAL}/site_queries", body)
    path = f"{OF_TRIAL}/site_queries/{asked['query_id']}"
    for each in steps:
        _made(room, f"{path}/{each}", {"text": "The one in room 2."})
    return path


def ask_site(_room: ReadingRoom) -> Write:
    body = {"site_id": "S01", "code": "other", "text": "Which scanner was it?"}
    # the same question twice is two questions: a person asks, and may ask again
    return Write(
        account=COORDINATOR,
        path=f"{OF_TRIAL}/site_queries",
        bodies=same(body),
        statuses=pairs((201, 201), (201, 409)),
    )


def _step(room: ReadingRoom, step: str, *before: str) -> Write:
    path = _query(room, *before)
    version = room.service.get(path, COORDINATOR).json()["version"]
    bodies = ({"text": "The one in room 2.", "version": version}, {"text": "Room 3.", "version": version})
    return Write(account=COORDINATOR, path=f"{path}/{step}", bodies=bodies, statuses=pairs((200, 409)))


def answer_query(room: ReadingRoom) -> Write:
    return _step(room, "answer")


def follow_query_up(room: ReadingRoom) -> Write:
    return _step(room, "follow_up", "answer")


def close_query(room: ReadingRoom) -> Write:
    return _step(room, "closure", "answer")


def reopen_query(room: ReadingRoom) -> Write:
    return _step(room, "reopening", "answer", "closure")


def register_webhook(room: ReadingRoom) -> Write:
    _end_webhooks(room)
    body = {"url": f"https://edc.example.org/{new_name('hook')}"}
    return Write(
        account=COORDINATOR, path=f"{OF_TRIAL}/webhooks", bodies=same(body), statuses=pairs((201, 409))
    )


def _end_webhooks(room: ReadingRoom) -> None:
    """Make room: a trial has a limited number."""
    for each in room.service.get(f"{OF_TRIAL}/webhooks", COORDINATOR).json():
        path = f"{OF_TRIAL}/webhooks/{each['webhook_id']}"
        assert room.service.delete(path, COORDINATOR).status_code == 204


def _webhook(room: ReadingRoom) -> str:
    _end_webhooks(room)
    body = {"url": f"https://edc.example.org/{new_name('hook')}"}
    return f"{OF_TRIAL}/webhooks/{_made(room, f'{OF_TRIAL}/webhooks', body)['webhook_id']}"


def switch_webhook(room: ReadingRoom) -> Write:
    body = {"is_enabled": False, "reason": REASON}
    # what is off already is answered as it is
    return Write(account=COORDINATOR, path=_webhook(room), bodies=same(body), statuses=pairs((200, 200)))


def end_webhook(room: ReadingRoom) -> Write:
    return Write(account=COORDINATOR, path=_webhook(room), bodies=(None, None), statuses=pairs((204, 404)))


def import_subjects(_room: ReadingRoom) -> Write:
    subject = new_name("IMPORTED")
    bodies = tuple(
        f"subject_id,site_id,first_dose_on\r\n{subject},S01,2024-01-{day}\r\n" for day in ("15", "16")
    )
    return Write(
        account=COORDINATOR,
        path=f"{OF_TRIAL}/subjects/import?reason=As+the+site+reports.",
        bodies=(bodies[0], bodies[1]),
        headers={"Content-Type": "text/csv"},
        statuses=pairs((200, 200), (200, 409)),
    )


def write_cycles(room: ReadingRoom) -> Write:
    subject = room.someone()
    path = f"{OF_TRIAL}/subjects/{subject}/cycles"
    bodies = tuple(
        {"started_on": ["2024-01-15", day], "reason": REASON, "version": 0}
        for day in ("2024-02-05", "2024-02-06")
    )
    return Write(account=COORDINATOR, path=path, bodies=(bodies[0], bodies[1]), statuses=pairs((200, 409)))


P = "/api/v1/trials/{trial_id}"
RECIPES: Mapping[tuple[str, str], Recipe] = MappingProxyType(
    {
        ("POST", f"{P}/protocols"): file_version,
        ("PUT", f"{P}/readers/{{slot}}"): seat_reader,
        ("POST", f"{P}/studies/{{study_instance_uid}}/assignment"): assign_study,
        ("POST", f"{P}/studies/{{study_instance_uid}}/split"): split_study,
        ("POST", f"{P}/studies/{{study_instance_uid}}/merge"): merge_studies,
        ("POST", f"{P}/timepoints/{{timepoint_id}}/quality/acceptance"): accept_images,
        ("POST", f"{P}/timepoints/{{timepoint_id}}/quality/reopening"): reopen_quality,
        ("POST", f"{P}/site_queries"): ask_site,
        ("POST", f"{P}/site_queries/{{query_id}}/answer"): answer_query,
        ("POST", f"{P}/site_queries/{{query_id}}/follow_up"): follow_query_up,
        ("POST", f"{P}/site_queries/{{query_id}}/closure"): close_query,
        ("POST", f"{P}/site_queries/{{query_id}}/reopening"): reopen_query,
        ("POST", f"{P}/webhooks"): register_webhook,
        ("PATCH", f"{P}/webhooks/{{webhook_id}}"): switch_webhook,
        ("DELETE", f"{P}/webhooks/{{webhook_id}}"): end_webhook,
        ("POST", f"{P}/subjects/import"): import_subjects,
        ("PUT", f"{P}/subjects/{{subject_id}}/cycles"): write_cycles,
    }
)
