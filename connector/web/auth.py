"""Tell who asks, whether they may, and whether they meant to: cookies, sessions, API keys, roles."""

import hashlib
import re
from ipaddress import ip_address
from typing import cast
from urllib.parse import quote, unquote, urlsplit

import msgspec
from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import Response

from connector.accounts import SESSION_SECONDS
from connector.accounts.sign_in import FLOW_SECONDS
from connector.casing import ascii_lower
from connector.crypto import Encryptor, digest
from connector.errors import NotAllowed, NotSignedIn, TooManyRequests
from connector.services import services_of
from connector.store.keys import ApiKey
from connector.store.rights import Right, Thing
from connector.store.users import ROLES, Role, User
from connector.web.limiter import STRANGERS, Limiter

SESSION = "connector-session"
FLOW = "connector-flow-"
NOTICE = "connector-notice"
NOTICE_SECONDS = 60
NOTICE_AT_MOST = 300
FLOWS_AT_MOST = 20
"""Begun and never finished, flows would fill the browser's request headers."""

HARMLESS = ("GET", "HEAD", "OPTIONS")
ASKED_WITH = "connector"
"""What our own pages send as X-Requested-With; no other site can, unless we allow it."""

FOR_BANNERS = ("/api/banner/", "/api/calls", "/api/contacts/search", "/api/orders/", "/api/profile")
"""Addresses of a banner: inside a frame of another site, where no cookie comes along, it brings a bearer."""

_SESSION_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class Cookies:
    """Signed cookies: `__Host-`, Secure, HttpOnly, SameSite=Lax.

    On plain http, which settings allow on this machine only, they go without prefix and Secure.
    `__Host-` wants them for the whole host: where PUBLIC_URL has a path, their names have it too, so that two
    connectors on one host leave each other's alone.
    A flow has a cookie of its own, so that two tabs signing in at once never overwrite each other's.
    """

    def __init__(self, encryptor: Encryptor, *, https: bool, path: str = "") -> None:
        self._https = https
        self._prefix = ("__Host-" if https else "") + path.replace("/", ".").lstrip(".")
        self._prefix += "." if path else ""
        # Itsdangerous wants the oldest first and signs with the last.
        self._keys = list(reversed(encryptor.signing_keys))

    def session(self, request: Request) -> str | None:
        """Return the session id that a request brings."""
        return self._read(request, SESSION)

    def set_session(self, response: Response, session_id: str) -> None:
        """Let the browser keep a session id, as long as the session can last."""
        self._write(response, SESSION, session_id, SESSION_SECONDS)

    def drop_session(self, response: Response) -> None:
        """Let the browser forget its session."""
        self._write(response, SESSION, "", 0)

    def flow(self, request: Request, state: str) -> str | None:
        """Return the browser's secret of the flow with this state."""
        return self._read(request, _flow_name(state))

    def set_flow(self, request: Request, response: Response, state: str, browser: str) -> None:
        """Let the browser keep a flow's secret; where there are too many, the others are abandoned ones."""
        begun = [name for name in request.cookies if name.startswith(self._prefix + FLOW)]
        if len(begun) >= FLOWS_AT_MOST:
            for name in begun:
                self._write(response, name.removeprefix(self._prefix), "", 0)
        self._write(response, _flow_name(state), browser, FLOW_SECONDS)

    def drop_flow(self, response: Response, state: str) -> None:
        """Let the browser forget a flow that is over."""
        self._write(response, _flow_name(state), "", 0)

    def notice(self, request: Request) -> str:
        """Return what the page before wants said once, "" for nothing."""
        told = self._read(request, NOTICE)
        return "" if told is None else unquote(told)

    def set_notice(self, response: Response, text: str) -> None:
        """Let the next page say what was done."""
        self._write(response, NOTICE, quote(text[:NOTICE_AT_MOST]), NOTICE_SECONDS)

    def drop_notice(self, response: Response) -> None:
        """Let the browser forget what has been said."""
        self._write(response, NOTICE, "", 0)

    def _read(self, request: Request, name: str) -> str | None:
        value = request.cookies.get(self._prefix + name)
        if not value:
            return None
        try:
            return self._signer(name).unsign(value).decode()
        except (BadSignature, UnicodeError):
            return None

    def _write(self, response: Response, name: str, value: str, max_age: int) -> None:
        response.set_cookie(
            self._prefix + name,
            self._signer(name).sign(value).decode() if value else "",
            max_age=max_age,
            path="/",
            secure=self._https,
            httponly=True,
            samesite="lax",
        )

    def _signer(self, name: str) -> Signer:
        return Signer(self._keys, salt=name, key_derivation="hmac", digest_method=hashlib.sha256)


def _flow_name(state: str) -> str:
    return FLOW + digest(state)[:16]


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls the API: a signed-in user, or the holder of a key, who is no user."""

    name: str
    role: Role
    user: User | None = None
    key: ApiKey | None = None

    def check_portal(self, portal_id: int) -> None:
        """Raise NotAllowed where a key is for other portals."""
        if self.key is not None and self.key.portals and portal_id not in self.key.portals:
            raise NotAllowed("This key is limited to other portals.")


async def require_user(request: Request, role: Role = "agent") -> User:
    """Return who is signed in; NotSignedIn, or NotAllowed for too low a role or another site's POST.

    At the addresses of a banner the session may come as `Authorization: Bearer <session token>` instead.
    """
    session_id = _session_id(request)
    user = None if session_id is None else await services_of(request).sessions.user_of(session_id)
    if user is None:
        if _session_token(request) is not None:
            count_stranger(request)
        raise NotSignedIn("You are not signed in, or your session is over.")
    request.state.user = user
    request.state.marks = await services_of(request).methods.marks()
    _check_role(user.role, role)
    if user.role == "administrator":
        request.state.progress = await services_of(request).setting_up.progress()
    elif not request.url.path.startswith("/api/"):
        given = await services_of(request).agents.rights_of(user.id)
        request.state.things = frozenset(each.thing for each in given)
    if request.method not in HARMLESS and _session_token(request) is None:
        check_same_origin(request)
    return user


async def known_user(request: Request) -> User | None:
    """Return who is signed in, None for nobody: for pages that everybody may read."""
    try:
        return await require_user(request)
    except NotSignedIn:
        return None


async def require_right(request: Request, thing: Thing, right: Right, portal_id: int | None = None) -> User:
    """Return who is signed in, if they may do this with a thing, for a portal or (None) for all of them.

    Administrators may; others where they were given it. Raises as `require_user` does.
    """
    user = await require_user(request)
    await check_right(request, Caller(name=user.email, role=user.role, user=user), thing, right, portal_id)
    return user


async def check_right(
    request: Request, caller: Caller, thing: Thing, right: Right, portal_id: int | None = None
) -> None:
    """Raise NotAllowed unless a caller may do this with a thing: administrators, and who was given it."""
    if caller.role == "administrator":
        return
    agents = services_of(request).agents
    if caller.user is None or not await agents.may(caller.user, thing, right, portal_id):
        named = thing.replace("_", " ")
        raise NotAllowed(f"This needs the right to {right} {named}, which an administrator gives.")


async def require_api(request: Request, role: Role = "agent", *, by_portal: bool = False) -> Caller:
    """Return who calls the API, by session or `Authorization: Bearer <key>`, and count the call.

    A key that is limited to portals is let in only where the caller of this function asks `check_portal` of
    each portal that it touches, and says so by `by_portal`.
    Raises NotSignedIn, NotAllowed or TooManyRequests.
    """
    bearer = _bearer(request)
    is_key = bearer is not None and _session_token(request) is None
    caller = await _holder(request, bearer or "") if is_key else await _signed_in(request)
    count_request(request, caller.name)
    _check_role(caller.role, role)
    if not by_portal and caller.key is not None and caller.key.portals:
        raise NotAllowed("This key is limited to portals, and this address is about all of them.")
    return caller


def count_request(request: Request, caller: str) -> None:
    """Count a request of a user or key: TooManyRequests where there have been too many of late."""
    _limiter(request).take(caller)


def count_stranger(request: Request) -> None:
    """Count a request against the address that it comes from: TooManyRequests."""
    _limiter(request).take(_address(request), STRANGERS)


def count_unsigned(limiter: Limiter, address: str) -> None:
    """Count a request whose signature does not hold, or that comes from nowhere it may: TooManyRequests.

    By itself, so that a phone system with a wrong secret keeps nobody at its address from signing in.
    """
    limiter.take(f"unsigned from {address}", STRANGERS)


def session_of(request: Request) -> str:
    """Return the handle of a request's session, as `Sessions.living` takes it; "" where there is none."""
    session_id = _session_id(request)
    return "" if session_id is None else digest(session_id)


def _bearer(request: Request) -> str | None:
    """Return what a request brings as `Authorization: Bearer`, None where it brings none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if ascii_lower(scheme) == "bearer" else None


def _session_token(request: Request) -> str | None:
    """Return the session's token that a banner brings as its bearer; other addresses take keys alone.

    No browser sends it by itself, so that neither origin nor X-Requested-With has to show who meant it.
    """
    bearer = _bearer(request) if request.url.path.startswith(FOR_BANNERS) else None
    return bearer if bearer is not None and _SESSION_TOKEN.fullmatch(bearer) else None


def _session_id(request: Request) -> str | None:
    """Return the id of the session that a request is of, by cookie or bearer: where a bearer comes, it alone.

    It is found by its hash, so that how long that takes says nothing about it.
    """
    if _bearer(request) is not None and request.url.path.startswith(FOR_BANNERS):
        return _session_token(request)
    return cookies_of(request).session(request)


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


def check_host(request: Request) -> None:
    """Raise NotAllowed unless a request comes by PUBLIC_URL: by https, or from this very machine.

    What a link that is used once opens shall not be had over a network in the clear.
    """
    own = services_of(request).settings.public_url
    scheme, named = urlsplit(own).scheme, request.headers.get("host", "")
    try:
        is_own = site_origin(f"{scheme}://{ascii_lower(named)}") == site_origin(own)
    except ValueError:
        is_own = False
    if not is_own or (scheme == "http" and not _is_loopback(request)):
        raise NotAllowed("Open this link by the address that was printed, which is https or this machine.")


def _is_loopback(request: Request) -> bool:
    host = request.client.host if request.client else ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def site_origin(address: str) -> str:
    """Return scheme, host and port of an address, as a browser writes them in Origin."""
    parts = urlsplit(address)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def cookies_of(request: Request) -> Cookies:
    """Return the cookies of the application that serves a request."""
    services = services_of(request)
    settings = services.settings
    return Cookies(services.encryptor, https=settings.is_https, path=settings.public_path)


def _limiter(request: Request) -> Limiter:
    return cast("Limiter", request.app.state.limiter)


def _address(request: Request) -> str:
    return f"address {request.client.host if request.client else ''}"


async def _holder(request: Request, key: str) -> Caller:
    """Return who holds a key; keys that open nothing count against the address they come from.

    A valid key is let through: what its neighbours behind one address try is not its fault.
    """
    keys, key = services_of(request).keys, key.strip()
    try:
        _limiter(request).check(_address(request), STRANGERS)
    except TooManyRequests:
        if not await keys.is_known(key):
            raise
    found = await keys.holder(key)
    if found is None:
        count_stranger(request)
        raise NotSignedIn("There is no such key, or it has been revoked, or its time is over.")
    return Caller(name=f"key {found.name}", role=found.role, key=found)


async def _signed_in(request: Request) -> Caller:
    user = await require_user(request)
    is_meant = request.headers.get("x-requested-with") == ASKED_WITH or _session_token(request) is not None
    if request.method not in HARMLESS and not is_meant:
        raise NotAllowed(f"X-Requested-With: {ASKED_WITH} is missing.")
    return Caller(name=user.email, role=user.role, user=user)


def _check_role(role: Role, needed: Role) -> None:
    if ROLES.index(role) < ROLES.index(needed):
        raise NotAllowed(f"This is for the role {needed}; yours is {role}.")
