"""Make faults happen: a Desk that fails at random, and programs, connections and grants that end."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import httpx2

from connector.demo.environment import Environment, link_portal
from connector.demo.processes import Program
from connector.errors import CommandError
from connector.sandbox.oddities import ODDITIES, Oddity
from connector.sandbox.presets import DEMO_ORG_ID

KINDS: dict[str, dict[str, Any]] = {
    "server_error": {},
    "html": {},
    "unauthorized": {},
    "too_many_requests": {},
    "threshold": {"seconds": 2},
    "reset": {},
    "drop": {},
    "late": {"seconds": 5},
    "latency": {"seconds": 12},
}
"""Every fault of the sandbox; a latency of 12 s is longer than any answer is waited for."""

PAGES = (400, 403, 404, 405, 408, 410, 413, 422)
"""What somebody on the way may answer in Desk's place, as a page: one more kind of fault in all."""

ODDITIES_AT_A_TIME = 3
NOT_HERE = {"slow-index", "first-create-late", "no-custom-fields"}
"""A run waits less long than the first two take, and its comparison reads the key in a custom field."""

KILL_EVERY_SECONDS = 3.0
CUT_EVERY_SECONDS = 7.0
LOSE_GRANT_AFTER_SECONDS = 10.0
WITHOUT_GRANT_SECONDS = 5.0
LINK_AGAIN_SECONDS = 5.0


def rules(share: float) -> list[dict[str, Any]]:
    """Return rules by which each kind of fault strikes a share of requests."""
    kinds = [{"kind": kind, "probability": share} | more for kind, more in KINDS.items()]
    pages = [{"kind": "html", "probability": share / len(PAGES), "status": status} for status in PAGES]
    return [{"path_prefix": "/api/"} | rule for rule in (*kinds, *pages)]


def draw_oddities(chance: random.Random) -> list[Oddity]:
    """Return three of Zoho's oddities, drawn from those with which every record can be written."""
    fit = [
        oddity
        for oddity in ODDITIES
        if oddity.place != "sign-in" and not oddity.stops_writing and oddity.name not in NOT_HERE
    ]
    return chance.sample(fit, ODDITIES_AT_A_TIME)


class FaultSchedule:
    """Faults in the sandbox, and the kills and cuts of our own programs.

    `programs` maps each to the address where it says that it is ready, "" where it has none.
    """

    def __init__(self, env: Environment, programs: Mapping[Program, str], seed: int) -> None:
        self._env = env
        self._programs = programs
        self._chance = random.Random(seed)  # noqa: S311 - chance that repeats, not secrecy
        self.oddities = draw_oddities(self._chance)
        self._http = httpx2.AsyncClient(base_url=env.sandbox_admin.origin, trust_env=False, timeout=30)
        self._tasks: list[asyncio.Task[None]] = []
        self._rules: list[dict[str, Any]] = []
        self._struck: Counter[str] = Counter()
        self._lull = asyncio.Lock()
        self.kills = 0
        self.cuts = 0

    async def begin(self, share: float, cut: Callable[[], None] | None) -> None:
        """Have each kind of fault strike that share of requests, and kill a program every few seconds."""
        names = [oddity.name for oddity in self.oddities]
        (await self._http.post("/_sandbox/oddities", json={"names": names})).raise_for_status()
        odd: list[dict[str, Any]] = (await self._http.get("/_sandbox/faults")).json()["rules"]
        self._rules = [*rules(share), *odd]
        (await self._http.delete("/_sandbox/faults")).raise_for_status()
        await self._let_desk_fail()
        self._tasks = [asyncio.create_task(self._kill()), asyncio.create_task(self._lose_grant())]
        if cut is not None:
            self._tasks.append(asyncio.create_task(self._cut(cut)))

    async def stop_killing(self) -> None:
        """End the kills and cuts of our own programs, and see that all of them run; Desk goes on failing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for program in self._programs:
            if program.is_over:
                await program.start()
        await self._link()

    async def struck(self) -> dict[str, int]:
        """Count the faults that struck, by kind."""
        return dict(self._struck + await self._strikes())

    async def _strikes(self) -> Counter[str]:
        """Count those since the rules were made last."""
        return Counter((await self._http.get("/_sandbox/faults")).json()["struck"])

    async def requests(self) -> dict[str, Any]:
        """Read what the sandbox counted."""
        return dict((await self._http.get("/_sandbox/requests")).json())

    async def close(self) -> None:
        """Let go of the sandbox."""
        await self._http.aclose()

    async def _kill(self) -> None:
        while True:
            await asyncio.sleep(KILL_EVERY_SECONDS)
            program, address = self._chance.choice(list(self._programs.items()))
            async with self._lull:
                await program.kill()
                await program.start()
                self.kills += 1
                if address:
                    # One that is killed before it has begun shows nothing.
                    await program.ready(address)

    async def _cut(self, cut: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(CUT_EVERY_SECONDS)
            async with self._lull:
                await asyncio.to_thread(cut)
                self.cuts += 1

    async def _lose_grant(self) -> None:
        await asyncio.sleep(LOSE_GRANT_AFTER_SECONDS)
        (await self._http.post("/_sandbox/grants/revoke-all")).raise_for_status()
        await asyncio.sleep(WITHOUT_GRANT_SECONDS)
        await self._link()

    async def _let_desk_fail(self) -> None:
        order = {"rules": self._rules, "seed": self._chance.randrange(10**9)}
        (await self._http.post("/_sandbox/faults", json=order)).raise_for_status()

    async def _link(self) -> None:
        """Link the portal as an administrator does, in a lull: linking asks Desk a dozen things in a row.

        Nor is anything killed meanwhile: each beginning takes a code, of which Zoho gives ten in ten minutes.
        """
        async with self._lull:
            self._struck += await self._strikes()
            (await self._http.delete("/_sandbox/faults")).raise_for_status()
            await self._link_at_last()
            await self._let_desk_fail()

    async def _link_at_last(self) -> None:
        while True:
            try:
                await link_portal(self._env.origin, self._env.team, DEMO_ORG_ID)
            except (CommandError, httpx2.TransportError):
                await asyncio.sleep(LINK_AGAIN_SECONDS)
            else:
                return
