"""Requests that a fuzzer makes from the OpenAPI document: each is answered as the document says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.builders.fuzz_hooks import VALUES
from tests.builders.service import on_loopback
from tests.builders.world import World, world

ROOT = Path(__file__).parents[3]
CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance"),
)

SHORT = ("coordinator", "reader1", "administrator")
EVERYBODY = (*SHORT, "reader2", "adjudicator", "sponsor", "service", "site", None)
"""An account of every role, and nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came out of a run."""

    text: str
    status: int

    @property
    def cases(self) -> int:
        """How many requests were made from the document."""
        found = re.search(r"(\d+) generated", self.text)
        return 0 if found is None else int(found[1])


def fuzz(found: World, account: str | None, *, phases: str, examples: int) -> Report:
    """Let the fuzzer ask a service as an account, or as nobody."""
    found.service.app.openapi()  # made once, and not while the fuzzer waits for it
    token = None if account is None else found.service.headers(account)["Authorization"]
    with on_loopback(found.service, connection_limit=2000) as address:
        command = [
            *(str(Path(sys.executable).with_name("schemathesis")), "run"),
            f"{address}/api/v1/openapi.json",
            *(() if token is None else ("--header", f"Authorization: {token}")),
            *("--checks", ",".join(CHECKS), "--phases", phases),
            *("--max-examples", str(examples), "--seed", "20261"),
            *("--wait-for-schema", "60", "--request-timeout", "30", "--suppress-health-check", "all"),
            *("--no-color", "--continue-on-failure", "--generation-database", "none"),
            *("--exclude-path", "/api/v1/sessions/current"),  # it ends the caller's own session
            "--exclude-path-regex",
            "(dicomweb/studies|dicomweb/studies/{study})$",
        ]
        environment = {
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.builders.fuzz_hooks",
            "PYTHONPATH": str(ROOT),
            VALUES: json.dumps(found.values),
        }
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    return Report(text=done.stdout + done.stderr, status=done.returncode)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(f"sqlite:///{tmp_path_factory.mktemp('fuzz')}/world.sqlite") as found:
        yield found


@pytest.mark.parametrize("account", SHORT)
def test_a_short_run_finds_nothing(small: World, account: str) -> None:
    report = fuzz(small, account, phases="fuzzing", examples=1)
    assert report.status == 0, report.text[-6000:]
    assert report.cases > 80, report.text[-2000:]


@pytest.mark.campaign
@pytest.mark.skipif("CAMPAIGN" not in os.environ, reason="the long form runs by 'make campaign'")
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("account", EVERYBODY)
def test_a_long_run_of_every_phase_finds_nothing(
    tmp_path_factory: pytest.TempPathFactory, account: str | None
) -> None:
    with world(f"sqlite:///{tmp_path_factory.mktemp('campaign')}/world.sqlite") as found:
        report = fuzz(found, account, phases="examples,coverage,fuzzing,stateful", examples=20)
    assert report.status == 0, report.text[-20_000:]
    assert report.cases > 2000, report.text[-2000:]
