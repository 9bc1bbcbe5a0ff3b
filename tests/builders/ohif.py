"""The stock OHIF viewer before the service, as a hospital would set it up behind one web address.

Its prebuilt files come from npm on demand and are checked by their hash; only the configuration is ours.
"""

import base64
import hashlib
import json
import mimetypes
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx

PACKAGE = "@ohif/app@3.13.2"
INTEGRITY = "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
SOFTWARE_GL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
"""The viewer needs WebGL, which a machine without a graphics processor computes."""

ROOT = "/api/v1/dicomweb"
SOURCE = {
    "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
    "sourceName": "dicomweb",
    "configuration": {
        "friendlyName": "Imaging service",
        "name": "imaging",
        "qidoRoot": ROOT,
        "wadoRoot": ROOT,
        "qidoSupportsIncludeField": False,
        "supportsReject": False,
        "supportsFuzzyMatching": False,
        "supportsWildcard": True,
        "imageRendering": "wadors",
        "thumbnailRendering": "wadors",
        "enableStudyLazyLoad": True,
        "omitQuotationForMultipartRequest": True,
    },
}
CONFIGURATION = {
    "routerBasename": "/",
    "extensions": [],
    "modes": [],
    "showStudyList": True,
    "investigationalUseDialog": {"option": "never"},
    "defaultDataSourceName": "dicomweb",
    "dataSources": [SOURCE],
}


def fetch_ohif(folder: Path) -> Path:
    """Bring the viewer's prebuilt files into a folder, and return where they are."""
    subprocess.run(
        ["npm", "pack", PACKAGE, "--silent", "--pack-destination", folder], check=True, capture_output=True
    )
    (archive,) = folder.glob("*.tgz")
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert found == INTEGRITY, f"{PACKAGE} has another content than the one that was tried: {found}"
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    return folder / "package" / "dist"


@contextmanager
def ohif(files: Path, service: str, token: str) -> Iterator[str]:
    """Serve the viewer and, below the same address, the service as its user; give the address."""
    with httpx.Client(base_url=service, timeout=60, headers={"Authorization": f"Bearer {token}"}) as upstream:
        handler = type("Handler", (_Handler,), {"files": files, "upstream": upstream})
        server = _Server(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *about: object) -> None:
        """Say nothing of a browser that has gone away in mid-answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: ClassVar[Path]
    upstream: ClassVar[httpx.Client]

    def do_GET(self) -> None:
        if self.path.startswith("/api/"):
            self._pass_on()
            return
        path = self.path.partition("?")[0].lstrip("/")
        if path == "app-config.js":
            self._answer(200, f"window.config = {json.dumps(CONFIGURATION)};".encode(), "text/javascript")
            return
        file = self.files / path
        if not file.is_file():
            file = self.files / "index.html"  # its own router takes it from there
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        self._answer(200, file.read_bytes(), kind)

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name: self.headers[name] for name in ("Accept", "Content-Type") if name in self.headers}
        answer = self.upstream.request(
            self.command, self.path, headers=headers, content=self.rfile.read(length) if length else None
        )
        self._answer(answer.status_code, answer.content, answer.headers.get("content-type", ""))

    def _answer(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        # the viewer decodes in threads that share memory, which browsers allow to isolated pages only
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  the library's name
        """Say nothing."""
