"""Who sees which studies, and who sees them blinded."""

from typing import Any

from imaging_service.accounts.principal import Role
from tests.builders.arrivals import STUDY, TRIAL, TrialHouse, mr_instance

FOLLOW_UP, UNMATCHED = "1.2.5", "1.2.6"
STUDY_UID, PATIENT_ID = "0020000D", "00100020"


def seen(house: TrialHouse, account: str) -> dict[str, Any]:
    """Return the PatientID of each study that an account finds."""
    answer = house.service.get("/dicomweb/studies", account)
    assert answer.status_code == 200, answer.text
    return {each[STUDY_UID]["Value"][0]: each[PATIENT_ID]["Value"][0] for each in answer.json()}


def test_each_account_sees_what_its_role_and_grants_say(each_house: TrialHouse) -> None:
    house, service = each_house, each_house.service
    house.receive(mr_instance("20250301", study=UNMATCHED, patient_id="P-9"))
    reading_id = house.get("/subjects/01-001")["reading_id"]
    service.add_account("elsewhere", Role.COORDINATOR)
    service.grant("elsewhere", TRIAL, site_id="02")
    service.add_account("both", Role.COORDINATOR, Role.READER)
    service.grant("both", TRIAL, reader_slot=2)
    service.grant("adjudicator", TRIAL)
    service.add_account("funder", Role.SPONSOR, Role.READER)
    service.grant("funder", TRIAL)
    as_sent = {STUDY: "P-1", FOLLOW_UP: "P-1", UNMATCHED: "P-9"}
    assert seen(house, "coordinator") == seen(house, "administrator") == as_sent
    assert seen(house, "reader1") == seen(house, "both") == {STUDY: reading_id}
    assert seen(house, "adjudicator") == {STUDY: reading_id, FOLLOW_UP: reading_id}
    for account in ("elsewhere", "reader2", "funder"):
        assert seen(house, account) == {}, account
