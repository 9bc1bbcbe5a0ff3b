"""The command, as the person at the console meets it: a sentence and an exit code, never a traceback."""

import io
import json
import os
import shutil
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from imaging_service import cli
from imaging_service.accounts.passwords import Passwords
from imaging_service.clock import SystemClock
from imaging_service.database import Database
from imaging_service.jobs.embedded import EmbeddedQueue
from imaging_service.jobs.port import Job
from imaging_service.jobs.tables import PARKED

IMAGING_SERVICE = [sys.executable, "-m", "imaging_service.cli"]
ROOT = str(Path(__file__).parents[2])
PASSWORD = "correct horse battery"  # noqa: S105
PROTOCOL = f"{ROOT}/fixtures/protocols/her2_mbc.toml"
VERSIONS = Path(ROOT) / "imaging_service" / "migrations" / "versions"


class Console:
    """Runs commands in this process and keeps what they printed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def run(self, *arguments: object, typed: str = "") -> tuple[int, str, str]:
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = cli.run([str(argument) for argument in arguments])
        printed = self._capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return code, printed.out.strip(), printed.err.strip()

    def succeed(self, *arguments: object, typed: str = "") -> str:
        code, out, err = self.run(*arguments, typed=typed)
        assert (code, err) == (0, "")
        return out

    def refuse(self, *arguments: object, typed: str = "") -> str:
        code, out, err = self.run(*arguments, typed=typed)
        assert (code, out) == (2, "")
        return err


@pytest.fixture
def empty(monkeypatch, capsys, database_url, tmp_path):
    """Give a console on a machine where nothing has been set up yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("imaging_service.processes.operation.configure_logs", lambda _level: None)
    monkeypatch.setenv("IMAGING_SERVICE_DATABASE_URL", database_url)
    monkeypatch.setenv("IMAGING_SERVICE_PASSWORD_MEMORY_KIB", "64")
    monkeypatch.setenv("IMAGING_SERVICE_PASSWORD_PASSES", "1")
    return Console(monkeypatch, capsys)


@pytest.fixture
def console(empty):
    empty.succeed("migrate")
    return empty


@pytest.fixture
def database(console, database_url):  # noqa: ARG001  which migrates it
    database = Database(database_url)
    yield database
    database.close()


def add_user(console: Console, account: str, *roles: str) -> str:
    options = [option for role in roles for option in ("--role", role)]
    return console.succeed(
        "user", "add", account, "--name", f"Dr {account.title()}", *options, typed=f"{PASSWORD}\n"
    )


def audited(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(text("SELECT action FROM audit_entries ORDER BY sequence")))


def test_help_is_quick_to_import_and_names_every_command(empty):
    heavy = {"sqlalchemy", "fastapi", "alembic", "pydicom", "numpy", "uvicorn", "pydantic"}
    look = "import sys, imaging_service.cli as c; c.register_parts(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", look], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert heavy.isdisjoint(loaded.stdout.split())
    shown = empty.succeed("--help")
    for command in ("serve", "worker", "up", "migrate", "user", "trial", "audit", "jobs"):
        assert f"  {command} " in shown


@pytest.mark.parametrize("part", ["imaging_service.commands.score", "imaging_service.demo.cli"])
def test_a_part_is_offered_as_soon_as_it_is_there(part):
    commands = {
        command.name or getattr(command.callback, "__name__", "") for command in cli.app.registered_commands
    }
    commands |= {group.name for group in cli.app.registered_groups}
    cli.register_parts()
    name = part.removesuffix(".cli").removesuffix("_cli").rpartition(".")[2]
    assert (name in commands) == (find_spec(part) is not None)


def test_a_database_is_migrated_by_command(empty):
    out = empty.succeed("migrate")
    assert out.startswith("The database ")
    newest = max(path.name.partition("_")[0] for path in VERSIONS.glob("0*.py"))
    assert out.endswith(f"is at revision {newest}.")


@pytest.mark.parametrize(
    "command",
    [("serve",), ("worker",), ("user", "list"), ("trial", "list"), ("audit", "verify"), ("jobs", "list")],
    ids=" ".join,
)
def test_a_database_that_is_not_migrated_is_told_with_the_command_that_helps(empty, command):
    assert "run `imaging-service migrate`" in empty.refuse(*command)


def test_an_account_is_added_listed_and_disabled_and_each_is_audited(console, database):
    assert add_user(console, "anna", "reader", "adjudicator") == "anna may sign in as reader, adjudicator."
    assert "Dr Anna" in console.succeed("user", "list")
    console.succeed("user", "password", "anna", typed="another horse battery\n")
    console.succeed("user", "disable", "anna", "--reason", "left the hospital")
    assert "closed" in console.succeed("user", "list")
    assert audited(database) == ["create account", "set password", "close account"]


def test_a_new_password_replaces_the_old_one(console, database):
    add_user(console, "anna", "reader")
    console.succeed("user", "password", "anna", typed="another horse battery\n")
    with database.read() as session:
        kept = session.scalar(text("SELECT password_hash FROM accounts"))
    assert Passwords().verify(kept, "another horse battery")
    assert not Passwords().verify(kept, PASSWORD)


@pytest.mark.parametrize(
    ("arguments", "typed", "sentence"),
    [
        (
            ("add", "anna", "--name", "A", "--role", "surgeon"),
            PASSWORD,
            "There is no role 'surgeon'; administrator,",
        ),
        (
            ("add", "anna", "--name", "A", "--role", "reader"),
            "short",
            "The password has 5 characters; it must",
        ),
        (("add", "anna", "--name", "A", "--role", "reader"), "", "The password has 0 characters; it must"),
        (("password", "nobody"), PASSWORD, "There is no account 'nobody'."),
        (("disable", "nobody", "--reason", "left"), "", "There is no account 'nobody'."),
        (("grant", "nobody", "--trial", "T1"), "", "There is no account 'nobody'."),
    ],
    ids=["unknown role", "short password", "no password", "password", "disable", "grant"],
)
def test_what_is_wrong_with_an_account_is_one_sentence(console, arguments, typed, sentence):
    assert console.refuse("user", *arguments, typed=typed).startswith(sentence)


def test_an_account_s_name_is_taken_once(console):
    add_user(console, "anna", "reader")
    refused = console.refuse("user", "add", "anna", "--name", "A", "--role", "reader", typed=PASSWORD)
    assert refused == "There is an account 'anna' already; choose another name."


def test_a_trial_is_filed_its_site_opened_and_an_account_let_in(console):
    assert "is filed" in console.succeed("trial", "file", PROTOCOL)
    assert "was filed before" in console.succeed("trial", "file", PROTOCOL)
    trial_id = console.succeed("trial", "list").split()[0]
    console.succeed("trial", "site", trial_id, "S01", "--name", "St. Vincent")
    add_user(console, "anna", "reader")
    console.succeed("user", "grant", "anna", "--trial", trial_id, "--reader", 1)
    assert f"{trial_id}/1" in console.succeed("user", "list")


def test_readers_are_let_into_a_pool_and_not_into_slots(console, tmp_path):
    written = tmp_path / "pool.toml"
    written.write_text(Path(PROTOCOL).read_text().replace('assignment = "fixed"', 'assignment = "random"'))
    console.succeed("trial", "file", written)
    trial_id = console.succeed("trial", "list").split()[0]
    add_user(console, "anna", "reader")
    sentence = "an account reads there by being in the pool, not in a slot of its own"
    assert sentence in console.refuse("user", "grant", "anna", "--trial", trial_id, "--reader", 1)
    assert sentence in console.refuse("trial", "seat", trial_id, "1", "anna")
    assert "1, 2, pool, adjudicator were possible" in console.refuse("trial", "seat", trial_id, "3", "anna")
    console.succeed("trial", "seat", trial_id, "pool", "anna")
    assert f"{trial_id}/pool" in console.succeed("user", "list")
    assert console.succeed("trial", "readers", trial_id) == ""


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("protocol.txt", "", "ends in '.txt'; .toml or .json was wanted."),
        ("protocol.toml", None, "cannot be read: No such file or directory."),
        ("protocol.toml", "trial_id = ", "The protocol cannot be read as TOML"),
        ("protocol.json", "[]", "The protocol is a list; a mapping of its parameters was wanted."),
    ],
)
def test_what_is_wrong_with_a_protocol_is_one_sentence(console, tmp_path, name, content, sentence):
    if content is not None:
        (tmp_path / name).write_text(content)
    assert sentence in console.refuse("trial", "file", tmp_path / name)


def test_the_audit_chain_is_verified_and_damage_named(console, database):
    add_user(console, "anna", "reader")
    assert "The audit chain is whole: 1 entries" in console.succeed("audit", "verify")
    assert "is kept in" in console.succeed("audit", "witness")
    with database.writer.begin() as connection:
        if database.is_sqlite:
            connection.execute(text("DROP TRIGGER audit_entries_no_delete"))
        else:
            connection.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))
        connection.execute(text("DELETE FROM audit_entries"))
    code, out, _ = console.run("audit", "verify")
    assert code == 1
    assert out.startswith("cut_off: ")


def test_the_audit_is_exported_and_its_head_kept(console, tmp_path):
    add_user(console, "anna", "reader")
    add_user(console, "bert", "reader")
    said = console.succeed("audit", "export", tmp_path / "audit.jsonl")
    assert "the chain's head is 2 " in said
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [line["action"] for line in lines] == ["create account"] * 2
    console.succeed("audit", "export", tmp_path / "audit.csv", "--format", "csv", "--before", "2000-01-01")
    assert len((tmp_path / "audit.csv").read_text().splitlines()) == 1
    assert "File exists" in console.refuse("audit", "export", tmp_path / "audit.csv")
    assert "Ed25519" in console.refuse("audit", "verify", "--public-key", tmp_path / "none.pem")


def test_parked_jobs_are_listed_and_released(console, database):
    with database.write() as session:
        EmbeddedQueue(SystemClock()).enqueue(session, Job(name="settle study"))
        session.execute(text("UPDATE jobs SET state = :parked, attempts = 10"), {"parked": PARKED})
    shown = console.succeed("jobs", "list").splitlines()
    assert shown[0] == "0 waiting or running"
    assert shown[1].startswith("parked 1  settle study  10 attempts")
    console.succeed("jobs", "release", 1)
    assert console.succeed("jobs", "list") == "1 waiting or running"
    assert console.refuse("jobs", "release", 1) == "No parked job has the number 1."


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("DATABASE_URL", "mysql://host/name", "The database is 'mysql'; it must be sqlite or postgresql."),
        ("DATABASE_URL", "nonsense", "The database_url is no address; it must be like"),
        ("DATABASE_URL", "sqlite://", "The SQLite database is in memory; it must be a file"),
        (
            "DATABASE_URL",
            "postgresql://r:secret@127.0.0.1:9/t",
            "postgresql://r:***@127.0.0.1:9/t cannot be used",
        ),
        ("PORT", "99999", "The setting IMAGING_SERVICE_PORT is '99999': input should be less than"),
        ("JOBS", "celery", "The setting IMAGING_SERVICE_JOBS is 'celery': input should be 'embedded' or"),
    ],
)
def test_a_wrong_setting_is_one_sentence(console, monkeypatch, setting, value, sentence):
    monkeypatch.setenv(f"IMAGING_SERVICE_{setting}", value)
    refused = console.refuse("serve")
    assert sentence in refused
    assert "secret" not in refused


def test_a_missing_driver_names_its_extra(console, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setenv("IMAGING_SERVICE_DATABASE_URL", "postgresql://r@127.0.0.1:9/t")
    assert console.refuse("serve") == (
        "PostgreSQL needs an extra that is not installed: pip install 'imaging-service[postgres]'."
    )


def test_what_nobody_foresaw_is_a_sentence_too(console, monkeypatch):
    monkeypatch.setattr("imaging_service.processes.operation.create_queue", lambda *_: 1 // 0)
    with capture_logs() as logged:
        assert "ended because of an unexpected ZeroDivisionError" in console.refuse("serve")
    assert [(entry["event"], entry["log_level"]) for entry in logged] == [("command_failed", "debug")]


@pytest.fixture
def environment(sqlite_url, tmp_path):
    """Give the environment of a command in a process of its own, on a migrated SQLite database."""
    environment = {**os.environ, "IMAGING_SERVICE_DATABASE_URL": sqlite_url, "PYTHONPATH": ROOT}
    subprocess.run(
        [*IMAGING_SERVICE, "migrate"], check=True, env=environment, cwd=tmp_path, capture_output=True
    )
    return environment


def test_a_taken_port_is_one_sentence_and_exit_code_2(environment, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [*IMAGING_SERVICE, "serve", "--port", str(port)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stderr == (
        f"Port {port} of 127.0.0.1 is taken by another program; set IMAGING_SERVICE_PORT to a free one.\n"
    )


@pytest.mark.parametrize("command", ["migrate", "up"])
def test_a_read_only_folder_is_one_sentence_and_exit_code_2(tmp_path, command):
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o555)
    url = f"sqlite:///{folder}/data/service.sqlite"
    settings = {
        "IMAGING_SERVICE_DATABASE_URL": url,
        "IMAGING_SERVICE_DATA": f"{folder}/data",
        "IMAGING_SERVICE_PORT": "0",
        "DICOM_LISTENER_PORT": "0",
    }
    ended = subprocess.run(
        [*without_capabilities(), *IMAGING_SERVICE, command],
        env={**os.environ, **settings, "PYTHONPATH": ROOT},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert str(folder) in ended.stderr
    assert "Permission denied" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def without_capabilities() -> list[str]:
    """Root may write anywhere by a capability; this takes it away, so that root is a person like others."""
    if os.getuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is missing: install it with `apt-get install util-linux`")
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
