"""A person with a browser at Zoho, and what becomes of their consent."""

from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2

from connector.clock import MINUTE
from connector.sandbox.serve import RunningSandbox
from connector.zoho.data_centers import DataCenter, parse_row
from connector.zoho.oauth import OAuth, Tokens
from connector.zoho.scopes import LINKING, names
from connector.zoho.tokens import AccessToken
from connector.zoho.transport import trusted

CALLBACK = "http://127.0.0.1:8080/oauth/callback"
VERIFIER = "v" * 43
ADA = "675000001"


async def consent(url: str, *, zuid: str = ADA, decision: str = "accept") -> dict[str, str]:
    """Go from a consent address to the callback as a browser does, and answer the callback's query."""
    async with httpx2.AsyncClient(verify=trusted(), trust_env=False) as browser:
        await browser.post(urljoin(url, "/signin"), data={"zuid": zuid, "continue": ""})
        seen = await browser.get(url)
        if seen.status_code == 200:
            form = {"request": urlsplit(url).query, "decision": decision}
            seen = await browser.post(urljoin(url, "/oauth/v2/consent"), data=form)
    assert seen.status_code == 302, seen.text
    return dict(parse_qsl(urlsplit(seen.headers["location"]).query))


def center(sandbox: RunningSandbox, location: str = "us") -> DataCenter:
    """Return the sandbox's data centre as settings would add it."""
    origin = sandbox.origins[location]
    return parse_row(f"{location}={origin}|{origin}")


def linking_url(oauth: OAuth, dc: DataCenter, scopes: tuple[str, ...] = names(LINKING)) -> str:
    """Return the consent address of linking a portal."""
    return oauth.authorize_url(
        dc, redirect_uri=CALLBACK, scopes=scopes, state="state-1", verifier=VERIFIER, offline=True
    )


async def link(oauth: OAuth, dc: DataCenter, scopes: tuple[str, ...] = names(LINKING)) -> Tokens:
    """Link a portal: consent, callback, exchange."""
    callback = await consent(linking_url(oauth, dc, scopes))
    return await oauth.exchange(
        dc, code=callback["code"], redirect_uri=CALLBACK, verifier=VERIFIER, offline=True
    )


class PersonTokens:
    """Keep one grant's access token in memory, refreshing it when it is refused or about to end."""

    def __init__(self, oauth: OAuth, dc: DataCenter, tokens: Tokens, sandbox: RunningSandbox) -> None:
        self._oauth = oauth
        self._dc = dc
        self._refresh_token = tokens.refresh_token or ""
        self._token = AccessToken(tokens.access_token, tokens.expires_at)
        self._sandbox = sandbox
        self.renewals = 0

    async def current(self) -> AccessToken:
        """Return the token, a new one if it has less than five minutes."""
        if self._token.expires_at - self._sandbox.state.clock.now() < 5 * MINUTE:
            return await self.renew(self._token)
        return self._token

    async def renew(self, refused: AccessToken) -> AccessToken:
        """Refresh, unless that has been done since."""
        if refused == self._token:
            self.renewals += 1
            tokens = await self._oauth.refresh(self._dc, self._refresh_token)
            self._token = AccessToken(tokens.access_token, tokens.expires_at)
        return self._token
