"""Stand at the door of every view: who asks, may they, and did they mean to."""

from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request

from connector.casing import ascii_lower
from connector.crypto import digest
from connector.errors import NotAllowed, NotSignedIn
from connector.store.users import ROLES, Role, User
from connector.web.limiter import STRANGERS
from connector.web.services import services_of

HARMLESS = ("GET", "HEAD", "OPTIONS")
ASKED_WITH = "connector"
"""What our own pages send as X-Requested-With; no other site can, unless we allow it."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls the API: a signed-in user, or the holder of a key, who is no user."""

    name: str
    role: Role
    user: User | None = None


async def require_user(request: Request, role: Role = "agent") -> User:
    """Return who is signed in; NotSignedIn, or NotAllowed for too low a role or another site's POST."""
    services = services_of(request)
    session_id = services.cookies.session(request)
    user = None if session_id is None else await services.people.who(session_id)
    if user is None:
        raise NotSignedIn("You are not signed in, or your session is over.")
    _check_role(user.role, role)
    if request.method not in HARMLESS:
        check_same_origin(request)
    return user


async def require_api(request: Request, role: Role = "agent") -> Caller:
    """Return who calls the API, by session cookie or `Authorization: Bearer <key>`, and count the call.

    Raises NotSignedIn, NotAllowed or TooManyRequests.
    """
    services = services_of(request)
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    caller = await _holder(request, key) if ascii_lower(scheme) == "bearer" else await _signed_in(request)
    services.limiter.take(caller.name)
    _check_role(caller.role, role)
    return caller


def take_as_stranger(request: Request) -> None:
    """Count a request against the address that it comes from: TooManyRequests."""
    services_of(request).limiter.take(_address(request), STRANGERS)


def session_of(request: Request) -> str:
    """Return the handle of a request's session, as `People.living` takes it; "" where there is none."""
    session_id = services_of(request).cookies.session(request)
    return "" if session_id is None else digest(session_id)


def check_same_origin(request: Request) -> None:
    """Raise NotAllowed unless a request comes from one of our own pages."""
    site = request.headers.get("sec-fetch-site")
    if site is None:
        own = site_origin(services_of(request).settings.public_url)
        same = ascii_lower(request.headers.get("origin", "")) == own
    else:
        same = site == "same-origin"
    if not same:
        raise NotAllowed("The request does not come from a page of the connector.")


def site_origin(address: str) -> str:
    """Return scheme, host and port of an address, as a browser writes them in Origin."""
    parts = urlsplit(address)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _address(request: Request) -> str:
    return f"address {request.client.host if request.client else ''}"


async def _holder(request: Request, key: str) -> Caller:
    """Return who holds a key; keys that open nothing count against the address they come from."""
    services = services_of(request)
    services.limiter.check(_address(request), STRANGERS)
    found = await services.keys.holder(key.strip())
    if found is None:
        take_as_stranger(request)
        raise NotSignedIn("There is no such key, or it has been revoked.")
    return Caller(name=f"key {found.name}", role=found.role)


async def _signed_in(request: Request) -> Caller:
    user = await require_user(request)
    if request.method not in HARMLESS and request.headers.get("x-requested-with") != ASKED_WITH:
        raise NotAllowed(f"X-Requested-With: {ASKED_WITH} is missing.")
    return Caller(name=user.email, role=user.role, user=user)


def _check_role(held: Role, needed: Role) -> None:
    if ROLES.index(held) < ROLES.index(needed):
        raise NotAllowed(f"This is for the role {needed}; yours is {held}.")
