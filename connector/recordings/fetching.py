"""Open recordings over HTTP, from hosts and addresses that are allowed, and hand on nothing but audio."""

import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import cached_property
from http.cookiejar import CookieJar, DefaultCookiePolicy

import anyio
import httpx2
import msgspec
from httpx2 import Response

from connector import __version__
from connector.casing import ascii_lower
from connector.errors import (
    RangeNotSatisfiable,
    RecordingError,
    RecordingMissing,
    RecordingNotAllowed,
    RecordingRefused,
    RecordingUnfit,
    RecordingUnreachable,
)
from connector.recordings.audio import LARGEST, Audio, Part, Range, media_type, read_part, read_total
from connector.recordings.network import CheckedTransport, Resolve, resolve
from connector.recordings.sources import Source, address_of

REDIRECTS_AT_MOST = 3

FOREIGN = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, httpx2.CookieConflict)

MISSING = frozenset({202, 204, 404, 409, 410, 425})
"""Statuses of servers that have no recording there: never, not any more, or not yet."""

REFUSED = frozenset({401, 402, 403, 407})


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long we wait, in seconds: for an answer, redirects included; for each chunk; for the whole."""

    answer: float = 8
    silence: float = 15
    whole: float = 3_600


class AudioBody(msgspec.Struct, frozen=True, kw_only=True):
    """What of a response's body is handed on: `length` bytes (None: all there are) after the first `skip`."""

    media_type: str
    length: int | None
    part: Part | None = None
    skip: int = 0


class Fetcher:
    """Fetch recordings; each request has connections of its own, so that no phone system uses another's."""

    def __init__(
        self,
        *,
        resolver: Resolve = resolve,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - it is frozen
        largest: int = LARGEST,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._resolver = resolver
        self._timeouts = timeouts
        self._largest = largest
        self._given = trusted

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        """Make it once and when it is needed: that takes tens of milliseconds."""
        return self._given or httpx2.create_ssl_context(trust_env=False)

    async def open(self, text: str, source: Source, asked: Range | None) -> Audio:
        """Open a recording at an address; raises any RecordingError, or RangeNotSatisfiable."""
        async with AsyncExitStack() as closing:
            client = await closing.enter_async_context(self._client(source))
            with _mapped(), anyio.fail_after(self._timeouts.answer):
                response, name = await self._follow(client, address_of(text), source, asked, closing)
            body = read_response(response, name, asked, self._largest)
            ends_at = anyio.current_time() + self._timeouts.whole
            chunks = self._chunks(response, body, ends_at)
            close = closing.pop_all().aclose
            return Audio(body.media_type, chunks, close, length=body.length, part=body.part)

    def _client(self, source: Source) -> httpx2.AsyncClient:
        # They would log every address and every redirect, and some hold secrets.
        for talkative in ("httpx2", "httpcore2"):
            logging.getLogger(talkative).setLevel(logging.WARNING)
        inner = httpx2.AsyncHTTPTransport(verify=self._trusted, trust_env=False)
        silence = self._timeouts.silence
        return httpx2.AsyncClient(
            transport=CheckedTransport(inner, self._resolver, source.may_reach),
            timeout=httpx2.Timeout(silence, connect=self._timeouts.answer),
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def _follow(
        self,
        client: httpx2.AsyncClient,
        first: httpx2.URL,
        source: Source,
        asked: Range | None,
        closing: AsyncExitStack,
    ) -> tuple[httpx2.Response, str]:
        """Follow redirects as long as that is allowed; return the response, and the file's name."""
        url = first
        for _ in range(REDIRECTS_AT_MOST + 1):
            source.check(url, first)
            request = client.build_request("GET", url, headers=_headers(source, url, asked))
            response = await client.send(request, stream=True)
            closing.push_async_callback(response.aclose)
            if not response.has_redirect_location:
                return response, url.path
            url = address_of(str(url.join(response.headers["location"])))
        raise RecordingNotAllowed("The recording's address redirects more than three times.")

    async def _chunks(
        self, response: httpx2.Response, body: AudioBody, ends_at: float
    ) -> AsyncIterator[bytes]:
        skip, left = body.skip, body.length
        taken = 0
        with _mapped():
            async for chunk in response.aiter_raw():
                taken += len(chunk)
                if taken > self._largest or anyio.current_time() > ends_at:
                    raise RecordingUnreachable(
                        "The recording takes longer than an hour to read, or is larger than 1 GiB."
                    )
                kept = chunk[skip:] if left is None else chunk[skip : skip + left]
                skip = max(0, skip - len(chunk))
                left = None if left is None else left - len(kept)
                if kept:
                    yield kept
                if left == 0:
                    return
        if left:
            raise RecordingUnreachable("The connection ended in the middle of the recording.")


def _headers(source: Source, url: httpx2.URL, asked: Range | None) -> dict[str, str]:
    """Return the headers of a request; compressed, a part of a recording would be of no use."""
    plain = {
        "Accept": "audio/*, application/octet-stream;q=0.5",
        "Accept-Encoding": "identity",
        "User-Agent": f"zoho-desk-phone-connector/{__version__}",
    }
    part = {} if asked is None else {"Range": asked.header}
    return plain | part | source.headers_for(url)


@contextmanager
def _mapped() -> Iterator[None]:
    """Turn the library's exceptions into ours, without the address that they name."""
    try:
        yield
    except (*FOREIGN, TimeoutError, OSError) as problem:
        why = type(problem).__name__
        raise RecordingUnreachable(f"The server with the recording does not answer ({why}).") from problem


def read_response(response: Response, name: str, asked: Range | None, largest: int) -> AudioBody:
    """Return what is handed on of a response; raise any RecordingError, or RangeNotSatisfiable."""
    _check_status(response)
    kind = media_type(response.headers.get("content-type", ""), name)
    if kind is None:
        raise RecordingUnfit("What the server sent is not audio.")
    if ascii_lower(response.headers.get("content-encoding", "identity").strip()) not in ("", "identity"):
        raise RecordingUnfit("The server sent the recording compressed, which was not asked for.")
    body = _part(response, kind, asked) if response.status_code == 206 else _whole(response, kind, asked)
    total = body.part.total if body.part is not None else body.length
    if (total or 0) > largest:
        raise RecordingUnfit("The recording is larger than 1 GiB.")
    return body


def _check_status(response: Response) -> None:
    status = response.status_code
    if status == 416:
        total = read_total(response.headers.get("content-range", ""))
        raise RangeNotSatisfiable("The recording has no such part.", total)
    if status not in (200, 206):
        raise _problem(status)


def _problem(status: int) -> RecordingError:
    if status in MISSING:
        return RecordingMissing(f"The server has no recording at this address (status {status}).")
    if status in REFUSED:
        return RecordingRefused(f"The server refused the connector's credentials (status {status}).")
    if status == 429 or status >= 500:
        return RecordingUnreachable(
            f"The server with the recording reports a failure of its own (status {status})."
        )
    return RecordingUnfit(f"The server did not send the recording (status {status}).")


def _part(response: Response, kind: str, asked: Range | None) -> AudioBody:
    part = read_part(response.headers.get("content-range", ""))
    length = _length(response)
    if asked is None or part is None or not part.answers(asked):
        raise RecordingUnfit("The server sent another part of the recording than was asked for.")
    if length not in (None, part.end - part.start):
        raise RecordingUnfit("The server named two different lengths.")
    return AudioBody(media_type=kind, length=part.end - part.start, part=part)


def _whole(response: Response, kind: str, asked: Range | None) -> AudioBody:
    """Cut the part that was asked for out of a whole, where its length is known."""
    total = _length(response)
    if total == 0:
        raise RecordingMissing("The recording is still empty.")
    if asked is None or total is None:
        return AudioBody(media_type=kind, length=total)
    start, end = asked.within(total)
    return AudioBody(media_type=kind, length=end - start, part=Part(start, end, total), skip=start)


def _length(response: Response) -> int | None:
    text = response.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
