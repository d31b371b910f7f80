"""Let administrators' programs make, list and revoke API keys."""

from typing import Annotated

import msgspec
from msgspec import Meta

from connector.accounts.keys import ACTIONS_AT_MOST, Wanted
from connector.clock import to_iso
from connector.services import Services
from connector.store.keys import ApiKey
from connector.store.users import Role
from connector.web.api.operation import Call, Page, Paging, operation

Text = Annotated[str, Meta(max_length=320)]
PORTALS_AT_MOST = 1_000
PortalId = Annotated[int, Meta(ge=1, le=10**18 - 1)]


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key, without its text: without `actions` it calls none, without `portals` it is for all.

    `last_used_at` is true to the minute.
    """

    id: int
    name: str
    role: Role
    actions: tuple[str, ...]
    portals: list[int]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None
    is_valid: bool


class NewKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a key shall be; `expires_at` is a moment, "" for never."""

    name: Text
    role: Role = "agent"
    actions: Annotated[list[Text], Meta(max_length=ACTIONS_AT_MOST)] = []
    portals: Annotated[list[PortalId], Meta(max_length=PORTALS_AT_MOST)] = []
    expires_at: Text = ""


class MadeKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new key, and its text, which is told this once."""

    key: str
    made: Key


@operation("GET", "/api/v1/keys", role="administrator")
async def list_keys(call: Call, query: Paging) -> Page[Key]:
    """List every API key there is or was, by name."""
    return await keys(call.services, query)


@operation("POST", "/api/v1/keys", role="administrator", status=201)
async def add_key(call: Call, body: NewKey) -> MadeKey:
    """Make an API key.

    A key with which another one is made can give no more than it has: its actions, portals and time.
    """
    wanted = Wanted(**msgspec.structs.asdict(body))
    made, key = await call.services.keys.add(wanted, actor=call.actor, by=call.caller.key)
    return MadeKey(key=key, made=_key(made, call.services.clock()))


@operation("DELETE", "/api/v1/keys/{id:id}", role="administrator", status=204)
async def revoke_key(call: Call) -> None:
    """End an API key at once."""
    await call.services.keys.revoke_key(call.path("id"), actor=call.actor)


OPERATIONS = (list_keys, add_key, revoke_key)


async def keys(services: Services, asked: Paging) -> Page[Key]:
    """Return a part of the keys."""
    found = await services.keys.list_keys(asked.cursor, asked.limit + 1)
    shown, now = found[: asked.limit], services.clock()
    behind = shown[-1].name if len(found) > len(shown) else None
    return Page(items=[_key(each, now) for each in shown], next=behind)


def _key(key: ApiKey, now: int) -> Key:
    def moment(at: int | None) -> str | None:
        return None if at is None else to_iso(at)

    return Key(
        id=key.id,
        name=key.name,
        role=key.role,
        actions=key.actions,
        portals=sorted(key.portals),
        created_at=to_iso(key.created_at),
        expires_at=moment(key.expires_at),
        last_used_at=moment(key.last_used_at),
        revoked_at=moment(key.revoked_at),
        is_valid=key.is_valid(now),
    )
