"""Receive what phone systems post: verify, parse, hand over, answer."""

import re
import time
from collections.abc import Iterable, Mapping
from functools import cache, cached_property, lru_cache

from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connector.dialects import (
    DIALECTS,
    NO_HINTS,
    Answer,
    AnswerContext,
    Parsed,
    Posted,
    Receipt,
    check_count,
    turned_away,
)
from connector.errors import BadSignature, InvalidEvent
from connector.phone_systems import CachedPhoneSystem
from connector.services import Services
from connector.store.ingester import Ingested
from connector.web.access_log import BEGAN, note
from connector.web.auth import count_unsigned
from connector.web.bodies import check_length, read_all
from connector.web.headers import Headers, always, completed

PROBLEM = "connector.problem"
"""Where the scope has what a request came to before it reached Starlette's middlewares."""


BLANK = b"***"

NOTHING_TAKEN = Ingested(accepted=0, duplicate=0, ignored=0)


class Hooks:
    """Take the events of `POST /hooks/{slug}`, with or without a secret behind; answer after the commit.

    The answer is the dialect's; 413, 404, 401, 415 and 422 in this order, and 413 a second time for what is
    large for the dialect. 429 stands for 401 where an address has failed often; 503 with Retry-After comes
    where the store, or the room for large bodies, is full.
    """

    __name__ = "receive"
    """What the access log calls it, as if it were a function among the other views."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request as a route of Starlette's; one that has come to nothing already is told why."""
        if PROBLEM in scope:
            # Taken out: scope and traceback would hold each other, and the body, until the collector comes.
            raise scope.pop(PROBLEM)
        answer = await self.take(scope["app"].state, scope, receive)
        await send_answer(answer, [], send)

    async def take(self, state: State, scope: Scope, receive: Receive) -> Answer:
        """Read one request and commit what it says; return the answer in its dialect.

        A wrong signature counts against the address that it comes from, a right one is never refused for it.
        """
        began, services = time.perf_counter(), state.services
        address = scope["client"][0] if scope["client"] else ""
        try:
            headers = _headers(scope)
            length = headers.get("content-length", "0")
            check_length(length)
            known = await services.phone_systems.find(scope["path_params"]["slug"])
            known.check_sender(address)
            body = await read_all(length, receive, DIALECTS[known.phone.dialect].largest_body)
            return await _take(services, known, _posted(services, scope, headers, body))
        except BadSignature:
            count_unsigned(state.limiter, address)
            raise
        finally:
            services.metrics.ack_seconds.observe(time.perf_counter() - began)


class HooksFirst(Starlette):
    """The web application, which serves `POST /hooks/...` without Starlette's router and middlewares.

    Nothing is asked for more often, and they cost as much as reading an event does. Every byte of an answer
    and of the access log is as they make it: a problem is handed to them, and raised again by the route.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        hooks = self._hooks(scope) if scope["type"] == "http" and scope["method"] == "POST" else None
        if hooks is None:
            await super().__call__(scope, receive, send)
            return
        services, began = self.state.services, time.perf_counter()
        try:
            answer = await hooks.take(self.state, scope, receive)
        except BaseException as problem:  # noqa: BLE001 - the middlewares sort it, and raise it if need be
            scope[PROBLEM], scope[BEGAN] = problem, began
            await super().__call__(scope, receive, send)
            return
        try:
            more = _more_headers(answer.content_type, is_https=services.settings.is_https)
            await send_answer(answer, more, send)
            services.metrics.count_answer(answer.status)
        finally:
            note(scope, answer.status, time.perf_counter() - began)

    def _hooks(self, scope: Scope) -> Hooks | None:
        """Return the view of a request's address if it takes events; the scope learns what Starlette says."""
        for pattern, hooks in self._addresses if scope["path"].startswith("/hooks/") else ():
            found = pattern.match(scope["path"])
            if found is not None:
                scope["endpoint"], scope["path_params"] = hooks, found.groupdict()
                return hooks
        return None

    @cached_property
    def _addresses(self) -> list[tuple[re.Pattern[str], Hooks]]:
        views = ((each, each.endpoint) for each in self.routes if isinstance(each, Route))
        return [(route.path_regex, view) for route, view in views if isinstance(view, Hooks)]


@cache
def _more_headers(content_type: str, *, is_https: bool) -> Headers:
    """Return the headers that an answer of ours has beside its type and size."""
    given = [(b"content-type", content_type.encode()), (b"content-length", b"")]
    return completed(given, always(https=is_https))[len(given) :]


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers by their names in lower case; of two with one name, the first."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}


async def send_answer(answer: Answer, more: Headers, send: Send) -> None:
    """Send a dialect's answer with `more` headers behind its type and size."""
    typed = (b"content-type", answer.content_type.encode())
    sized = (b"content-length", str(len(answer.body)).encode())
    its = [(name.encode(), value.encode()) for name, value in answer.headers]
    headers = [typed, sized, *its, *more]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _take(services: Services, known: CachedPhoneSystem, posted: Posted) -> Answer:
    """Read what was posted, commit it, and answer in its dialect."""
    dialect = DIALECTS[known.phone.dialect]
    try:
        parsed = dialect.parse(known.config, posted)
        check_count(parsed)
    except InvalidEvent as problem:
        await _keep_unread(services, known, posted.body, str(problem))
        raise
    hints = NO_HINTS
    if parsed.question is not None:
        hints = await services.phone_systems.hints(known.phone, parsed.question)
    parsed = turned_away(parsed) if hints.rejects else parsed
    # What says nothing, such as a look-up or a vendor's first question, costs no commit.
    says_something = parsed.events or parsed.ignored
    taken = await services.pipeline.take(known.phone, parsed) if says_something else NOTHING_TAKEN
    if parsed.rejected:
        await _keep_unread(services, known, posted.body, parsed.rejected[0].error)
    receipt = _receipt(services, taken, parsed)
    services.metrics.count_phone_system(known.phone.slug, len(parsed.events))
    return dialect.answer(AnswerContext(posted=posted, parsed=parsed, receipt=receipt, hints=hints))


async def _keep_unread(services: Services, known: CachedPhoneSystem, body: bytes, reason: str) -> None:
    """Keep what is authentic but cannot be read, for people to see: what proved it is blanked."""
    secrets = (*known.config.secrets, *known.config.address_secrets)
    await services.pipeline.keep_unread(known.phone, blanked(body, secrets), reason)


def blanked(body: bytes, secrets: Iterable[str]) -> bytes:
    """Return a body with BLANK in the place of each secret that stands there."""
    for secret in secrets:
        body = _as_written(secret).sub(BLANK, body)
    return body


@lru_cache(maxsize=256)
def _as_written(secret: str) -> re.Pattern[bytes]:
    """Match a secret as JSON or a form may write it, each character by itself, escaped or not."""
    return re.compile(b"".join(map(_character_as_written, secret)))


def _character_as_written(character: str) -> bytes:
    plain = character.encode()
    in_json = rb"\\u(?i:%04x)|\\" % ord(character) + re.escape(plain)
    in_form = b"".join(b"%%(?i:%02x)" % byte for byte in plain)
    return b"(?:" + b"|".join((in_json, in_form, re.escape(plain))) + b")"


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


def _receipt(services: Services, taken: Ingested, parsed: Parsed) -> Receipt:
    count = services.metrics.count_events
    count(taken.accepted, taken.duplicate, taken.ignored, len(parsed.rejected))
    return Receipt(
        accepted=taken.accepted, duplicate=taken.duplicate, ignored=taken.ignored, rejected=parsed.rejected
    )
