"""OAuth 2.0 with Zoho Accounts: consent addresses, codes for tokens, refreshing, revoking.

Authlib builds the requests; it is met nowhere else. Zoho's answers are deciphered in `token_answers`
before Authlib sees them, because Zoho reports errors under HTTP 200, and outages as HTML.
Source: Zoho Accounts' pages on web applications, and the facts about them in this house's notes.
"""

from collections.abc import Callable, Iterable
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]

from connector.clock import Clock
from connector.errors import ClientRefused, GrantLost, NoToken, ZohoDown
from connector.zoho import token_answers
from connector.zoho.data_centers import DataCenter
from connector.zoho.id_tokens import Identity, IdTokens
from connector.zoho.token_answers import Tokens
from connector.zoho.transport import TIMEOUTS, mapped

AUTHORIZE_PATH = "/oauth/v2/auth"
TOKEN_PATH = "/oauth/v2/token"  # noqa: S105 - a path
REVOKE_PATHS = ("/oauth/v2/revoke/token", "/oauth/v2/token/revoke")
"""The newer documented path, and the one that the discovery document and older pages name."""

_NOTHING_ODD = {"access_token": "read already", "token_type": "Bearer"}
"""What Authlib is shown of a good answer: it would refuse a member that we have read past."""


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
        return token_answers.with_refresh_token(tokens) if offline else tokens

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
        found: list[Tokens] = []

        def read(response: httpx2.Response) -> httpx2.Response:
            refreshing = verb == "refresh_token"
            status, body = response.status_code, response.content
            found.append(token_answers.decipher(dc.name, status, body, self._clock(), refreshing=refreshing))
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
        error = token_answers.error_of(response.content)
        if error.startswith("invalid_client"):
            raise ClientRefused(f"{dc.name}: Zoho does not take the client ({error}).")
        if response.status_code >= 500:
            raise ZohoDown(f"{dc.name}: POST {path}: Zoho answered {response.status_code}.")
        return 400 if error else response.status_code

    def _session(self, dc: DataCenter) -> Any:
        """Make Authlib's client for one exchange; it sends through our own, and keeps nothing."""
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
