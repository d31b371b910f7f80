"""Tell the banner with which profile its user works, and let them switch to another of theirs."""

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from connector.errors import NotAllowed
from connector.services import services_of
from connector.store.users import User
from connector.web.auth import require_api
from connector.web.bodies import json_response, read_json

NO_STORE = {"Cache-Control": "no-store"}


class NamedProfile(msgspec.Struct, frozen=True):
    """A profile as people choose it."""

    id: int
    name: str


class OwnProfiles(msgspec.Struct, frozen=True):
    """The profile that somebody works with, and all that they may choose."""

    active: NamedProfile
    profiles: tuple[NamedProfile, ...]


class Switch(msgspec.Struct, frozen=True):
    """The body of a switch."""

    id: Annotated[int, Meta(ge=1, le=10**18 - 1)]


async def own_profiles(request: Request) -> Response:
    """Return `GET /api/profile`: `{active: {id, name}, profiles: [{id, name}]}`."""
    return await _answer(request, await _user(request))


async def switch_profile(request: Request) -> Response:
    """Take `PUT /api/profile` with `{id}`: open banners are sent a fresh snapshot; 403 for another's."""
    user, wanted = await _user(request), await read_json(request, Switch)
    services = services_of(request)
    await services.profile_setup.switch(user, wanted.id)
    await services.profile_changes.publish()
    return await _answer(request, user)


async def _user(request: Request) -> User:
    caller = await require_api(request)
    if caller.user is None:
        raise NotAllowed("A profile is a person's: sign in instead of using a key.")
    return caller.user


async def _answer(request: Request, user: User) -> Response:
    found = await services_of(request).profiles.choices(user.id)
    named = tuple(NamedProfile(each.id, each.name) for each in found.profiles)
    return json_response(OwnProfiles(NamedProfile(found.active.id, found.active.name), named), 200, NO_STORE)
