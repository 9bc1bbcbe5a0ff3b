"""The routes as a page to read: drawn from the OpenAPI document, and without scripts."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from imaging_service.accounts.dependencies import public

router = APIRouter(include_in_schema=False, dependencies=[public()])

OPENAPI = "/api/v1/openapi.json"
_METHODS = ("get", "post", "put", "patch", "delete")
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { border-bottom: 1px solid; margin-top: 2rem; text-transform: capitalize; }
code { font-size: 0.95em; } summary { cursor: pointer; padding: 0.2rem 0; } dd { margin: 0 0 0.3rem 2rem; }
b { display: inline-block; min-width: 4.5rem; text-transform: uppercase; }
"""


@router.get("/")
def read_front_door() -> RedirectResponse:
    """Lead whoever types the bare address to the pages."""
    return RedirectResponse("/viewer/")


@router.get("/docs")
def read_docs(request: Request) -> HTMLResponse:
    """Return the page."""
    return HTMLResponse("".join(_page(request.app.openapi())))


@router.get(OPENAPI)
def read_openapi(request: Request) -> Response:
    """Return the OpenAPI document; a thread waits for it while it is built, and no other request does."""
    return Response(request.app.state.openapi.encoded(), media_type="application/json")


@router.get("/docs/style.css")
def read_style() -> Response:
    """Return the page's style."""
    return Response(_STYLE, media_type="text/css; charset=utf-8")


def _page(document: Mapping[str, Any]) -> Iterator[str]:
    title = escape(document["info"]["title"])
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    yield f'<link rel="stylesheet" href="/docs/style.css"><h1>{title}</h1>'
    yield f"<p>{escape(document['info'].get('description', ''))}</p>"
    yield f'<p>For programs: <a href="{OPENAPI}">OpenAPI</a>. '
    yield "Errors are problems (RFC 9457). A write may carry an <code>Idempotency-Key</code>.</p>"
    chapter = None
    for tag, path, method, operation in _operations(document):
        if tag != chapter:
            chapter = tag
            yield f"<h2>{escape(tag)}</h2>"
        yield f"<details><summary><b>{method}</b> <code>{escape(path)}</code></summary>"
        yield f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p><dl>"
        yield from _inputs(operation)
        yield "</dl></details>"


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield (item[method].get("tags") or ["other"])[0], path, method, item[method]


def _inputs(operation: Mapping[str, Any]) -> Iterator[str]:
    for parameter in operation.get("parameters", ()):
        where = f"{parameter['in']}{', required' if parameter.get('required') else ''}"
        yield f"<dt><code>{escape(parameter['name'])}</code> ({where})</dt>"
        yield f"<dd>{escape(parameter.get('description', ''))}</dd>"
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        shape = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        yield f"<dt>body <code>{escape(media_type)}</code></dt><dd>{escape(shape)}</dd>"
