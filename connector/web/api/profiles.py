"""Let administrators' programs set up the profiles: what users see and may do in the banner."""

from functools import partial
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from connector.crm.model import ObjectName
from connector.crm.profile_setup import Listed, Wanted
from connector.crm.profiles import ObjectAccess, Profile
from connector.services import Services
from connector.web.api.operation import Call, Page, Paging, operation, row_cursor

Text = Annotated[str, Meta(max_length=320)]
Id = Annotated[int, Meta(ge=1, le=10**18 - 1)]
Emails = Annotated[list[Text], Meta(max_length=10_000)]
Portals = Annotated[list[Id], Meta(max_length=1_000)]
Fields = Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(max_length=1_000)]

_reads = partial(operation, role="administrator", right=("crm", "access"))
_changes = partial(operation, role="administrator", right=("crm", "modify"))
_makes = partial(operation, role="administrator", right=("crm", "create"))
"""For administrators, and for who was given the right."""


class ObjectFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of an object that are seen and edited, by Desk's API names; null are all that there are."""

    seen: Fields | None = None
    edited: Fields | None = None


Objects = dict[ObjectName, ObjectFields]


class ListedProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A profile; `portals` are those whose CRM it has, null for all. An object that is not named is not seen.

    So many users have it (`user_count`): of that of everyone, which has the id 1, those who were given none.
    """

    id: int
    name: str
    portals: list[int] | None
    objects: Objects
    may_create: bool
    may_edit: bool
    may_make_tickets: bool
    may_listen: bool
    user_count: int


class WholeProfile(ListedProfile, frozen=True, kw_only=True):
    """The same, with the e-mail addresses of the users who were given it."""

    users: list[str]


class NewProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a profile shall be; what is not named is not seen and not allowed."""

    name: Text
    portals: Portals | None = None
    objects: Objects = {}
    may_create: bool = False
    may_edit: bool = False
    may_make_tickets: bool = False
    may_listen: bool = False
    users: Emails = []


class ProfileChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be otherwise; what is left out stays. `objects` and lists replace what there was."""

    name: Text | UnsetType = UNSET
    portals: Portals | UnsetType | None = UNSET
    objects: Objects | UnsetType = UNSET
    may_create: bool | UnsetType = UNSET
    may_edit: bool | UnsetType = UNSET
    may_make_tickets: bool | UnsetType = UNSET
    may_listen: bool | UnsetType = UNSET
    users: Emails | UnsetType = UNSET


@_reads("GET", "/api/v1/profiles")
async def list_profiles(call: Call, query: Paging) -> Page[ListedProfile]:
    """List the profiles, that of everyone first."""
    return await profiles(call.services, query)


@_makes("POST", "/api/v1/profiles", status=201)
async def add_profile(call: Call, body: NewProfile) -> WholeProfile:
    """Add a profile."""
    return await _whole(call, await call.services.profile_setup.add(_wanted(body), actor=call.actor))


@_reads("GET", "/api/v1/profiles/{id:id}")
async def show_profile(call: Call) -> WholeProfile:
    """Show a profile with its users."""
    return await _whole(call, await call.services.profile_setup.get(call.path("id")))


@_changes("PATCH", "/api/v1/profiles/{id:id}")
async def change_profile(call: Call, body: ProfileChange) -> WholeProfile:
    """Change a profile: its users' banners show it within two seconds."""
    service = call.services.profile_setup
    changed = await service.change(call.path("id"), _wanted(body), actor=call.actor)
    return await _whole(call, changed)


@_changes("DELETE", "/api/v1/profiles/{id:id}", status=204)
async def remove_profile(call: Call) -> None:
    """Remove a profile: its users fall back to another of theirs, else to that of everyone."""
    await call.services.profile_setup.remove(call.path("id"), actor=call.actor)


class PersonsProfiles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ids of the profiles that somebody has; none: that of everyone."""

    profiles: Annotated[list[Id], Meta(max_length=1_000)]


@_changes("PUT", "/api/v1/people/{id:id}/profiles")
async def give_profiles(call: Call, body: PersonsProfiles) -> PersonsProfiles:
    """Give somebody these profiles and no others; the first that they have is the one they work with."""
    service, person = call.services.profile_setup, call.path("id")
    await service.set_of_user(person, body.profiles, actor=call.actor)
    return PersonsProfiles(profiles=[each.id for each in await service.of_user(person)])


OPERATIONS = (list_profiles, add_profile, show_profile, change_profile, remove_profile, give_profiles)


async def profiles(services: Services, asked: Paging) -> Page[ListedProfile]:
    """Return a part of the profiles."""
    found = await services.profile_setup.list_all(row_cursor(asked.cursor) or 0, asked.limit + 1)
    shown = [_listed(each) for each in found[: asked.limit]]
    return Page(items=shown, next=str(shown[-1].id) if len(found) > len(shown) else None)


def _wanted(body: NewProfile | ProfileChange) -> Wanted:
    given = {name: getattr(body, name) for name in body.__struct_fields__}
    if body.objects is not UNSET:
        given["objects"] = {name: _access(each) for name, each in body.objects.items()}
    return Wanted(**given)


def _access(fields: ObjectFields) -> ObjectAccess:
    seen, edited = (None if each is None else tuple(each) for each in (fields.seen, fields.edited))
    return ObjectAccess(seen=seen, edited=edited)


async def _whole(call: Call, found: Profile) -> WholeProfile:
    service = call.services.profile_setup
    (listed,) = await service.list_all(found.id - 1, 1)
    users = await service.users_of(found.id)
    return WholeProfile(**msgspec.structs.asdict(_listed(listed)), users=users)


def _listed(found: Listed) -> ListedProfile:
    access = found.profile.access
    return ListedProfile(
        id=found.profile.id,
        name=found.profile.name,
        portals=None if access.portals is None else list(access.portals),
        objects={name: _fields(each) for name, each in access.objects.items()},
        may_create=access.may_create,
        may_edit=access.may_edit,
        may_make_tickets=access.may_make_tickets,
        may_listen=access.may_listen,
        user_count=found.user_count,
    )


def _fields(access: ObjectAccess) -> ObjectFields:
    seen, edited = (None if each is None else list(each) for each in (access.seen, access.edited))
    return ObjectFields(seen=seen, edited=edited)
