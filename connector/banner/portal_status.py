"""Tell open banners what was never set up, which portals have lost their grant, and who mends it."""

from typing import Literal

import msgspec
from sqlalchemy import Connection

from connector.banner.hub import Hub, Message
from connector.store import Store, phones, portals, users

NAMED_AT_MOST = 3
"""Administrators named to an agent: whom to ask, not a list of all."""


Missing = Literal["portal", "phone_system"]
"""What is set up first: without either no call is ever shown."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The names of the portals that have to be linked again, `lost`, what was never set up, `missing`.

    `linkers` are the names of administrators; there are none where nothing is lost or missing.
    """

    lost: tuple[str, ...] = ()
    linkers: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()


class PortalStatus:
    """Watch over the set-up and the portals' grants, for the banners of this process."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._published = Status()

    async def read(self) -> Status:
        """Return what is lost or missing; raise StoreError."""
        return await self._store.read(_read)

    async def publish_changes(self) -> None:
        """Tell every open banner, if it is not as it was; a banner that opens reads it for itself."""
        if not self._hub.open_banners:
            return
        status = await self.read()
        if status != self._published:
            self._published = status
            self._hub.publish_to_all(Message("links", msgspec.json.encode(status), "links"))


def _read(connection: Connection) -> Status:
    linked = portals.list_all(connection)
    lost = tuple(each.name for each in linked if each.state == "grant_lost")
    missing: list[Missing] = []
    if all(each.state == "unlinked" for each in linked):
        missing.append("portal")
    if not phones.is_any(connection):
        missing.append("phone_system")
    if not lost and not missing:
        return Status()
    linkers = users.administrators(connection, NAMED_AT_MOST)
    return Status(lost=lost, linkers=linkers, missing=tuple(missing))
