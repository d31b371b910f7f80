"""One more process in the environment: a store, portals, a directory and a deliverer of its own."""

import asyncio

from connector import delivery
from connector.contacts import ContactLookup
from connector.crypto import Encryptor
from connector.limits import Limits
from connector.outbox import Deliverer
from connector.outbox.picking import Picker
from connector.portals import Portals
from connector.store import Store
from connector.store.outbox import Row
from connector.zoho.client import Desk
from connector.zoho.transport import http_client
from tests.integration.databases import url_of
from tests.integration.delivery.env import Environment
from tests.integration.zoho.person import center

TIMEOUT_SECONDS = 60
"""Longer than any machine takes that does something else beside."""


class Goal:
    """Count what deliveries write, and tell when it is enough."""

    def __init__(self, total: int) -> None:
        self._left = total
        self.reached = asyncio.Event()

    def count(self, outcome: str) -> None:
        """Count one."""
        self._left -= outcome in ("written", "found")
        if self._left <= 0:
            self.reached.set()


class Process:
    """What runs in a process of its own in earnest; here, nothing is shared but the database."""

    def __init__(self, env: Environment, goal: Goal | None = None) -> None:
        self.store = Store(url_of(env.store))
        self._http = http_client()
        self.portals = Portals(
            self.store,
            env.clock,
            Encryptor(env.settings.secret_key),
            env.methods,
            self._http,
            data_centers={"us": center(env.sandbox)},
            caller_percent=1,
            limits=Limits(self.store, env.clock, env.clock),
        )
        self.contact_lookup = ContactLookup(
            self.store, self.portals, env.settings, env.clock, timeout_seconds=TIMEOUT_SECONDS
        )
        kinds = delivery.kinds(self.store, self.contact_lookup, env.settings, env.clock)
        self.deliverer = Deliverer(
            self.store,
            self.portals,
            self.portals.limits,
            kinds,
            env.settings,
            env.clock,
            counter=goal or env.tally,
        )
        self._picker = Picker(self.store, self.portals.limits, env.clock)

    async def desk(self) -> Desk:
        """Return the portal's Desk."""
        return await self.portals.desk(1)

    async def pick(self) -> list[Row]:
        """Pick what would be delivered now, and leave it at that."""
        while True:
            rows = [row for each in await self._picker.pick({}, []) for row in each.rows]
            if rows or not self._picker.was_hindered:
                return rows

    async def look_up(self, number: int, caller: str | None = None) -> None:
        """Look a number up, as for a ringing phone, or as a user or key does."""
        await self.contact_lookup.look_up(1, f"+3361{number:07}", country="FR", live=True, caller=caller)

    async def end(self) -> None:
        """End as one that is told to."""
        await self.portals.close()
        await self._http.aclose()
        self.store.close()
