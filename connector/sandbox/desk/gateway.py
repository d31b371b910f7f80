"""The gateway of Desk's API: what is checked before a handler sees a request, and how its answer leaves.

The order: token 401, method 405, scope, portal, permission 403, size 413, query 422, media type 415,
form of the body 422, credits 429, members of the body 422, data sharing 403. What is refused unread costs
one credit.
Handlers are plain functions from `DeskRequest` to an answer.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from connector.sandbox.config import Config
from connector.sandbox.desk import params, scopes
from connector.sandbox.desk.params import BadValue, Params, Sort
from connector.sandbox.desk.portal import Cost, Portal, weigh
from connector.sandbox.desk.records import Agent, JsonObject
from connector.sandbox.desk.refusals import Refusal, bad_parameter, extra_parameter, invalid_data
from connector.sandbox.desk.rules import Members, Rule
from connector.sandbox.desk.times import read_time
from connector.sandbox.responses import not_signed_in
from connector.sandbox.state import SandboxState
from connector.sandbox.tokens import Grant

BODY_MOST = 1024 * 1024
_WEIGHT = "X-Rate-Limit-Request-Weight-v3"
_LEFT = "X-Rate-Limit-Remaining-v3"
_SCHEMES = ("zoho-oauthtoken", "bearer")


class DeskRequest(msgspec.Struct, kw_only=True):
    """A checked request: whose, of which portal, when, and for what; `path` holds the ids of the URL."""

    portal: Portal
    agent: Agent
    grant: Grant
    config: Config
    now: int
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: JsonObject


Answer = JsonObject | None
Handler = Callable[[DeskRequest], Answer | Awaitable[Answer]]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the API: a row of the tables at the end of each module of handlers.

    A good answer is `status`, one of None `empty_status`. `lenient_body` stands in for `body` if
    patch_requires_all is off.
    `permission` is what the profile of the agent must allow. `org_free` operations know no orgId.
    """

    method: str
    path: str
    scopes: scopes.Scopes
    handler: Handler
    query: Params = params.NONE
    body: Rule | None = None
    lenient_body: Members | None = None
    cost: Cost = "record"
    permission: str | None = None
    org_free: bool = False
    status: int = 200
    empty_status: int = 204


class Endpoint:
    """Answers at one path of the API, as an ASGI application, for every method that it has."""

    def __init__(self, state: SandboxState, operations: Sequence[Operation]) -> None:
        self._state = state
        self._operations = {operation.method: operation for operation in operations}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers: dict[str, str] = {}
        http_request = Request(scope, receive)
        try:
            answer = await self._answer(http_request, headers)
            response = self._respond(answer, headers, self._operations[http_request.method])
        except Refusal as refusal:
            response = self._refuse(refusal, headers)
        await response(scope, receive, send)

    async def _answer(self, http_request: Request, headers: dict[str, str]) -> Answer:
        grant = find_grant(self._state, http_request.headers.get("authorization"))
        operation = self._operations.get(http_request.method)
        if operation is None:
            raise Refusal("METHOD_NOT_ALLOWED")
        config, now = self._state.config, self._state.clock.now()
        if not scopes.covers(grant, operation.scopes):
            raise Refusal("SCOPE_MISMATCH", status=config.scope_mismatch_status)
        portal = self._find_portal(http_request, grant, operation)
        agent = _find_agent(portal, grant, operation)
        request = DeskRequest(
            portal=portal.as_seen_by(agent),
            agent=agent,
            grant=grant,
            config=config,
            now=now,
            path={name: str(value) for name, value in http_request.path_params.items()},
            query={},
            body={},
        )
        return await _answer_checked(request, operation, http_request, headers)

    def _find_portal(self, http_request: Request, grant: Grant, operation: Operation) -> Portal:
        """Find the portal: the token's own, which a given orgId must be; the header is read first."""
        given = http_request.headers.get("orgid") or http_request.query_params.get("orgId") or grant.org_id
        bound = grant.org_id is not None and (operation.org_free or given == grant.org_id)
        portal = self._state.desk.portal(grant.org_id or "") if bound else None
        if portal is None:
            config = self._state.config
            is_usual = config.org_mismatch_code == "OAUTH_ORG_MISMATCH"
            status = config.org_mismatch_status if is_usual else None
            raise Refusal(config.org_mismatch_code, status=status)
        return portal

    def _respond(self, answer: Answer, headers: Mapping[str, str], operation: Operation) -> Response:
        config = self._state.config
        is_list = operation.method == "GET" and operation.cost != "record"
        if answer is None and is_list and config.empty_lists_answered:
            answer = {"data": []}
        if answer is None:
            return Response(status_code=operation.empty_status, headers=dict(headers))
        return JSONResponse(_as_configured(answer, config), operation.status, dict(headers))

    def _refuse(self, refusal: Refusal, headers: dict[str, str]) -> Response:
        headers |= refusal.headers
        if refusal.code == "METHOD_NOT_ALLOWED":
            headers["Allow"] = ", ".join(self._operations)
        if refusal.status == 401 and self._state.config.desk_401_html:
            return not_signed_in(headers)
        return JSONResponse(refusal.body(), refusal.status, headers)


def routes_of(state: SandboxState, operations: Sequence[Operation]) -> list[BaseRoute]:
    """Make one route for each path, fixed paths before those with an id, and one for all that is unknown."""
    paths = sorted({operation.path for operation in operations}, key=lambda path: ("{" in path, path))
    routes: list[BaseRoute] = [
        Route(path, Endpoint(state, [each for each in operations if each.path == path])) for path in paths
    ]
    return [*routes, Route("/api/{rest:path}", _UnknownPath())]


class _UnknownPath:
    """Answers where Desk has nothing."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        refusal = Refusal("URL_NOT_FOUND")
        await JSONResponse(refusal.body(), refusal.status)(scope, receive, send)


def find_grant(state: SandboxState, header: str | None) -> Grant:
    """Return the grant of a token; both `Zoho-oauthtoken` and `Bearer` are understood."""
    scheme, _, token = (header or "").partition(" ")
    if not token.strip() or scheme.lower() not in _SCHEMES:
        raise Refusal("UNAUTHORIZED")
    grant = state.tokens.resolve(token.strip())
    if grant is None:
        raise Refusal("INVALID_OAUTH")
    return grant


def _find_agent(portal: Portal, grant: Grant, operation: Operation) -> Agent:
    agent = next((each for each in portal.agents() if each.zuid == grant.zuid), None)
    if agent is None or portal.lacks(operation.permission):
        raise Refusal("FORBIDDEN")
    if agent.is_light and operation.method != "GET":
        raise Refusal("FORBIDDEN")
    return agent


async def _answer_checked(
    request: DeskRequest, operation: Operation, http_request: Request, headers: dict[str, str]
) -> Answer:
    """Read query and body, take the credits, check the body and let the handler answer."""
    raw = await _read_raw(http_request) if operation.body is not None else b""
    try:
        request.query = _read_query(operation, http_request, request.config)
        request.body = _parse(raw, http_request) if operation.body is not None else {}
    except Refusal:
        _charge(request, 1, headers)
        raise
    _charge(request, weigh(operation.cost, request.query, request.body), headers)
    if operation.body is not None:
        _check_body(request, operation)
    _check_sharing(request, operation)
    answer = operation.handler(request)
    return await answer if isinstance(answer, Awaitable) else answer


def _charge(request: DeskRequest, weight: int, headers: dict[str, str]) -> None:
    """Take the price of a request and write what it was and what is left."""
    shown = headers if request.config.credit_headers else {}
    shown |= {_WEIGHT: str(weight), _LEFT: str(request.portal.credits.left(request.now))}
    request.portal.credits.spend(weight, request.now)
    shown[_LEFT] = str(request.portal.credits.left(request.now))


def _read_query(operation: Operation, http_request: Request, config: Config) -> dict[str, Any]:
    """Read every parameter; several of one name are joined by commas."""
    given: dict[str, Any] = {}
    for name in dict.fromkeys(http_request.query_params.keys()):
        if name == "orgId" and not operation.org_free:
            continue
        param = operation.query.get(name)
        if param is None:
            raise extra_parameter(name)
        try:
            given[name] = param.read(",".join(http_request.query_params.getlist(name)))
        except BadValue as problem:
            raise bad_parameter(name) from problem
        if isinstance(param, Sort) and given[name][1] and config.descending_sort_refused:
            raise bad_parameter(name)
    return given


async def _read_raw(http_request: Request) -> bytes:
    raw = b""
    async for chunk in http_request.stream():
        raw += chunk
        if len(raw) > BODY_MOST:
            raise Refusal("RESOURCE_SIZE_EXCEEDED")
    return raw


def _parse(raw: bytes, http_request: Request) -> JsonObject:
    media_type = http_request.headers.get("content-type", "").partition(";")[0].strip().lower()
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


def _check_body(request: DeskRequest, operation: Operation) -> None:
    rule = operation.body
    if operation.lenient_body is not None and not request.config.patch_requires_all:
        rule = operation.lenient_body
    problems = [] if rule is None else list(rule.check(request.body, ""))
    if problems:
        raise invalid_data(problems)


def _check_sharing(request: DeskRequest, operation: Operation) -> None:
    """Refuse changes of other agents' records in a module that is shared for reading only."""
    module, _, right = (operation.permission or "").partition(".")
    if right not in ("edit", "delete") or request.portal.sharing(module) != "public read only":
        return
    listed = next((each for each in request.body.values() if isinstance(each, list)), [])
    for record_id in (request.path.get("id"), *listed):
        record = request.portal.tables[module].find(str(record_id))
        if record is not None and request.portal.is_anothers(record):
            raise Refusal("FORBIDDEN")


def _as_configured(answer: Any, config: Config) -> Any:
    """Return an answer without what the profile hides, its times as the switch says."""
    if isinstance(answer, list):
        return [_as_configured(each, config) for each in answer]
    if not isinstance(answer, dict):
        return answer
    shown: JsonObject = {}
    for name, value in answer.items():
        if name in config.hidden_members:
            continue
        is_time = config.times_as_numbers and name.endswith("Time") and isinstance(value, str)
        shown[name] = read_time(value) if is_time else _as_configured(value, config)
    return shown


class ConcurrencyLimit:
    """Return TOO_MANY_REQUESTS, without Retry-After, to what exceeds a portal's concurrency.

    It reads the requests under way that `Counting` notes, so it belongs right within that.
    """

    def __init__(self, app: ASGIApp, state: SandboxState) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request pass, or refuse it."""
        if scope["type"] == "http" and self._is_too_much(scope):
            refusal = Refusal("TOO_MANY_REQUESTS")
            await JSONResponse(refusal.body(), refusal.status)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_too_much(self, scope: Scope) -> bool:
        if not scope["path"].startswith("/api/"):
            return False
        headers = dict(scope["headers"])
        try:
            org_id = find_grant(self._state, headers.get(b"authorization", b"").decode("latin-1")).org_id
        except Refusal:
            return False
        if org_id is None:
            return False
        return self._state.requests.in_progress[org_id] > self._state.config.concurrency(org_id)
