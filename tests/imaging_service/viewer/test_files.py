"""The pages' files are sent once, whole, under an address that changes with them; nothing else is sent."""

import gzip
import re
from collections.abc import Iterator

import pytest

from imaging_service.viewer.files import STATIC, static_files
from tests.builders.service import TestService, running_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestService]:
    with running_service(f"sqlite:///{tmp_path_factory.mktemp('viewer')}/database.sqlite") as running:
        yield running


def test_the_document_names_only_files_that_are_there(service: TestService):
    document = service.client.get("/viewer/").text
    addresses = re.findall(r'(?:href|src)="(/viewer/[^"]+)"', document)
    assert len(addresses) > 10
    for address in addresses:
        assert service.client.get(address).status_code == 200, address


def test_no_file_has_a_script_or_a_style_within_its_markup():
    for file in STATIC.rglob("*.html"):
        markup = file.read_text()
        assert re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", markup) is None, file.name


def test_no_module_names_an_address_outside_the_service():
    names = "http://www.w3.org/2000/svg"  # a namespace, which nobody asks for
    for file in STATIC.rglob("*.js"):
        assert "://" not in file.read_text().replace(names, ""), file.name


def test_an_answer_lets_nothing_run_that_is_not_ours(service: TestService):
    policy = service.client.get("/viewer/").headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")
    assert "unsafe" not in policy


def test_a_module_is_kept_for_good_and_the_document_is_asked_for_again(service: TestService):
    address = f"/viewer/{static_files().edition}/main.js"
    assert "immutable" in service.client.get(address).headers["cache-control"]
    assert service.client.get("/viewer/").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/viewer/", f"/viewer/{static_files().edition}/main.js"])
def test_what_has_not_changed_is_not_sent_again(service: TestService, path: str):
    first = service.client.get(path)
    again = service.client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = service.client.get(path, headers={"If-None-Match": '"something else"'})
    assert other.content == first.content


def test_a_caller_without_gzip_gets_the_same_bytes(service: TestService):
    path = f"/viewer/{static_files().edition}/main.js"
    plain = service.client.get(path, headers={"Accept-Encoding": "identity"})
    file = static_files().by_path["main.js"]
    assert "content-encoding" not in plain.headers
    assert plain.content == gzip.decompress(file.compressed) == (STATIC / "main.js").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "{edition}/index.html",
        "{edition}/../router.py",
        "{edition}/%2e%2e/router.py",
        "{edition}//etc/passwd",
        "{edition}/",
        "000000000000/main.js",
    ],
)
def test_nothing_else_is_behind_the_address(service: TestService, path: str):
    answer = service.client.get(f"/viewer/{path.format(edition=static_files().edition)}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_another_content_has_another_edition(tmp_path):
    (tmp_path / "index.html").write_text("<!doctype html><title>{{edition}}</title>")
    (tmp_path / "main.js").write_text("export {};")
    (tmp_path / "notes.txt").write_text("Not a file of the pages.")
    before = static_files(tmp_path)
    static_files.cache_clear()
    (tmp_path / "main.js").write_text("export { };")
    after = static_files(tmp_path)
    assert before.edition != after.edition
    assert before.edition.encode() in before.document.content
    assert set(after.by_path) == {"main.js"}
