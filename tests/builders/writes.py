"""For each route that writes, a pair of requests that contradict or repeat each other."""

from collections.abc import Mapping
from types import MappingProxyType

from imaging_service.accounts.principal import Role
from tests.builders.adjudicating import PD, SD, case, read_by_both
from tests.builders.reading import PROTOCOL, TRIAL, ReadingRoom, measured
from tests.builders.service import PASSWORD
from tests.builders.write import REASON, Recipe, Write, new_name, pairs, same
from tests.builders.writes_of_accounts import RECIPES as OF_ACCOUNTS
from tests.builders.writes_of_trials import RECIPES as OF_TRIALS


def sign_in(_room: ReadingRoom) -> Write:
    body = {"account": "sponsor", "password": PASSWORD}
    return Write(account=None, path="/sessions", bodies=same(body), statuses=pairs((201, 201)))


def create_account(_room: ReadingRoom) -> Write:
    name = new_name("account")
    bodies = tuple({"account": name, "name": who, "roles": ["sponsor"]} for who in ("One", "Two"))
    return Write(
        account="administrator", path="/accounts", bodies=(bodies[0], bodies[1]), statuses=pairs((201, 409))
    )


def grant(room: ReadingRoom) -> Write:
    name = new_name("granted")
    room.service.add_account(name, Role.READER)
    path = f"/accounts/{room.service.account_id(name)}/grants"
    body = {"trial_id": TRIAL, "reader_slot": 9}
    # what is granted already is answered as it is
    return Write(account="administrator", path=path, bodies=same(body), statuses=pairs((200, 200)))


def close_account(room: ReadingRoom) -> Write:
    name = new_name("closed")
    room.service.add_account(name)
    path = f"/accounts/{room.service.account_id(name)}/closure"
    body = {"reason": REASON}
    return Write(
        account="administrator",
        path=path,
        bodies=same(body),
        statuses=pairs((200, 409), (200, 200), (204, 204)),
    )


def file_protocol(_room: ReadingRoom) -> Write:
    trial = new_name("T")
    text = PROTOCOL.read_text().replace(TRIAL, trial)
    bodies = (text, text.replace('title = "', 'title = "Other '))
    return Write(
        account="administrator",
        path="/trials",
        bodies=bodies,
        headers={"Content-Type": "application/toml"},
        statuses=pairs((201, 409)),
    )


def open_site(_room: ReadingRoom) -> Write:
    site = new_name("S")
    bodies = ({"site_id": site, "name": "North"}, {"site_id": site, "name": "South"})
    return Write(
        account="administrator", path=f"/trials/{TRIAL}/sites", bodies=bodies, statuses=pairs((201, 409))
    )


def enrol(_room: ReadingRoom) -> Write:
    subject = new_name("SUBJ")
    bodies = (
        {"subject_id": subject, "site_id": "S01", "first_dose_on": "2024-01-15"},
        {"subject_id": subject, "site_id": "S02", "first_dose_on": "2024-01-16"},
    )
    return Write(
        account="coordinator", path=f"/trials/{TRIAL}/subjects", bodies=bodies, statuses=pairs((201, 409))
    )


def correct(room: ReadingRoom) -> Write:
    subject = room.someone()
    bodies = (
        {"first_dose_on": "2024-01-16", "reason": REASON, "version": 1},
        {"first_dose_on": "2024-01-17", "reason": REASON, "version": 1},
    )
    path = f"/trials/{TRIAL}/subjects/{subject}"
    return Write(account="coordinator", path=path, bodies=bodies, statuses=pairs((200, 409)))


def register_patient(room: ReadingRoom) -> Write:
    path = f"/trials/{TRIAL}/subjects/{room.someone()}/patient_ids"
    body = {"patient_ids": [new_name("P")]}
    statuses = pairs((200, 200), (201, 201), (200, 201), (200, 409), (201, 409))
    return Write(account="coordinator", path=path, bodies=same(body), statuses=statuses)


def mark_not_done(room: ReadingRoom) -> Write:
    subject = room.someone()
    path = f"/trials/{TRIAL}/timepoints/{room.expect(subject, 1)}/not_done"
    bodies = ({"reason": "The scanner was broken."}, {"reason": "The subject was away."})
    return Write(account="coordinator", path=path, bodies=bodies, statuses=pairs((200, 200), (200, 409)))


def open_read(room: ReadingRoom) -> Write:
    imaged = room.image(room.someone(), 0)
    path = f"/timepoints/{imaged.timepoint_id}/reads"
    return Write(account="reader1", path=path, statuses=pairs((200, 201)))


def enter_lesion(room: ReadingRoom) -> Write:
    imaged = room.image(room.someone(), 0)
    read_id = room.open("reader1", imaged)
    bodies = (measured(imaged, 40.0, "liver"), measured(imaged, 50.0, "liver"))
    path = f"/reads/{read_id}/lesions/T01"
    return Write(account="reader1", path=path, bodies=bodies, statuses=pairs((201, 409), (201, 428)))


def withdraw_lesion(room: ReadingRoom) -> Write:
    imaged = room.image(room.someone(), 0)
    read_id = room.open("reader1", imaged)
    entered = room.enter("reader1", read_id, "T01", measured(imaged, 40.0, "liver"))
    return Write(
        account="reader1",
        path=f"/reads/{read_id}/lesions/T01",
        bodies=(None, None),
        headers={"If-Match": entered.headers["ETag"]},
        statuses=pairs((204, 204), (204, 409)),
    )


def sign(room: ReadingRoom) -> Write:
    imaged = room.image(room.someone(), 0)
    read_id = room.open("reader1", imaged)
    assert room.enter("reader1", read_id, "T01", measured(imaged, 40.0, "liver")).status_code == 201
    body = {"password": PASSWORD, "meaning": "I confirm this read."}
    return Write(
        account="reader1",
        path=f"/reads/{read_id}/signature",
        bodies=same(body),
        statuses=pairs((201, 409)),
    )


def unlock(room: ReadingRoom) -> Write:
    imaged = room.image(room.someone(), 0)
    room.read("reader1", imaged, {"T01": measured(imaged, 40.0, "liver")})
    path = f"/reads/{room.open('reader1', imaged)}/unlocking"
    bodies = ({"reason": "A slip of the mouse."}, {"reason": "The wrong series."})
    return Write(account="coordinator", path=path, bodies=bodies, statuses=pairs((201, 409)))


def decide(room: ReadingRoom) -> Write:
    subject, _ = read_by_both(room, [PD], [SD])
    common = {
        "password": PASSWORD,
        "meaning": "I confirm this adjudication.",
        "reason": "The lesion is better outlined there.",
        "evidence_sha256": case(room, subject).json()["evidence_sha256"],
    }
    path = f"/trials/{TRIAL}/adjudications/{room.reading_id(subject)}/decision"
    bodies = ({**common, "chosen_reader": 1}, {**common, "chosen_reader": 2})
    return Write(account="adjudicator", path=path, bodies=bodies, statuses=pairs((201, 409)))


def evaluate(room: ReadingRoom) -> Write:
    imaged = room.image(room.someone(), 1)
    path = f"/trials/{TRIAL}/timepoints/{imaged.timepoint_id}/evaluation"
    common = {"has_progressed": False, "reason": "As the site read it."}
    bodies = ({**common, "overall_response": "SD"}, {**common, "overall_response": "PR"})
    return Write(account="coordinator", path=path, bodies=bodies, statuses=pairs((201, 409)))


def reject_images(room: ReadingRoom) -> Write:
    imaged = room.image(room.someone(), 0)
    path = f"/trials/{TRIAL}/timepoints/{imaged.timepoint_id}/quality/rejection"
    return Write(
        account="coordinator",
        path=path,
        bodies=({"reason": "Motion everywhere."}, {"reason": "The wrong body part."}),
        statuses=pairs((200, 200), (200, 409), (201, 409)),
    )


def reject_study(room: ReadingRoom) -> Write:
    subject = room.someone()
    imaged = room.image(subject, 0)
    with room.service.database.read() as session:
        uid = (
            session.connection()
            .exec_driver_sql(
                f"SELECT study_instance_uid FROM studies WHERE timepoint_id = '{imaged.timepoint_id}'"  # noqa: S608
            )
            .scalar_one()
        )
    path = f"/trials/{TRIAL}/studies/{uid}/rejection"
    bodies = ({"reason": "A knee.", "version": 1}, {"reason": "An elbow.", "version": 1})
    return Write(account="coordinator", path=path, bodies=bodies, statuses=pairs((200, 409), (200, 200)))


P = "/api/v1"
RECIPES: Mapping[tuple[str, str], Recipe] = MappingProxyType(
    {
        **OF_ACCOUNTS,
        **OF_TRIALS,
        ("POST", f"{P}/sessions"): sign_in,
        ("POST", f"{P}/accounts"): create_account,
        ("POST", f"{P}/accounts/{{account_id}}/grants"): grant,
        ("POST", f"{P}/accounts/{{account_id}}/closure"): close_account,
        ("POST", f"{P}/trials"): file_protocol,
        ("POST", f"{P}/trials/{{trial_id}}/sites"): open_site,
        ("POST", f"{P}/trials/{{trial_id}}/subjects"): enrol,
        ("PATCH", f"{P}/trials/{{trial_id}}/subjects/{{subject_id}}"): correct,
        ("POST", f"{P}/trials/{{trial_id}}/subjects/{{subject_id}}/patient_ids"): register_patient,
        ("POST", f"{P}/trials/{{trial_id}}/timepoints/{{timepoint_id}}/not_done"): mark_not_done,
        ("POST", f"{P}/timepoints/{{timepoint_id}}/reads"): open_read,
        ("PUT", f"{P}/reads/{{read_id}}/lesions/{{lesion_id}}"): enter_lesion,
        ("DELETE", f"{P}/reads/{{read_id}}/lesions/{{lesion_id}}"): withdraw_lesion,
        ("POST", f"{P}/reads/{{read_id}}/signature"): sign,
        ("POST", f"{P}/reads/{{read_id}}/unlocking"): unlock,
        ("POST", f"{P}/trials/{{trial_id}}/adjudications/{{reading_id}}/decision"): decide,
        ("PUT", f"{P}/trials/{{trial_id}}/timepoints/{{timepoint_id}}/evaluation"): evaluate,
        ("POST", f"{P}/trials/{{trial_id}}/timepoints/{{timepoint_id}}/quality/rejection"): reject_images,
        ("POST", f"{P}/trials/{{trial_id}}/studies/{{study_instance_uid}}/rejection"): reject_study,
    }
)
