"""The one door of Desk's API: what is checked before a handler sees a request, and how its answer leaves.

The order: token 401, method 405, scope, portal, permission 403, size 413, query 422, media type 415,
form of the body 422, credits 429, members of the body 422. What is refused unread costs one credit.
Handlers are plain functions from `Ask` to an answer.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from connector.sandbox.config import Config
from connector.sandbox.desk import queries, scopes
from connector.sandbox.desk.credits import Cost, weigh
from connector.sandbox.desk.params import BadValue, Params, Sort
from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Agent, JsonObject
from connector.sandbox.desk.refusals import Refusal, bad_parameter, extra_parameter, invalid_data
from connector.sandbox.desk.rules import Members
from connector.sandbox.tokens import Grant
from connector.sandbox.world import World

BODY_MOST = 1024 * 1024
_WEIGHT = "X-Rate-Limit-Request-Weight-v3"
_LEFT = "X-Rate-Limit-Remaining-v3"
_SCHEMES = ("zoho-oauthtoken", "bearer")
_ERROR_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Zoho Desk - Error</title></head>
<body><h1>Sorry, this page cannot be shown.</h1></body></html>
"""


class Ask(msgspec.Struct, kw_only=True):
    """A checked request: who asks, where, when, and for what; `path` holds the ids of the URL."""

    portal: Portal
    agent: Agent
    grant: Grant
    config: Config
    now: int
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: JsonObject


Answer = JsonObject | None
Handler = Callable[[Ask], Answer | Awaitable[Answer]]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the API: a row of the tables at the end of each module of handlers.

    An answer of None is `empty_status`. `lenient_body` stands in for `body` if patch_requires_all is off.
    `permission` is what the profile of the agent must allow. `org_free` operations know no orgId.
    """

    method: str
    path: str
    scopes: scopes.Scopes
    handler: Handler
    query: Params = queries.NONE
    body: Members | None = None
    lenient_body: Members | None = None
    cost: Cost = "record"
    permission: str | None = None
    org_free: bool = False
    empty_status: int = 204


class Endpoint:
    """Return at one path of the API, as an ASGI application, for every method that it has."""

    def __init__(self, world: World, operations: Sequence[Operation]) -> None:
        self._world = world
        self._operations = {operation.method: operation for operation in operations}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Return one request."""
        headers: dict[str, str] = {}
        request = Request(scope, receive)
        try:
            answer = await self._answer(request, headers)
            response = _respond(answer, headers, self._operations[request.method].empty_status)
        except Refusal as refusal:
            response = self._refuse(refusal, headers)
        await response(scope, receive, send)

    async def _answer(self, request: Request, headers: dict[str, str]) -> Answer:
        grant = find_grant(self._world, request.headers.get("authorization"))
        operation = self._operations.get(request.method)
        if operation is None:
            raise Refusal("METHOD_NOT_ALLOWED")
        config, now = self._world.config, self._world.clock.now()
        if not scopes.covers(grant, operation.scopes):
            raise Refusal("SCOPE_MISMATCH", status=config.scope_mismatch_status)
        portal = self._find_portal(request, grant, operation)
        ask = Ask(
            portal=portal,
            agent=_find_agent(portal, grant, operation),
            grant=grant,
            config=config,
            now=now,
            path={name: str(value) for name, value in request.path_params.items()},
            query={},
            body={},
        )
        return await _answer_checked(ask, operation, request, headers)

    def _find_portal(self, request: Request, grant: Grant, operation: Operation) -> Portal:
        """Find the portal: the token's own, which the orgId given must be; the header is read first."""
        given = request.headers.get("orgid") or request.query_params.get("orgId") or grant.org_id
        bound = grant.org_id is not None and (operation.org_free or given == grant.org_id)
        portal = self._world.desk.portal(grant.org_id or "") if bound else None
        if portal is None:
            config = self._world.config
            is_usual = config.org_mismatch_code == "OAUTH_ORG_MISMATCH"
            status = config.org_mismatch_status if is_usual else None
            raise Refusal(config.org_mismatch_code, status=status)
        return portal

    def _refuse(self, refusal: Refusal, headers: dict[str, str]) -> Response:
        headers |= refusal.headers
        if refusal.code == "METHOD_NOT_ALLOWED":
            headers["Allow"] = ", ".join(self._operations)
        if refusal.status == 401 and self._world.config.desk_401_html:
            return HTMLResponse(_ERROR_PAGE, 401, headers)
        return JSONResponse(refusal.body(), refusal.status, headers)


def routes_of(world: World, operations: Sequence[Operation]) -> list[BaseRoute]:
    """Make one route for each path, fixed paths before those with an id, and one for all that is unknown."""
    paths = sorted({operation.path for operation in operations}, key=lambda path: ("{" in path, path))
    routes: list[BaseRoute] = [
        Route(path, Endpoint(world, [each for each in operations if each.path == path])) for path in paths
    ]
    return [*routes, Route("/api/{rest:path}", _Nowhere())]


class _Nowhere:
    """Return where Desk has nothing."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Return one request."""
        refusal = Refusal("URL_NOT_FOUND")
        await JSONResponse(refusal.body(), refusal.status)(scope, receive, send)


def find_grant(world: World, header: str | None) -> Grant:
    """Find whom a token stands for; both `Zoho-oauthtoken` and `Bearer` are understood."""
    scheme, _, token = (header or "").partition(" ")
    if not token.strip() or scheme.lower() not in _SCHEMES:
        raise Refusal("UNAUTHORIZED")
    grant = world.tokens.resolve(token.strip())
    if grant is None:
        raise Refusal("INVALID_OAUTH")
    return grant


def _find_agent(portal: Portal, grant: Grant, operation: Operation) -> Agent:
    agent = next((each for each in portal.agents() if each.zuid == grant.zuid), None)
    if agent is None or operation.permission in portal.denied:
        raise Refusal("FORBIDDEN")
    if agent.is_light and operation.method != "GET":
        raise Refusal("FORBIDDEN")
    return agent


async def _answer_checked(
    ask: Ask, operation: Operation, request: Request, headers: dict[str, str]
) -> Answer:
    """Read query and body, take the credits, check the body and let the handler answer."""
    raw = await _read_raw(request) if operation.body is not None else b""
    try:
        ask.query = _read_query(operation, request, ask.config)
        ask.body = _parse(raw, request) if operation.body is not None else {}
    except Refusal:
        _charge(ask, 1, headers)
        raise
    _charge(ask, weigh(operation.cost, ask.query, ask.body), headers)
    if operation.body is not None:
        _check_body(ask, operation)
    answer = operation.handler(ask)
    return await answer if isinstance(answer, Awaitable) else answer


def _charge(ask: Ask, weight: int, headers: dict[str, str]) -> None:
    """Take the price of a request and write what it was and what is left."""
    headers |= {_WEIGHT: str(weight), _LEFT: str(ask.portal.credits.left(ask.now))}
    ask.portal.credits.spend(weight, ask.now)
    headers[_LEFT] = str(ask.portal.credits.left(ask.now))


def _read_query(operation: Operation, request: Request, config: Config) -> dict[str, Any]:
    """Read every parameter; several of one name are joined by commas."""
    given: dict[str, Any] = {}
    for name in dict.fromkeys(request.query_params.keys()):
        if name == "orgId" and not operation.org_free:
            continue
        param = operation.query.get(name)
        if param is None:
            raise extra_parameter(name)
        try:
            given[name] = param.read(",".join(request.query_params.getlist(name)))
        except BadValue as problem:
            raise bad_parameter(name) from problem
        if isinstance(param, Sort) and given[name][1] and config.descending_sort_refused:
            raise bad_parameter(name)
    return given


async def _read_raw(request: Request) -> bytes:
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_MOST:
            raise Refusal("RESOURCE_SIZE_EXCEEDED")
    return raw


def _parse(raw: bytes, request: Request) -> JsonObject:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if raw and media_type != "application/json":
        raise Refusal("UNSUPPORTED_MEDIA_TYPE")
    try:
        body = json.loads(raw or b"{}")
        json.dumps(body, ensure_ascii=False).encode()  # a lone surrogate could never be answered
    except (ValueError, RecursionError) as problem:
        raise Refusal("UNPROCESSABLE_ENTITY", "The body is not well-formed JSON.") from problem
    if not isinstance(body, dict):
        raise Refusal("UNPROCESSABLE_ENTITY", "The body is not a JSON object.")
    if not body:
        raise Refusal("EMPTY_PAYLOAD")
    return body


def _check_body(ask: Ask, operation: Operation) -> None:
    rule = operation.body
    if operation.lenient_body is not None and not ask.config.patch_requires_all:
        rule = operation.lenient_body
    problems = [] if rule is None else list(rule.check(ask.body, ""))
    if problems:
        raise invalid_data(problems)


def _respond(answer: Answer, headers: Mapping[str, str], empty_status: int) -> Response:
    if answer is None:
        return Response(status_code=empty_status, headers=dict(headers))
    return JSONResponse(answer, headers=dict(headers))
