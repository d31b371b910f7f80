"""Return what administrators' programs ask: deliveries, phone systems, portals, and who changed what."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast, get_args

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from connector.clock import to_iso
from connector.errors import InvalidRequest, NotFound
from connector.outbox import by_hand
from connector.store import audit, outbox, recordings
from connector.store.outbox import Row, State
from connector.web.guard import require_api
from connector.web.services import services_of
from connector.web.wishes import asked, read_wish

AT_MOST = 1_000
USUALLY = 100


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as programs see it: how far it is, and why it is no further; moments are RFC 3339."""

    id: int
    kind: str
    key: str
    portal: int
    state: str
    attempts: int
    due_at: str
    created_at: str
    changed_at: str
    desk_id: str | None
    desk_url: str | None
    reason: str
    detail: str


class Retry(msgspec.Struct, frozen=True):
    """What a retry may say: that a person has looked, and the record is not in Desk."""

    absent: bool = False


async def list_deliveries(request: Request) -> Response:
    """Return `GET /api/admin/deliveries?state=&limit=`: `{deliveries}`, dead ones unless told otherwise."""
    await require_api(request, "supervisor")
    state = request.query_params.get("state", "dead")
    if state not in get_args(State):
        raise InvalidRequest(f"state must be one of {', '.join(get_args(State))}.")
    listed = partial(outbox.list_rows, state=cast("State", state), limit=_limit(request))
    rows = await services_of(request).store.read(listed)
    return _json({"deliveries": [_delivery(row) for row in rows]})


async def show_delivery(request: Request) -> Response:
    """Return `GET /api/admin/deliveries/{id}`; 404 where there is none."""
    await require_api(request, "supervisor")
    return _json(await _found(request))


async def retry_delivery(request: Request) -> Response:
    """Try a delivery again: `POST /api/admin/deliveries/{id}/retry`, optionally `{"absent": true}`.

    409 for one that is being sent or is in Desk.
    """
    caller = await require_api(request, "administrator")
    absent = (await read_wish(request, Retry)).absent
    row_id = request.path_params["id"]
    await _decide(request, partial(by_hand.retry, row_id=row_id, actor=caller.name, absent=absent))
    return _json(await _found(request))


async def retry_deliveries(request: Request) -> Response:
    """Try all dead letters again: `POST /api/admin/deliveries/retry`; answers `{"retried": n}`."""
    caller = await require_api(request, "administrator")
    absent = (await read_wish(request, Retry)).absent
    counted: list[int] = []

    def retry(connection: Connection, now: int) -> list[int]:
        count, changed = by_hand.retry_all(connection, now, caller.name, absent=absent)
        counted[:] = [count]
        return changed

    await _decide(request, retry)
    return _json({"retried": counted[0]})


async def drop_delivery(request: Request) -> Response:
    """Give a delivery up for good: `POST /api/admin/deliveries/{id}/drop`; 409 as for a retry."""
    caller = await require_api(request, "administrator")
    await _decide(request, partial(by_hand.drop, row_id=request.path_params["id"], actor=caller.name))
    return _json(await _found(request))


async def _decide(request: Request, decide: Callable[..., list[int]]) -> None:
    """Write what a person has decided, show it on the banners, and let deliveries go on."""
    services = services_of(request)
    changed = await services.store.write(partial(decide, now=services.clock()))
    services.pipeline.tell_again(changed)
    services.deliverer.wake()


async def list_phones(request: Request) -> Response:
    """Return `GET /api/admin/phones`: `{phones}`, when each was last heard and whether that is unusual."""
    await require_api(request, "supervisor")
    statuses = await services_of(request).silence.statuses()
    return _json({"phones": [_with_moments(each, "last_at") for each in statuses]})


async def list_portals(request: Request) -> Response:
    """Return `GET /api/admin/portals`: `{portals}`, without their grants."""
    await require_api(request, "supervisor")
    portals = await services_of(request).portals.list_portals()
    return _json({"portals": [_with_moments(each, "linked_at") for each in portals]})


async def list_audit(request: Request) -> Response:
    """Return `GET /api/admin/audit?limit=`: `{entries}`, the latest first."""
    await require_api(request, "administrator")
    entries = await services_of(request).store.read(partial(audit.newest, limit=_limit(request)))
    return _json({"entries": [_with_moments(each, "at") for each in entries]})


async def list_accesses(request: Request) -> Response:
    """Return `GET /api/admin/recordings?call=&limit=`: `{accesses}`, who heard what, the latest first."""
    await require_api(request, "administrator")
    listed = partial(recordings.accesses, key=asked(request, "call"), limit=_limit(request))
    found = await services_of(request).store.read(listed)
    return _json({"accesses": [_with_moments(each, "at", "last_at") for each in found]})


async def _found(request: Request) -> Delivery:
    row_id = request.path_params["id"]
    row = await services_of(request).store.read(lambda connection: outbox.get(connection, row_id))
    if row is None:
        raise NotFound(f"There is no delivery {row_id}.")
    return _delivery(row)


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(USUALLY))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= AT_MOST):
        raise InvalidRequest(f"limit must be a number from 1 to {AT_MOST}.")
    return int(text)


def _delivery(row: Row) -> Delivery:
    shown = _with_moments(row, "due_at", "created_at", "changed_at") | {"portal": row.portal_id}
    return Delivery(**{name: shown[name] for name in Delivery.__struct_fields__})


def _with_moments(thing: msgspec.Struct, *names: str) -> dict[str, Any]:
    """Write a thing with its moments as people read them."""
    shown: dict[str, Any] = msgspec.structs.asdict(thing)
    return shown | {name: None if shown[name] is None else to_iso(shown[name]) for name in names}


def _json(answer: msgspec.Struct | dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
