"""Serve the check: of the installation and of each portal, as a page and to programs."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connector.errors import InvalidRequest
from connector.services import services_of
from connector.web.auth import count_request, require_api, require_user
from connector.web.bodies import json_response, parameter
from connector.web.pages import render

NO_STORE = {"Cache-Control": "no-store"}

DIGITS_AT_MOST = 18
"""Longer numbers than every database can hold name no portal."""


async def check_page(request: Request) -> Response:
    """Return `GET /check`: everything, layer by layer, as it is at this very moment."""
    user = await require_user(request, "administrator")
    count_request(request, user.email)
    report = await services_of(request).self_check.run()
    return render(request, "check.html", report=report)


async def show_check(request: Request) -> Response:
    """Return `GET /api/v1/check?portal=`: `{state, checked_at, subjects}`, of one portal where it is named.

    For administrators: it costs each portal some credits, and tells of the machine.
    """
    await require_api(request, "administrator")
    report = await services_of(request).self_check.run(_portal(request, ("portal",)))
    return json_response(report.told(), headers=NO_STORE)


async def make_field(request: Request) -> Response:
    """Make the recording field: `POST /portals/{portal}/recording-field`, from the portal's page."""
    user = await require_user(request, "administrator")
    portal_id = request.path_params["portal_id"]
    await services_of(request).portals.make_recording_field(portal_id, actor=user.email)
    return RedirectResponse(f"/portals/{portal_id}", 303)


async def make_field_for_program(request: Request) -> Response:
    """Make the recording field: `POST /api/v1/portals/{portal}/recording-field`; `{portal, recording_field}`.

    Asked twice, there is one.
    """
    caller = await require_api(request, "administrator")
    portal_id = request.path_params["portal_id"]
    portal = await services_of(request).portals.make_recording_field(portal_id, actor=caller.name)
    return json_response({"portal": portal.id, "recording_field": portal.recording_field})


def _portal(request: Request, known: Sequence[str]) -> int | None:
    """Read which portal is asked for; InvalidRequest for any other parameter, and for what is no id."""
    if unknown := [name for name in request.query_params if name not in known]:
        raise InvalidRequest(f"There is no parameter {unknown[0][:40]}: there is {', '.join(known)}.")
    text = parameter(request, "portal")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_AT_MOST):
        raise InvalidRequest("portal must be the id of a portal, a whole number.")
    return int(text)
