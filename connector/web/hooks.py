"""Receive what phone systems post: verify, parse, hand over, answer."""

from collections.abc import Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from connector.dialects import (
    DIALECTS,
    MAX_BODY_BYTES,
    Answer,
    AnswerContext,
    Parsed,
    Posted,
    Receipt,
    check_count,
    turned_away,
)
from connector.errors import InvalidEvent, TooLarge
from connector.phone_systems import CachedPhoneSystem
from connector.store.ingester import Taken
from connector.web.services import Services


class Hooks:
    """Take the events of `POST /hooks/{slug}`, with or without a secret behind; answer after the commit.

    The answer is the dialect's; 413, 404, 401, 415 and 422 in this order; 503 with Retry-After where the
    store is full. Nothing is asked for more often, so it speaks ASGI: a Request and a Response would cost
    as much as reading the event does.
    """

    __name__ = "receive"
    """What the journal calls it, as if it were a function among the other views."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        services: Services = scope["app"].state.services
        with services.metrics.ack_seconds.time():
            headers = _headers(scope)
            body = await _body(headers.get("content-length", "0"), receive)
            known = await services.phone_systems.find(scope["path_params"]["slug"])
            known.check_sender(scope["client"][0] if scope["client"] else "")
            answer = await _take(services, known, _posted(services, scope, headers, body))
        await _send(answer, send)


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers by their names in lower case; of two with one name, the first."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}


async def _send(answer: Answer, send: Send) -> None:
    typed = (b"content-type", answer.content_type.encode())
    sized = (b"content-length", str(len(answer.body)).encode())
    await send({"type": "http.response.start", "status": answer.status, "headers": [typed, sized]})
    await send({"type": "http.response.body", "body": answer.body})


async def _take(services: Services, known: CachedPhoneSystem, posted: Posted) -> Answer:
    """Read what was posted, commit it, and answer in its dialect."""
    dialect = DIALECTS[known.phone.dialect]
    try:
        parsed = dialect.parse(known.config, posted)
        check_count(parsed)
    except InvalidEvent as problem:
        await services.pipeline.keep_unread(known.phone, posted.body, str(problem))
        raise
    hints = await services.phone_systems.hints(known.phone, parsed.question)
    parsed = turned_away(parsed) if hints.rejects else parsed
    taken = await services.pipeline.take(known.phone, parsed)
    if parsed.rejected:
        await services.pipeline.keep_unread(known.phone, posted.body, parsed.rejected[0].error)
    receipt = _receipt(services, taken, parsed)
    return dialect.answer(AnswerContext(posted=posted, parsed=parsed, receipt=receipt, hints=hints))


async def read_body(request: Request) -> bytes:
    """Read the body, and stop reading where it grows too large: TooLarge."""
    return await _body(request.headers.get("content-length", "0"), request.receive)


async def _body(length: str, receive: Receive) -> bytes:
    _check_size(int(length))
    parts, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts += message.get("body", b"")
        _check_size(len(parts))
        more = message.get("more_body", False)
    return bytes(parts)


def _check_size(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise TooLarge("The body is larger than 1 MiB: send fewer events at a time.")


def _posted(services: Services, scope: Scope, headers: Mapping[str, str], body: bytes) -> Posted:
    """Hand over what came; whom it was sent to is told by our settings, never by the Host header."""
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope["query_string"]
    target = path + (b"?" + query if query else b"")
    return Posted(
        headers=headers,
        content_type=headers.get("content-type", ""),
        body=body,
        received_at=services.clock(),
        url=services.settings.public_url.rstrip("/") + target.decode("latin-1"),
        token=scope["path_params"].get("token", ""),
    )


def _receipt(services: Services, taken: Taken, parsed: Parsed) -> Receipt:
    events = services.metrics.events
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
