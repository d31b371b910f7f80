"""Sign in with Zoho, and out again."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connector.web import callback
from connector.web.guard import check_same_origin, take_as_stranger
from connector.web.house import House, house_of
from connector.web.pages import local_path
from connector.zoho import scopes


async def login(request: Request) -> Response:
    """Answer `GET /login?next=`: off to Zoho's consent page; 429 where an address asks too often."""
    take_as_stranger(request)
    house = house_of(request)
    dc = callback.home(house)
    next_path = local_path(request.query_params.get("next"))
    begun = await house.flows.begin("sign_in", location=dc.location, next_path=next_path)
    url = house.oauth.authorize_url(
        dc,
        redirect_uri=callback.redirect_uri(house, "sign_in"),
        scopes=scopes.names(scopes.SIGN_IN),
        state=begun.state,
        verifier=begun.verifier,
        nonce=begun.nonce,
    )
    response = RedirectResponse(url, 303)
    house.cookies.set_flow(request, response, begun.state, begun.browser)
    return response


async def login_callback(request: Request) -> Response:
    """Answer `GET /login/callback`: a session for whom Zoho vouches and we know."""
    house = house_of(request)
    back = await callback.read(request, "sign_in")
    tokens = await house.oauth.exchange(
        back.dc, code=back.code, redirect_uri=back.redirect_uri, verifier=back.flow.verifier
    )
    identity = await house.oauth.verify_id_token(back.dc, tokens.id_token, back.flow.nonce)
    user = await house.people.sign_in(identity)
    await _end_former(house, request)
    response = RedirectResponse(back.flow.next_path, 303)
    house.cookies.drop_flow(response, request.query_params["state"])
    house.cookies.set_session(response, await house.people.open_session(user))
    return response


async def logout(request: Request) -> Response:
    """Answer `POST /logout`: the session is over, here and everywhere."""
    house = house_of(request)
    check_same_origin(request)
    session_id = house.cookies.session(request)
    if session_id is not None:
        await house.people.sign_out(session_id)
    response = RedirectResponse("/", 303)
    house.cookies.drop_session(response)
    return response


async def _end_former(house: House, request: Request) -> None:
    """End the session that this browser has: its cookie is about to be lost, and nobody could end it then."""
    session_id = house.cookies.session(request)
    if session_id is not None:
        await house.people.sign_out(session_id)
