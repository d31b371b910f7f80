"""Serve administrators' programs: deliveries, portals, phone systems, the contact index, audit, erasure."""

from functools import partial
from typing import Annotated, Any, cast, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from connector.clock import to_iso
from connector.contacts.sync import SyncStatus
from connector.contacts.sync_plan import pace_of, spent_today, state_of
from connector.errors import CommandError, InvalidRequest, InvalidValue, NotFound
from connector.maintenance import Erasure
from connector.phone_systems.systems import CHANGEABLE
from connector.services import services_of
from connector.store import audit, outbox, recordings
from connector.store.erasure import Contact, Erased
from connector.store.outbox import Row, State
from connector.web.auth import require_api
from connector.web.bodies import json_response, limit, parameter, read_json

NO_REASON = "dropped at /api/admin, which asks for no reason"
"""What the audit keeps where nobody was asked for one."""


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
    listed = partial(outbox.list_rows, state=cast("State", state), limit=limit(request))
    rows = await services_of(request).store.read(listed)
    return json_response({"deliveries": [_delivery(row) for row in rows]})


async def show_delivery(request: Request) -> Response:
    """Return `GET /api/admin/deliveries/{id}`; 404 where there is none."""
    await require_api(request, "supervisor")
    found = await services_of(request).deliveries.show(request.path_params["id"])
    return json_response(_delivery(found.row))


async def retry_delivery(request: Request) -> Response:
    """Try a delivery again: `POST /api/admin/deliveries/{id}/retry`, optionally `{"absent": true}`.

    409 for one that is being sent or is in Desk.
    """
    caller = await require_api(request, "administrator")
    absent = (await read_json(request, Retry)).absent
    row = await services_of(request).deliveries.retry(
        request.path_params["id"], absent=absent, actor=caller.name
    )
    return json_response(_delivery(row))


async def retry_deliveries(request: Request) -> Response:
    """Try all dead letters again: `POST /api/admin/deliveries/retry`; answers `{"retried": n}`."""
    caller = await require_api(request, "administrator")
    absent = (await read_json(request, Retry)).absent
    count = await services_of(request).deliveries.retry_all(absent=absent, actor=caller.name)
    return json_response({"retried": count})


async def drop_delivery(request: Request) -> Response:
    """Give a delivery up for good: `POST /api/admin/deliveries/{id}/drop`; 409 as for a retry."""
    caller = await require_api(request, "administrator")
    row_id = request.path_params["id"]
    return json_response(
        _delivery(await services_of(request).deliveries.drop(row_id, NO_REASON, actor=caller.name))
    )


async def list_phones(request: Request) -> Response:
    """Return `GET /api/admin/phones`: `{phones}`, when each was last heard and whether that is unusual.

    `programs` are those beside it, with the `problems` that somebody must mend.
    """
    await require_api(request, "supervisor")
    statuses = await services_of(request).silence.statuses()
    programs = await services_of(request).phone_systems.programs.statuses()
    phones = [
        _with_moments(each, "last_at")
        | {"programs": [_with_moments(one, "reported_at") for one in programs.get(each.slug, [])]}
        for each in statuses
    ]
    return json_response({"phones": phones})


async def show_phone(request: Request) -> Response:
    """Return `GET /api/admin/phones/{slug}`: what it is, and what is `bound` to it."""
    await require_api(request, "supervisor")
    return json_response(await _phone(request, request.path_params["slug"]))


class PhoneChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be changed of a phone system; `secret` is the vendor's, where another dialect needs one."""

    slug: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    portal_id: Annotated[int, Meta(ge=1, le=2**63 - 1)] | UnsetType = UNSET
    dialect: str | UnsetType = UNSET
    country: str | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    department_id: str | UnsetType | None = UNSET
    secret: str = ""


async def change_phone(request: Request) -> Response:
    """Change a phone system: `PATCH /api/admin/phones/{slug}`; answers how it is now.

    Where another dialect was given its `secret` is told, this once.
    """
    caller = await require_api(request, "administrator")
    wanted = await read_json(request, PhoneChange)
    slug, values = request.path_params["slug"], msgspec.structs.asdict(wanted)
    given = values.pop("secret")
    values = {name: value for name, value in values.items() if value is not UNSET}
    try:
        secret = await services_of(request).phone_systems.change(slug, values, caller.name, given)
    except InvalidValue as problem:
        raise InvalidRequest(str(problem)) from problem
    shown = await _phone(request, values.get("slug", slug))
    return json_response(shown | ({"secret": secret} if secret else {}))


async def remove_phone(request: Request) -> Response:
    """Remove a phone system: `DELETE /api/admin/phones/{slug}`; answers what was `bound` to it."""
    caller = await require_api(request, "administrator")
    slug = request.path_params["slug"]
    bound = await services_of(request).phone_systems.remove(slug, caller.name)
    return json_response({"removed": slug, "bound": bound})


async def _phone(request: Request, slug: str) -> dict[str, Any]:
    services = services_of(request)
    phone = (await services.phone_systems.find(slug)).phone
    shown = {name: getattr(phone, name) for name in (*CHANGEABLE, "lines", "queues", "prefixes", "senders")}
    address = f"{services.settings.public_url.rstrip('/')}/hooks/{slug}"
    return shown | {"address": address, "bound": await services.phone_systems.bound_to(slug)}


async def list_portals(request: Request) -> Response:
    """Return `GET /api/admin/portals`: `{portals}`, without their grants."""
    await require_api(request, "supervisor")
    portals = await services_of(request).portals.list_portals()
    return json_response({"portals": [_with_moments(each, "linked_at") for each in portals]})


async def list_audit(request: Request) -> Response:
    """Return `GET /api/admin/audit?limit=`: `{entries}`, the latest first."""
    await require_api(request, "administrator")
    entries = await services_of(request).store.read(partial(audit.newest, limit=limit(request)))
    return json_response({"entries": [_with_moments(each, "at") for each in entries]})


async def list_accesses(request: Request) -> Response:
    """Return `GET /api/admin/recordings?call=&limit=`: `{accesses}`, who heard what, the latest first."""
    await require_api(request, "administrator")
    listed = partial(recordings.accesses, key=parameter(request, "call"), limit=limit(request))
    found = await services_of(request).store.read(listed)
    return json_response({"accesses": [_with_moments(each, "at", "last_at") for each in found]})


def _delivery(row: Row) -> Delivery:
    shown = _with_moments(row, "due_at", "created_at", "changed_at") | {"portal": row.portal_id}
    return Delivery(**{name: shown[name] for name in Delivery.__struct_fields__})


def _with_moments(thing: msgspec.Struct, *names: str) -> dict[str, Any]:
    """Write a thing with its moments as people read them."""
    shown: dict[str, Any] = msgspec.structs.asdict(thing)
    return shown | {name: None if shown[name] is None else to_iso(shown[name]) for name in names}


class Sync(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sync may say: that what has been read already is read again."""

    again: bool = False


class Forget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be forgotten: a whole number, or a contact of a portal."""

    number: str | None = None
    contact: str | None = None
    portal: Annotated[int, Meta(ge=1, le=2**63 - 1)] | None = None
    even_undelivered: bool = False


async def list_directories(request: Request) -> Response:
    """Return `GET /api/admin/directory`: `{directories}`, how far each portal's index is and what it cost."""
    await require_api(request, "supervisor")
    services = services_of(request)
    now = services.clock()
    return json_response(
        {"directories": [_directory(each, now) for each in await services.syncing.statuses()]}
    )


async def sync_directory(request: Request) -> Response:
    """Have a portal's index filled: `POST /api/admin/directory/{portal}/sync`, optionally `{"again": true}`.

    Answers 202 with how it stands; a process that delivers does the work within the day's credits.
    """
    caller = await require_api(request, "administrator", by_portal=True)
    services, portal_id = services_of(request), request.path_params["portal"]
    caller.check_portal(portal_id)
    again = (await read_json(request, Sync)).again
    standing = await _standing(request, portal_id)
    if again or standing.sync is None:
        await services.syncing.restart(portal_id)
        now, name = services.clock(), standing.portal.name
        await services.store.write(lambda c: audit.append(c, now, caller.name, "directory.sync", name, ""))
    return json_response(_directory(await _standing(request, portal_id), services.clock()), 202)


async def forget(request: Request) -> Response:
    """Erase all that is known of a number or a contact: `POST /api/admin/forget`; answers what was erased."""
    caller = await require_api(request, "administrator")
    wanted, services = await read_json(request, Forget), services_of(request)
    erasure = Erasure(services.store, services.clock)
    who = {"actor": caller.name, "even_undelivered": wanted.even_undelivered}
    try:
        return json_response(msgspec.structs.asdict(await _forget(erasure, wanted, who)))
    except CommandError as problem:
        told = str(problem).replace("--even-undelivered", '"even_undelivered": true')
        raise InvalidRequest(told) from problem


async def _forget(erasure: Erasure, wanted: Forget, who: dict[str, Any]) -> Erased:
    if wanted.number is not None and wanted.contact is None:
        return await erasure.number(wanted.number, **who)
    if wanted.number is None and wanted.contact is not None and wanted.portal is not None:
        return await erasure.contact(Contact(wanted.portal, wanted.contact), **who)
    raise InvalidRequest("Give number, or contact with portal.")


async def _standing(request: Request, portal_id: int) -> SyncStatus:
    standings = await services_of(request).syncing.statuses()
    found = next((each for each in standings if each.portal.id == portal_id), None)
    if found is None:
        raise NotFound(f"There is no portal {portal_id}.")
    return found


def _directory(standing: SyncStatus, now: int) -> dict[str, Any]:
    sync = standing.sync
    return {
        "portal": standing.portal.id,
        "name": standing.portal.name,
        "state": state_of(sync, standing.terms, now),
        "contacts": standing.contacts,
        "counted": sync.counted if sync else 0,
        "expected": sync.expected if sync else None,
        "refreshed_at": to_iso(sync.refreshed_at) if sync and sync.refreshed_at else None,
        "pace": pace_of(standing.terms),
        "credits_today": spent_today(sync, now) if sync else 0,
        "credits_a_day": standing.terms.credits_a_day,
        "webhooks": bool(sync and sync.webhook_id),
    }
