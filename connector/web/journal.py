"""Write one line for each request that may have changed something: what it was, what came of it, how long."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connector import logs
from connector.web.guard import HARMLESS

LEVELS = {"hooks": logging.DEBUG}
"""Views whose requests come by the thousand; their figures are in the metrics."""

SHOWN = ("slug", "id", "portal_id", "portal")
"""Parts of addresses that may be told; some phone systems have a secret in theirs."""

TEXT_AT_MOST = 200
"""Longer texts are cut."""

log = logging.getLogger(__name__)


def spelt_out(text: str) -> str:
    """Write what a stranger wrote so that it begins no line of the log and steers no terminal."""
    return logs.spelt_out(text[:TEXT_AT_MOST])


class Journal:
    """Note the requests that are not harmless by their view, because addresses may hold secrets."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and note it."""
        if scope["type"] != "http" or scope["method"] in HARMLESS:
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def heard(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, heard)
        finally:
            _note(scope, status, time.perf_counter() - began)


def _note(scope: Scope, status: int, seconds: float) -> None:
    view = _view(scope)
    level = LEVELS.get(view.partition(".")[0], logging.INFO) if status < 400 else logging.INFO
    if log.isEnabledFor(level):
        facts = {"view": view, "status": status, "ms": round(seconds * 1_000, 1)}
        log.log(level, "request", extra=facts | _parameters(scope.get("path_params", {})))


def _view(scope: Scope) -> str:
    """Name a view as the routes do."""
    endpoint = scope.get("endpoint")
    module = getattr(endpoint, "__module__", "").rpartition(".")[2]
    return f"{module}.{getattr(endpoint, '__name__', 'nothing')}"


def _parameters(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: spelt_out(str(found[name])) for name in SHOWN if name in found}
