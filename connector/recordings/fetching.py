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

from connector import __version__
from connector.errors import RecordingNotAllowed, RecordingUnreachable
from connector.recordings.answers import Answer, understood
from connector.recordings.audio import LARGEST, Audio
from connector.recordings.connecting import Resolve, Vetted, resolve
from connector.recordings.ranges import Range
from connector.recordings.sources import Source, address_of

REDIRECTS_AT_MOST = 3
FOREIGN = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, httpx2.CookieConflict)


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long we wait, in seconds: for an answer, redirects included; for each piece; for all of it."""

    answer: float = 8
    silence: float = 15
    whole: float = 3_600


class Fetcher:
    """Fetch recordings; each request has connections of its own, so that no phone system uses another's."""

    def __init__(
        self,
        *,
        resolver: Resolve = resolve,
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
        largest: int = LARGEST,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._resolver = resolver
        self._patience = patience
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
            with _mapped(), anyio.fail_after(self._patience.answer):
                response, name = await self._follow(client, address_of(text), source, asked, closing)
            answer = understood(response, name, asked, self._largest)
            ends_at = anyio.current_time() + self._patience.whole
            chunks = self._chunks(response, answer, ends_at)
            close = closing.pop_all().aclose
            return Audio(answer.media_type, chunks, close, length=answer.length, part=answer.part)

    def _client(self, source: Source) -> httpx2.AsyncClient:
        # They would log every address and every redirect, and some hold secrets.
        for talkative in ("httpx2", "httpcore2"):
            logging.getLogger(talkative).setLevel(logging.WARNING)
        inner = httpx2.AsyncHTTPTransport(verify=self._trusted, trust_env=False)
        silence = self._patience.silence
        return httpx2.AsyncClient(
            transport=Vetted(inner, self._resolver, source.may_reach),
            timeout=httpx2.Timeout(silence, connect=self._patience.answer),
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
        """Go where redirects lead, as long as that is allowed; answers what came, and the file's name."""
        url = first
        for _ in range(REDIRECTS_AT_MOST + 1):
            source.check(url, first)
            request = client.build_request("GET", url, headers=_headers(source, url, asked))
            response = await client.send(request, stream=True)
            closing.push_async_callback(response.aclose)
            if not response.has_redirect_location:
                return response, url.path
            url = address_of(str(url.join(response.headers["location"])))
        raise RecordingNotAllowed("The recording leads from one address to the next without an end.")

    async def _chunks(
        self, response: httpx2.Response, answer: Answer, ends_at: float
    ) -> AsyncIterator[bytes]:
        skip, left = answer.skip, answer.length
        taken = 0
        with _mapped():
            async for chunk in response.aiter_raw():
                taken += len(chunk)
                if taken > self._largest or anyio.current_time() > ends_at:
                    raise RecordingUnreachable("The recording takes too long, or is larger than any.")
                kept = chunk[skip:] if left is None else chunk[skip : skip + left]
                skip = max(0, skip - len(chunk))
                left = None if left is None else left - len(kept)
                if kept:
                    yield kept
                if left == 0:
                    return
        if left:
            raise RecordingUnreachable("The recording broke off.")


def _headers(source: Source, url: httpx2.URL, asked: Range | None) -> dict[str, str]:
    """Say what we want; compressed, a part of it would be of no use."""
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
        raise RecordingUnreachable(f"Where the recording is kept, nobody answers ({why}).") from problem
