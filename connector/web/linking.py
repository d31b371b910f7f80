"""Link a portal: what will be asked and why, off to Zoho, and what came of it."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connector.clock import to_iso
from connector.errors import ConnectorError, GrantLost, MethodDisabled, NotNow, StateMismatch
from connector.portals import Check, naming
from connector.portals.checks import not_refused
from connector.portals.methods import MethodView
from connector.services import Services, services_of
from connector.store.portals import Portal
from connector.web.auth import cookies_of, require_user
from connector.web.forms import read_form
from connector.web.rendering import render
from connector.web.sign_in import read_callback, redirect_uri
from connector.zoho import scopes

SPENT = frozenset({"credits_exhausted", "credits_kept"})
"""Reasons of checks that Desk does not answer before there are new credits."""

UNANSWERED = frozenset({"zoho_down", "no_token", "zoho_busy", "concurrency_exceeded", "tokens_throttled"})
"""Reasons of checks that failed because Zoho did not answer them."""


async def connect(request: Request) -> Response:
    """Return `GET /connect?method=`: what an administrator is about to do, and with which method."""
    await require_user(request, "administrator")
    services = services_of(request)
    return render(
        request,
        "connect.html",
        method=await _chosen(services, request.query_params.get("method", "")),
        methods=[each for each in await services.methods.list() if each.enabled and each.mode == "oauth"],
        portals=await services.portals.list_portals(),
        redirect_uri=redirect_uri(services, "link"),
    )


async def start_linking(request: Request) -> Response:
    """Return `POST /connect`: off to Zoho's consent page, for a grant that outlives the visit."""
    user = await require_user(request, "administrator")
    services = services_of(request)
    method = await _chosen(services, str((await read_form(request)).get("method") or ""))
    oauth, dc = await services.methods.oauth(method.id), services.methods.data_center(method.location)
    begun = await services.flows.begin(
        "link", location=dc.location, next_path="/connect", user_id=user.id, method_id=method.id
    )
    url = oauth.authorize_url(
        dc,
        redirect_uri=redirect_uri(services, "link"),
        scopes=scopes.names(method.scopes),
        state=begun.state,
        verifier=begun.verifier,
        offline=True,
    )
    response = _page_to_zoho(request, url)
    cookies_of(request).set_flow(request, response, begun.state, begun.browser)
    return response


async def _chosen(services: Services, text: str) -> MethodView:
    """Return the method that a form or an address names: "settings", an id, or "" for the usual one."""
    if not text:
        return await services.methods.default()
    method = await services.methods.get(None if text == "settings" else await services.methods.id_of(text))
    if method.mode != "oauth":
        raise NotNow(f"{method.name} is a self client, which is linked at /portals/self-client.")
    return method


async def linking_callback(request: Request) -> Response:
    """Return `GET /oauth/callback`: a linked portal, or nothing kept at all."""
    user = await require_user(request, "administrator")
    back = await read_callback(request, "link")
    if back.flow.user_id != user.id:
        raise StateMismatch("Another user began this attempt to link.")
    services = services_of(request)
    portal = await services.portals.link(
        back.dc,
        code=back.code,
        redirect_uri=back.redirect_uri,
        verifier=back.flow.verifier,
        actor=user.email,
        method_id=back.flow.method_id,
    )
    await services.deliverer.resume(portal.id)
    response = RedirectResponse(f"/portals/{portal.id}", 303)
    cookies_of(request).drop_flow(response, request.query_params["state"])
    return response


async def show_portal(request: Request) -> Response:
    """Return `GET /portals/{portal_id}`: how a portal is, tried this very moment, and what comes next."""
    await require_user(request, "administrator")
    services = services_of(request)
    portal_id = request.path_params["portal_id"]
    checks = await _checks(services, portal_id)
    # Read after the checks, which may just have found that the grant is lost.
    portal, refused = await services.portals.get(portal_id), await services.portals.refused(portal_id)
    return render(
        request,
        "portal.html",
        portal=portal,
        title=_title(portal, checks),
        checks=checks,
        obstacles=not_refused(await services.portals.obstacles(portal_id), refused),
        refused=refused,
        failed=any(check.ok is False for check in checks),
        is_well=all(check.ok for check in checks) and not refused,
        is_away=_is_away(checks),
        is_spent=_is_spent(checks),
        redirect_uri=redirect_uri(services, "link"),
        grant=await services.administration.grant_state(portal),
        department=await _department(services, portal),
        iso=to_iso,
    )


async def _department(services: Services, portal: Portal) -> str:
    """Return what the default department is called; "" where there is none, its id where Desk is silent."""
    wanted = portal.default_department_id
    if wanted is None:
        return ""
    try:
        known = await naming.known(await services.portals.desk(portal.id), "department")
    except ConnectorError:
        return wanted
    return next((each.names[0] for each in known if each.id == wanted), wanted)


async def _checks(services: Services, portal_id: int) -> list[Check]:
    try:
        return await services.portals.check(portal_id)
    except (GrantLost, MethodDisabled) as problem:
        return [Check(what="Grant", ok=False, detail=str(problem), reason=problem.reason)]


def _is_away(checks: Sequence[Check]) -> bool:
    return any(check.reason in UNANSWERED for check in checks)


def _is_spent(checks: Sequence[Check]) -> bool:
    return any(check.reason in SPENT for check in checks)


def _title(portal: Portal, checks: Sequence[Check]) -> str:
    """Return what the page says first of all: never that all is well while Zoho does not answer."""
    if portal.state != "linked":
        return f"{portal.name} has to be linked again"
    if _is_away(checks):
        return f"Zoho does not answer for {portal.name}"
    if _is_spent(checks):
        return f"Today's credits of {portal.name} are used up"
    if any(check.ok is False for check in checks):
        return f"{portal.name} is linked, and something is missing"
    return f"{portal.name} is linked"


def _page_to_zoho(request: Request, url: str) -> Response:
    """Go on to Zoho from a page of our own: a redirect after a POST is stopped by form-action 'self'."""
    response = render(
        request,
        "message.html",
        title="On to Zoho",
        what="Zoho asks you for your consent now, and sends you back here.",
        link={"href": url, "label": "Continue to Zoho"},
    )
    response.headers["Refresh"] = f"0; url={url}"
    return response
