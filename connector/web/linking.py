"""Link a portal: what will be asked and why, off to Zoho, and what came of it."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connector.checks import Subject
from connector.errors import StateMismatch
from connector.portals.checks import SPENT, UNANSWERED, has_reason
from connector.services import services_of
from connector.store.portals import Portal
from connector.web.auth import cookies_of, require_user
from connector.web.rendering import render
from connector.web.sign_in import home_data_center, read_callback, redirect_uri
from connector.zoho import scopes
from connector.zoho.actions import FIELDS


async def connect(request: Request) -> Response:
    """Return `GET /connect`: what an administrator is about to do."""
    await require_user(request, "administrator")
    services = services_of(request)
    return render(
        request,
        "connect.html",
        scopes=scopes.asked_for(services.portals.features),
        portals=await services.portals.list_portals(),
        redirect_uri=redirect_uri(services, "link"),
    )


async def start_linking(request: Request) -> Response:
    """Return `POST /connect`: off to Zoho's consent page, for a grant that outlives the visit."""
    user = await require_user(request, "administrator")
    services = services_of(request)
    dc = home_data_center(services)
    begun = await services.flows.begin("link", location=dc.location, next_path="/connect", user_id=user.id)
    url = services.oauth.authorize_url(
        dc,
        redirect_uri=redirect_uri(services, "link"),
        scopes=scopes.names(scopes.asked_for(services.portals.features)),
        state=begun.state,
        verifier=begun.verifier,
        offline=True,
    )
    response = _page_to_zoho(request, url)
    cookies_of(request).set_flow(request, response, begun.state, begun.browser)
    return response


async def linking_callback(request: Request) -> Response:
    """Return `GET /oauth/callback`: a linked portal, or nothing kept at all."""
    user = await require_user(request, "administrator")
    back = await read_callback(request, "link")
    if back.flow.user_id != user.id:
        raise StateMismatch("Another user began this attempt to link.")
    services = services_of(request)
    portal = await services.portals.link(
        back.dc, code=back.code, redirect_uri=back.redirect_uri, verifier=back.flow.verifier, actor=user
    )
    await services.deliverer.resume(portal.id)
    response = RedirectResponse(f"/portals/{portal.id}", 303)
    cookies_of(request).drop_flow(response, request.query_params["state"])
    return response


async def show_portal(request: Request) -> Response:
    """Return `GET /portals/{portal_id}`: how a portal is, tried this very moment, and what comes next."""
    await require_user(request, "administrator")
    services = services_of(request)
    subject = await services.portals.check(request.path_params["portal_id"])
    # Read after the check, which may just have found that the grant is lost.
    portal = await services.portals.get(request.path_params["portal_id"])
    return render(
        request,
        "portal.html",
        portal=portal,
        title=_title(portal, subject),
        subject=subject,
        makes_field=FIELDS in services.portals.features and portal.recording_field is None,
        redirect_uri=redirect_uri(services, "link"),
    )


def _title(portal: Portal, subject: Subject) -> str:
    """Return what the page says first of all: never that all is well while Zoho does not answer."""
    if portal.state != "linked":
        return f"{portal.name} has to be linked again"
    if has_reason(subject.checks, UNANSWERED):
        return f"Zoho does not answer for {portal.name}"
    if has_reason(subject.checks, SPENT):
        return f"Today's credits of {portal.name} are used up"
    if subject.state == "refused":
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
