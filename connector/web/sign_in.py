"""Sign in with Zoho, and out; read what Zoho sends browsers back with, trusting none of it unchecked."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connector.accounts.sign_in import ReturnedFlow
from connector.errors import NoDeskAccount, Refused, SignInError, StateMismatch
from connector.portals.methods import MethodView
from connector.services import Services, services_of
from connector.store.sign_in import Purpose
from connector.store.sign_in_connectors import SignInConnector
from connector.web.auth import check_same_origin, cookies_of, count_stranger
from connector.web.rendering import local_path, render
from connector.zoho import data_centers, scopes
from connector.zoho.data_centers import DataCenter
from connector.zoho.oauth import sign_out_url

PATHS: Mapping[Purpose, str] = MappingProxyType({"sign_in": "/login/callback", "link": "/oauth/callback"})

_ERRORS: Mapping[str, Callable[[], SignInError]] = MappingProxyType(
    {
        "access_denied": lambda: Refused("Zoho reports that the consent was refused."),
        "no_org": lambda: NoDeskAccount("Zoho reports that you have no account in Zoho Desk."),
    }
)


async def login(request: Request) -> Response:
    """Return `GET /login?next=&other=`: off to Zoho's consent page; 429 where an address asks too often.

    Where there are several sign-in connectors and none is the default, it asks by which.
    """
    count_stranger(request)
    choices = await services_of(request).sign_in_connectors.choices()
    if len(choices) > 1:
        return render(request, "sign_in_choice.html", choices=choices, next=urlencode(_kept(request)))
    return await _to_zoho(request, choices[0] if choices else None)


async def login_by(request: Request) -> Response:
    """Return `GET /login/{reference}?next=&other=`: off to Zoho by this sign-in connector."""
    count_stranger(request)
    reference = request.path_params["reference"]
    return await _to_zoho(request, await services_of(request).sign_in_connectors.chosen(reference))


def _kept(request: Request) -> dict[str, str]:
    """Return what goes along to where somebody chooses."""
    next_path, other = local_path(request.query_params.get("next")), request.query_params.get("other", "")
    known = other in services_of(request).data_centers
    return ({} if next_path == "/" else {"next": next_path}) | ({"other": other} if known else {})


async def _to_zoho(request: Request, connector: SignInConnector | None) -> Response:
    """Go to Zoho's consent page.

    `other` is the data centre of an account that is not to be used: Zoho, which would answer with it in
    silence, is left first.
    """
    services = services_of(request)
    other = services.data_centers.get(request.query_params.get("other", ""))
    method = await _method(services, connector)
    dc = other or services.methods.data_center(method.location)
    next_path = local_path(request.query_params.get("next"))
    begun = await services.flows.begin(
        "sign_in",
        location=dc.location,
        next_path=next_path,
        method_id=method.id,
        connector_id=None if connector is None else connector.id,
    )
    oauth = await services.methods.oauth(method.id)
    url = oauth.authorize_url(
        dc,
        redirect_uri=redirect_uri(services, "sign_in"),
        scopes=scopes.names(scopes.SIGN_IN),
        state=begun.state,
        verifier=begun.verifier,
        nonce=begun.nonce,
    )
    response = RedirectResponse(url if other is None else sign_out_url(dc, url), 303)
    cookies_of(request).set_flow(request, response, begun.state, begun.browser)
    return response


async def _method(services: Services, connector: SignInConnector | None) -> MethodView:
    chosen = None if connector is None else connector.method_id
    return await (services.methods.default() if chosen is None else services.methods.get(chosen))


async def login_callback(request: Request) -> Response:
    """Return `GET /login/callback`: a session for whom Zoho vouches and we know."""
    services = services_of(request)
    back = await read_callback(request, "sign_in")
    connector = await services.sign_in_connectors.of_flow(back.flow.connector_id)
    # A page that says what went wrong offers the same way once more.
    request.state.sign_in_connector = connector.reference if connector else ""
    oauth = await services.methods.oauth(back.flow.method_id)
    tokens = await oauth.exchange(
        back.dc, code=back.code, redirect_uri=back.redirect_uri, verifier=back.flow.verifier
    )
    identity = await oauth.verify_id_token(back.dc, tokens.id_token, back.flow.nonce)
    user = await services.sign_in.user_of(identity, connector)
    await end_former(request)
    response = RedirectResponse(back.flow.next_path, 303)
    cookies_of(request).drop_flow(response, request.query_params["state"])
    cookies_of(request).set_session(response, await services.sessions.open(user))
    return response


async def logout(request: Request) -> Response:
    """Return `POST /logout`: the session is over, here and everywhere."""
    services = services_of(request)
    check_same_origin(request)
    session_id = cookies_of(request).session(request)
    if session_id is not None:
        await services.sessions.end(session_id)
    response = RedirectResponse("/", 303)
    cookies_of(request).drop_session(response)
    return response


async def end_former(request: Request) -> None:
    """End the session that this browser has: its cookie is about to be lost, and nobody could end it then."""
    session_id = cookies_of(request).session(request)
    if session_id is not None:
        await services_of(request).sessions.end(session_id)


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """A callback that holds: a code for this flow, to be exchanged at this data centre."""

    flow: ReturnedFlow
    code: str
    dc: DataCenter
    redirect_uri: str


def home_data_center(services: Services) -> DataCenter:
    """Return the data centre where our client is registered, and where every flow begins."""
    return services.data_centers[services.settings.zoho_data_center]


def redirect_uri(services: Services, purpose: Purpose) -> str:
    """Return where Zoho sends the browser back to; from the setting, whatever Host a request names."""
    return services.settings.public_url.rstrip("/") + PATHS[purpose]


async def read_callback(request: Request, purpose: Purpose) -> Callback:
    """Use the flow up and return what the callback brings.

    Raises TooManyRequests where an address sends too many, Refused, NoDeskAccount, StateMismatch,
    UnknownDataCenter or UntrustedServer; nothing is sent.
    """
    count_stranger(request)
    services, told = services_of(request), request.query_params
    flow = await _take_flow(services, request, purpose)
    if error := told.get("error"):
        # Told even without a flow, for Zoho may leave the state out: a refusal changes nothing.
        raise _ERRORS[error]() if error in _ERRORS else SignInError(f"Zoho reports {error[:40]!r}.")
    if flow is None or not told.get("code"):
        raise StateMismatch("The answer belongs to no attempt that this browser has under way.")
    dc = data_centers.for_callback(
        services.data_centers,
        told.get("location") or flow.location,
        told.get("accounts-server"),
        home_data_center(services),
    )
    return Callback(flow=flow, code=told["code"], dc=dc, redirect_uri=redirect_uri(services, purpose))


async def _take_flow(services: Services, request: Request, purpose: Purpose) -> ReturnedFlow | None:
    state = request.query_params.get("state", "")
    browser = cookies_of(request).flow(request, state) if state else None
    return await services.flows.take(purpose, state=state, browser=browser) if browser else None
