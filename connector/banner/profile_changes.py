"""Show banners anew where what their user's profile shows has changed, in whichever process that was."""

from connector.banner.hub import Hub
from connector.banner.publisher import Publisher
from connector.store import Store
from connector.store import profiles as table
from connector.store.profiles import EVERYONE_ID, InUse


class ProfileChanges:
    """Watch over the profiles for the banners of this process."""

    def __init__(self, store: Store, publisher: Publisher, hub: Hub) -> None:
        self._store = store
        self._publisher = publisher
        self._hub = hub
        self._known = InUse({}, {})

    async def publish(self) -> None:
        """Send a fresh snapshot to each open banner whose profile is not as it was; raise StoreError.

        What was known may be old: banners that opened since may then be sent one that they need not have.
        """
        if not self._hub.open_banners:
            return
        before, self._known = self._known, await self._store.read(table.in_use)
        changed = [user for user in self._hub.users if _of(before, user) != _of(self._known, user)]
        if changed:
            await self._publisher.renew_profiles()
            self._hub.renew(changed)


def _of(in_use: InUse, user_id: int) -> tuple[int, int | None]:
    """Return with which profile a user works, and when that was changed last."""
    profile_id = in_use.profiles.get(user_id, EVERYONE_ID)
    return profile_id, in_use.changed_at.get(profile_id)
