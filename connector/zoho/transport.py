"""The one HTTP client towards Zoho, its time-outs, and what becomes of the library's exceptions."""

import logging
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2

from connector import __version__
from connector.errors import OutcomeUnknown, ZohoDown
from connector.zoho.budget import Leaves

TIMEOUTS = httpx2.Timeout(
    connect=3,  # a far data centre needs under a second for TCP and TLS: beyond three it is not there
    read=10,  # Desk's slow searches take seconds; a caller that cannot wait so long cancels
    write=10,  # our largest body is under a megabyte
    pool=5,  # the budget keeps the queue short; five seconds in it means that something is stuck
)
"""Seconds of silence, each. How long a request may take in all is `SEND_TIMEOUT_SECONDS`."""

SEND_TIMEOUT_SECONDS = 30
"""The longest that a request can be under way, a renewal of its token and a second sending included.

It is a promise, not an estimate: whoever leases what a request is about builds on it.
"""

ANSWER_AT_MOST = 16 * 2**20
"""Bytes of an answer, unpacked, that are read: a hundred records with the longest texts are less.

Each is held in memory whole, and 200 kB on the wire may be a thousand times as much unpacked.
"""

LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=60)
"""Each portal's share bounds its connections: one number for all would let silent portals stop the others.

Connections rest for a minute, because calls come in bursts and a new TLS session costs 200 ms.
"""

# Linux forgets what was not acknowledged within this; elsewhere there is no such option.
_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)

SOCKET_OPTIONS: list[tuple[int, int, int] | tuple[int, int, bytes]] = [
    (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
    *([] if _USER_TIMEOUT is None else [(socket.IPPROTO_TCP, _USER_TIMEOUT, SEND_TIMEOUT_SECONDS * 1_000)]),
]
"""What is written and not yet acknowledged ends with its process, or with its time: a request that a machine
without network kept for its dead process has arrived 103 s later."""

NOT_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.InvalidURL,
)
"""What is raised before a byte of the request has left."""

UNCONNECTED = (httpx2.ConnectError, httpx2.ConnectTimeout)
UNREACHED = (
    " If it stays so, check on this machine that DNS knows the name and that the firewall lets it out to "
    "there; the connector goes there directly, by no proxy of the environment."
)
SILENT = " If it stays so, check whether a firewall or a proxy on the way holds the connection."
"""What to do, in the messages of outages: most are over before anybody has read them."""


def last_look(leaves: Leaves) -> dict[str, Any]:
    """Return the extensions of a request that make it ask before it writes; ZohoDown where it may not leave.

    A time-out does not do: a machine that was suspended wakes with its timers where they stood, and a
    process that was stopped writes first and looks at its timers afterwards.
    """

    async def look(step: str, _info: Mapping[str, Any]) -> None:
        if step.endswith(_WRITES) and not leaves():
            raise ZohoDown("Too late to be sent: this process stood still.")

    return {"trace": look}


_WRITES = ("send_request_headers.started", "send_request_body.started")

FOREIGN = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, httpx2.CookieConflict)
"""The roots of everything that the library raises."""


@cache
def trusted() -> ssl.SSLContext:
    """Return whom we believe over TLS; made once a process, for it takes tens of milliseconds."""
    return httpx2.create_ssl_context(trust_env=False)


Tell = Callable[[str, float, int | None], None]
"""Hears of each request: its path, how many seconds passed until its answer began, and its status or None."""


def _tell_nobody(_path: str, _seconds: float, _status: int | None) -> None:
    """Tell nobody."""


def http_client(
    transport: httpx2.AsyncBaseTransport | None = None, *, tell: Tell = _tell_nobody
) -> httpx2.AsyncClient:
    """Make the client that a process shares: no proxies from the environment, no redirects, no cookies.

    Cookies are refused because one client serves many portals, and none may travel with another's request.
    """
    # It would log every address, and those of searches hold callers' numbers.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    return httpx2.AsyncClient(
        timeout=TIMEOUTS,
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"User-Agent": f"zoho-desk-phone-connector/{__version__}"},
        transport=_Bounded(transport or _transport(), tell),
    )


class _Bounded(httpx2.AsyncBaseTransport):
    """Unpack each answer on its way in, and no more of it than `ANSWER_AT_MOST`; tell how long it took."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, tell: Tell) -> None:
        self._inner = inner
        self._tell = tell

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        began, status = time.perf_counter(), None
        try:
            packed = await self._inner.handle_async_request(request)
            status = packed.status_code
        finally:
            self._tell(request.url.path, time.perf_counter() - began, status)
        headers = packed.headers.copy()
        for name in _OF_PACKED:
            headers.pop(name, None)
        return httpx2.Response(
            packed.status_code, headers=headers, stream=_Unpacked(packed), extensions=packed.extensions
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Unpacked(httpx2.AsyncByteStream):
    """The body of an answer, unpacked; raises TooLong where there is too much of it."""

    def __init__(self, packed: httpx2.Response) -> None:
        self._packed = packed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = 0
        async for part in self._packed.aiter_bytes():
            length += len(part)
            if length > ANSWER_AT_MOST:
                raise TooLong
            yield part

    async def aclose(self) -> None:
        await self._packed.aclose()


class TooLong(httpx2.DecodingError):
    """An answer is longer than any of Zoho's."""

    def __init__(self) -> None:
        super().__init__(f"an answer of more than {ANSWER_AT_MOST >> 20} MiB")


_OF_PACKED = ("content-encoding", "content-length", "transfer-encoding")


def _transport() -> httpx2.AsyncHTTPTransport:
    return httpx2.AsyncHTTPTransport(
        verify=trusted(), trust_env=False, limits=LIMITS, socket_options=SOCKET_OPTIONS
    )


@contextmanager
def mapped(what: str, *, at: str, repeatable: bool) -> Iterator[None]:
    """Turn the library's exceptions into ours; `what` begins the message, such as "POST /calls".

    `at` is the address that is asked, of which the message names the host alone.
    Ends what takes longer than `SEND_TIMEOUT_SECONDS`, though each byte of it came in time.
    Raises ZohoDown for what never left and for what may be repeated, else OutcomeUnknown.
    """
    try:
        with anyio.fail_after(SEND_TIMEOUT_SECONDS):
            yield
    except NOT_SENT as problem:
        todo = UNREACHED if isinstance(problem, UNCONNECTED) else ""
        said = f"{what}: Zoho was not reached at {_host(at)} ({_named(problem)}).{todo}"
        raise ZohoDown(said) from problem
    except (*FOREIGN, TimeoutError) as problem:
        said, todo = f"no answer came from {_host(at)} ({_named(problem)}).", SILENT
        if isinstance(problem, TooLong):
            said, todo = f"{_host(at)} sends {problem}, which is none of Zoho's.", ""
        if repeatable:
            raise ZohoDown(f"{what}: {said}{todo}") from problem
        raise OutcomeUnknown(f"{what}: sent, but {said}") from problem


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or "an address without a host"
    except ValueError:
        return "an address that cannot be read"


def _named(problem: Exception) -> str:
    return type(problem).__name__
