"""The OpenAPI document, with every error that a route can answer.

It takes about a second to build. So it is built once, never on the thread that speaks to the network, and a
serving process begins with it before anybody asks.
"""

import json
from threading import Lock, Thread
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from imaging_service.http.csv_answer import declare_csv
from imaging_service.http.problems import Problem


class OpenApi:
    """The document of an application, as a value and as it is sent."""

    def __init__(self, app: FastAPI) -> None:
        """Build nothing yet."""
        self._app = app
        self._lock = Lock()
        self._encoded: bytes | None = None

    def value(self) -> dict[str, Any]:
        """Return the document; who asks while it is built waits for it."""
        with self._lock:
            if self._app.openapi_schema is None:
                self._app.openapi_schema = _document(self._app)
            return self._app.openapi_schema

    def encoded(self) -> bytes:
        """Return the document as JSON in UTF-8."""
        if self._encoded is None:
            self._encoded = json.dumps(self.value(), separators=(",", ":"), ensure_ascii=False).encode()
        return self._encoded

    def build_aside(self) -> Thread:
        """Build the document in a thread of its own, which keeps no process alive."""
        thread = Thread(target=self.encoded, name="openapi", daemon=True)
        thread.start()
        return thread


def install_openapi(app: FastAPI) -> None:
    """Make ``app.openapi()`` declare problems instead of the framework's validation errors."""
    app.state.openapi = OpenApi(app)
    app.openapi = app.state.openapi.value  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    declare_csv(document)
    return document
