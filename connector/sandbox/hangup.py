"""Ending a connection without an answer, which ASGI itself has no word for.

The protocol classes put a function into each request's scope, as the extension `HANG_UP`; calling it closes
the transport beneath uvicorn, so the client sees a closed (or, with `reset`, a reset) connection.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

HANG_UP = "connector.sandbox.hang_up"

_LINGER_NOT = struct.pack("ii", 1, 0)


class HangUpHttpTools(HttpToolsProtocol):
    """HTTP by httptools, with a way to hang up."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give every request of this connection the means to end it."""
        super().connection_made(transport)
        self.app = _able_to_hang_up(self.app, transport)


class HangUpH11(H11Protocol):
    """HTTP by h11, with a way to hang up."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give every request of this connection the means to end it."""
        super().connection_made(transport)
        self.app = _able_to_hang_up(self.app, transport)


async def hang_up(scope: Scope, receive: Receive, *, reset: bool = False) -> None:
    """Close the connection of a request without an answer and wait until it is gone.

    Where no connection exists (a transport that calls the program directly) ConnectionResetError is raised.
    """
    close = scope.get("extensions", {}).get(HANG_UP)
    if close is None:
        raise ConnectionResetError("the sandbox closed the connection without an answer")
    cast("Callable[[bool], None]", close)(reset)
    while (await receive())["type"] != "http.disconnect":
        continue


def before_hanging_up(scope: Scope, act: Callable[[], None]) -> None:
    """Let something be done before the connection of a request is closed without an answer."""
    extensions = scope.get("extensions", {})
    close = extensions.get(HANG_UP)
    if close is None:
        return

    def act_and_close(reset: bool) -> None:  # noqa: FBT001 - the shape of the extension
        act()
        close(reset)

    scope["extensions"] = {**extensions, HANG_UP: act_and_close}


def _able_to_hang_up(app: "ASGI3Application", transport: asyncio.Transport) -> "ASGI3Application":
    def close(reset: bool) -> None:  # noqa: FBT001 - the shape of the extension
        if reset:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        transport.abort()

    async def with_hang_up(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[HANG_UP] = close
        await cast("ASGIApp", app)(scope, receive, send)

    return cast("ASGI3Application", with_hang_up)
