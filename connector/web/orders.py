"""Take what agents and programs want a phone system to do, and say what came of it.

Programs beside phone systems fetch these orders, report what came of each, and how they are themselves.
"""

import itertools
import secrets
from typing import Annotated, Any, Literal, TypeVar

import anyio
import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from connector import orders
from connector.clock import SECOND, Clock
from connector.dialects import DIALECTS, MAX_BODY_BYTES, signing
from connector.errors import BadSignature, InvalidRequest, NotSignedIn
from connector.numbers import read
from connector.orders import Asker, Outcome
from connector.orders.messages import message
from connector.orders.planning import Colleague
from connector.phone_systems import CachedPhoneSystem
from connector.services import Services, services_of
from connector.store.orders import Order, OrderKind, OrderState
from connector.store.phones import PhoneSystem, Program
from connector.web.auth import Caller, count_unsigned, require_api, session_of
from connector.web.bodies import check_length, read_body

BODY_AT_MOST = 4_096
PROGRAM_AT_MOST = 48 * 1024
"""Twenty problems of 500 characters, whatever they are."""
OWN_REPORTS = "status-"
"""Ids of reports that begin so, as every bridge's do, are each used once; others may name all alike."""
KEY_AT_MOST = 200
WAIT_AT_MOST_SECONDS = 30
NO_STORE = {"Cache-Control": "no-store"}

Body = TypeVar("Body")


class DialBody(msgspec.Struct, frozen=True):
    """Whom to call; `agent` whose telephone (own unless given), `phone` by which phone system.

    `contact` is the id of the Desk contact that is called: the call's record goes to that one.
    """

    number: str
    agent: str | None = None
    phone: str | None = None
    contact: Annotated[str, Meta(pattern=r"^[0-9]{1,20}\Z")] | None = None


class HangUpBody(msgspec.Struct, frozen=True):
    """Whose part of the call ends: one's own unless given; for supervisors without a part, all."""

    agent: str | None = None


class TransferBody(msgspec.Struct, frozen=True):
    """To whom the call goes: a colleague's extension, login or e-mail address; `agent` who hands it over."""

    to: str
    agent: str | None = None


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """How an order stands; `message` says it in plain words, `call` is the phone system's id."""

    id: str
    kind: OrderKind
    state: OrderState
    is_open: bool
    message: str
    reason: str
    phone: str
    agent: str
    number: str
    call: str


class ColleaguesView(msgspec.Struct, frozen=True):
    """To whom a call can be handed over."""

    colleagues: tuple[Colleague, ...]


async def dial(request: Request) -> Response:
    """Take `POST /api/calls`: ring the agent's telephone, then call the number."""
    caller = await require_api(request)
    body = await _body(request, DialBody)
    more = {"phone": body.phone, "contact": body.contact}
    return await _give(request, caller, "dial", number=body.number, agent=body.agent, **more)


async def hang_up(request: Request) -> Response:
    """Take `POST /api/calls/{id}/hangup`."""
    caller = await require_api(request)
    body = await _body(request, HangUpBody)
    return await _give(request, caller, "hang_up", agent=body.agent, call=request.path_params["id"])


async def transfer(request: Request) -> Response:
    """Take `POST /api/calls/{id}/transfer`."""
    caller = await require_api(request)
    body = await _body(request, TransferBody)
    call = request.path_params["id"]
    return await _give(request, caller, "transfer", number=body.to, agent=body.agent, call=call)


async def show(request: Request) -> Response:
    """Return `GET /api/orders/{id}`; with `wait`, as soon as something comes of it, 30 s at most.

    With `state`, as soon as it is in another one.
    """
    caller = await require_api(request)
    services, wait = services_of(request), wait_seconds(request)
    uid, unlike = request.path_params["id"], _state(request)
    session = "" if caller.user is None else session_of(request)
    with anyio.CancelScope() as waiting_for, services.sessions.watched(session, waiting_for.cancel):
        order = await services.orders.get(_asker(caller), uid, wait, unlike)
        return await _response(services, order, 200)
    raise NotSignedIn("Your session is over.")


async def colleagues(request: Request) -> Response:
    """Return `GET /api/calls/{id}/colleagues`: to whom the call can be handed over."""
    caller = await require_api(request)
    found = await services_of(request).orders.colleagues(_asker(caller), request.path_params["id"])
    body = msgspec.json.encode(ColleaguesView(tuple(found)))
    return Response(body, media_type="application/json", headers=NO_STORE)


def wait_seconds(request: Request) -> int:
    """Read for how many seconds the asker is willing to wait."""
    text = request.query_params.get("wait", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise InvalidRequest("wait must be a number of seconds.")
    return min(int(text), WAIT_AT_MOST_SECONDS)


def _state(request: Request) -> OrderState | None:
    """Read in which state the asker knows an order to be."""
    text = request.query_params.get("state")
    try:
        return None if text is None else msgspec.convert(text, OrderState)
    except msgspec.ValidationError as problem:
        raise InvalidRequest("state must be one of an order's states.") from problem


def decode(raw: bytes, kind: type[Body], at_most: int = BODY_AT_MOST) -> Body:
    """Read a small JSON body; InvalidRequest where it does not fit."""
    if len(raw) > at_most or b"\\u0000" in raw:
        raise InvalidRequest("The body is longer than anything that fits here, or holds a NUL.")
    try:
        return msgspec.json.decode(raw or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise InvalidRequest(f"The body does not fit: {problem}.") from problem


async def _body(request: Request, kind: type[Body]) -> Body:
    return decode(await read_body(request), kind)


async def _give(
    request: Request,
    caller: Caller,
    kind: OrderKind,
    *,
    number: str = "",
    agent: str | None = None,
    **more: Any,
) -> Response:
    services, key = services_of(request), _key(request)
    wanted = orders.Request(kind=kind, key=key, number=number, agent=agent, **more)
    return await _response(services, await services.orders.give(_asker(caller), wanted), 202)


def _key(request: Request) -> str:
    """Return what the caller calls this order, so that a repetition is none."""
    key = request.headers.get("idempotency-key", "")
    if len(key) > KEY_AT_MOST or not (key.isascii() and key.isprintable()):
        raise InvalidRequest(f"Idempotency-Key must be printable, and at most {KEY_AT_MOST} characters.")
    return key or secrets.token_hex(16)


def _asker(caller: Caller) -> Asker:
    return Asker(name=caller.name, role=caller.role, user=caller.user)


async def _response(services: Services, order: Order, status: int) -> Response:
    phone = await services.phone_systems.get(order.phone_system_id)
    name = await services.orders.name_of(phone, order.number) if order.number else None

    def shown(number: str) -> str:
        display = read(number, phone.country).display if number else ""
        return display if name is None else f"{name} ({display})"

    view = OrderView(
        id=order.uid,
        kind=order.kind,
        state=order.state,
        is_open=order.is_open,
        message=message(order, shown),
        reason=order.reason,
        phone=phone.slug,
        agent=order.agent,
        number=order.number,
        call=order.call_id,
    )
    return Response(msgspec.json.encode(view), status, media_type="application/json", headers=NO_STORE)


_Word = Annotated[str, Meta(min_length=1, max_length=100)]


class OrderToDo(msgspec.Struct, frozen=True, kw_only=True):
    """An order as a phone system's program sees it."""

    id: str
    kind: OrderKind
    agent: str
    number: str
    caller_id: str | None
    call: str


class OrdersToDo(msgspec.Struct, frozen=True):
    """What waits to be done."""

    orders: tuple[OrderToDo, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a program says of an order: that it takes it, or what came of it; `by` is the program's word."""

    state: Literal["taken", "done", "refused", "unknown"]
    by: _Word
    reason: Annotated[str, Meta(max_length=100)] = ""
    detail: Annotated[str, Meta(max_length=2_000)] = ""


async def waiting(request: Request) -> Response:
    """Return `GET /hooks/{slug}/orders`: what waits to be done; with `wait`, once there is something."""
    phone, _ = await _verified(request, 0)
    _check_fresh(request)
    found = await services_of(request).orders.waiting(phone, wait_seconds(request))
    return _json(OrdersToDo(tuple(map(_to_do, found))))


async def report(request: Request) -> Response:
    """Take `POST /hooks/{slug}/orders/{id}`: 200 with the order, or 409 where it must not be done."""
    phone, body = await _verified(request, BODY_AT_MOST)
    said, uid, orders = decode(body, Report), request.path_params["id"], services_of(request).orders
    message_id = request.headers["webhook-id"]
    if not message_id.startswith(f"{uid}-"):
        raise BadSignature("webhook-id must begin with the order's id and a hyphen: it is what is signed")
    if message_id.count("-") > 1:
        # Bridges of before name a repetition as they named the first try, perhaps within one second.
        _check_fresh(request)
    if said.state == "taken":
        return _json(_to_do(await orders.take(phone, uid, said.by)))
    outcome = Outcome(state=said.state, reason=said.reason, detail=said.detail)
    return _json(_to_do(await orders.settle(phone, uid, said.by, outcome)))


class ProgramBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a program says of itself: its events' `source`, its own `id`, and what it lacks."""

    source: Annotated[str, Meta(min_length=1, max_length=250)]
    id: _Word
    program: _Word
    problems: Annotated[tuple[Annotated[str, Meta(max_length=500)], ...], Meta(max_length=20)] = ()


async def report_program(request: Request) -> Response:
    """Take `PUT /hooks/{slug}/status`: a program beside the phone system says how it is; 204."""
    phone, body = await _verified(request, PROGRAM_AT_MOST)
    said = decode(body, ProgramBody, PROGRAM_AT_MOST)
    services, headers = services_of(request), request.headers
    if headers["webhook-id"].startswith(OWN_REPORTS):
        _check_fresh(request)
    signed_at = int(headers["webhook-timestamp"])
    told = msgspec.structs.asdict(said)
    program = Program(**told, reported_at=services.clock(), signed_at=signed_at)
    await services.phone_systems.programs.note(phone, program)
    return Response(status_code=204)


async def _verified(request: Request, at_most: int) -> tuple[PhoneSystem, bytes]:
    """Return the phone system whose secret has signed the request, and the body, of `at_most` bytes.

    Nothing is read for who cannot be meant or has no business here; an `at_most` of 0 reads nothing at all.
    """
    check_length(request.headers.get("content-length", "0"), at_most or MAX_BODY_BYTES)
    known = await services_of(request).phone_systems.find(request.path_params["slug"])
    address = request.client.host if request.client else ""
    try:
        known.check_sender(address)
        return known.phone, await _signed_body(request, known, at_most)
    except BadSignature:
        count_unsigned(request.app.state.limiter, address)
        raise


async def _signed_body(request: Request, known: CachedPhoneSystem, at_most: int) -> bytes:
    if DIALECTS[known.phone.dialect].signing != "made":
        raise BadSignature("a phone system of this dialect has no secret of ours to sign with")
    body = await read_body(request, at_most) if at_most else b""
    signing.verify(dict(request.headers), body, known.config.secrets, services_of(request).clock())
    return body


class SeenIds:
    """The webhook-ids of late, so that none is taken twice while its signature would still hold."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[tuple[str, str], int] = {}

    def check(self, slug: str, message_id: str) -> None:
        """Raise BadSignature where a phone system has used this id already, and remember it."""
        now = self._clock()
        for old in [
            key for key, until in itertools.takewhile(lambda each: each[1] < now, self._until.items())
        ]:
            del self._until[old]
        if (slug, message_id) in self._until:
            raise BadSignature("this webhook-id has been used: give each attempt one of its own")
        self._until[slug, message_id] = now + 2 * signing.TOLERANCE_SECONDS * SECOND


def _check_fresh(request: Request) -> None:
    """Raise BadSignature for a signed request that came before, to this process."""
    seen: SeenIds = request.app.state.seen_ids
    seen.check(request.path_params["slug"], request.headers["webhook-id"])


def _to_do(order: Order) -> OrderToDo:
    return OrderToDo(
        id=order.uid,
        kind=order.kind,
        agent=order.agent,
        number=order.number,
        caller_id=order.caller_id,
        call=order.call_id,
    )


def _json(body: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json", headers=NO_STORE)
