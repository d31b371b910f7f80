"""Let administrators' programs set up the ways to sign in with Zoho."""

from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from connector.accounts.sign_in_connectors import Wanted
from connector.services import Services
from connector.store.sign_in_connectors import MatchBy, SignInConnector
from connector.store.users import User
from connector.web.api.operation import Call, Page, Paging, operation

Text = Annotated[str, Meta(max_length=320)]
Id = Annotated[int, Meta(ge=1, le=10**18 - 1)]
Emails = Annotated[list[Text], Meta(max_length=10_000)]
Portals = Annotated[list[Id], Meta(max_length=1_000)]

_reads = partial(operation, role="administrator", right=("sign_in_connectors", "access"))
_changes = partial(operation, role="administrator", right=("sign_in_connectors", "modify"))
_makes = partial(operation, role="administrator", right=("sign_in_connectors", "create"))
"""For administrators, and for who was given the right."""


class ListedSignInConnector(msgspec.Struct, frozen=True, kw_only=True):
    """A way to sign in with Zoho; `address` can be bookmarked.

    `method_id` is its authentication method, null where it has the usual one. `match_by` says what Zoho's
    verified e-mail address is compared with. So many users (`user_count`) have chosen ways of which this is
    one; everybody else may use it too. With `portals` it is for agents of these alone.
    """

    name: str
    reference: str
    address: str
    method_id: int | None
    match_by: MatchBy
    enabled: bool
    is_default: bool
    user_count: int
    portals: list[int]


class WholeSignInConnector(ListedSignInConnector, frozen=True, kw_only=True):
    """The same, with the e-mail addresses of the users for whom it was chosen."""

    users: list[str]


class NewSignInConnector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sign-in connector shall be; `reference` stands in its address and never changes."""

    name: Text
    reference: Text
    method_id: Id | None = None
    match_by: MatchBy = "email"
    enabled: bool = True
    is_default: bool = False
    users: Emails = []
    portals: Portals = []


class SignInConnectorChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be otherwise; what is left out stays. Lists take the place of those there were."""

    name: Text | UnsetType = UNSET
    method_id: Id | UnsetType | None = UNSET
    match_by: MatchBy | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET
    users: Emails | UnsetType = UNSET
    portals: Portals | UnsetType = UNSET


@_reads("GET", "/api/v1/sign-in-connectors")
async def list_sign_in_connectors(call: Call, query: Paging) -> Page[ListedSignInConnector]:
    """List the ways to sign in, by reference; where there are none, all sign in by the usual client."""
    return await sign_in_connectors(call.services, query)


@operation(
    "POST",
    "/api/v1/sign-in-connectors",
    role="administrator",
    right=("sign_in_connectors", "create"),
    status=201,
)
async def add_sign_in_connector(call: Call, body: NewSignInConnector) -> WholeSignInConnector:
    """Add a way to sign in."""
    wanted = Wanted(**msgspec.structs.asdict(body))
    return await _whole(call, await call.services.sign_in_connectors.add(wanted, actor=call.actor))


@operation(
    "GET",
    "/api/v1/sign-in-connectors/{reference:slug}",
    role="administrator",
    right=("sign_in_connectors", "access"),
)
async def show_sign_in_connector(call: Call) -> WholeSignInConnector:
    """Show a way to sign in."""
    return await _whole(call, await call.services.sign_in_connectors.get(call.path("reference")))


@operation(
    "PATCH",
    "/api/v1/sign-in-connectors/{reference:slug}",
    role="administrator",
    right=("sign_in_connectors", "modify"),
)
async def change_sign_in_connector(call: Call, body: SignInConnectorChange) -> WholeSignInConnector:
    """Change a way to sign in; open sessions go on."""
    wanted = Wanted(**msgspec.structs.asdict(body))
    service = call.services.sign_in_connectors
    return await _whole(call, await service.change(call.path("reference"), wanted, actor=call.actor))


@operation(
    "DELETE",
    "/api/v1/sign-in-connectors/{reference:slug}",
    role="administrator",
    right=("sign_in_connectors", "modify"),
    status=204,
)
async def remove_sign_in_connector(call: Call) -> None:
    """Remove a way to sign in; users for whom no other one was chosen sign in by any then."""
    await call.services.sign_in_connectors.remove(call.path("reference"), actor=call.actor)


class UserName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The address at Zoho (`user_name`, "" for none) of the user with an e-mail address here."""

    email: Text
    user_name: Text


@operation("GET", "/api/v1/user-names", role="administrator")
async def list_user_names(call: Call, query: Paging) -> Page[UserName]:
    """List the users who have a user name, by e-mail address."""
    return await user_names(call.services, query)


@operation("PUT", "/api/v1/user-names", role="administrator")
async def set_user_name(call: Call, body: UserName) -> UserName:
    """Give a user a user name, with which sign-in connectors may compare Zoho's address, or take it away."""
    service = call.services.sign_in_connectors
    return _named(await service.set_user_name(body.email, body.user_name, actor=call.actor))


async def user_names(services: Services, asked: Paging) -> Page[UserName]:
    """Return a part of the user names."""
    found = await services.sign_in_connectors.user_names(asked.cursor, asked.limit + 1)
    shown = [_named(each) for each in found[: asked.limit]]
    return Page(items=shown, next=shown[-1].email if len(found) > len(shown) else None)


def _named(user: User) -> UserName:
    return UserName(email=user.email, user_name=user.user_name or "")


OPERATIONS = (
    list_user_names,
    set_user_name,
    list_sign_in_connectors,
    add_sign_in_connector,
    show_sign_in_connector,
    change_sign_in_connector,
    remove_sign_in_connector,
)


async def sign_in_connectors(services: Services, asked: Paging) -> Page[ListedSignInConnector]:
    """Return a part of the sign-in connectors."""
    found = await services.sign_in_connectors.list_all(asked.cursor, asked.limit + 1)
    shown = found[: asked.limit]
    behind = shown[-1].reference if len(found) > len(shown) else None
    items = [ListedSignInConnector(**_facts(services, each)) for each in shown]
    return Page(items=items, next=behind)


async def _whole(call: Call, found: SignInConnector) -> WholeSignInConnector:
    users = await call.services.sign_in_connectors.users_of(found)
    return WholeSignInConnector(**_facts(call.services, found), users=users)


def address_of(services: Services, reference: str) -> str:
    """Return where somebody signs in by a sign-in connector."""
    return f"{services.settings.public_url.rstrip('/')}/login/{reference}"


def _facts(services: Services, found: SignInConnector) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.structs.asdict(found)
    del facts["id"]
    return facts | {"address": address_of(services, found.reference), "portals": sorted(found.portals)}
