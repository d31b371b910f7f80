"""Log one line for each request that may have changed something: what it was, what came of it, how long."""

import logging
import time
from collections.abc import Awaitable, Mapping
from functools import cache
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connector import logs
from connector.web.auth import HARMLESS

LEVELS = {"hooks": logging.DEBUG}
"""Views whose requests come by the thousand; their figures are in the metrics."""

REFUSED_LEVELS = {429: logging.DEBUG, 503: logging.DEBUG}
"""Answers to those who come too often, or all at once: a line for each would fill the log."""

SHOWN = ("slug", "id", "portal_id", "portal")
"""Parts of addresses that may be told; some phone systems have a secret in theirs."""

TEXT_AT_MOST = 200
"""Longer texts are cut."""

BEGAN = "connector.began"
"""Where the scope has when a request came, if somebody has served it before (seconds of perf_counter)."""

log = logging.getLogger(__name__)


def spelt_out(text: str) -> str:
    """Write what a stranger wrote so that it begins no line of the log and steers no terminal."""
    return logs.spelt_out(text[:TEXT_AT_MOST])


class AccessLog:
    """Log the requests that are not harmless by their view, because addresses may hold secrets."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and note it."""
        if scope["type"] != "http" or scope["method"] in HARMLESS:
            await self._app(scope, receive, send)
            return
        began, status = scope.get(BEGAN) or time.perf_counter(), 500

        def heard(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        try:
            await self._app(scope, receive, heard)
        finally:
            note(scope, status, time.perf_counter() - began)


def note(scope: Scope, status: int, seconds: float) -> None:
    """Note a request that has been answered with a status after so many seconds."""
    view, level = _view(scope.get("endpoint"))
    level = level if status < 400 else REFUSED_LEVELS.get(status, logging.INFO)
    if log.isEnabledFor(level):
        client = scope.get("client")
        whose = {"address": client[0]} if client else {}
        facts = {"view": view, "status": status, "ms": round(seconds * 1_000, 1)} | whose
        log.log(level, "request", extra=facts | _parameters(scope.get("path_params", {})))


@cache
def _view(endpoint: object) -> tuple[str, int]:
    """Name a view as the routes do, and say how loud it is where all is well."""
    module = getattr(endpoint, "__module__", "").rpartition(".")[2]
    return f"{module}.{getattr(endpoint, '__name__', 'nothing')}", LEVELS.get(module, logging.INFO)


def _parameters(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: spelt_out(str(found[name])) for name in SHOWN if name in found}
