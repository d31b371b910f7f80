"""Sign in with Zoho, and out again."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connector.web import callback
from connector.web.guard import check_same_origin, take_as_stranger
from connector.web.pages import local_path
from connector.web.services import Services, services_of
from connector.zoho import scopes


async def login(request: Request) -> Response:
    """Return `GET /login?next=`: off to Zoho's consent page; 429 where an address asks too often."""
    take_as_stranger(request)
    services = services_of(request)
    dc = callback.home(services)
    next_path = local_path(request.query_params.get("next"))
    begun = await services.flows.begin("sign_in", location=dc.location, next_path=next_path)
    url = services.oauth.authorize_url(
        dc,
        redirect_uri=callback.redirect_uri(services, "sign_in"),
        scopes=scopes.names(scopes.SIGN_IN),
        state=begun.state,
        verifier=begun.verifier,
        nonce=begun.nonce,
    )
    response = RedirectResponse(url, 303)
    services.cookies.set_flow(request, response, begun.state, begun.browser)
    return response


async def login_callback(request: Request) -> Response:
    """Return `GET /login/callback`: a session for whom Zoho vouches and we know."""
    services = services_of(request)
    back = await callback.read(request, "sign_in")
    tokens = await services.oauth.exchange(
        back.dc, code=back.code, redirect_uri=back.redirect_uri, verifier=back.flow.verifier
    )
    identity = await services.oauth.verify_id_token(back.dc, tokens.id_token, back.flow.nonce)
    user = await services.people.sign_in(identity)
    await _end_former(services, request)
    response = RedirectResponse(back.flow.next_path, 303)
    services.cookies.drop_flow(response, request.query_params["state"])
    services.cookies.set_session(response, await services.people.open_session(user))
    return response


async def logout(request: Request) -> Response:
    """Return `POST /logout`: the session is over, here and everywhere."""
    services = services_of(request)
    check_same_origin(request)
    session_id = services.cookies.session(request)
    if session_id is not None:
        await services.people.sign_out(session_id)
    response = RedirectResponse("/", 303)
    services.cookies.drop_session(response)
    return response


async def _end_former(services: Services, request: Request) -> None:
    """End the session that this browser has: its cookie is about to be lost, and nobody could end it then."""
    session_id = services.cookies.session(request)
    if session_id is not None:
        await services.people.sign_out(session_id)
