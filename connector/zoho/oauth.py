"""OAuth 2.0 with Zoho Accounts: consent addresses, codes for tokens, refreshing, revoking.

Authlib builds the requests; it is met nowhere else, and loaded with the first of them.
Zoho's answers are read here before Authlib sees them, because Zoho reports errors as `{"error": ...}`
under HTTP 200 or 400, and outages as HTML: the body decides, never the status.
Source: Zoho Accounts' pages on web applications, and the facts about them in this project's notes.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx2
import msgspec

from connector.casing import ascii_lower
from connector.clock import SECOND, Clock
from connector.errors import (
    ClientRefused,
    CodeRefused,
    ConnectorError,
    GrantLost,
    NoRefreshToken,
    NoToken,
    TokensThrottled,
    ZohoDown,
)
from connector.zoho.data_centers import DataCenter
from connector.zoho.signed_tokens import Identity, IdTokens
from connector.zoho.transport import TIMEOUTS, mapped

AUTHORIZE_PATH = "/oauth/v2/auth"
TOKEN_PATH = "/oauth/v2/token"  # noqa: S105 - a path
REVOKE_PATHS = ("/oauth/v2/revoke/token", "/oauth/v2/token/revoke")
"""The newer documented path, and the one that the discovery document and older pages name."""

_NOTHING_ODD = {"access_token": "read already", "token_type": "Bearer"}
"""What Authlib is shown of a good answer: it would refuse a member that we have read past."""

THROTTLED_SECONDS = 600
"""Zoho's window: asking again within it makes it longer."""

LONGEST_LIFE_SECONDS = 3_600
"""An access token lives an hour; answers of old have named it in milliseconds."""

ERROR_LENGTH = 60

_decoder = msgspec.json.Decoder(dict[str, Any])


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What a token answer holds; its secrets are never printed.

    `expires_at` counts from the receipt. `scope` is optional, and written with spaces whatever was asked.
    """

    access_token: str
    expires_at: int
    refresh_token: str | None = None
    scope: str | None = None
    api_domain: str | None = None
    id_token: str | None = None

    def __repr__(self) -> str:
        kind = "refreshable" if self.refresh_token else "not refreshable"
        return f"Tokens({kind}, expires_at={self.expires_at}, scope={self.scope!r})"


def sign_out_url(dc: DataCenter, then: str) -> str:
    """Return where somebody signs out of Zoho and goes on to another address of the same data centre.

    Zoho documents no way to choose another account: its pages for people lead here. Where it does not go
    on, whoever comes back is asked who they are all the same.
    """
    return f"{dc.accounts}/logout?{urlencode({'serviceurl': then})}"


class OAuth:
    """One client as registered in Zoho's API console, at every data centre.

    `secret_of` answers the client's secret at a location, because each data centre may have its own.
    """

    def __init__(
        self, http: httpx2.AsyncClient, client_id: str, secret_of: Callable[[str], str], clock: Clock
    ) -> None:
        self._http = http
        self._client_id = client_id
        self._secret_of = secret_of
        self._clock = clock
        self._id_tokens = IdTokens(http, client_id, clock)

    def authorize_url(
        self,
        dc: DataCenter,
        *,
        redirect_uri: str,
        scopes: Iterable[str],
        state: str,
        verifier: str,
        nonce: str | None = None,
        offline: bool = False,
    ) -> str:
        """Return the address of Zoho's consent page, with PKCE (S256).

        Scopes are joined by commas, the only form that Zoho's pages show. `offline` asks for a refresh
        token, and for consent each time, without which a second linking would get none.
        """
        extra = {"access_type": "offline", "prompt": "consent"} if offline else {}
        if nonce:
            extra["nonce"] = nonce
        url, _ = self._session(dc).create_authorization_url(
            dc.accounts + AUTHORIZE_PATH,
            redirect_uri=redirect_uri,
            scope=",".join(scopes),
            state=state,
            code_verifier=verifier,
            **extra,
        )
        return str(url)

    async def exchange(
        self, dc: DataCenter, *, code: str, redirect_uri: str, verifier: str, offline: bool = False
    ) -> Tokens:
        """Exchange a code for tokens at the user's own data centre, within two minutes of its making.

        Raises CodeRefused, NoToken, TokensThrottled, ZohoDown; NoRefreshToken if `offline` was
        asked for and Zoho gave an access token alone.
        """
        fields = {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        tokens = await self._ask(dc, "fetch_token", grant_type="authorization_code", **fields)
        return with_refresh_token(tokens) if offline else tokens

    async def exchange_self_client(self, dc: DataCenter, code: str) -> Tokens:
        """Exchange a code that a self client's page in the API console has made, without redirect address.

        Raises as `exchange` does; a refresh token always comes with it.
        """
        tokens = await self._ask(dc, "fetch_token", grant_type="authorization_code", code=code)
        return with_refresh_token(tokens)

    async def refresh(self, dc: DataCenter, refresh_token: str) -> Tokens:
        """Get a new access token; the answer's `refresh_token` is None, and the old one stays valid.

        Raises GrantLost, TokensThrottled (ten minutes: asking sooner makes it longer) or NoToken, an outage
        of Zoho Accounts included: what the token was for never left.
        Zoho gives ten tokens in ten minutes, so callers refresh in single file.
        """
        try:
            return await self._ask(dc, "refresh_token", refresh_token=refresh_token)
        except ZohoDown as problem:
            raise NoToken(str(problem)) from problem

    async def revoke(self, dc: DataCenter, refresh_token: str) -> None:
        """Revoke a grant with all its access tokens.

        Raises GrantLost if Zoho knows no such grant any more, ClientRefused or ZohoDown.
        """
        for path in REVOKE_PATHS:
            status = await self._revoke(dc, path, refresh_token)
            if 200 <= status < 300:
                return
            if status not in {404, 405}:
                break
        raise GrantLost(f"{dc.name}: Zoho knows no such grant ({status}), so there is nothing to revoke.")

    async def verify_id_token(self, dc: DataCenter, id_token: str | None, nonce: str | None) -> Identity:
        """Return who signs in; raises BadIdentity, or ZohoDown if the keys cannot be had."""
        return await self._id_tokens.verify(dc, id_token, nonce)

    async def _ask(self, dc: DataCenter, verb: str, **fields: str) -> Tokens:
        """Let Authlib send a token request, and read its answer before Authlib does."""
        from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]

        found: list[Tokens] = []

        def read(response: httpx2.Response) -> httpx2.Response:
            refreshing = verb == "refresh_token"
            status, body = response.status_code, response.content
            found.append(read_tokens(dc.name, status, body, self._clock(), refreshing=refreshing))
            return httpx2.Response(200, json=_NOTHING_ODD, request=response.request)

        session = self._session(dc)
        session.register_compliance_hook("access_token_response", read)
        session.register_compliance_hook("refresh_token_response", read)
        with mapped(f"{dc.name}: POST {TOKEN_PATH}", at=dc.accounts, repeatable=True):
            try:
                await getattr(session, verb)(dc.accounts + TOKEN_PATH, **fields)
            except (AuthlibBaseError, ValueError, TypeError) as problem:
                raise ZohoDown(f"{dc.name}: the token answer makes no sense ({problem}).") from problem
        return found[0]

    async def _revoke(self, dc: DataCenter, path: str, refresh_token: str) -> int:
        with mapped(f"{dc.name}: POST {path}", at=dc.accounts, repeatable=True):
            response = await self._http.post(
                dc.accounts + path,
                data={"token": refresh_token, "token_type": "refresh_token"},
                auth=(self._client_id, self._secret_of(dc.location)),
            )
        error = error_of(response.content)
        if error.startswith("invalid_client"):
            raise ClientRefused(f"{dc.name}: Zoho does not take the client ({error}).")
        if response.status_code >= 500:
            raise ZohoDown(f"{dc.name}: POST {path}: Zoho answered {response.status_code}.")
        return 400 if error else response.status_code

    def _session(self, dc: DataCenter) -> Any:
        """Make Authlib's client for one exchange; it sends through our own, and keeps nothing."""
        from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]

        return AsyncOAuth2Client(
            client_id=self._client_id,
            client_secret=self._secret_of(dc.location),
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 - a method
            code_challenge_method="S256",
            transport=_Through(self._http),
            timeout=TIMEOUTS,
            trust_env=False,
        )


class _Through(httpx2.AsyncBaseTransport):
    """Send through a client that is there already, so that there is one seam and one pool."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._http.send(request, stream=True)


def read_tokens(where: str, status: int, body: bytes, now: int, *, refreshing: bool) -> Tokens:
    """Read the tokens of an answer received at `now`, or raise what it means instead.

    Only `access_token` has to be there; any other member that is odd counts as not told.
    `where` begins the message; `refreshing` tells a lost grant from a refused code.
    Raises TokensThrottled, GrantLost, CodeRefused, NoToken, or ZohoDown for what is no answer of Zoho's.
    """
    read = _members(body)
    if error := _text(read, "error"):
        raise _meaning(where, error, _text(read, "error_description"), refreshing=refreshing)
    access_token = _text(read, "access_token")
    if not access_token:
        raise ZohoDown(f"{where}: Zoho Accounts answered {status} and no token.")
    return Tokens(
        access_token=access_token,
        expires_at=now + _life_seconds(read) * SECOND,
        refresh_token=_text(read, "refresh_token") or None,
        scope=_scope(read),
        api_domain=_text(read, "api_domain") or None,
        id_token=_text(read, "id_token") or None,
    )


def error_of(body: bytes) -> str:
    """Return the `error` of a JSON body, "" where there is none or it is no JSON."""
    return _text(_members(body), "error")


def _members(body: bytes) -> dict[str, Any]:
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}


def _text(read: Mapping[str, Any], name: str) -> str:
    value = read.get(name)
    return value if isinstance(value, str) else ""


def _scope(read: Mapping[str, Any]) -> str | None:
    """Return the granted scopes with spaces between; None where Zoho does not tell them."""
    told = read.get("scope")
    parts = told if isinstance(told, list) else [told]
    return " ".join(part for part in parts if isinstance(part, str)).strip() or None


def with_refresh_token(found: Tokens) -> Tokens:
    """Insist on a refresh token; raises NoRefreshToken."""
    if found.refresh_token is None:
        raise NoRefreshToken(
            "Zoho gave an access token but no refresh token: remove the connector under Connected Apps "
            "in your Zoho account, then link again."
        )
    return found


def _life_seconds(read: Mapping[str, Any]) -> int:
    told = (_seconds(read.get(name)) for name in ("expires_in_sec", "expires_in"))
    return min(next((life for life in told if life > 0), LONGEST_LIFE_SECONDS), LONGEST_LIFE_SECONDS)


def _seconds(value: object) -> int:
    """Return a number of seconds, written as a number or as text; 0 for what is none."""
    try:
        return int(float(value)) if isinstance(value, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0


def _meaning(where: str, error: str, described: str, *, refreshing: bool) -> ConnectorError:
    is_throttled = ascii_lower(error).replace("_", " ") == "access denied"
    if is_throttled or "too many requests" in ascii_lower(described):
        return TokensThrottled(f"{where}: too many tokens were asked for.", THROTTLED_SECONDS)
    if error == "invalid_code" and refreshing:
        return GrantLost(f"{where}: the grant is revoked or has been pushed out by newer ones.")
    if error == "invalid_code":
        return CodeRefused(f"{where}: the code is used up, older than two minutes or none of ours.")
    if error in _CLIENT:
        return ClientRefused(f"{where}: {_CLIENT[error]} ({error}).", error)
    return NoToken(f"{where}: Zoho Accounts gives no token and says {error[:ERROR_LENGTH]!r}.")


_CLIENT = {
    "invalid_client": "the client is unknown here, or not enabled for this data centre",
    "invalid_client_secret": "the client secret is not the one of this data centre",
    "invalid_redirect_uri": "the redirect address is not registered with the client",
}
