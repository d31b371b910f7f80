"""Read the parameters and small JSON bodies of the API, and write its JSON answers."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from connector.errors import InvalidRequest
from connector.web.hooks import read_body

BODY_AT_MOST = 1_024

LISTED_AT_MOST = 1_000
LISTED_USUALLY = 100

NO_NUL = "A text holds a NUL character, which cannot be stored."

Body = TypeVar("Body", bound=msgspec.Struct)


def parameter(request: Request, name: str) -> str | None:
    """Return a parameter, None where it is not given; InvalidRequest where no database would take it."""
    value = request.query_params.get(name)
    if value is not None and "\x00" in value:
        raise InvalidRequest(NO_NUL)
    return value


def limit(request: Request) -> int:
    """Return how many things the parameter `limit` asks for, 100 unless given; InvalidRequest for none."""
    text = request.query_params.get("limit", str(LISTED_USUALLY))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LISTED_AT_MOST):
        raise InvalidRequest(f"limit must be a number from 1 to {LISTED_AT_MOST}.")
    return int(text)


async def read_json(request: Request, kind: type[Body]) -> Body:
    """Return a request's JSON body, an empty one as `{}`; InvalidRequest says what is wrong with it."""
    body = (await read_body(request))[:BODY_AT_MOST]
    if b"\\u0000" in body:
        raise InvalidRequest(NO_NUL)
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        names = ", ".join(kind.__struct_fields__)
        raise InvalidRequest(f"The body must be a JSON object of {names}: {problem}") from problem


def json_response(
    answer: msgspec.Struct | Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a value as JSON."""
    return Response(msgspec.json.encode(answer), status, headers, "application/json")
