"""Say what users see and may do in the banner: which CRM, objects and fields, what they make and change."""

from collections.abc import Mapping

import msgspec

from connector.aio import TtlCache
from connector.clock import SECOND, Clock
from connector.crm.model import OBJECTS, ObjectName
from connector.store import Store
from connector.store import profiles as table

CACHED_FOR = 2 * SECOND


class ObjectAccess(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an object that a profile sees and edits, by API name; None are all that the CRM has."""

    seen: tuple[str, ...] | None = None
    edited: tuple[str, ...] | None = None


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What a profile is for, kept as JSON; no `portals` are all. An object that is not named is not seen."""

    portals: tuple[int, ...] | None = None
    objects: Mapping[ObjectName, ObjectAccess] = {}
    may_create: bool = False
    may_edit: bool = False
    may_make_tickets: bool = False
    may_listen: bool = False


EVERYTHING = Access(
    objects={name: ObjectAccess() for name in ("contacts", "accounts", "tickets", "calls")},
    may_create=True,
    may_edit=True,
    may_make_tickets=True,
    may_listen=True,
)


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A named access; users without a profile of their own have that of EVERYONE_ID."""

    id: int
    name: str
    access: Access = EVERYTHING

    def sees_portal(self, portal_id: int) -> bool:
        """Tell whether a portal's CRM is there for users of this profile."""
        return self.access.portals is None or portal_id in self.access.portals

    def hides_nothing(self, portal_id: int) -> bool:
        """Tell whether users of this profile see all fields of all objects."""
        objects = self.access.objects
        return self.sees_portal(portal_id) and all(
            name in objects and objects[name].seen is None for name in OBJECTS
        )

    def sees_object(self, portal_id: int, name: ObjectName) -> bool:
        """Tell whether users of this profile see anything of an object."""
        found = self.access.objects.get(name) if self.sees_portal(portal_id) else None
        return found is not None and found.seen != ()

    def sees(self, portal_id: int, name: ObjectName, field: str) -> bool:
        """Tell whether a field of an object is shown to users of this profile."""
        found = self.access.objects.get(name) if self.sees_portal(portal_id) else None
        return found is not None and (found.seen is None or field in found.seen)

    def edits(self, portal_id: int, name: ObjectName, field: str) -> bool:
        """Tell whether users of this profile may change a field that they see."""
        if not (self.access.may_edit and self.sees(portal_id, name, field)):
            return False
        edited = self.access.objects[name].edited
        return edited is None or field in edited


EVERYONE = Profile(id=table.EVERYONE_ID, name="Everyone")
"""What all users have from the start: everything, as before there were profiles."""

encode_access = msgspec.json.Encoder(order="deterministic").encode
decode_access = msgspec.json.Decoder(Access).decode


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """The profile that a user works with, and all that they may choose."""

    active: Profile
    profiles: tuple[Profile, ...]


class Profiles:
    """Know the profiles: from memory, two seconds old at most."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._cache: TtlCache[int, Profile] = TtlCache(self._load, CACHED_FOR, clock)

    async def of(self, profile_id: int) -> Profile:
        """Return a profile; one that was removed meanwhile is that of everyone."""
        return await self._cache.get(profile_id)

    async def active(self, user_id: int) -> Profile:
        """Return the profile that a user works with now."""
        return await self.of(await self._store.read(lambda c: table.active(c, user_id)))

    async def choices(self, user_id: int) -> Choices:
        """Return the profiles that a user was given, that of everyone where there are none."""
        given, active = await self._store.read(
            lambda c: (table.of_user(c, user_id), table.active(c, user_id))
        )
        profiles = tuple(map(profile_of, given)) or (await self.of(table.EVERYONE_ID),)
        chosen = next((each for each in profiles if each.id == active), profiles[0])
        return Choices(active=chosen, profiles=profiles)

    def forget(self) -> None:
        """Read all anew: one was changed in this very process."""
        self._cache.clear()

    async def _load(self, profile_id: int) -> Profile:
        row = await self._store.read(lambda c: table.get(c, profile_id))
        if row is None and profile_id != table.EVERYONE_ID:
            return await self._load(table.EVERYONE_ID)
        return EVERYONE if row is None else profile_of(row)


def profile_of(row: table.ProfileRow) -> Profile:
    """Return a profile as its row has it."""
    return Profile(id=row.id, name=row.name, access=decode_access(row.access))
