"""Stream news to an open banner as server-sent events."""

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import StreamingResponse

from connector.feed import Message, Subscription
from connector.news import encode
from connector.store.users import User
from connector.web.guard import require_user, session_of
from connector.web.house import House, house_of

HEARTBEAT_SECONDS = 15
"""How long a stream may stay silent; proxies cut those that do for a minute."""

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def stream(request: Request) -> StreamingResponse:
    """Open `GET /api/banner/stream`: a snapshot, then each change."""
    house = house_of(request)
    user = await require_user(request)
    subscription = house.feed.subscribe(user.id, session_of(request))
    return StreamingResponse(
        _messages(house, user, subscription), media_type="text/event-stream", headers=HEADERS
    )


async def _messages(house: House, user: User, subscription: Subscription) -> AsyncIterator[bytes]:
    try:
        yield b"retry: 1000\n\n"
        yield _line(await _snapshot(house, user))
        while not subscription.is_over:
            messages = await subscription.read(HEARTBEAT_SECONDS)
            yield b"".join(map(_line, messages)) or b": still here\n\n"
    finally:
        house.feed.unsubscribe(subscription)


async def _snapshot(house: House, user: User) -> Message:
    agent = {"name": user.name, "email": user.email, "role": user.role}
    data = {"now": house.clock(), "agent": agent, "calls": await house.road.snapshot(user.id)}
    return Message("snapshot", encode(data))


def _line(message: Message) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (message.event.encode(), message.data)
