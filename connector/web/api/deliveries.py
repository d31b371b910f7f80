"""Let programs see what has not reached Desk, try it again, or give it up."""

from typing import Annotated

import msgspec
from msgspec import Meta

from connector.clock import to_iso
from connector.errors import InvalidRequest
from connector.follow_up.deliveries import DeliveryFound, DeliveryPage
from connector.follow_up.shapes import AttemptSeen
from connector.services import Services
from connector.store.outbox import Row, State, Which
from connector.web.api.operation import Call, Page, Paging, operation

Text = Annotated[str, Meta(max_length=320)]
PortalId = Annotated[int, Meta(ge=0, le=10**18 - 1)]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery: how far it is, and why it is no further; moments are RFC 3339."""

    id: int
    kind: str
    key: str
    portal_id: int
    state: State
    attempts: int
    due_at: str
    created_at: str
    changed_at: str
    desk_id: str | None
    desk_url: str | None
    reason: str
    detail: str


class DeliveryWhole(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery, what Desk answered to its requests, what to do (`remedy`), and what it waits for."""

    delivery: Delivery
    requests_made: int
    requests: list[AttemptSeen]
    remedy: str
    waits_for: int | None
    call: str | None


class DeliveriesAsked(Paging, frozen=True, kw_only=True):
    """Which deliveries: dead ones unless told otherwise, of one portal (0: of any), with one reason."""

    state: State = "dead"
    portal_id: PortalId = 0
    reason: Text = ""


class Retry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a retry may say: that somebody has looked, and the record is not in Desk."""

    absent: bool = False


class Drop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it shall never be in Desk."""

    reason: str


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """How many were tried again."""

    retried: int


@operation("GET", "/api/v1/deliveries", role="supervisor")
async def list_deliveries(call: Call, query: DeliveriesAsked) -> Page[Delivery]:
    """List deliveries in a state, the latest first."""
    found = await deliveries(call.services, query)
    return Page(items=[_delivery(row) for row in found.rows], next=cursor_of(found.next))


@operation("GET", "/api/v1/deliveries/{id:id}", role="supervisor")
async def show_delivery(call: Call) -> DeliveryWhole:
    """Show one delivery with what Desk answered."""
    found = await call.services.deliveries.show(call.path("id"))
    return DeliveryWhole(
        delivery=_delivery(found.row),
        requests_made=found.seen.attempts_made,
        requests=list(found.seen.attempts),
        remedy=found.remedy.sentence,
        waits_for=_waits_for(found),
        call=found.call,
    )


@operation("POST", "/api/v1/deliveries/{id:id}/retry", role="administrator")
async def retry_delivery(call: Call, body: Retry) -> Delivery:
    """Try a delivery again; 409 for one that is being sent or is in Desk."""
    row = await call.services.deliveries.retry(call.path("id"), absent=body.absent, actor=call.actor)
    return _delivery(row)


@operation("POST", "/api/v1/deliveries/{id:id}/drop", role="administrator")
async def drop_delivery(call: Call, body: Drop) -> Delivery:
    """Give a delivery up for good, for a reason that the audit keeps; 409 as for a retry."""
    return _delivery(await call.services.deliveries.drop(call.path("id"), body.reason, actor=call.actor))


@operation("POST", "/api/v1/deliveries/retry", role="administrator")
async def retry_deliveries(call: Call, body: Retry) -> Retried:
    """Try dead letters again, a thousand at a time."""
    return Retried(retried=await call.services.deliveries.retry_all(absent=body.absent, actor=call.actor))


OPERATIONS = (list_deliveries, show_delivery, retry_delivery, drop_delivery, retry_deliveries)


async def deliveries(services: Services, asked: DeliveriesAsked) -> DeliveryPage:
    """Return a part of the list."""
    which = Which(
        state=asked.state,
        portal_id=asked.portal_id or None,
        reason=asked.reason,
        before=position_of(asked.cursor),
    )
    return await services.deliveries.page(which, asked.limit)


def cursor_of(position: tuple[int, int] | None) -> str | None:
    """Write a position in a list."""
    return None if position is None else f"{position[0]}-{position[1]}"


def position_of(cursor: str) -> tuple[int, int] | None:
    """Read a position in a list; InvalidRequest for what is none."""
    if not cursor:
        return None
    parts = cursor.split("-")
    if len(parts) != 2 or not all(each.isascii() and each.isdigit() and len(each) < 19 for each in parts):
        raise InvalidRequest("cursor must be what `next` of the page before was.")
    return int(parts[0]), int(parts[1])


def _waits_for(found: DeliveryFound) -> int | None:
    return None if found.waits_for is None else found.waits_for.id


def _delivery(row: Row) -> Delivery:
    return Delivery(
        id=row.id,
        kind=row.kind,
        key=row.key,
        portal_id=row.portal_id,
        state=row.state,
        attempts=row.attempts,
        due_at=to_iso(row.due_at),
        created_at=to_iso(row.created_at),
        changed_at=to_iso(row.changed_at),
        desk_id=row.desk_id,
        desk_url=row.desk_url,
        reason=row.reason,
        detail=row.detail,
    )
