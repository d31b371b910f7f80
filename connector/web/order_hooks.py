"""Hand orders to the programs beside phone systems, and take what came of each."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from connector.dialects import DIALECTS, signing
from connector.errors import BadSignature
from connector.orders import Outcome
from connector.services import services_of
from connector.store.orders import Order, OrderKind
from connector.store.phones import PhoneSystem
from connector.web.hooks import read_body
from connector.web.orders import NO_STORE, decode, wait_seconds

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
    phone = await _verified(request, b"")
    found = await services_of(request).orders.waiting(phone, wait_seconds(request))
    return _json(OrdersToDo(tuple(map(_to_do, found))))


async def report(request: Request) -> Response:
    """Take `POST /hooks/{slug}/orders/{id}`: 200 with the order, or 409 where it must not be done."""
    body = await read_body(request)
    phone = await _verified(request, body)
    said, uid, orders = decode(body, Report), request.path_params["id"], services_of(request).orders
    if said.state == "taken":
        return _json(_to_do(await orders.take(phone, uid, said.by)))
    outcome = Outcome(state=said.state, reason=said.reason, detail=said.detail)
    return _json(_to_do(await orders.settle(phone, uid, said.by, outcome)))


async def _verified(request: Request, body: bytes) -> PhoneSystem:
    """Return the phone system whose secret has signed the request."""
    services = services_of(request)
    known = await services.phone_systems.find(request.path_params["slug"])
    known.check_sender(request.client.host if request.client else "")
    if DIALECTS[known.phone.dialect].signing != "made":
        raise BadSignature("a phone system of this dialect has no secret of ours to sign with")
    signing.verify(dict(request.headers), body, known.config.secrets, services.clock())
    return known.phone


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
