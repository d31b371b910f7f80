"""Know Desk's departments by their names: what people mean, and what they are shown."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from connector.aio import TtlCache
from connector.casing import ascii_lower
from connector.clock import MINUTE, Clock
from connector.errors import ConnectorError, InvalidValue
from connector.phone_systems.warnings import Warned, Warnings, listed
from connector.zoho.client import Desk
from connector.zoho.operations import AGENTS_LIMIT

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
        self._cache: TtlCache[int, dict[str, str]] = TtlCache(self._load, CACHED_FOR, clock)

    async def _load(self, portal_id: int) -> dict[str, str]:
        found = await (await self._desk_of(portal_id)).departments()
        return {str(each.id): each.name or str(each.id) for each in found}

    async def names(self, portal_id: int) -> Mapping[str, str]:
        """Return what people call a portal's departments, by id; nothing where Desk does not say in time."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._cache.get(portal_id)
        except (ConnectorError, TimeoutError):
            return {}

    async def id_of(
        self, portal_id: int, text: str | None, pointer: str = "/department"
    ) -> tuple[str | None, Warnings]:
        """Return the id of a department that is meant by name or id, "" and None for none; and warnings.

        What looks like an id is kept though Desk does not show it. InvalidValue lists what there is.
        """
        if not text:
            return None, ()
        try:
            found = await self._cache.get(portal_id)
        except ConnectorError as problem:
            if not text.isdecimal():
                raise InvalidValue(
                    "Which department is called {name} could not be asked: {problem}",
                    pointer,
                    name=text,
                    problem=problem,
                ) from problem
            return text, (_unasked(text, problem),)
        return _meant(text, found, pointer)


def _meant(text: str, found: Mapping[str, str], pointer: str) -> tuple[str | None, Warnings]:
    folded = ascii_lower(text)
    meant = [each for each, name in found.items() if text == each or ascii_lower(name) == folded]
    if len(meant) == 1:
        return meant[0], ()
    there = listed(f"{found[each]} ({each})" for each in meant or found)
    if meant:
        raise InvalidValue(
            "Several departments are called {name}: {known}. Name one by its id.",
            pointer,
            name=text,
            known=there,
        )
    if not text.isdecimal():
        raise InvalidValue(
            "Desk has no department {name}; there is {known}.", pointer, name=text, known=there
        )
    # Of more than a page nobody knows whether it lacks one.
    if len(found) >= AGENTS_LIMIT:
        return text, ()
    told = "Desk shows no department {name} to the connector; there is {known}. Kept as typed."
    return text, (Warned(reason="no_department", text=told, values={"name": text, "known": there}),)


def _unasked(text: str, problem: ConnectorError) -> Warned:
    told = "Whether Desk has the department {name} could not be asked: {problem} Kept as typed."
    return Warned(reason="department_unasked", text=told, values={"name": text, "problem": str(problem)})
