"""Set the trial up over REST: accounts, protocol, sites, readers, subjects. Done before, it stays."""

import httpx

from fixtures.demo.story import Story
from imaging_service.demo.errors import AnswerError
from imaging_service.demo.people import ADMINISTRATOR, COORDINATOR, SPONSOR, Person, everybody
from imaging_service.demo.progress import Progress
from imaging_service.demo.rest import Caller
from imaging_service.demo.running import Installation


def ensure_administrator(installation: Installation) -> None:
    """Make the first account at the machine's own console, as an operator would, unless it can sign in."""
    with Caller(installation.address, ADMINISTRATOR.account, ADMINISTRATOR.password) as administrator:
        try:
            administrator.get("/accounts/me")
        except AnswerError as error:
            if error.status != httpx.codes.UNAUTHORIZED:
                raise
            who = [ADMINISTRATOR.account, "--name", ADMINISTRATOR.name, "--role", ADMINISTRATOR.role]
            installation.run(["imaging-service", "user", "add", *who], typed=f"{ADMINISTRATOR.password}\n")


def prepare_trial(administrator: Caller, story: Story, progress: Progress) -> None:
    """Do what a trial's staff does before the first study arrives."""
    administrator.write_text("POST", "/trials", story.protocol_path.read_text(), "application/toml")
    progress.say(f"Protocol {story.trial_id} filed from fixtures/{story.protocol}.")
    trial = f"/trials/{story.trial_id}"
    for site in story.sites:
        administrator.write("POST", f"{trial}/sites", {"site_id": site.site_id, "name": site.name})
    for person in everybody(story):
        if person != ADMINISTRATOR:
            _ensure_account(administrator, story, person)
    for reader in story.readers:
        administrator.write("PUT", f"{trial}/readers/{reader.slot}", {"account": reader.account})
    progress.say(
        f"{len(story.sites)} sites, {len(story.readers)} readers and their colleagues have accounts."
    )


def enrol_subjects(coordinator: Caller, story: Story, progress: Progress) -> None:
    """Enrol every subject of the story with her dates and the PatientID her site uses."""
    for subject in story.subjects:
        coordinator.ensure(
            "POST",
            f"/trials/{story.trial_id}/subjects",
            {
                "subject_id": subject.subject_id,
                "site_id": subject.site_id,
                "patient_ids": [subject.patient_id],
                "consent_on": subject.consent_on.isoformat(),
                "first_dose_on": subject.first_dose_on.isoformat(),
            },
        )
    progress.say(f"{len(story.subjects)} subjects enrolled.")


def _ensure_account(administrator: Caller, story: Story, person: Person) -> None:
    """Create an account; staff may act on the whole trial, a reader gets a slot instead."""
    may_see_all = person in {COORDINATOR, SPONSOR}
    administrator.ensure(
        "POST",
        "/accounts",
        {
            "account": person.account,
            "name": person.name,
            "roles": [person.role],
            "password": person.password,
            "grants": [{"trial_id": story.trial_id}] if may_see_all else [],
        },
    )
