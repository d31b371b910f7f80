"""Recordings over HTTP: parts, refusals, redirects, credentials, and servers that behave badly."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import httpx2
import pytest

from connector.recordings import piece_of
from connector.recordings.access import TRIED_AT_MOST
from connector.recordings.fetching import Fetcher, Timeouts
from tests.integration.recordings.listeners import LOOPBACK, Listeners
from tests.integration.recordings.upstream import (
    WAV,
    Answer,
    Request,
    Upstream,
    answer,
    by_range,
    moved,
    running,
)

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
SIZE = len(WAV)
HASTY = Fetcher(timeouts=Timeouts(answer=0.3, silence=0.3, whole=5), largest=SIZE)

Hear = Callable[..., Awaitable[httpx2.Response]]


@pytest.fixture
async def hear(listeners: Listeners, upstream: Upstream) -> Hear:
    """Return what Ada's browser gets for her call, whose recording the upstream answers so."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    listeners.listen_with(HASTY)
    made = [0]

    async def ask(answers: Answer = by_range, path: str = "/1.wav", **headers: str) -> httpx2.Response:
        upstream.answers[path] = answers
        made[0] += 1
        url = f"{upstream.origin}{path}?call={made[0]}"
        key = await listeners.call(f"h-{made[0]}", url)
        return await listeners.hear(ADA, key, url, **headers)

    return ask


def part(first: int, end: int) -> tuple[int, bytes, str]:
    """Return what a part must be: status, bytes, Content-Range."""
    return 206, WAV[first:end], f"bytes {first}-{end - 1}/{SIZE}"


WHOLE = (200, WAV, None)
RANGES = {
    "bytes=0-": part(0, SIZE),
    "bytes=0-0": part(0, 1),
    "bytes=100-299": part(100, 300),
    "bytes=9000-99999": part(9_000, SIZE),
    "bytes=-5": part(SIZE - 5, SIZE),
    "bytes=-99999": part(0, SIZE),
    "bytes=0-1,5-6": WHOLE,
    "bytes=5-1": WHOLE,
    "bytes=-": WHOLE,
    "pages=1-2": WHOLE,
    "bytes=99999-": (416, b"", f"bytes */{SIZE}"),
}


@pytest.mark.parametrize("server", [by_range, answer()], ids=["of parts", "of wholes"])
@pytest.mark.parametrize("asked", RANGES)
async def test_ranges(hear: Hear, server: Answer, asked: str) -> None:
    """Any part can be had, whether the phone system's server knows parts or not."""
    heard = await hear(server, Range=asked)
    assert (heard.status_code, heard.content, heard.headers.get("content-range")) == RANGES[asked]


async def test_whole_of_unknown_length(hear: Hear) -> None:
    """What says no length is handed on as it comes, and parts of it cannot be had."""
    heard = await hear(answer(sized=False), Range="bytes=5-9")
    assert (heard.status_code, heard.content) == (200, WAV)
    assert "content-length" not in heard.headers


async def test_part_only_if_unchanged(hear: Hear) -> None:
    """Who has a part of before gets the whole, for nobody can say that it is still the same."""
    heard = await hear(Range="bytes=5-9", If_Range='"old"')
    assert (heard.status_code, heard.content) == (200, WAV)


async def test_nothing_of_the_upstreams_headers(hear: Hear) -> None:
    """A browser gets our headers only: no cookies, no names of servers, no way to keep it."""
    heard = await hear(answer(Set_Cookie="a=b", Server="pbx", ETag='"1"', X_Token="t", Link="<x>"))
    named = {name for name in heard.headers if name not in ("date", "referrer-policy")} - {"server"}
    assert named == {
        *("accept-ranges", "cache-control", "content-disposition", "content-length", "content-type"),
        *("content-security-policy", "cross-origin-resource-policy", "x-content-type-options"),
        *("cross-origin-opener-policy", "permissions-policy"),
    }
    assert (heard.headers["content-type"], heard.headers["server"]) == ("audio/wav", "uvicorn")
    assert heard.headers["content-disposition"].startswith('inline; filename="call-2')


async def test_head(listeners: Listeners, upstream: Upstream) -> None:
    """Asking for the headers alone moves no recording."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    url = f"{upstream.origin}/1.wav"
    key = await listeners.call("c-1", url)
    path = f"/recordings/{key}/{piece_of(url)}"
    cookie = f"connector-session={await listeners.place.signed_in(ADA)}"
    heard = await listeners.place.client.head(path, headers={"cookie": cookie})
    assert (heard.status_code, heard.content, heard.headers["content-length"]) == (200, b"", str(SIZE))


BAD = {
    "nothing there": (answer(404, b"", "text/html"), 404, "recording_not_yet"),
    "gone": (answer(410, b"", "text/html"), 404, "recording_not_yet"),
    "not ready": (answer(202, b"", "text/html"), 404, "recording_not_yet"),
    "empty": (answer(200, b""), 404, "recording_not_yet"),
    "sign in": (answer(401, b"secret", "text/html", WWW_Authenticate="Basic"), 502, "recording_refused"),
    "forbidden": (answer(403, b"", "text/html"), 502, "recording_refused"),
    "broken": (answer(500, b"trace", "text/html"), 503, "recording_unreachable"),
    "busy": (answer(429, b"", "text/html"), 503, "recording_unreachable"),
    "a page": (answer(200, b"<script>", "text/html"), 502, "recording_unfit"),
    "an image": (answer(200, WAV, "image/svg+xml"), 502, "recording_unfit"),
    "compressed": (answer(Content_Encoding="gzip"), 502, "recording_unfit"),
    "huge": (answer(Content_Length=str(SIZE + 1), sized=False), 502, "recording_unfit"),
    "another part": (answer(206, Content_Range=f"bytes 5-9/{SIZE}"), 502, "recording_unfit"),
    "in a circle": (moved("/1.wav?x"), 502, "recording_not_allowed"),
    "elsewhere": (moved("http://127.0.0.2:1/1.wav"), 502, "recording_not_allowed"),
    "to a file": (moved("file:///etc/passwd"), 502, "recording_unfit"),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_is_not_handed_on(hear: Hear, listeners: Listeners, name: str) -> None:
    """Each way of not being a recording has its own reason, and nothing of it reaches the browser."""
    server, status, reason = BAD[name]
    heard = await hear(server)
    assert (heard.status_code, heard.json()["type"]) == (status, f"urn:connector:{reason}")
    assert not {b"secret", b"trace", b"script", b"127.0.0.1"} & set(heard.content.split())


async def test_gone_for_good(listeners: Listeners, upstream: Upstream) -> None:
    """What is missing an hour after the call will not come any more."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    key = await listeners.call("c-1", f"{upstream.origin}/none.wav")
    page = await listeners.page(ADA, key)
    assert (page.status_code, "is not there yet" in page.text) == (404, True)
    listeners.listen_with(later_seconds=3_600)
    page = await listeners.page(ADA, key)
    assert (page.status_code, "recording is gone" in page.text) == (404, True)


async def test_ending_decides_where_the_server_does_not(hear: Hear) -> None:
    """Many servers call every recording a stream of bytes."""
    heard = await hear(answer(kind="application/octet-stream"), "/2.mp3")
    assert (heard.status_code, heard.headers["content-type"]) == (200, "audio/mpeg")
    assert (await hear(answer(kind="application/octet-stream"), "/2.exe")).status_code == 502


async def test_silent_server(hear: Hear, upstream: Upstream) -> None:
    """Who waits is told so in time."""
    heard = await hear(upstream.hold)
    assert (heard.status_code, heard.json()["type"]) == (503, "urn:connector:recording_unreachable")


async def test_nobody_listens(hear: Hear, listeners: Listeners, upstream: Upstream) -> None:
    """A phone system that is off is unreachable, on the page too."""
    async with running(Upstream()) as other:
        await listeners.source(origins=[other.origin], networks=[LOOPBACK])
        key = await listeners.call("off", f"{other.origin}/1.wav")
    page = await listeners.page(ADA, key)
    assert (page.status_code, "The phone system does not answer" in page.text) == (503, True)


@pytest.mark.parametrize("way", ["break_off", "stall", "endless"])
async def test_broken_in_the_middle(hear: Hear, upstream: Upstream, way: str) -> None:
    """A recording that breaks off, stalls or grows beyond all measure never looks whole."""
    endless = answer(200, WAV * 20, sized=False)
    server = {"break_off": upstream.break_off, "stall": upstream.stall, "endless": endless}[way]
    with pytest.raises(httpx2.RemoteProtocolError):
        await hear(server)


async def test_listener_hangs_up(listeners: Listeners, upstream: Upstream) -> None:
    """When the browser goes, so does the connection to the phone system."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    listeners.listen_with(open_at_most=1)
    upstream.answers["/slow.wav"] = upstream.stall
    url = f"{upstream.origin}/slow.wav"
    key = await listeners.call("c-1", url)
    path = f"/recordings/{key}/{piece_of(url)}"
    cookie = {"cookie": f"connector-session={await listeners.place.signed_in(ADA)}"}
    async with listeners.place.client.stream("GET", path, headers=cookie) as heard:
        chunks = heard.aiter_raw()
        assert (await anext(chunks))[:4] == b"RIFF"
        busy = await listeners.hear(ADA, key, url)
        assert (busy.status_code, busy.headers["retry-after"]) == (429, "5")
    await upstream.hung_up.wait()
    upstream.answers["/slow.wav"] = by_range
    assert (await listeners.hear(ADA, key, url)).status_code == 200


async def test_stopping_waits_for_no_listener(listeners: Listeners, upstream: Upstream) -> None:
    """A server that stops ends what is being heard at once; the player knows that it is not whole."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    upstream.answers["/slow.wav"] = upstream.stall
    url = f"{upstream.origin}/slow.wav"
    key = await listeners.call("c-1", url)
    cookie = {"cookie": f"connector-session={await listeners.place.signed_in(ADA)}"}
    path = f"/recordings/{key}/{piece_of(url)}"
    async with listeners.place.client.stream("GET", path, headers=cookie, timeout=60) as heard:
        chunks = heard.aiter_raw()
        assert (await anext(chunks))[:4] == b"RIFF"
        listeners.services.end_streams()
        with pytest.raises(httpx2.RemoteProtocolError):
            await anext(chunks)
    await upstream.hung_up.wait()


async def test_a_session_that_is_over_hears_nothing_more(listeners: Listeners, upstream: Upstream) -> None:
    """Whoever is deactivated in the middle of a recording does not hear the rest of it."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    upstream.answers["/slow.wav"] = upstream.stall
    url = f"{upstream.origin}/slow.wav"
    key = await listeners.call("c-1", url)
    cookie = {"cookie": f"connector-session={await listeners.place.signed_in(ADA)}"}
    path = f"/recordings/{key}/{piece_of(url)}"
    async with listeners.place.client.stream("GET", path, headers=cookie, timeout=60) as heard:
        chunks = heard.aiter_raw()
        await anext(chunks)
        await listeners.services.end_sessions()
        await listeners.services.agents.deactivate(ADA, actor="test")
        await listeners.services.end_sessions()
        with pytest.raises(httpx2.RemoteProtocolError):
            await anext(chunks)
    await upstream.hung_up.wait()


async def test_a_page_tries_few_at_a_time(listeners: Listeners, upstream: Upstream) -> None:
    """A call in many pieces, and a page that is opened again and again, open few connections."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    under_way, most, enough = 0, 0, asyncio.Barrier(TRIED_AT_MOST)

    async def counted(request: Request, out: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await enough.wait()
        under_way -= 1
        await by_range(request, out)

    urls = [f"{upstream.origin}/{number}.wav" for number in range(25)]
    upstream.answers |= {f"/{number}.wav": counted for number in range(25)}
    key = await listeners.call("c-1", *urls)
    pages = await asyncio.gather(*(listeners.page(ADA, key) for _ in range(4)))
    assert [page.status_code for page in pages] == 4 * [200]
    assert most == TRIED_AT_MOST


async def test_one_listener_keeps_nobody_out(listeners: Listeners, upstream: Upstream) -> None:
    """Whoever opens recordings and reads none of them takes up their own part, not everybody's."""
    await listeners.source(origins=[upstream.origin], networks=[LOOPBACK])
    listeners.listen_with(open_at_most=2, each_at_most=1)
    upstream.answers["/slow.wav"] = upstream.stall
    slow, quick = (f"{upstream.origin}/{name}.wav" for name in ("slow", "1"))
    key = await listeners.call("c-1", slow, quick)
    cookie = {"cookie": f"connector-session={await listeners.place.signed_in(ADA)}"}
    path = f"/recordings/{key}/{piece_of(slow)}"
    async with listeners.place.client.stream("GET", path, headers=cookie) as heard:
        chunks = heard.aiter_raw()
        await anext(chunks)
        assert (await listeners.hear(ADA, key, quick)).status_code == 429
        assert (await listeners.hear("sue@example.com", key, quick)).status_code == 200
    await upstream.hung_up.wait()
    assert (await listeners.hear(ADA, key, quick)).status_code == 200


async def test_credentials_reach_named_hosts_only(
    listeners: Listeners, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    """They are shown where they are meant for, neither where that leads nor to who reads along."""
    caplog.set_level(logging.DEBUG)
    async with running(Upstream()) as store:
        hosts = {"origins": [upstream.origin], "redirect_origins": [store.origin], "networks": [LOOPBACK]}
        await listeners.source(**hosts, user="AC1", secret="hunter2")
        upstream.answers["/1.wav"] = moved(f"{store.origin}/1.wav")
        url = f"{upstream.origin}/1.wav?token=hush"
        key = await listeners.call("c-1", url)
        heard = await listeners.hear(ADA, key, url, Range="bytes=1-2", Cookie2="mine")
        assert (heard.status_code, heard.content) == (206, WAV[1:3])
        assert [one.headers.get("authorization") for one in upstream.asked] == ["Basic QUMxOmh1bnRlcjI="]
        assert [one.headers.get("authorization") for one in store.asked] == [None]
        assert not {"cookie", "cookie2", "referer"} & {*upstream.asked[0].headers, *store.asked[0].headers}
        page = await listeners.page(ADA, key)
        assert page.status_code == 200
    said = page.text + caplog.text + repr(heard.headers)
    assert not [hidden for hidden in ("hunter2", "QUMxOmh1bnRlcjI", "hush", store.origin) if hidden in said]


async def test_credentials_of_nobody_elses_host(listeners: Listeners, upstream: Upstream) -> None:
    """Where hosts are named, an address elsewhere is not fetched at all, with credentials or without."""
    await listeners.source(origins=["pbx.example.com"], networks=[LOOPBACK], header="X-Key", secret="k")
    key = await listeners.call("c-1", f"{upstream.origin}/1.wav")
    page = await listeners.page(ADA, key)
    assert (page.status_code, "may not fetch this recording" in page.text) == (502, True)
    assert not upstream.asked
