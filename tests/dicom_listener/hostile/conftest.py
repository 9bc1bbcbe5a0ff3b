"""A listener behind four doors: plain and TLS, with its own way for C-STORE and with the library's."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dicom_listener.hostile.doors import ROOM, Door, Process, Usage, serving
from tests.dicom_listener.test_listener import eventually

SETTINGS = {"ASSOCIATION_SECONDS": "3", "IDLE_SECONDS": "3", "QUIET_PERIOD_SECONDS": "1"}
"""Short enough to wait for, long enough for a machine that is busy with something else."""


@pytest.fixture(scope="module", params=["fast", "library"])
def way(request: pytest.FixtureRequest) -> str:
    """Name the way in which C-STORE is received."""
    return str(request.param)


@pytest.fixture(scope="module")
def process(way: str, tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[Process]:
    """Run a listener for a module, and see that it holds nothing more at the end than at the beginning."""
    folder = tmp_path_factory.mktemp("hostile") / "archive"
    settings = SETTINGS | {"FAST_STORE": str(way == "fast")}
    with serving(folder, certificates, settings) as running:
        for is_tls in (False, True):
            assert Door(process=running, is_tls=is_tls).a_known_sender_succeeds()
        before, beside = running.usage, running.files_outside_the_archive()
        yield running
        assert running.popen.poll() is None
        assert eventually(lambda: is_back(running.usage, before)), f"{before} became {running.usage}"
        assert running.files_outside_the_archive() == beside
        assert not running.spooled()


def is_back(now: Usage, before: Usage) -> bool:
    """Tell whether threads and descriptors are given back; the database keeps a few connections open."""
    return now.threads <= before.threads + 2 and now.descriptors <= before.descriptors + 24


@pytest.fixture(scope="module", params=["plain", "tls"])
def door(request: pytest.FixtureRequest, way: str, process: Process) -> Door:
    """Open each door of each way; the library's over TLS in a campaign alone, as both are proven apart."""
    if way == "library" and request.param == "tls" and "CAMPAIGN" not in os.environ:
        pytest.skip("the long form runs by 'make campaign'")
    return Door(process=process, is_tls=request.param == "tls")


@pytest.fixture
def steady(process: Process) -> Iterator[Process]:
    """See that an attack makes the listener's memory grow by no more than it may."""
    before = process.usage.memory
    yield process
    grown = process.usage.memory - before
    assert grown <= ROOM, f"the listener grew by {grown >> 20} MiB"
