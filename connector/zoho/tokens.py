"""The access token as an auth flow: attach, send, and on a refusal renew once and send once more.

What is behind the token (the refresh token, the row that is locked, the other processes) is the
token source's; the client never sees it.
"""

from collections.abc import AsyncGenerator
from typing import Protocol

import httpx2
import msgspec

from connector.zoho import wire


class AccessToken(msgspec.Struct, frozen=True):
    """One access token of a portal, the moment it ends, and from when on a newer one is to be asked for.

    Its value is never printed.
    """

    value: str
    expires_at: int
    renew_at: int = 0

    def __repr__(self) -> str:
        return f"AccessToken(expires_at={self.expires_at})"


class TokenSource(Protocol):
    """Where a portal's access token comes from; both methods may raise any ZohoError."""

    async def current(self) -> AccessToken:
        """Return a token that is good for some minutes, refreshing it first where need be."""

    async def renew(self, refused: AccessToken) -> AccessToken:
        """Return what to try instead of the refused one: a newer one if there is one, else a refreshed one.

        Where Desk refuses one after the other it is the refused one: its age is not what is wrong.
        """


class DeskAuth(httpx2.Auth):
    """Sign a request as Desk's samples do, `Authorization: Zoho-oauthtoken ...`.

    A 401 that refuses the token (JSON or HTML) is never applied, so that even a POST may be sent again.
    Other tokens of the same grant can push this one out before its time, hence the one renewal.
    """

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Yield the request once, and once more if the first answer refuses the token."""
        token = await self._source.current()
        _sign(request, token)
        response = yield request
        # The answer is still on its way here; only a 401 is worth waiting for.
        if response.status_code == 401 and wire.refuses_token(401, await response.aread()):
            _sign(request, await self._source.renew(token))
            yield request


def _sign(request: httpx2.Request, token: AccessToken) -> None:
    request.headers["Authorization"] = f"Zoho-oauthtoken {token.value}"
