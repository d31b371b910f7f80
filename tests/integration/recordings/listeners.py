"""People at browsers who want to hear recordings, and calls that have some."""

from typing import Any

import httpx2
from sqlalchemy import Connection

from connector.calls import call_key
from connector.clock import SECOND
from connector.recordings import Recordings, piece_of
from connector.recordings.fetching import Fetcher, Timeouts
from connector.recordings.sources import Changes, changed
from connector.store import phones, recordings
from connector.store.recordings import SourceRow
from connector.web.auth import SESSION
from tests.integration.pipeline.place import Place

LOOPBACK = "127.0.0.0/8"
PAGE = {"accept": "text/html"}

TIMEOUT_SECONDS = 60
"""Longer than any machine takes that does something else beside."""

SLOW_TO_GIVE_UP = Fetcher(timeouts=Timeouts(answer=TIMEOUT_SECONDS, silence=TIMEOUT_SECONDS))


class Listeners:
    """What tests of recordings do again and again."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.services = place.services
        self.listen_with()

    async def add(self, email: str, name: str, role: str = "agent") -> None:
        """Add somebody without an extension."""
        await self.services.agents.add_agent(email, name, role, actor="test")

    async def words(self, email: str, *extensions: str) -> None:
        """Give somebody these extensions and no others."""
        given = [(None, extension) for extension in extensions]
        await self.services.agents.change_agent(email, extensions=given, actor="test")

    async def source(self, **changes: Any) -> None:
        """Say where the phone system keeps its recordings."""

        def change(connection: Connection) -> None:
            phone = phones.find(connection, "pbx", 0)
            assert phone is not None
            row = changed(SourceRow(), Changes(**changes), self.services.encryptor)
            recordings.set_source(connection, phone.id, row)

        await self.services.store.write(change)

    def listen_with(
        self,
        fetcher: Fetcher | None = None,
        *,
        later_seconds: int = 0,
        open_at_most: int = 10,
        each_at_most: int = 10,
    ) -> None:
        """Fetch with other timeouts or another resolver, or at a later moment."""
        services = self.services

        def clock() -> int:
            return services.clock() + later_seconds * SECOND

        services.recordings = Recordings(
            services.store,
            services.encryptor,
            clock,
            services.contact_lookup,
            services.profiles,
            fetcher or SLOW_TO_GIVE_UP,
            open_at_most,
            each_at_most,
        )

    async def call(self, call: str, *urls: str, agent: str = "1001", **facts: Any) -> str:
        """Let a call be answered, end and be recorded; answers its key."""
        told = [
            self.place.event("ringing", call, agent=agent, **facts),
            self.place.event("answered", call, agent=agent),
            *(self.place.event("recorded", call, recording_url=url) for url in urls),
            self.place.event("ended", call),
        ]
        answer = await self.place.post(*told)
        assert answer.json()["accepted"] == len(told)
        return await self.key(call)

    async def key(self, call: str) -> str:
        """Return a call's key."""
        phone = (await self.services.phone_systems.find("pbx")).phone
        return call_key(phone.uid, call)

    async def open(self, email: str | None, path: str, **headers: str) -> httpx2.Response:
        """Ask for something as somebody; None is nobody."""
        cookie = {} if email is None else {"cookie": f"{SESSION}={await self.place.signed_in(email)}"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.place.client.get(path, headers=cookie | named, timeout=TIMEOUT_SECONDS)

    async def page(self, email: str | None, key: str) -> httpx2.Response:
        """Open a call's page."""
        return await self.open(email, f"/recordings/{key}", **PAGE)

    async def hear(
        self, email: str | None, key: str, url: str, query: str = "", **headers: str
    ) -> httpx2.Response:
        """Ask for a recording."""
        return await self.open(email, f"/recordings/{key}/{piece_of(url)}{query}", **headers)

    async def accesses(self) -> list[tuple[str, str, int]]:
        """Return what was written down: who, what, how often; the earliest first."""
        rows = await self.services.store.read(recordings.accesses)
        return [(row.user.partition("@")[0], row.what, row.times) for row in reversed(rows)]
