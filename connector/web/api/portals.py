"""Let programs look after portals."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from connector.clock import to_iso
from connector.portals.self_client import SelfClient
from connector.store.portals import Portal
from connector.web.api.operation import Call, Page, Paging, operation, row_cursor

Short = Annotated[str, Meta(max_length=300)]


class LinkedPortal(msgspec.Struct, frozen=True, kw_only=True):
    """A portal without its grant; `method` is its authentication method, null the client of the settings."""

    id: int
    name: str
    location: str
    org_id: str
    edition: str
    state: str
    scopes: list[str]
    method: int | None
    default_department_id: str | None
    default_owner_id: str | None
    recording_field: str | None
    key_field: str | None
    recording_links: str
    recording_downloads: str
    concurrency: int | None
    linked_by: str
    linked_at: str


class PortalGrant(msgspec.Struct, frozen=True, kw_only=True):
    """How a portal's grant is; `lacking` names by feature the scopes that only a new consent gives."""

    portal: LinkedPortal
    refreshed_at: str | None
    next_refresh_at: str | None
    lacking: dict[str, list[str]]


class ChangedPortal(msgspec.Struct, frozen=True, kw_only=True):
    """A portal after a change; `warnings` are sentences about what is probably mistyped, and kept."""

    portal: LinkedPortal
    warnings: list[str]


class PortalSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change; what is left out or null stays, "" (0 for `concurrency`) takes a setting away.

    Departments, agents and custom fields are given by name or id.
    """

    default_department_id: Short | None = None
    default_owner_id: Short | None = None
    recording_field: Short | None = None
    key_field: Short | None = None
    recording_links: Short | None = None
    recording_downloads: Short | None = None
    concurrency: Annotated[int, Meta(ge=-1, le=10**9)] | None = None


class UnlinkedPortal(msgspec.Struct, frozen=True, kw_only=True):
    """A portal that was let go; `revoked` is false where Zoho has not taken its grant back."""

    portal: LinkedPortal
    revoked: bool


class NewSelfClient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A self client's code or refresh token, with an authentication method or the fields of a new one."""

    method: int | None = None
    name: Short = ""
    location: Short = ""
    client_id: Short = ""
    secret: Short = ""
    environment: Short = ""
    code: Short = ""
    refresh_token: Short = ""
    org_id: Short = ""


@operation("GET", "/api/v1/portals", role="administrator")
async def list_portals(call: Call, query: Paging) -> Page[LinkedPortal]:
    """List the portals, in the order of their linking."""
    found = await call.services.administration.list(row_cursor(query.cursor) or 0, query.limit + 1)
    shown = found[: query.limit]
    more = str(shown[-1].id) if len(found) > len(shown) else None
    return Page(items=[told(each) for each in shown], next=more)


@operation("GET", "/api/v1/portals/{id:id}", role="administrator", portal="id")
async def show_portal(call: Call) -> PortalGrant:
    """Show a portal and how its grant is; Zoho is not asked."""
    portal = await call.services.portals.get(call.path("id"))
    state = await call.services.administration.grant_state(portal)
    return PortalGrant(
        portal=told(portal),
        refreshed_at=_moment(state.refreshed_at),
        next_refresh_at=_moment(state.next_refresh_at),
        lacking={name: list(missing) for name, missing in state.lacking.items()},
    )


@operation("PATCH", "/api/v1/portals/{id:id}", role="administrator", portal="id")
async def change_portal(call: Call, body: PortalSettings) -> ChangedPortal:
    """Change a portal's settings."""
    values: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(body).items() if value is not None
    }
    changed = await call.services.administration.set(call.path("id"), actor=call.actor, **values)
    return ChangedPortal(portal=told(changed.portal), warnings=list(changed.warnings))


@operation("POST", "/api/v1/portals/{id:id}/revoke", role="administrator", portal="id")
async def revoke_portal(call: Call) -> LinkedPortal:
    """Give a portal's grant back to Zoho; what is to reach Desk waits until it is authorised again."""
    return told(await call.services.administration.revoke(call.path("id"), actor=call.actor))


@operation("POST", "/api/v1/portals/{id:id}/unlink", role="administrator", portal="id")
async def unlink_portal(call: Call) -> UnlinkedPortal:
    """Let a portal go with its grant; its settings and what waits for Desk stay."""
    unlinked = await call.services.administration.unlink(call.path("id"), actor=call.actor)
    return UnlinkedPortal(portal=told(unlinked.portal), revoked=unlinked.revoked)


@operation("POST", "/api/v1/portals/self-client", role="administrator", status=201)
async def link_self_client(call: Call, body: NewSelfClient) -> LinkedPortal:
    """Link a portal with a self client; nothing is kept unless it was seen to work."""
    values = msgspec.structs.asdict(body)
    given = SelfClient(method_id=values.pop("method"), **values)
    portal = await call.services.self_clients.link(given, actor=call.actor)
    await call.services.deliverer.resume(portal.id)
    return told(portal)


def told(portal: Portal) -> LinkedPortal:
    """Return a portal as programs see it."""
    shared = {
        name: getattr(portal, name)
        for name in LinkedPortal.__struct_fields__
        if name not in ("scopes", "method", "linked_at")
    }
    return LinkedPortal(
        **shared,
        scopes=portal.scopes.split(),
        method=portal.method_id,
        linked_at=to_iso(portal.linked_at),
    )


def _moment(at: int | None) -> str | None:
    return None if at is None else to_iso(at)


OPERATIONS = (list_portals, show_portal, change_portal, revoke_portal, unlink_portal, link_self_client)
