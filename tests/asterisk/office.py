"""An office whose telephones do what is clicked: a connector, its bridge, an Asterisk and the phones."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import httpx2

from connector.calls import Direction
from connector.demo.environment import Environment
from connector.demo.sandbox_admin import Record
from connector.store import calls
from connector.store.calls import CallRow
from tests.asterisk.beside import BridgeProcess
from tests.asterisk.pbx import Asterisk, Phone, Phones

PICKS_UP_MS = 500
SOON_SECONDS = 15


class Office:
    """Click as a supervisor's program does, for the agent at 1001, and see what came of it."""

    def __init__(self, env: Environment, bridge: BridgeProcess, asterisk: Asterisk, key: str) -> None:
        self.env = env
        self.bridge = bridge
        self.asterisk = asterisk
        self._http = httpx2.AsyncClient(
            base_url=env.origin,
            headers={"authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=60,
        )

    async def close(self) -> None:
        """Go home."""
        await self._http.aclose()

    async def use_telephone(self, telephone: str) -> None:
        """Have the bridge ring agents so from now on."""
        self.bridge.stop()
        self.bridge.start(telephone=telephone)
        await asyncio.to_thread(self.bridge.wait_until_fetching)

    async def click(self, number: str) -> httpx2.Response:
        """Click a number."""
        return await self._http.post("/api/calls", json={"number": number, "agent": "1001"})

    async def act(self, call: int, what: str, **body: str) -> dict[str, Any]:
        """Have something done with a call, and answer what came of it."""
        answer = await self._http.post(f"/api/calls/{call}/{what}", json=body)
        assert answer.status_code == 202, answer.text
        return await self.end_of(answer.json()["id"])

    async def end_of(self, order: str) -> dict[str, Any]:
        """Wait for what comes of an order."""
        while True:
            shown = await self.order(order, wait=30)
            if not shown["is_open"]:
                return shown

    async def order(self, order: str, wait: int = 0) -> dict[str, Any]:
        """Return how an order stands."""
        answer = await self._http.get(f"/api/orders/{order}?wait={wait}")
        found: dict[str, Any] = answer.json()
        return found

    async def dial(self, number: str) -> dict[str, Any]:
        """Click a number that may be called, and answer what came of the order."""
        answer = await self.click(number)
        assert answer.status_code == 202, answer.text
        return await self.end_of(answer.json()["id"])

    async def call(self, is_so: Callable[[CallRow], bool]) -> CallRow:
        """Wait for a call that is so."""
        async with asyncio.timeout(SOON_SECONDS):
            while True:
                found = [row for row in await self.rows() if row.call is not None and is_so(row)]
                if found:
                    return found[-1]
                await asyncio.sleep(0.1)

    async def rows(self) -> list[CallRow]:
        """Return every call that was reported, by its age."""
        found = await self.env.services.store.read(lambda connection: calls.shown(connection, 0))
        return sorted(found, key=lambda row: row.id)

    async def records(self) -> list[Record]:
        """Return what Desk holds once it holds a record for each call, and nothing changes any more."""
        told = [row.call for row in await self.rows() if row.call is not None]
        wanted = sum(call.direction is not Direction.INTERNAL for call in told)
        records: list[Record] = []
        for _ in range(20):
            before, records = records, await self.env.sandbox_admin.calls()
            if len(records) >= wanted and records == before:
                break
            await asyncio.sleep(1)
        return sorted(records, key=lambda record: str(record["startTime"]))

    def channels(self) -> int:
        """Count the channels that Asterisk has."""
        shown = self.asterisk.command("core show channels count")
        return int(next(line for line in shown.splitlines() if "active channel" in line).split()[0])

    def telephones(self, extension: str) -> int:
        """Count the channels to an agent's telephone, which rings or talks."""
        shown = self.asterisk.command("core show channels concise").splitlines()
        return sum(line.startswith(f"pjsip/{extension}-") for line in shown)

    def owner(self, extension: str) -> str:
        """Return Desk's id of the agent at an extension."""
        person = self.env.team.at(extension)
        assert person is not None
        return self.env.setup.agents[person.email]


async def started(phones: Phones, *telephones: Sequence[Phone] | Phone) -> None:
    """Start telephones, and let them listen."""
    flat = [one for each in telephones for one in ([each] if isinstance(each, Phone) else each)]
    await asyncio.to_thread(phones.start, flat)
    await asyncio.sleep(0.3)
