"""Know the departments of each portal's Desk by their names, for phone systems and pages."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from connector.aio import TtlCache
from connector.clock import MINUTE, Clock
from connector.errors import ConnectorError
from connector.phone_systems.warnings import Warned, Warnings
from connector.zoho import naming
from connector.zoho.client import Desk
from connector.zoho.naming import Known

CACHED_FOR = MINUTE
"""A department that is new in Desk, or called otherwise, is known after that."""

TIMEOUT_SECONDS = 2.0
"""How long a page waits for names; ids are shown where they do not come."""

DeskOf = Callable[[int], Awaitable[Desk]]
"""Returns the client of a portal's Desk; any ConnectorError where there is none just now."""


class Departments:
    """The departments of each portal's Desk, asked for once a minute at most."""

    def __init__(self, desk_of: DeskOf, clock: Clock) -> None:
        self._desk_of = desk_of
        self._cache: TtlCache[int, list[Known]] = TtlCache(self._load, CACHED_FOR, clock)

    async def _load(self, portal_id: int) -> list[Known]:
        return await naming.known(await self._desk_of(portal_id), "department")

    async def names(self, portal_id: int) -> Mapping[str, str]:
        """Return what people call a portal's departments, by id; nothing where Desk does not say in time."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                found = await self._cache.get(portal_id)
        except (ConnectorError, TimeoutError):
            return {}
        return {each.id: each.names[0] or each.id for each in found}

    async def id_of(
        self, portal_id: int, text: str | None, pointer: str = "/department"
    ) -> tuple[str | None, Warnings]:
        """Return the id of a department that is meant by name or id, "" and None for none; and warnings.

        What looks like an id is kept though Desk does not show it. InvalidValue lists what there is.
        """
        if not text:
            return None, ()
        meant = await naming.meant(partial(self._cache.get, portal_id), "department", text, pointer)
        if not meant.warning:
            return meant.id, ()
        return meant.id, (Warned(reason="department", text="{told}", values={"told": meant.warning}),)
