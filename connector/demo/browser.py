"""Browsers of the demo's people, and agents at an open banner without a screen."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
import msgspec

from connector.demo.company import Person
from connector.errors import CommandError
from connector.zoho.transport import trusted

STEPS_AT_MOST = 10
TIMEOUT = httpx2.Timeout(15)
STREAM_TIMEOUT = httpx2.Timeout(15, read=None)

View = dict[str, Any]
"""A call as the banner's stream shows it."""


class StreamEvent(msgspec.Struct, frozen=True):
    """One event of a banner's stream."""

    event: str
    data: dict[str, Any]


class Browser:
    """A browser with cookies, in front of which sits the person with this ZUID, who accepts everything."""

    def __init__(self, origin: str, zuid: str) -> None:
        self._origin = origin
        self._zuid = zuid
        self._http = httpx2.AsyncClient(verify=trusted(), trust_env=False, timeout=TIMEOUT)

    async def close(self) -> None:
        """Close the browser."""
        await self._http.aclose()

    async def sign_in(self) -> None:
        """Sign in with Zoho, from the connector's page to its banner."""
        arrived = await self._follow(f"{self._origin}/login?next=/banner")
        if arrived.url.path != "/banner":
            raise CommandError(f"Signing in failed: {_shown(arrived)}")

    async def link(self, org_id: str) -> None:
        """Link the portal, as an administrator does."""
        onward = await self._post("/connect")
        _, _, address = onward.headers.get("refresh", "").partition("url=")
        if not address:
            raise CommandError(f"Linking did not begin: {_shown(onward)}")
        arrived = await self._follow(address, org_id)
        if not arrived.url.path.startswith("/portals/"):
            raise CommandError(f"Linking failed: {_shown(arrived)}")

    async def sign_out(self) -> None:
        """Sign out."""
        await self._post("/logout")

    async def get(self, path: str) -> httpx2.Response:
        """Open a page of the connector, or ask its API."""
        return await self._http.get(self._origin + path)

    async def choose(self, call_id: int, contact_id: str | None) -> httpx2.Response:
        """Choose which of several contacts a call is with, as the banner does."""
        headers = {"Origin": self._origin, "X-Requested-With": "connector"}
        address = f"{self._origin}/api/calls/{call_id}/contact"
        return await self._http.post(address, json={"contact": contact_id}, headers=headers)

    async def stream(self) -> AsyncIterator[StreamEvent]:
        """Yield the events of the banner's stream, until it ends."""
        address = f"{self._origin}/api/banner/stream"
        async with self._http.stream("GET", address, timeout=STREAM_TIMEOUT) as answer:
            if answer.status_code != httpx2.codes.OK:
                raise CommandError(f"The banner's stream was refused with {answer.status_code}.")
            event = ""
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    yield StreamEvent(event, msgspec.json.decode(value))

    async def _post(self, path: str) -> httpx2.Response:
        return await self._http.post(self._origin + path, headers={"Origin": self._origin})

    async def _follow(self, address: str, org_id: str = "") -> httpx2.Response:
        """Go where answers lead, filling in Zoho's forms on the way."""
        seen = await self._http.get(address)
        for _ in range(STEPS_AT_MOST):
            if seen.is_redirect:
                onward = urljoin(str(seen.url), seen.headers["location"])
                seen = await self._http.get(onward)
            elif seen.url.path == "/signin":
                form = {"zuid": self._zuid, "continue": seen.url.params.get("continue", "")}
                seen = await self._http.post(seen.url.join("/signin"), data=form)
            elif seen.url.path == "/oauth/v2/auth" and seen.is_success:
                consent = {"request": urlsplit(str(seen.url)).query, "decision": "accept", "org_id": org_id}
                form = {name: value for name, value in consent.items() if value}
                seen = await self._http.post(seen.url.join("/oauth/v2/consent"), data=form)
            else:
                break
        return seen


def _shown(answer: httpx2.Response) -> str:
    """Return what a page shows, in short."""
    title = answer.text.partition("<title>")[2].partition("</title>")[0].strip()
    return f"{answer.status_code} {title or answer.text[:200]} at {answer.url.path}"


class SeenView(msgspec.Struct, frozen=True):
    """A view of a call, and when it reached the banner (seconds of `time.perf_counter`)."""

    at: float
    view: View


class HeadlessAgent:
    """Signs in, keeps a banner's stream open, and remembers everything it showed.

    `shown` are the calls on the banner now, by id; `seen` is every view that ever came.
    """

    def __init__(self, person: Person, origin: str) -> None:
        self.person = person
        self.browser = Browser(origin, person.zuid)
        self.shown: dict[int, View] = {}
        self.seen: list[SeenView] = []
        self.gone: list[dict[str, Any]] = []
        self.is_signed_out = False
        self._opened = asyncio.Event()
        self._changed = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Sign in through Zoho and open the banner; done once the banner has its first snapshot."""
        await self.browser.sign_in()
        await self.open_banner()

    async def open_banner(self) -> None:
        """Open the stream of the banner."""
        self._opened.clear()
        self._watching = asyncio.create_task(self._watch())
        opened = asyncio.create_task(self._opened.wait())
        await asyncio.wait((self._watching, opened), return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        if self._watching.done():
            await self._watching

    async def stop(self) -> None:
        """Close the banner and the browser."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self.browser.close()

    async def changed(self) -> None:
        """Wait until anything comes."""
        self._changed.clear()
        await self._changed.wait()

    async def _watch(self) -> None:
        try:
            async for event in self.browser.stream():
                self._take(event.event, event.data)
        except httpx2.TransportError:
            # The connector has stopped or died; what the banner showed stays known.
            return

    def _take(self, event: str, data: dict[str, Any]) -> None:
        at = time.perf_counter()
        if event == "snapshot":
            self.shown.clear()
            self._opened.set()
        for view in data["calls"] if event == "snapshot" else [data] if event == "call" else []:
            self._show(SeenView(at, view))
        if event == "gone":
            self.shown.pop(data["id"], None)
            self.gone.append(data)
        self.is_signed_out |= event == "signed_out"
        self._changed.set()

    def _show(self, seen_view: SeenView) -> None:
        self.seen.append(seen_view)
        known = self.shown.get(seen_view.view["id"])
        if known is None or seen_view.view["revision"] >= known["revision"]:
            self.shown[seen_view.view["id"]] = seen_view.view
