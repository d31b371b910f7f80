"""Show the recordings of a call to who may hear them, and hand them on."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import anyio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from connector.calls import Direction
from connector.clock import SECOND, in_words, to_iso
from connector.errors import RangeNotSatisfiable, RecordingError
from connector.recordings.access import Heard, Piece
from connector.recordings.audio import Audio, ending, read_range
from connector.recordings.facts import Facts
from connector.services import services_of
from connector.web.auth import count_request, require_user, session_of
from connector.web.headers import POLICY
from connector.web.problems import log_problem, text_of
from connector.web.rendering import render

LISTENS = {"Content-Security-Policy": f"{POLICY}; media-src 'self'"}
"""This page alone plays something."""

OURS_ALONE = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}

log = logging.getLogger(__name__)


async def page(request: Request) -> Response:
    """Return `GET /recordings/{key}`: the call's facts and a player for each of its recordings."""
    user = await require_user(request)
    services = services_of(request)
    count_request(request, user.email)
    shown = await services.recordings.page(user, request.path_params["key"])
    pieces = [_piece(request, piece) for piece in shown.pieces]
    problems = [piece["problem"] for piece in pieces]
    response = render(
        request,
        "recording.html",
        200 if None in problems else problems[0]["status"],
        key=shown.key,
        facts=_facts(shown.facts),
        desk_url=shown.facts.desk_url,
        pieces=pieces,
        left_out=shown.left_out,
        may_keep=shown.may_keep,
        user=user,
    )
    response.headers.update(LISTENS)
    return response


async def audio(request: Request) -> Response:
    """Return `GET /recordings/{key}/{piece}`: the recording, or a part of it; `?keep` for a copy."""
    user = await require_user(request)
    services = services_of(request)
    count_request(request, user.email)
    key, piece = request.path_params["key"], request.path_params["piece"]
    keep = "keep" in request.query_params
    # Who wants a part only if the whole is still the same gets the whole: we never said what it is.
    asked = None if "if-range" in request.headers else read_range(request.headers.get("range"))
    try:
        heard = await services.recordings.hear(user, key, piece, asked, keep=keep)
    except RangeNotSatisfiable as problem:
        total = "*" if problem.total is None else problem.total
        return Response(status_code=416, headers={"Content-Range": f"bytes */{total}"})
    headers = _headers(heard, keep=keep)
    if request.method == "HEAD":
        await heard.audio.close()
        return Response(status_code=206 if heard.audio.part else 200, headers=headers)
    return AudioResponse(heard.audio, headers, partial(services.sessions.watched, session_of(request)))


class AudioResponse(StreamingResponse):
    """Hand a recording on, and close it whatever happens; `watched` ends it when the session is over."""

    def __init__(
        self,
        heard: Audio,
        headers: dict[str, str],
        watched: Callable[[Callable[[], object]], AbstractContextManager[None]],
    ) -> None:
        super().__init__(heard.chunks, 206 if heard.part else 200, headers)
        self._audio = heard
        self._watched = watched

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        loop = asyncio.get_running_loop()
        try:
            with anyio.CancelScope() as ending, self._watched(ending.cancel):
                self._audio.on_end(partial(loop.call_soon_threadsafe, ending.cancel))
                await super().__call__(scope, receive, send)
        finally:
            await self._audio.close()

    async def stream_response(self, send: Send) -> None:
        """Send it piece by piece; one that breaks off is left without an end, so that everybody notices."""
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        try:
            async for chunk in self._audio.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except RecordingError as problem:
            log.warning("recording_broke_off", extra={"reason": problem.reason})
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _headers(heard: Heard, *, keep: bool) -> dict[str, str]:
    """Return all headers; none of them is the phone system's own."""
    kind, length, part = heard.audio.media_type, heard.audio.length, heard.audio.part
    began = datetime.fromtimestamp(heard.started_at / SECOND, UTC)
    name = f"call-{began:%Y%m%dT%H%M%SZ}.{ending(kind)}"
    shown = "attachment" if keep else "inline"
    headers = OURS_ALONE | {"Content-Type": kind, "Content-Disposition": f'{shown}; filename="{name}"'}
    if length is not None:
        headers["Content-Length"] = str(length)
    if part is not None:
        headers["Content-Range"] = part.header
    return headers


def _piece(request: Request, piece: Piece) -> dict[str, Any]:
    """Put a recording, or what is wrong with it, in words."""
    length = None if piece.seconds is None else in_words(piece.seconds)
    if piece.problem is None:
        return {"id": piece.id, "length": length, "problem": None}
    text = text_of(piece.problem)
    told = {
        "title": text.title,
        "what": text.what,
        "who": text.who,
        "todo": text.todo,
        "status": text.status,
    }
    detail = str(piece.problem) if text.shows_message else ""
    more = {"detail": detail, "reference": log_problem(request, piece.problem)}
    return {"id": piece.id, "length": length, "problem": told | more}


def _facts(facts: Facts) -> list[dict[str, Any]]:
    """Put the call in words, a line each; what is not known is left out."""
    lines: list[tuple[str, str | None]] = [
        ("Contact", facts.contact),
        ("Number", facts.number),
        ("Call", _came_to(facts)),
        ("Answered by", _listed(facts.agents)),
        ("Rang at", _listed(facts.rung)),
        ("Talk", in_words(facts.duration_seconds) if facts.agents or facts.duration_seconds else None),
        ("Queue", facts.queue),
        ("Line", facts.line),
        ("Phone system", facts.phone_system),
    ]
    shown = [{"label": label, "value": value, "at": None} for label, value in lines if value]
    shown.insert(3, {"label": "Began", "value": _moment(facts), "at": to_iso(facts.started_at)})
    return shown


_CALLS = {
    (Direction.INBOUND, "Completed"): "Inbound, answered",
    (Direction.INBOUND, "Missed"): "Inbound, missed",
    (Direction.INBOUND, "Canceled"): "Inbound, given up",
    (Direction.OUTBOUND, "Completed"): "Outbound, answered",
    (Direction.OUTBOUND, "Missed"): "Outbound, not answered",
    (Direction.OUTBOUND, "Canceled"): "Outbound, not answered",
    (Direction.INTERNAL, "Completed"): "Internal, answered",
    (Direction.INTERNAL, "Missed"): "Internal, not answered",
    (Direction.INTERNAL, "Canceled"): "Internal, not answered",
}


def _came_to(facts: Facts) -> str:
    if facts.is_forwarded:
        return f"{facts.direction.capitalize()}, forwarded before anybody answered"
    return _CALLS[facts.direction, facts.status.value]


def _listed(names: Sequence[str]) -> str | None:
    return ", ".join(names) or None


def _moment(facts: Facts) -> str:
    """Write when it began as the clocks at the phone system showed it."""
    began = datetime.fromtimestamp(facts.started_at / SECOND, ZoneInfo(facts.time_zone))
    return f"{began:%A} {began.day} {began:%B %Y, %H:%M:%S} ({facts.time_zone})"
