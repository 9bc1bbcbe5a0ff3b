"""The ground that the other tests stand on."""

from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from tests.builders.peers import Modality, orthanc

A_TEST_WITH_A_MISSING_PEER = """
    import pytest

    @pytest.mark.peer("dcmtk")
    def test_pushes_a_study(): ...
"""
CONFTEST = """
    from tests.builders.peers import require_peers

    def pytest_configure(config):
        config.addinivalue_line("markers", "peer(name): needs a program of another maker")

    def pytest_runtest_setup(item):
        require_peers(item)
"""


@pytest.fixture
def run_without_peers(tmp_path, monkeypatch, pytester):
    """Run a test that needs DCMTK where no program is on the path."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(A_TEST_WITH_A_MISSING_PEER)
    monkeypatch.setenv("PATH", str(tmp_path))
    return lambda: pytester.runpytest_inprocess("-rs", "-p", "no:cacheprovider")


def test_every_test_gets_an_empty_database_on_each_server(database_url):
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE lesion (lesion_id varchar(9))"))
        connection.execute(text("INSERT INTO lesion VALUES ('T01')"))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT lesion_id FROM lesion")).scalars().all() == ["T01"]
    engine.dispose()


def test_a_missing_peer_skips_with_the_command_that_brings_it(run_without_peers, monkeypatch):
    monkeypatch.delenv("REQUIRE_PEERS", raising=False)
    outcome = run_without_peers()
    outcome.assert_outcomes(skipped=1)
    outcome.stdout.fnmatch_lines(["*dcmtk is missing: install it with `apt-get install dcmtk`*"])


def test_a_missing_peer_fails_where_all_peers_are_promised(run_without_peers, monkeypatch):
    monkeypatch.setenv("REQUIRE_PEERS", "1")
    outcome = run_without_peers()
    outcome.assert_outcomes(errors=1)
    outcome.stdout.fnmatch_lines(["*dcmtk is missing*REQUIRE_PEERS=1 forbids to skip*"])


@pytest.mark.peer("orthanc")
def test_orthanc_starts_on_loopback_knows_its_modalities_and_ends(tmp_path: Path):
    with orthanc(tmp_path, modalities={"ours": Modality(ae_title="ARCHIVE", port=11112)}) as pacs:
        assert pacs.client.get("/modalities").json() == ["ours"]
        address = pacs.client.base_url
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)
