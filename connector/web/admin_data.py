"""Return administrators' programs about what is kept: the index of contacts, and forgetting."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from connector.clock import to_iso
from connector.contacts.sync import SyncStatus
from connector.contacts.sync_plan import spent_today, state_of
from connector.errors import CommandError, InvalidRequest, NotFound
from connector.maintenance import Erasure
from connector.store import audit
from connector.store.erasure import Contact, Erased
from connector.web.guard import require_api
from connector.web.services import services_of
from connector.web.wishes import read_wish


class Again(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether what has been read already is read again."""

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
    return _json({"directories": [_directory(each, now) for each in await services.syncing.statuses()]})


async def sync_directory(request: Request) -> Response:
    """Have a portal's index filled: `POST /api/admin/directory/{portal}/sync`, optionally `{"again": true}`.

    Answers 202 with how it stands; a process that delivers does the work within the day's credits.
    """
    caller = await require_api(request, "administrator")
    services, portal_id = services_of(request), request.path_params["portal"]
    again = (await read_wish(request, Again)).again
    standing = await _standing(request, portal_id)
    if again or standing.sync is None:
        await services.syncing.restart(portal_id)
        now, name = services.clock(), standing.portal.name
        await services.store.write(lambda c: audit.append(c, now, caller.name, "directory.sync", name, ""))
    return _json(_directory(await _standing(request, portal_id), services.clock()), 202)


async def forget(request: Request) -> Response:
    """Erase all that is known of a number or a contact: `POST /api/admin/forget`; answers what was erased."""
    caller = await require_api(request, "administrator")
    wish, services = await read_wish(request, Forget), services_of(request)
    forgetting = Erasure(services.store, services.clock)
    who = {"actor": caller.name, "even_undelivered": wish.even_undelivered}
    try:
        return _json(msgspec.structs.asdict(await _forget(forgetting, wish, who)))
    except CommandError as problem:
        told = str(problem).replace("--even-undelivered", '"even_undelivered": true')
        raise InvalidRequest(told) from problem


async def _forget(forgetting: Erasure, wish: Forget, who: dict[str, Any]) -> Erased:
    if wish.number is not None and wish.contact is None:
        return await forgetting.number(wish.number, **who)
    if wish.number is None and wish.contact is not None and wish.portal is not None:
        return await forgetting.contact(Contact(wish.portal, wish.contact), **who)
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
        "credits_today": spent_today(sync, now) if sync else 0,
        "credits_a_day": standing.terms.credits_a_day,
        "webhooks": bool(sync and sync.webhook_id),
    }


def _json(answer: dict[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(answer), status, media_type="application/json")
