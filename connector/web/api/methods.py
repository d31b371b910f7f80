"""Let programs set up authentication methods."""

from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta

from connector.clock import to_iso
from connector.portals.methods import MethodView
from connector.web.api.operation import Call, Page, Paging, operation, row_cursor

Short = Annotated[str, Meta(max_length=300)]
Few = Annotated[list[Short], Meta(max_length=40)]

_reads = partial(operation, role="administrator", right=("authentication_methods", "access"))
_changes = partial(operation, role="administrator", right=("authentication_methods", "modify"))
_makes = partial(operation, role="administrator", right=("authentication_methods", "create"))
"""For administrators, and for who was given the right."""


class AuthenticationMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A method without its secrets; `id` is null for the client of the settings, which is read only.

    `secrets` are the data centres that have a secret of their own, `scopes` all that consent is asked for.
    """

    id: int | None
    name: str
    type: str
    mode: str
    location: str
    environment_url: str
    client_id: str
    secrets: list[str]
    environment: str
    enabled: bool
    features: list[str]
    extra_scopes: list[str]
    scopes: list[str]
    portals: int
    created_at: str | None


class NewMethod(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new method; `secrets` are those of data centres (by location) that have one of their own."""

    name: Short
    location: Short
    client_id: Short
    secret: Short
    mode: Short = "oauth"
    secrets: dict[Short, Short] = {}
    environment_url: Short = ""
    features: Few = []
    extra_scopes: Few = []


class ChangedMethod(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change; what is left out or null stays. A secret of "" takes that data centre's away."""

    name: Short | None = None
    location: Short | None = None
    client_id: Short | None = None
    secret: Short | None = None
    secrets: dict[Short, Short] | None = None
    environment_url: Short | None = None
    features: Few | None = None
    extra_scopes: Few | None = None


class Enabling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What enabling confirms: `environment` is "production" or "sandbox"."""

    environment: Short


@_reads("GET", "/api/v1/authentication-methods")
async def list_methods(call: Call, query: Paging) -> Page[AuthenticationMethod]:
    """List the authentication methods; the client of the settings, where there is one, comes first."""
    found = await call.services.methods.list(row_cursor(query.cursor), query.limit + 1)
    shown = found[: query.limit]
    return Page(
        items=[told(each) for each in shown],
        next=str(shown[-1].id or 0) if len(found) > len(shown) else None,
    )


@operation(
    "POST",
    "/api/v1/authentication-methods",
    role="administrator",
    right=("authentication_methods", "create"),
    status=201,
)
async def add_method(call: Call, body: NewMethod) -> AuthenticationMethod:
    """Add an authentication method, which serves once it is enabled."""
    given = msgspec.structs.asdict(body)
    return told(await call.services.methods.add(**given, actor=call.actor))


@operation(
    "GET",
    "/api/v1/authentication-methods/{id:id}",
    role="administrator",
    right=("authentication_methods", "access"),
)
async def show_method(call: Call) -> AuthenticationMethod:
    """Show an authentication method."""
    return told(await call.services.methods.get(call.path("id")))


@operation(
    "PATCH",
    "/api/v1/authentication-methods/{id:id}",
    role="administrator",
    right=("authentication_methods", "modify"),
)
async def change_method(call: Call, body: ChangedMethod) -> AuthenticationMethod:
    """Change an authentication method, or replace its secrets."""
    given = msgspec.structs.asdict(body)
    return told(await call.services.methods.change(call.path("id"), **given, actor=call.actor))


@operation(
    "POST",
    "/api/v1/authentication-methods/{id:id}/enable",
    role="administrator",
    right=("authentication_methods", "modify"),
)
async def enable_method(call: Call, body: Enabling) -> AuthenticationMethod:
    """Enable an authentication method, and say whether it is production or a sandbox."""
    enabled = call.services.methods.enable(call.path("id"), environment=body.environment, actor=call.actor)
    return told(await enabled)


@operation(
    "POST",
    "/api/v1/authentication-methods/{id:id}/disable",
    role="administrator",
    right=("authentication_methods", "modify"),
)
async def disable_method(call: Call) -> AuthenticationMethod:
    """Disable an authentication method: the records of its portals wait, and nobody signs in with it."""
    return told(await call.services.methods.disable(call.path("id"), actor=call.actor))


@operation(
    "DELETE",
    "/api/v1/authentication-methods/{id:id}",
    role="administrator",
    right=("authentication_methods", "modify"),
    status=204,
)
async def remove_method(call: Call) -> None:
    """Remove an authentication method that nothing uses."""
    await call.services.methods.remove(call.path("id"), actor=call.actor)


def told(view: MethodView) -> AuthenticationMethod:
    """Return a method as programs and `--json` see it."""
    values = msgspec.structs.asdict(view) | {
        "secrets": list(view.secrets),
        "scopes": [scope.name for scope in view.scopes],
        "created_at": None if view.created_at is None else to_iso(view.created_at),
    }
    return AuthenticationMethod(**values)


OPERATIONS = (
    list_methods,
    add_method,
    show_method,
    change_method,
    enable_method,
    disable_method,
    remove_method,
)
