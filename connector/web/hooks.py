"""Receive what phone systems post: verify, parse, hand over, answer."""

from starlette.requests import Request
from starlette.responses import Response

from connector.errors import InvalidEvent, TooLarge
from connector.phones import DIALECTS, MAX_BODY_BYTES, Parsed, Posted, Receipt
from connector.store.ledger import Taken
from connector.web.house import House, house_of


async def receive(request: Request) -> Response:
    """Take the events of `POST /hooks/{slug}`; the answer goes out after the commit.

    202 with counts; 413, 404, 401, 415 and 422 in this order; 503 with Retry-After where the store is full.
    """
    house = house_of(request)
    with house.metrics.ack_seconds.time():
        body = await read_body(request)
        known = await house.phone_systems.find(request.path_params["slug"])
        dialect = DIALECTS[known.phone.dialect]
        try:
            parsed = dialect.parse(known.voice, _posted(request, body, house.clock()))
        except InvalidEvent as problem:
            await house.road.keep_unread(known.phone, body, str(problem))
            raise
        taken = await house.road.take(known.phone, parsed)
        if parsed.rejected:
            await house.road.keep_unread(known.phone, body, parsed.rejected[0].error)
        answer = dialect.answer(_receipt(house, taken, parsed))
    return Response(answer.body, answer.status, media_type=answer.content_type)


async def read_body(request: Request) -> bytes:
    """Read the body, and stop reading where it grows too large: TooLarge."""
    if int(request.headers.get("content-length", "0")) > MAX_BODY_BYTES:
        raise TooLarge("The body is larger than 1 MiB: send fewer events at a time.")
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > MAX_BODY_BYTES:
            raise TooLarge("The body is larger than 1 MiB: send fewer events at a time.")
    return bytes(parts)


def _posted(request: Request, body: bytes, now: int) -> Posted:
    headers = dict(request.headers)
    return Posted(headers=headers, content_type=headers.get("content-type", ""), body=body, received_at=now)


def _receipt(house: House, taken: Taken, parsed: Parsed) -> Receipt:
    events = house.metrics.events
    for result, count in (
        ("accepted", taken.accepted),
        ("duplicate", taken.duplicate),
        ("ignored", taken.ignored),
        ("rejected", len(parsed.rejected)),
    ):
        if count:
            events.labels(result).inc(count)
    return Receipt(
        accepted=taken.accepted, duplicate=taken.duplicate, ignored=taken.ignored, rejected=parsed.rejected
    )
