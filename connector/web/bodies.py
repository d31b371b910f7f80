"""Read bodies with an end, and the API's parameters and small JSON bodies; write its JSON answers."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive

from connector.dialects import MAX_BODY_BYTES
from connector.errors import InvalidRequest, TooLarge

BODY_AT_MOST = 1_024

SMALL_BYTES = 64 * 1_024
READ_AT_ONCE = 64 * 1_024 * 1_024
"""Bytes of larger bodies that one process holds while they are read."""

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


async def read_body(request: Request, at_most: int = MAX_BODY_BYTES) -> bytes:
    """Read the body, and stop reading where it grows too large: TooLarge."""
    return await read_all(request.headers.get("content-length", "0"), request.receive, at_most)


async def read_all(length: str, receive: Receive, at_most: int = MAX_BODY_BYTES) -> bytes:
    """Read a body of which `length` is told, before Starlette has made a request of it: TooLarge.

    503 where large bodies that others have begun, and nobody has verified yet, fill their room.
    """
    check_length(length, at_most)
    parts, more = bytearray(), True
    with LargeBody() as large:
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            parts += message.get("body", b"")
            _check_size(len(parts), at_most)
            large.grow(len(parts))
            more = message.get("more_body", False)
    return bytes(parts)


class LargeBody:
    """The room that a body takes while it is read: large ones share some, small ones need none."""

    all_taken: ClassVar[int] = 0

    def __init__(self) -> None:
        self._taken = 0

    def __enter__(self) -> Self:
        """Begin with nothing."""
        return self

    def grow(self, size: int) -> None:
        """Take room for so many bytes in all; HTTPException (503) where there is none."""
        more = size - self._taken
        if size <= SMALL_BYTES or not more:
            return
        if LargeBody.all_taken + more > READ_AT_ONCE:
            raise HTTPException(503, headers={"Retry-After": "1"})
        LargeBody.all_taken += more
        self._taken = size

    def __exit__(self, *_problem: object) -> None:
        """Give it back."""
        LargeBody.all_taken -= self._taken


def check_length(told: str, at_most: int = MAX_BODY_BYTES) -> None:
    """Raise TooLarge where a Content-Length tells of a body that is."""
    _check_size(int(told), at_most)


def _check_size(size: int, at_most: int) -> None:
    if size <= at_most:
        return
    if at_most == MAX_BODY_BYTES:
        raise TooLarge("The body is larger than 1 MiB: send fewer events at a time.")
    raise TooLarge(f"The body is larger than {at_most // 1024} KiB, the most that is read here.")


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
