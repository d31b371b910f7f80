"""Receive what phone systems post: verify, parse, hand over, answer."""

from starlette.requests import Request
from starlette.responses import Response

from connector.errors import InvalidEvent, TooLarge
from connector.phone_systems import Known
from connector.phones import DIALECTS, MAX_BODY_BYTES, Answer, Parsed, Posted, Receipt, Told, turned_away
from connector.store.ledger import Taken
from connector.web.house import House, house_of


async def receive(request: Request) -> Response:
    """Take the events of `POST /hooks/{slug}`, with or without a secret behind; answer after the commit.

    The answer is the dialect's; 413, 404, 401, 415 and 422 in this order; 503 with Retry-After where the
    store is full.
    """
    house = house_of(request)
    with house.metrics.ack_seconds.time():
        body = await read_body(request)
        known = await house.phone_systems.find(request.path_params["slug"])
        known.check_sender(request.client.host if request.client else "")
        answer = await _take(house, known, _posted(request, body))
    return Response(answer.body, answer.status, media_type=answer.content_type)


async def _take(house: House, known: Known, posted: Posted) -> Answer:
    """Read what was posted, commit it, and answer in its dialect."""
    dialect = DIALECTS[known.phone.dialect]
    try:
        parsed = dialect.parse(known.voice, posted)
    except InvalidEvent as problem:
        await house.road.keep_unread(known.phone, posted.body, str(problem))
        raise
    hints = await house.phone_systems.hints(known.phone, parsed.question)
    parsed = turned_away(parsed) if hints.rejects else parsed
    taken = await house.road.take(known.phone, parsed)
    if parsed.rejected:
        await house.road.keep_unread(known.phone, posted.body, parsed.rejected[0].error)
    receipt = _receipt(house, taken, parsed)
    return dialect.answer(Told(posted=posted, parsed=parsed, receipt=receipt, hints=hints))


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


def _posted(request: Request, body: bytes) -> Posted:
    """Hand over what came; whom it was sent to is told by our settings, never by the Host header."""
    house, headers = house_of(request), dict(request.headers)
    path = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope["query_string"]
    target = path + (b"?" + query if query else b"")
    return Posted(
        headers=headers,
        content_type=headers.get("content-type", ""),
        body=body,
        received_at=house.clock(),
        url=house.settings.public_url.rstrip("/") + target.decode("latin-1"),
        token=request.path_params.get("token", ""),
    )


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
