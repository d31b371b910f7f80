"""Write the OpenAPI 3.1 document of the operations from what serves them, and show it to people."""

import inspect
import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from connector import __version__
from connector.casing import ascii_lower
from connector.web.api.operation import Nothing, Operation
from connector.web.auth import count_stranger, known_user
from connector.web.bodies import json_response
from connector.web.problems import Problem
from connector.web.rendering import render

PARAMETER = re.compile(r"{(\w+):(\w+)}")
SCHEMAS = "#/components/schemas/{name}"

REFUSALS = {
    401: "No valid key and no session.",
    403: "The role is too low, or another site asked.",
    404: "There is no such thing, for this caller.",
    409: "It cannot be done as things stand; the detail says what stands in the way.",
    413: "The body is larger than is read here.",
    422: "A parameter, the body or a value is wrong; `pointer` names the field.",
    429: "Too many requests: 20 a second for each key and user, 100 at once. Retry-After says when to go on.",
    502: "Zoho does not answer, or refuses what was asked of it; the detail says why.",
    503: "The database, or Zoho, does not take it just now. Retry-After says when to go on.",
}
ABOUT = (
    "What is set up on pages and by commands, for programs. Keys are made on the page API keys or by "
    "`connector keys add`, and sent as `Authorization: Bearer ck_...`. Unknown parameters and members are "
    "refused. Lists answer `items` and `next`, which is the `cursor` of the part behind. Moments are RFC "
    "3339. Problems are application/problem+json (RFC 9457)."
)
PATH_SCHEMAS: dict[str, dict[str, Any]] = {
    "id": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
    "slug": {"type": "string", "pattern": "^[a-z0-9-]{1,40}$"},
    "name": {"type": "string", "pattern": "^[0-9a-z]{1,40}$"},
    "path": {"type": "string", "minLength": 1},
    "str": {"type": "string", "minLength": 1},
}
"""How each convertor of `routes` reads a part of a path."""


async def document(request: Request) -> Response:
    """Return `GET /api/openapi.json`."""
    return json_response(request.app.state.openapi())


async def docs(request: Request) -> Response:
    """Return `GET /api/docs`: the same for people; strangers may not have so large a page made for ever."""
    if await known_user(request) is None:
        count_stranger(request)
    return render(request, "api.html", document=request.app.state.openapi())


@cache
def document_of(operations: tuple[Operation, ...], root: str) -> dict[str, Any]:
    """Return the whole document; `root` is the path below which they are served, "" for that of the host."""
    schemas, components = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        path = PARAMETER.sub(r"{\1}", each.path)
        paths.setdefault(path, {})[ascii_lower(each.method)] = _operation(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Connector", "version": __version__, "description": ABOUT},
        "servers": [{"url": root or "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _schemas(operations: Sequence[Operation]) -> tuple[dict[Any, Any], dict[str, Any]]:
    types: list[Any] = [Problem]
    for each in operations:
        types += [kind for kind in (each.body, each.answer) if kind not in (None, type(None))]
    types = list(dict.fromkeys(types))
    found, components = msgspec.json.schema_components(types, ref_template=SCHEMAS)
    return dict(zip(types, found, strict=True)), components


def _operation(each: Operation, schemas: dict[Any, Any]) -> dict[str, Any]:
    told = inspect.getdoc(each.handler) or ""
    summary, _, more = told.partition("\n\n")
    written: dict[str, Any] = {
        "operationId": each.id,
        "summary": summary,
        "description": f"{more}\n\nFor the role {each.role} and those above it.".strip(),
        "tags": [each.path.split("/")[3]],
        "parameters": [*_in_path(each), *_in_query(each)],
        "responses": {str(each.status): _good(each, schemas)} | _refusals(each, schemas),
    }
    if each.body is not None:
        written["requestBody"] = {"required": True, "content": _content(schemas[each.body])}
    return written


def _good(each: Operation, schemas: dict[Any, Any]) -> dict[str, Any]:
    if each.status == 204:
        return {"description": "Done."}
    return {"description": "Well.", "content": _content(schemas[each.answer])}


def _refusals(each: Operation, schemas: dict[Any, Any]) -> dict[str, Any]:
    content = _content(schemas[Problem], "application/problem+json")
    # 404 is always there: parameters and members name things too, such as a portal.
    absent = {413} if each.body is None else set[int]()
    absent |= {409} if each.method == "GET" else set()
    return {
        str(status): {"description": what, "content": content} | _retry(status)
        for status, what in REFUSALS.items()
        if status not in absent
    }


def _retry(status: int) -> dict[str, Any]:
    header = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return {"headers": header} if status in (429, 503) else {}


def _content(schema: Any, kind: str = "application/json") -> dict[str, Any]:
    return {kind: {"schema": schema}}


def _in_path(each: Operation) -> Iterable[dict[str, Any]]:
    for name, convertor in PARAMETER.findall(each.path):
        schema = PATH_SCHEMAS[convertor]
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(each: Operation) -> Iterable[dict[str, Any]]:
    if each.query is Nothing:
        return
    _, components = msgspec.json.schema_components([each.query], ref_template=SCHEMAS)
    schema = components[each.query.__name__]
    for name, found in schema["properties"].items():
        required = name in schema.get("required", ())
        yield {"name": name, "in": "query", "required": required, "schema": found}
