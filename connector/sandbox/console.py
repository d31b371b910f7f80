"""The API console: which clients there are, and the codes that a self client's owner makes there.

Implements what accounts.md says of self clients (section 3). The real one is a site of its own
(api-console.zoho.com); here it stands at `/console` of each data centre's accounts server.

`POST /console/code` with the fields `client_id`, `scope`, `minutes` (3, 5, 7 or 10), `description` and
`org_id` (may be left out by somebody with one portal) answers a page with the code, or JSON `{"code": text}`
where the request accepts JSON alone. Whoever is signed in makes it; what is wrong is answered 400.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.sandbox.authorization import enabled_in, signed_in
from connector.sandbox.config import Client, User
from connector.sandbox.responses import page, zoho_json
from connector.sandbox.state import SandboxState, data_center_of, state_of
from connector.sandbox.tokens import Code, Grant, Throttled, parse_scopes

MINUTES = ("3", "5", "7", "10")


class Refused(Exception):
    """No code is made; the message is what the console says."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the form holds."""

    client_id: str = ""
    scope: str = ""
    minutes: str = "3"
    description: str = ""
    org_id: str = ""


def routes() -> list[Route]:
    """List the addresses of the console."""
    return [Route("/console", show, methods=["GET"]), Route("/console/code", make, methods=["POST"])]


async def show(request: Request) -> Response:
    """Show the clients with their secrets here, and the form of self clients."""
    return _page(request)


async def make(request: Request) -> Response:
    """Make a code for a self client."""
    form = await request.form()
    fields = {name: str(form.get(name, "")) for name in Wanted.__struct_fields__}
    wanted = Wanted(**fields)
    as_json = request.headers.get("accept") == "application/json"
    try:
        code = _code(request, wanted)
    except Refused as refused:
        return zoho_json({"error": str(refused)}, 400) if as_json else _page(request, error=str(refused))
    return zoho_json({"code": code}) if as_json else _page(request, code=code, minutes=wanted.minutes)


def _code(request: Request, wanted: Wanted) -> str:
    state, here, user = state_of(request), data_center_of(request), signed_in(request)
    client = state.config.client(wanted.client_id)
    if client is None or not client.is_self_client or not enabled_in(client, here.location):
        raise Refused("There is no such self client.")
    if user is None or user.location != here.location:
        raise Refused("Sign in with an account of this data centre first.")
    if client.owner not in ("", user.zuid):
        raise Refused("Only the owner of this client makes codes.")
    scopes = parse_scopes(wanted.scope)
    if scopes is None:
        raise Refused("Enter valid scopes.")
    if wanted.minutes not in MINUTES or not wanted.description.strip():
        raise Refused("Choose a time, and enter a description.")
    grant = Grant(
        client_id=client.client_id,
        zuid=user.zuid,
        location=user.location,
        scopes=scopes.names,
        scope_text=scopes.text,
        org_id=_org(user, wanted.org_id) if "Desk" in scopes.services else None,
    )
    return _kept(state, grant, int(wanted.minutes))


def _org(user: User, wanted: str) -> str:
    """Return the portal that is meant: the chosen one, else the user's only one."""
    if wanted in user.orgs:
        return wanted
    if wanted or len(user.orgs) != 1:
        raise Refused("Choose one of your portals.")
    return user.orgs[0]


def _kept(state: SandboxState, grant: Grant, minutes: int) -> str:
    expires_at = state.clock.now() + minutes * 60_000
    try:
        return state.tokens.add_code(
            Code(grant=grant, redirect_uri="", expires_at=expires_at, refreshable=True)
        )
    except Throttled as throttled:
        raise Refused("You have made too many requests. Try again later.") from throttled


def _page(request: Request, error: str = "", code: str = "", minutes: str = "") -> Response:
    state, here, user = state_of(request), data_center_of(request), signed_in(request)
    orgs = [org for org in state.config.orgs if user is not None and org.org_id in user.orgs]

    def secret(client: Client) -> str:
        return state.config.secret_of(client, here.location) or "none here"

    return page(
        "console.html",
        400 if error else 200,
        clients=[(client, secret(client)) for client in state.config.clients],
        user=user,
        orgs=orgs,
        choices=MINUTES,
        error=error,
        code=code,
        minutes=minutes,
    )
