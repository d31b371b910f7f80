"""Signing in and consenting: the pages a person sees on the way to a code.

Plain HTML forms, so that a program can go the way a person goes (keep cookies, follow no redirect blindly):

1. `GET /oauth/v2/auth?...` answers 302 to `/signin?continue=...` while nobody is signed in.
2. `POST /signin` with the fields `zuid` and `continue` sets a cookie and answers 303 to `continue`.
3. `GET /oauth/v2/auth?...` shows the consent page, or, if all was accepted before, answers 302 at once.
4. `POST /oauth/v2/consent` answers 302 to the client. Fields: `request` (the query string of step 3, which
   stands in the form's hidden field), `decision` (`accept` or `deny`) and, for Desk scopes, `org_id` (may be
   left out if the user has one portal). Where the page only offers "Back to app", it is `error=no_org`.
"""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connector.sandbox.authorize import (
    Authorization,
    BadRequest,
    error_address,
    read_authorization,
    success_address,
)
from connector.sandbox.config import User
from connector.sandbox.pages import page
from connector.sandbox.tokens import Code, Grant, Throttled
from connector.sandbox.world import World, data_center_of, world_of

COOKIE = "zoho_sandbox_zuid"
_ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def routes() -> list[Route]:
    """List the addresses of sign-in and consent."""
    return [
        Route("/oauth/v2/auth", authorize, methods=_ALL_METHODS),
        Route("/oauth/v2/consent", decide, methods=["POST"]),
        Route("/signin", show_signin, methods=["GET"]),
        Route("/signin", signin, methods=["POST"]),
    ]


async def authorize(request: Request) -> Response:
    """Return `/oauth/v2/auth`: an error page, the way to sign in, the consent page, or a code."""
    world = world_of(request)
    if request.method not in ("GET", "HEAD"):
        return _problem(BadRequest("An Error Occurred", "This address takes GET only."))
    try:
        asked = read_authorization(world.config, data_center_of(request), request.url.query)
    except BadRequest as problem:
        return _problem(problem)
    user = _signed_in(request)
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
    accepted, org_id = world.consents.get((user.zuid, asked.client.client_id), (frozenset[str](), None))
    if asked.scopes.names <= accepted and not asked.prompt_consent:
        return _issue(world, asked, user, org_id, refreshable=False)
    return _consent_page(world, asked, user)


async def decide(request: Request) -> Response:
    """Take what was decided on the consent page and send the browser back to the client."""
    world, form = world_of(request), await request.form()
    try:
        asked = read_authorization(world.config, data_center_of(request), str(form.get("request", "")))
    except BadRequest as problem:
        return _problem(problem)
    user = _signed_in(request)
    if user is None:
        return RedirectResponse(f"/signin?continue={quote(asked.target, safe='')}", 303)
    if _missing_services(asked, user):
        return RedirectResponse(error_address(world.config, asked, "no_org"), 302)
    if form.get("decision") != "accept":
        return RedirectResponse(error_address(world.config, asked, "access_denied"), 302)
    org_id = _chosen_org(asked, user, form.get("org_id"))
    if org_id is None and "Desk" in asked.scopes.services:
        return _consent_page(world, asked, user, error="Choose one of your portals.")
    _remember(world, asked, user, org_id)
    return _issue(world, asked, user, org_id, refreshable=asked.offline)


async def show_signin(request: Request) -> Response:
    """Show who one may be."""
    return _signin_page(world_of(request), request.query_params.get("continue", ""))


async def signin(request: Request) -> Response:
    """Remember who this browser is, and go on to where it came from (only ever `/oauth/v2/auth`)."""
    world, form = world_of(request), await request.form()
    target = str(form.get("continue", ""))
    user = world.config.user(str(form.get("zuid", "")))
    if user is None or not user.active:
        return _signin_page(world, target, error="Choose one of the accounts.")
    response: Response
    if target.startswith("/oauth/v2/auth?"):
        response = RedirectResponse(target, 303)
    else:
        response = page("signed_in.html", user=user)
    response.set_cookie(COOKIE, user.zuid, httponly=True, samesite="lax")
    return response


def _signed_in(request: Request) -> User | None:
    user = world_of(request).config.user(request.cookies.get(COOKIE, ""))
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


def _remember(world: World, asked: Authorization, user: User, org_id: str | None) -> None:
    """Add what was accepted now to what was before, so that the page need not be shown again."""
    key = (user.zuid, asked.client.client_id)
    before, org_before = world.consents.get(key, (frozenset[str](), None))
    world.consents[key] = (before | asked.scopes.names, org_id or org_before)


def _issue(
    world: World, asked: Authorization, user: User, org_id: str | None, *, refreshable: bool
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
        expires_at=world.clock.now() + world.config.code_life_seconds * 1000,
        refreshable=refreshable,
        nonce=asked.nonce,
        challenge=asked.challenge,
        challenge_method=asked.challenge_method,
    )
    try:
        text = world.tokens.add_code(code)
    except Throttled:
        return RedirectResponse(error_address(world.config, asked, "access_denied"), 302)
    return RedirectResponse(success_address(world.config, asked, user, text), 302)


def _consent_page(world: World, asked: Authorization, user: User, error: str = "") -> Response:
    orgs = [org for org in world.config.orgs if org.org_id in user.orgs]
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


def _signin_page(world: World, target: str, error: str = "") -> Response:
    users = [user for user in world.config.users if user.active]
    return page("signin.html", 400 if error else 200, users=users, target=target, error=error)


def _problem(problem: BadRequest) -> Response:
    return page("error.html", problem.status, title=problem.title, text=problem.text)
