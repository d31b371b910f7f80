"""Tell open banners which portals have lost their grant, and who can link them again."""

import msgspec
from sqlalchemy import Connection

from connector.banner.hub import Hub, Message
from connector.store import Store, portals, users

NAMED_AT_MOST = 3
"""Administrators named to an agent: whom to ask, not a list of all."""


class LostPortals(msgspec.Struct, frozen=True, kw_only=True):
    """The names of the portals that have to be linked again, `lost`, and of administrators, `linkers`.

    Both are empty where nothing is lost.
    """

    lost: tuple[str, ...] = ()
    linkers: tuple[str, ...] = ()


class PortalStatus:
    """Watch over the portals' grants, for the banners of this process."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._published = LostPortals()

    async def read(self) -> LostPortals:
        """Return the portals that have lost their grant; raise StoreError."""
        return await self._store.read(_read)

    async def publish_changes(self) -> None:
        """Tell every open banner, if it is not as it was; a banner that opens reads it for itself."""
        if not self._hub.open_banners:
            return
        lost = await self.read()
        if lost != self._published:
            self._published = lost
            self._hub.publish_to_all(Message("links", msgspec.json.encode(lost), "links"))


def _read(connection: Connection) -> LostPortals:
    lost = tuple(each.name for each in portals.list_all(connection) if each.state == "grant_lost")
    if not lost:
        return LostPortals()
    return LostPortals(lost=lost, linkers=users.administrators(connection, NAMED_AT_MOST))
