"""Authorization: the checks of `/oauth/v2/auth`, sign-in, consent, and the way back to the client.

Implements accounts.md sections 1 and 2. What is wrong is shown on an HTML page at Zoho, never to the client.
The pages are plain HTML forms, so that a program can do what a person does (keep cookies, follow redirects):

1. `GET /oauth/v2/auth?...` answers 302 to `/signin?continue=...` while nobody is signed in.
2. `POST /signin` with the fields `zuid` and `continue` sets a cookie and answers 303 to `continue`.
3. `GET /oauth/v2/auth?...` shows the consent page, or, if all was accepted before, answers 302 at once.
4. `POST /oauth/v2/consent` answers 302 to the client. Fields: `request` (the query string of step 3, which
   stands in the form's hidden field), `decision` (`accept` or `deny`) and, for Desk scopes, `org_id` (may be
   left out if the user has one portal). Where the page only offers "Back to app", it is `error=no_org`.

`GET /logout?serviceurl=...` ends a sign-in and goes on; Zoho's own pages lead there, no contract names it.
"""

from urllib.parse import quote, urlencode

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connector.sandbox.config import Client, Config, DataCenter, User
from connector.sandbox.responses import page
from connector.sandbox.state import SandboxState, data_center_of, state_of
from connector.sandbox.tokens import Code, Grant, Scopes, Throttled, parse_scopes

COOKIE = "zoho_sandbox_zuid"
_ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class BadRequest(Exception):
    """An authorization request cannot be carried out; shown as a page with this title, text and status."""

    def __init__(self, title: str, text: str, status: int = 400) -> None:
        super().__init__(title)
        self.title = title
        self.text = text
        self.status = status


class Authorization(msgspec.Struct, kw_only=True, frozen=True):
    """An authorization request that holds; `query` is its query string as it came."""

    query: str
    client: Client
    redirect_uri: str
    scopes: Scopes
    state: str | None
    nonce: str | None
    offline: bool
    prompt_consent: bool
    challenge: str | None
    challenge_method: str

    @property
    def target(self) -> str:
        """Return the address, without origin, at which this request stands."""
        return f"/oauth/v2/auth?{self.query}"


def read_authorization(config: Config, data_center: DataCenter, query: str) -> Authorization:
    """Check a query string of `/oauth/v2/auth`; BadRequest says what its page shows."""
    params = QueryParams(query)
    client = config.client(params.get("client_id", ""))
    if client is None or not enabled_in(client, data_center.location):
        raise BadRequest("Invalid Client", "The transmitted client ID does not exist.")
    _check_response_type(params)
    redirect_uri = params.get("redirect_uri", "")
    if redirect_uri not in client.redirect_uris or not redirect_uri.startswith(("http://", "https://")):
        raise BadRequest("Invalid Redirect Uri", "The redirect address is not one of those registered.")
    scopes = parse_scopes(params.get("scope", ""))
    if scopes is None:
        raise BadRequest("Invalid OAuth Scope", "At least one of the scopes does not exist.")
    method = params.get("code_challenge_method", "plain")
    if "code_challenge" in params and method not in ("plain", "S256"):
        raise BadRequest("Invalid Request", "The code challenge method is not supported.")
    return Authorization(
        query=query,
        client=client,
        redirect_uri=redirect_uri,
        scopes=scopes,
        state=params.get("state"),
        nonce=params.get("nonce"),
        offline=params.get("access_type") == "offline",
        prompt_consent=params.get("prompt") == "consent",
        challenge=params.get("code_challenge"),
        challenge_method=method,
    )


def enabled_in(client: Client, location: str) -> bool:
    """Tell whether a client may be used in a data centre."""
    return client.locations is None or location in client.locations


def _check_response_type(params: QueryParams) -> None:
    response_type = params.get("response_type")
    if not response_type:
        raise BadRequest("Invalid Response Type", "The response type is missing.")
    if response_type != "code":
        raise BadRequest("An Error Occurred", "The response type is not supported.", 500)


def success_address(config: Config, asked: Authorization, user: User, code: str) -> str:
    """Build the address to which the browser goes with a code, with the oddities that are switched on."""
    server = config.hostile_accounts_server or config.data_center(user.location).accounts
    fields = _state(asked) | {"code": code, "location": user.location, "accounts-server": server}
    return _with_query(asked.redirect_uri, fields) + ("&" if config.stray_ampersand else "")


def error_address(config: Config, asked: Authorization, error: str) -> str:
    """Build the address to which the browser goes without a code: `access_denied` or `no_org`."""
    return _with_query(
        asked.redirect_uri, {"error": error} | (_state(asked) if config.denial_with_state else {})
    )


def _state(asked: Authorization) -> dict[str, str]:
    return {} if asked.state is None else {"state": asked.state}


def _with_query(address: str, fields: dict[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(fields, quote_via=quote, safe='')}"


def routes() -> list[Route]:
    """List the addresses of sign-in and consent."""
    return [
        Route("/oauth/v2/auth", authorize, methods=_ALL_METHODS),
        Route("/oauth/v2/consent", decide, methods=["POST"]),
        Route("/signin", show_signin, methods=["GET"]),
        Route("/signin", signin, methods=["POST"]),
        Route("/logout", sign_out, methods=["GET"]),
    ]


async def authorize(request: Request) -> Response:
    """Return `/oauth/v2/auth`: an error page, the way to sign in, the consent page, or a code."""
    state = state_of(request)
    if request.method not in ("GET", "HEAD"):
        return _problem(BadRequest("An Error Occurred", "This address takes GET only."))
    try:
        asked = read_authorization(state.config, data_center_of(request), request.url.query)
    except BadRequest as problem:
        return _problem(problem)
    user = signed_in(request)
    if user is None:
        return RedirectResponse(f"/signin?continue={quote(asked.target, safe='')}", 302)
    if missing := _missing_services(asked, user):
        return page(
            "no_org.html",
            client=asked.client,
            user=user,
            missing=missing,
            query=asked.query,
            target=asked.target,
        )
    accepted, org_id = state.consents.get((user.zuid, asked.client.client_id), (frozenset[str](), None))
    if asked.scopes.names <= accepted and not asked.prompt_consent:
        return _issue(state, asked, user, org_id, refreshable=False)
    return _consent_page(state, asked, user)


async def decide(request: Request) -> Response:
    """Take what was decided on the consent page and send the browser back to the client."""
    state, form = state_of(request), await request.form()
    try:
        asked = read_authorization(state.config, data_center_of(request), str(form.get("request", "")))
    except BadRequest as problem:
        return _problem(problem)
    user = signed_in(request)
    if user is None:
        return RedirectResponse(f"/signin?continue={quote(asked.target, safe='')}", 303)
    if _missing_services(asked, user):
        return RedirectResponse(error_address(state.config, asked, "no_org"), 302)
    if form.get("decision") != "accept":
        return RedirectResponse(error_address(state.config, asked, "access_denied"), 302)
    org_id = _chosen_org(asked, user, form.get("org_id"))
    if org_id is None and "Desk" in asked.scopes.services:
        return _consent_page(state, asked, user, error="Choose one of your portals.")
    _remember(state, asked, user, org_id)
    return _issue(state, asked, user, org_id, refreshable=asked.offline)


async def show_signin(request: Request) -> Response:
    """Show who one may be."""
    return _signin_page(state_of(request), request.query_params.get("continue", ""))


async def signin(request: Request) -> Response:
    """Remember who this browser is, and go on to where it came from (only ever `/oauth/v2/auth`)."""
    state, form = state_of(request), await request.form()
    target = str(form.get("continue", ""))
    user = state.config.user(str(form.get("zuid", "")))
    if user is None or not user.active:
        return _signin_page(state, target, error="Choose one of the accounts.")
    response: Response
    if target.startswith("/oauth/v2/auth?"):
        response = RedirectResponse(target, 303)
    else:
        response = page("signed_in.html", user=user)
    response.set_cookie(COOKIE, user.zuid, httponly=True, samesite="lax")
    return response


async def sign_out(request: Request) -> Response:
    """Forget who this browser is, and go on to `serviceurl` where that is an address of this Zoho's."""
    target = request.query_params.get("serviceurl", "")
    own = data_center_of(request).accounts
    response = RedirectResponse(target if target.startswith(f"{own}/") else "/signin", 302)
    response.delete_cookie(COOKIE)
    return response


def signed_in(request: Request) -> User | None:
    """Return who this browser is."""
    user = state_of(request).config.user(request.cookies.get(COOKIE, ""))
    return user if user is not None and user.active else None


def _missing_services(asked: Authorization, user: User) -> list[str]:
    """List the apps among those asked for in which a user owns no account."""
    owned = {*user.services, *(("Desk",) if user.orgs else ())}
    return sorted(asked.scopes.services - owned)


def _chosen_org(asked: Authorization, user: User, chosen: object) -> str | None:
    """Return the portal a token is bound to: the chosen one, else the user's only one; None without Desk."""
    if "Desk" not in asked.scopes.services:
        return None
    if chosen is None and len(user.orgs) == 1:
        return user.orgs[0]
    return str(chosen) if chosen in user.orgs else None


def _remember(state: SandboxState, asked: Authorization, user: User, org_id: str | None) -> None:
    """Add what was accepted now to what was before, so that the page need not be shown again."""
    key = (user.zuid, asked.client.client_id)
    before, org_before = state.consents.get(key, (frozenset[str](), None))
    state.consents[key] = (before | asked.scopes.names, org_id or org_before)


def _issue(
    state: SandboxState, asked: Authorization, user: User, org_id: str | None, *, refreshable: bool
) -> Response:
    """Send the browser back with a code; past the limit of codes, with access_denied."""
    grant = Grant(
        client_id=asked.client.client_id,
        zuid=user.zuid,
        location=user.location,
        scopes=asked.scopes.names,
        scope_text=asked.scopes.text,
        org_id=org_id if "Desk" in asked.scopes.services else None,
    )
    code = Code(
        grant=grant,
        redirect_uri=asked.redirect_uri,
        expires_at=state.clock.now() + state.config.code_life_seconds * 1000,
        refreshable=refreshable,
        nonce=asked.nonce,
        challenge=asked.challenge,
        challenge_method=asked.challenge_method,
    )
    try:
        text = state.tokens.add_code(code)
    except Throttled:
        return RedirectResponse(error_address(state.config, asked, "access_denied"), 302)
    return RedirectResponse(success_address(state.config, asked, user, text), 302)


def _consent_page(state: SandboxState, asked: Authorization, user: User, error: str = "") -> Response:
    orgs = [org for org in state.config.orgs if org.org_id in user.orgs]
    return page(
        "consent.html",
        400 if error else 200,
        client=asked.client,
        user=user,
        scopes=asked.scopes.asked,
        offline=asked.offline,
        orgs=orgs if "Desk" in asked.scopes.services else [],
        query=asked.query,
        target=asked.target,
        error=error,
    )


def _signin_page(state: SandboxState, target: str, error: str = "") -> Response:
    users = [user for user in state.config.users if user.active]
    return page("signin.html", 400 if error else 200, users=users, target=target, error=error)


def _problem(problem: BadRequest) -> Response:
    return page("error.html", problem.status, title=problem.title, text=problem.text)
