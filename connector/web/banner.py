"""Stream what changes to an open banner, and take which of several contacts a call is with."""

from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from connector.banner.hub import Message, Subscription
from connector.banner.publisher import encode
from connector.errors import NotAllowed, TooManyRequests
from connector.services import Services, services_of
from connector.store.users import User
from connector.web.auth import require_api, require_user, session_of
from connector.web.bodies import read_json

HEARTBEAT_SECONDS = 15
"""How long a stream may stay silent; proxies cut those that do for a minute."""

BANNERS_AT_MOST = 32
"""Open at one time in one browser: more tabs than anybody keeps, too few to fill our memory."""
ONE_MAY_CLOSE_SECONDS = 10

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Stream(StreamingResponse):
    """The messages of one banner; it is forgotten when the response ends, even one that never began."""

    def __init__(self, services: Services, user: User, subscription: Subscription) -> None:
        messages = _messages(services, user, subscription)
        super().__init__(messages, media_type="text/event-stream", headers=HEADERS)
        self._services = services
        self._subscription = subscription

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it until either side ends it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._services.hub.unsubscribe(self._subscription)


async def stream(request: Request) -> Stream:
    """Open `GET /api/banner/stream`: a snapshot, then each change; 429 beyond 32 in one browser."""
    services = services_of(request)
    user, session = await require_user(request), session_of(request)
    if services.hub.open_of(session) >= BANNERS_AT_MOST:
        raise TooManyRequests(
            f"This browser has {BANNERS_AT_MOST} banners open: close one of them.", ONE_MAY_CLOSE_SECONDS
        )
    return Stream(services, user, services.hub.subscribe(user.id, session))


async def _messages(services: Services, user: User, subscription: Subscription) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    yield _line(await _snapshot(services, user, subscription))
    while not subscription.is_over:
        messages = await subscription.read(HEARTBEAT_SECONDS)
        yield b"".join(map(_line, messages)) or b": still here\n\n"


async def _snapshot(services: Services, user: User, subscription: Subscription) -> Message:
    agent = {"name": user.name, "email": user.email, "role": user.role}
    dials = await services.orders.can_dial(user.id)
    calls = await services.pipeline.snapshot(user.id)
    services.hub.fill(subscription, [view.id for view in calls])
    links = await services.portal_status.read()
    data = {"now": services.clock(), "agent": agent, "dials": dials, "links": links, "calls": calls}
    return Message("snapshot", encode(data))


def _line(message: Message) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (message.event.encode(), message.data)


class Choice(msgspec.Struct, frozen=True):
    """The body of a choice: the id of a contact, found or not, "none" for none of the found ones, or null."""

    contact: str | None


async def choose(request: Request) -> Response:
    """Take `POST /api/calls/{id}/contact` and return the call as it is shown now."""
    caller = await require_api(request)
    if caller.user is None:
        raise NotAllowed("A choice is an agent's: sign in instead of using a key.")
    choice = await read_json(request, Choice)
    services = services_of(request)
    view = await services.pipeline.choose(caller.user.id, request.path_params["id"], choice.contact)
    return Response(encode(view), media_type="application/json")
