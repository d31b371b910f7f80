"""Serve the whole application below the path of PUBLIC_URL, as if it were at the root of its host.

Nothing else knows of that path: routes, templates, redirects and cookies are written for the root. A request
loses the path on its way in; on its way out, an answer's headers and the addresses in a page's markup get it.
So a page that somebody adds tomorrow is right, and where PUBLIC_URL has no path none of this is there.
Scripts find it by themselves: static/js/site.js.
"""

import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Jinja and Markdown escape quotes in whatever people wrote: this stands nowhere but in markup of our own.
_ADDRESS = re.compile(rb'(?<=\s)((?:href|src|action|formaction|poster)=")/(?!/)')
_REFRESH = re.compile(rb"(?i)(;\s*url=)/(?!/)")


class UnderPath:
    """Serve `app` below `path`, such as "/desk".

    What is asked for without the path is served too: by a proxy that takes it off, and by programs on this
    machine, which need no proxy.
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path
        self._bytes = path.encode("ascii")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._app(self._within(scope), receive, _Answer(self._bytes, send).send)

    def _within(self, scope: Scope) -> Scope:
        path: str = scope["path"]
        if path != self._path and not path.startswith(f"{self._path}/"):
            return scope
        raw: bytes = scope.get("raw_path") or path.encode()
        return dict(
            scope,
            path=path[len(self._path) :] or "/",
            raw_path=(raw.removeprefix(self._bytes) or b"/"),
        )


class _Answer:
    """Send one answer; a page is held back until it is whole, for its length changes."""

    def __init__(self, path: bytes, send: Send) -> None:
        self._path = path
        self._send = send
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Send the next part of the answer."""
        if message["type"] == "http.response.start":
            headers = [(name, self._header(name, value)) for name, value in message["headers"]]
            message = {**message, "headers": headers}
            if _is_page(headers):
                self._start = message
                return
        if self._start is None:
            await self._send(message)
            return
        self._parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            await self._send_page(self._start)

    async def _send_page(self, start: Message) -> None:
        body = _ADDRESS.sub(rb"\1" + self._path + b"/", b"".join(self._parts))
        length = str(len(body)).encode()
        headers = [(name, length if name == b"content-length" else value) for name, value in start["headers"]]
        self._start = None
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    def _header(self, name: bytes, value: bytes) -> bytes:
        if name == b"location" and value.startswith(b"/") and not value.startswith(b"//"):
            return self._path + value
        if name == b"refresh":
            return _REFRESH.sub(rb"\1" + self._path + b"/", value)
        return value


def _is_page(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers)
