"""Serve programs calls: lists of them, and the history of each; `pages.calls` has the same for people."""

from collections.abc import Sequence
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from connector.calls import CallState, NotRecorded
from connector.clock import from_iso
from connector.errors import InvalidRequest, NotFound
from connector.follow_up import Viewer
from connector.follow_up.history import MISSING
from connector.follow_up.listing import Filter
from connector.services import services_of
from connector.web.auth import Caller, require_api
from connector.web.bodies import json_response, limit, parameter

NO_STORE = {"Cache-Control": "no-store"}

TEXT_AT_MOST = 320
"""Characters of a parameter: an e-mail address is no longer."""

LIST_PARAMETERS = (
    *("from", "to", "number", "agent", "state", "phone_system", "not_recorded", "reason"),
    *("limit", "cursor"),
)
NAMED_AT_MOST = 40
"""Characters of an unknown parameter's name that are said again."""

Choice = TypeVar("Choice", CallState, NotRecorded)


async def list_calls(request: Request) -> Response:
    """Return `GET /api/v1/calls`: `{calls, next, complete}`, the newest first.

    `from`, `to`, `number`, `agent`, `state`, `phone_system`, `not_recorded`, `reason` choose, as `Filter` has
    it; `limit` (1,000 at most) and `cursor`, which is what `next` was, page. Others, and empty ones, are 422.
    """
    viewer = viewer_of(await require_api(request))
    _check_names(request, LIST_PARAMETERS)
    page = await services_of(request).call_lists.page(
        viewer, filter_of(request), cursor=text_of(request, "cursor"), limit=limit(request)
    )
    return json_response(page, headers=NO_STORE)


async def show_call(request: Request) -> Response:
    """Return `GET /api/v1/calls/{key}`: the call's history; 404 where there is none for this caller.

    With `phone_system`, `key` is what that phone system calls it.
    """
    viewer = viewer_of(await require_api(request))
    _check_names(request, ("phone_system",))
    key = request.path_params["key"]
    if "\x00" in key:
        raise NotFound(MISSING)
    phone_system = text_of(request, "phone_system")
    told = await services_of(request).history.show(viewer, key, phone_system=phone_system)
    return json_response(told, headers=NO_STORE)


def viewer_of(caller: Caller) -> Viewer:
    """Return what whoever calls may see of calls."""
    return Viewer(role=caller.role, user=caller.user)


def filter_of(request: Request) -> Filter:
    """Read which calls are asked for; InvalidRequest says what is wrong with a parameter."""
    return Filter(
        since=_moment(request, "from"),
        until=_moment(request, "to"),
        number=text_of(request, "number"),
        agent=text_of(request, "agent"),
        state=_choice(request, "state", CallState),
        phone_system=text_of(request, "phone_system"),
        not_recorded=_yes(request, "not_recorded"),
        reason=_choice(request, "reason", NotRecorded),
    )


def _check_names(request: Request, known: Sequence[str]) -> None:
    """Raise InvalidRequest for a parameter that chooses nothing: more would be answered than is asked for."""
    for name, value in request.query_params.multi_items():
        if name not in known:
            raise InvalidRequest(
                f"There is no parameter {name[:NAMED_AT_MOST]}: there are {', '.join(known)}."
            )
        if not value.strip():
            raise InvalidRequest(f"{name} is empty: give a value, or leave it out.")


def text_of(request: Request, name: str) -> str | None:
    """Return a parameter without the blanks around it, None where it is empty; InvalidRequest if too long."""
    value = (parameter(request, name) or "").strip()
    if len(value) > TEXT_AT_MOST:
        raise InvalidRequest(f"{name} is longer than {TEXT_AT_MOST} characters.")
    return value or None


def _moment(request: Request, name: str) -> int | None:
    value = text_of(request, name)
    try:
        return None if value is None else from_iso(value)
    except ValueError as problem:
        message = (
            f"{name} must be a moment from 1970 to 9999, such as 2026-11-30T09:00:00Z; a plus is written %2B."
        )
        raise InvalidRequest(message) from problem


def _choice(request: Request, name: str, choices: type[Choice]) -> Choice | None:
    value = text_of(request, name)
    try:
        return None if value is None else choices(value)
    except ValueError as problem:
        raise InvalidRequest(f"{name} must be one of {', '.join(choices)}.") from problem


def _yes(request: Request, name: str) -> bool:
    value = text_of(request, name)
    if value not in (None, "true", "false"):
        raise InvalidRequest(f"{name} must be true or false.")
    return value == "true"
