"""Be an agent at an open banner, without a screen."""

import asyncio
import time
from typing import Any

import httpx2
import msgspec

from connector.demo.browser import Browser
from connector.demo.people import Person

View = dict[str, Any]
"""A call as the banner's stream tells it."""


class Sight(msgspec.Struct, frozen=True):
    """A view of a call, and when it reached the banner (seconds of `time.perf_counter`)."""

    at: float
    view: View


class HeadlessAgent:
    """Sign in, keep a banner's stream open, and remember everything it showed.

    `shown` are the calls on the banner now, by id; `seen` is every view that ever came.
    """

    def __init__(self, person: Person, origin: str) -> None:
        self.person = person
        self.browser = Browser(origin, person.zuid)
        self.shown: dict[int, View] = {}
        self.seen: list[Sight] = []
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
            async for publisher in self.browser.stream():
                self._take(publisher.event, publisher.data)
        except httpx2.TransportError:
            # The connector has stopped or died; what the banner showed stays known.
            return

    def _take(self, event: str, data: dict[str, Any]) -> None:
        at = time.perf_counter()
        if event == "snapshot":
            self.shown.clear()
            self._opened.set()
        for view in data["calls"] if event == "snapshot" else [data] if event == "call" else []:
            self._show(Sight(at, view))
        if event == "gone":
            self.shown.pop(data["id"], None)
            self.gone.append(data)
        self.is_signed_out |= event == "signed_out"
        self._changed.set()

    def _show(self, sight: Sight) -> None:
        self.seen.append(sight)
        known = self.shown.get(sight.view["id"])
        if known is None or sight.view["revision"] >= known["revision"]:
            self.shown[sight.view["id"]] = sight.view
