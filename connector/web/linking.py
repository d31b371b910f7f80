"""Link a portal: what will be asked and why, off to Zoho, and what came of it."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connector.checks import Subject
from connector.clock import to_iso
from connector.errors import NotNow, StateMismatch
from connector.portals.checks import SPENT, UNANSWERED, has_reason
from connector.portals.methods import MethodView
from connector.services import Services, services_of
from connector.store.portals import Portal
from connector.web.auth import cookies_of, require_user
from connector.web.bodies import parameter
from connector.web.forms import Form, read_form
from connector.web.languages import gettext as _
from connector.web.rendering import render
from connector.web.sign_in import read_callback, redirect_uri
from connector.zoho import scopes
from connector.zoho.actions import FIELDS


async def connect(request: Request) -> Response:
    """Return `GET /connect?method=`: what an administrator is about to do, and with which method."""
    await require_user(request, "administrator")
    services = services_of(request)
    return render(
        request,
        "connect.html",
        method=await _chosen(services, parameter(request, "method") or ""),
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
    subject = await services.portals.check(request.path_params["portal_id"])
    # Read after the check, which may just have found that the grant is lost.
    portal = await services.portals.get(request.path_params["portal_id"])
    features = await services.portals.features_of(portal)
    return render(
        request,
        "portal.html",
        portal=portal,
        title=_title(portal, subject),
        subject=subject,
        form=await Form.of(request),
        makes_field=FIELDS in features and portal.recording_field is None,
        grant=await services.administration.grant_state(portal),
        department=await _department(services, portal),
        iso=to_iso,
    )


async def _department(services: Services, portal: Portal) -> str:
    """Return what the default department is called; "" where there is none, its id where Desk is silent."""
    wanted = portal.default_department_id
    if wanted is None:
        return ""
    return (await services.departments.names(portal.id)).get(wanted, wanted)


def _title(portal: Portal, subject: Subject) -> str:
    """Return what the page says first of all: never that all is well while Zoho does not answer."""
    if portal.state != "linked":
        return _("{name} has to be linked again").format(name=portal.name)
    if has_reason(subject.checks, UNANSWERED):
        return _("Zoho does not answer for {name}").format(name=portal.name)
    if has_reason(subject.checks, SPENT):
        return _("Today's credits of {name} are used up").format(name=portal.name)
    if subject.state == "refused":
        return _("{name} is linked, and something is missing").format(name=portal.name)
    return _("{name} is linked").format(name=portal.name)


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
