"""The files of the pages, read once and named by an edition that changes with their content."""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

STATIC = Path(__file__).with_name("static")
DOCUMENT = "index.html"
_EDITION = "{{edition}}"
_PRELOADS = "{{preloads}}"

_AT_ONCE = (
    *("main.js", "shell/", "api/", "components/", "keyboard/"),
    *("reading/", "viewport/", "drawing/", "geometry/", "image/", "drafts/"),
)
"""What the reading page needs; modules of the other pages are fetched when their page is opened."""

MEDIA_TYPES = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml",
        ".json": "application/json",
    }
)
"""What is served; a file of another kind in the folder is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFile:
    """One file as it is sent."""

    content: bytes
    compressed: bytes
    """The same, as gzip (RFC 1952)."""
    media_type: str
    etag: str
    """Entity tag (RFC 9110 8.8.3) with its quotation marks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFiles:
    """All files of one edition."""

    edition: str
    """First digits of a SHA-256 over every name and content."""
    document: StaticFile
    by_path: Mapping[str, StaticFile]
    """Path below the edition → file. What is not a key here is not served, whatever a path spells."""


@cache
def static_files(folder: Path = STATIC) -> StaticFiles:
    """Read every file of the pages.

    Parameters
    ----------
    folder
        Where they lie.
    """
    contents = dict(sorted(_contents(folder)))
    digest = hashlib.sha256()
    for path, content in contents.items():
        digest.update(f"{path}\n{len(content)}\n".encode() + content)
    edition = digest.hexdigest()[:12]
    document = _document(contents.pop(DOCUMENT).decode(), edition, contents)
    return StaticFiles(
        edition=edition,
        document=_file(document.encode(), ".html"),
        by_path={path: _file(content, Path(path).suffix) for path, content in contents.items()},
    )


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in folder.rglob("*"):
        if file.is_file() and file.suffix in MEDIA_TYPES:
            yield file.relative_to(folder).as_posix(), file.read_bytes()


def _document(template: str, edition: str, contents: Mapping[str, bytes]) -> str:
    """Name the edition in the document, and the modules that a browser may ask for all at once."""
    preloads = "\n".join(
        f'<link rel="modulepreload" href="/viewer/{edition}/{path}">'
        for path in contents
        if path.endswith(".js") and path.startswith(_AT_ONCE)
    )
    return template.replace(_EDITION, edition).replace(_PRELOADS, preloads)


def _file(content: bytes, suffix: str) -> StaticFile:
    return StaticFile(
        content=content,
        compressed=gzip.compress(content, mtime=0),
        media_type=MEDIA_TYPES[suffix],
        etag=f'"{hashlib.sha256(content).hexdigest()[:32]}"',
    )
