"""Declare what programs call: an address, its types, and a function; routes and OpenAPI are made of it."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.errors import InvalidRequest
from connector.services import Services, services_of
from connector.store.rights import Right, Thing
from connector.store.users import Role
from connector.web.auth import Caller, check_right, require_api
from connector.web.bodies import NO_NUL, SMALL_BYTES, json_response, read_body

NO_STORE = {"Cache-Control": "no-store"}
LISTED_AT_MOST = 1_000
NAMED_AT_MOST = 40
"""Characters of an unknown parameter's name that are said again."""

Item = TypeVar("Item")
Limit = Annotated[int, Meta(ge=1, le=LISTED_AT_MOST, description="How many things at most.")]
Cursor = Annotated[
    str, Meta(max_length=200, description='What `next` of the page before was; "": the first.')
]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameter, or no body."""


class Paging(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every list takes; a list's own parameters are fields of a class made from this one."""

    limit: Limit = 100
    cursor: Cursor = ""


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """A part of a list; `next` is the `cursor` of the part behind it, null at the end."""

    items: list[Item]
    next: str | None = None


class Call(msgspec.Struct, frozen=True):
    """Who calls an operation, and what serves them."""

    request: Request
    caller: Caller
    services: Services

    @property
    def actor(self) -> str:
        """Return who the audit says it was."""
        return self.caller.name

    def path(self, name: str) -> Any:
        """Return a part of the path, as its convertor reads it."""
        return self.request.path_params[name]


Handler = Callable[..., Awaitable[Any]]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation: `handler(call, query=..., body=...)` answers a struct of the type `answer`.

    `role` is the lowest that may call it; `status` is that of a good answer; `largest` the bytes of its body.
    `right` lets in others than administrators, for the portal of the path or for all. `portal` is the part of
    the path that names the portal it is about, "" where it is about several: a key limited to portals is
    refused then.
    """

    method: str
    path: str
    role: Role
    status: int
    handler: Handler
    query: type[msgspec.Struct]
    body: type[msgspec.Struct] | None
    answer: Any
    portal: str = ""
    right: tuple[Thing, Right] | None = None
    largest: int = SMALL_BYTES

    @property
    def id(self) -> str:
        """Return its name, unique among all."""
        return self.handler.__name__

    @property
    def route(self) -> Route:
        """Return where it is served."""

        async def serve(request: Request) -> Response:
            return await _serve(self, request)

        # By these the log names it.
        serve.__name__, serve.__module__ = self.id, self.handler.__module__
        return Route(self.path, serve, methods=[self.method], name=self.id)


def operation(
    method: str,
    path: str,
    *,
    role: Role,
    status: int = 200,
    portal: str = "",
    right: tuple[Thing, Right] | None = None,
    largest: int = SMALL_BYTES,
) -> Callable[[Handler], Operation]:
    """Declare a function as an operation; its parameters `query` and `body` and its result say the types.

    Its docstring is what the document says: one line, then more where needed.
    """

    def declare(handler: Handler) -> Operation:
        hints = get_type_hints(handler, include_extras=True)
        return Operation(
            method=method,
            path=path,
            role=role,
            status=status,
            handler=handler,
            query=hints.get("query", Nothing),
            body=hints.get("body"),
            answer=hints["return"],
            portal=portal,
            right=right,
            largest=largest,
        )

    return declare


async def _serve(declared: Operation, request: Request) -> Response:
    by_portal = bool(declared.portal)
    if declared.right is None:
        caller = await require_api(request, declared.role, by_portal=by_portal)
    else:
        caller = await require_api(request, by_portal=by_portal)
        portal_id = request.path_params[declared.portal] if declared.portal else None
        await check_right(request, caller, *declared.right, portal_id)
    if declared.portal:
        caller.check_portal(request.path_params[declared.portal])
    given: dict[str, Any] = {}
    query = query_of(request, declared.query)
    if declared.query is not Nothing:
        given["query"] = query
    if declared.body is not None:
        given["body"] = await body_of(request, declared.body, declared.largest)
    answer = await declared.handler(Call(request, caller, services_of(request)), **given)
    if declared.status == 204:
        return Response(status_code=204)
    return json_response(answer, declared.status, NO_STORE)


def query_of(request: Request, kind: type[msgspec.Struct]) -> Any:
    """Return the parameters as a struct; InvalidRequest for one that is unknown, twice there, or wrong."""
    given = request.query_params.multi_items()
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    for name, value in given:
        if name not in names:
            known = f"there are {', '.join(names)}" if names else "this address takes none"
            raise InvalidRequest(f"There is no parameter {name[:NAMED_AT_MOST]}: {known}.")
        if "\x00" in value:
            raise InvalidRequest(NO_NUL)
    if len({name for name, _ in given}) < len(given):
        raise InvalidRequest("A parameter is given twice.")
    try:
        return msgspec.convert(dict(given), kind, strict=False)
    except msgspec.ValidationError as problem:
        raise InvalidRequest(f"A parameter is wrong: {problem}") from problem


async def body_of(request: Request, kind: type[msgspec.Struct], largest: int = SMALL_BYTES) -> Any:
    """Return the JSON body as a struct; InvalidRequest says what is wrong with it."""
    body = await read_body(request, largest)
    if b"\\u0000" in body:
        raise InvalidRequest(NO_NUL)
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        names = ", ".join(field.encode_name for field in msgspec.structs.fields(kind))
        raise InvalidRequest(f"The body must be a JSON object of {names}: {problem}") from problem


def row_cursor(cursor: str) -> int | None:
    """Return the id of the row that a list goes on behind; None is the beginning."""
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise InvalidRequest("cursor must be what `next` of the page before was.")
    return int(cursor) if cursor else None
