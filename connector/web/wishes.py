"""Read what administrators' programs wish: small JSON bodies."""

from typing import TypeVar

import msgspec
from starlette.requests import Request

from connector.errors import InvalidRequest
from connector.web.hooks import read_body

BODY_AT_MOST = 1_000

NO_NUL = "No text of ours holds a NUL."

Wish = TypeVar("Wish", bound=msgspec.Struct)


def asked(request: Request, name: str) -> str | None:
    """Return a parameter, None where it is not given; InvalidRequest where no database would take it."""
    value = request.query_params.get(name)
    if value is not None and "\x00" in value:
        raise InvalidRequest(NO_NUL)
    return value


async def read_wish(request: Request, kind: type[Wish]) -> Wish:
    """Return what a request's body wishes, an empty one nothing; InvalidRequest says what is wrong."""
    body = (await read_body(request))[:BODY_AT_MOST]
    if b"\\u0000" in body:
        raise InvalidRequest(NO_NUL)
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        names = ", ".join(kind.__struct_fields__)
        raise InvalidRequest(f"The body must be a JSON object of {names}: {problem}") from problem
