"""Tell open banners which portals have lost their grant, and who can link them again."""

import msgspec
from sqlalchemy import Connection

from connector.banner.hub import Hub, Message
from connector.store import Store, portals, users

NAMED_AT_MOST = 3
"""Administrators named to an agent: whom to ask, not a list of all."""


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """How the links to Desk are: `lost` names the portals that have to be linked again.

    `linkers` are the names of administrators, empty where nothing is lost.
    """

    lost: tuple[str, ...] = ()
    linkers: tuple[str, ...] = ()


class LinkNews:
    """Watch over the portals' grants, for the banners of this process."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._told = Links()

    async def now(self) -> Links:
        """Return how the links are; raises StoreError."""
        return await self._store.read(_read)

    async def step(self) -> None:
        """Tell every open banner, if it is not as it was; a banner that opens reads it for itself."""
        if not self._hub.open_banners:
            return
        now = await self.now()
        if now != self._told:
            self._told = now
            self._hub.publish_to_all(Message("links", msgspec.json.encode(now), "links"))


def _read(connection: Connection) -> Links:
    lost = tuple(each.name for each in portals.list_all(connection) if each.state == "grant_lost")
    if not lost:
        return Links()
    people = users.list_all(connection)
    linkers = [each.name for each in people if each.active and each.role == "administrator"]
    return Links(lost=lost, linkers=tuple(linkers[:NAMED_AT_MOST]))
