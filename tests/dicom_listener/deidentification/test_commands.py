"""What an operator types: a sender that is de-identified, what is held, the name that a subject carries."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dicom_listener import cli
from dicom_listener.archive.archive import Archive
from dicom_listener.archive.records import Outcome
from dicom_listener.deidentification.engine import subject_of
from dicom_listener.deidentification.key import Key
from dicom_listener.errors import KeyMissingError, OriginalUnknownError
from dicom_listener.intake.door import open_intake
from dicom_listener.settings import ListenerSettings
from tests.dicom_listener.conftest import arrival
from tests.dicom_listener.instances import mr_instance

SECRET = b"thirty-two bytes and a few more of them"
KEY = Key(secret=SECRET)
ADD = ("senders", "add", "--calling-ae", "MRI_1", "--site", "S1", "--network", "127.0.0.0/8")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Give an archive's addresses, and a secret."""
    (tmp_path / "key").write_bytes(SECRET)
    return {
        "DICOM_LISTENER_DATABASE_URL": f"sqlite:///{tmp_path}/index.sqlite",
        "DICOM_LISTENER_OBJECTS": str(tmp_path / "objects"),
        "DICOM_LISTENER_ORIGINALS": str(tmp_path / "originals"),
        "DICOM_LISTENER_DEIDENTIFICATION_KEY_FILE": str(tmp_path / "key"),
    }


def told(environment: dict[str, str], *arguments: str) -> str:
    """Run a command and return what it prints."""
    done = CliRunner().invoke(cli.app, list(arguments), env=environment)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_a_sender_is_not_registered_to_be_de_identified_without_a_secret(environment: dict[str, str]) -> None:
    bare = environment | {"DICOM_LISTENER_DEIDENTIFICATION_KEY_FILE": ""}
    with pytest.raises(KeyMissingError, match="DEIDENTIFICATION_KEY_FILE"):
        told(bare, *ADD, "--deidentify", "on")
    told(bare, *ADD)
    assert "de-identified" not in told(bare, "senders", "list")


def test_what_is_held_is_listed_and_released_by_whoever_has_looked(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told(environment, *ADD, "--deidentify", "required", "--trial-protocol", "TRIAL-7")
    assert "de-identified: required" in told(environment, "senders", "list")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = ListenerSettings()
    archive = Archive.open(settings.database_url, settings.objects)
    archive.objects.prepare()
    sent = mr_instance(BurnedInAnnotation="YES")
    assert open_intake(settings, archive).receive(arrival(sent)).outcome is Outcome.HELD
    uid = KEY.uid(sent.SOPInstanceUID)
    assert told(environment, "held", "list").startswith(f"{uid}  site S1")
    told(environment, "held", "release", uid, "--decision", "A ruler. JR")
    assert archive.instance(uid) is not None
    assert told(environment, "held", "list") == ""
    with pytest.raises(OriginalUnknownError, match="held list"):
        told(environment, "held", "keep-back", uid, "--decision", "again")
    assert told(environment, "originals", "remove-expired") == "0 originals removed.\n"
    archive.close()


def test_the_name_of_a_subject_can_be_known_before_its_images_come(environment: dict[str, str]) -> None:
    assert told(environment, "originals", "name", "4711").strip() == KEY.name(subject_of("4711", ""))
    assert told(environment, "originals", "name", "4711", "--issuer", "A") != told(
        environment, "originals", "name", "4711"
    )
