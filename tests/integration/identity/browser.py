"""A person with a browser, before our pages and Zoho's."""

import html
import re
import ssl
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from starlette.applications import Starlette

ADA = "675000001"
BRUNO = "675000002"
NILS = "675000007"
ADA_EU = "675001001"
ADA_UK = "675002001"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # made once: a client that makes its own takes 20 ms


class Browser:
    """Keeps cookies, goes nowhere by itself, and says of each POST where it comes from."""

    def __init__(self, app: Starlette, address: str) -> None:
        self.app = app
        self.address = address
        self.http = httpx2.AsyncClient(
            mounts={address: httpx2.ASGITransport(app)},
            headers={"Accept": "text/html"},
            trust_env=False,
            verify=NO_TLS,
        )

    async def get(self, url: str, **more: Any) -> httpx2.Response:
        """Open an address, of ours if it is a path."""
        return await self.http.get(urljoin(self.address, url), **more)

    async def post(self, url: str, *, origin: str | None = None, **more: Any) -> httpx2.Response:
        """Send a form, from a page of ours unless said otherwise."""
        headers = {"Origin": origin or self.address, **more.pop("headers", {})}
        return await self.http.post(urljoin(self.address, url), headers=headers, **more)

    async def begin(self, next_path: str | None = None) -> str:
        """Press 'Sign in with Zoho', and answer the address at Zoho."""
        answer = await self.get("/login", params={} if next_path is None else {"next": next_path})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def fill_in(self, url: str, **fields: str) -> httpx2.Response:
        """Open a page, fill its form in and send it."""
        found = re.search(r'name="token"[^>]*value="([0-9a-f]{64})"', (await self.get(url)).text)
        assert found is not None
        return await self.post(url, data=fields | {"token": found[1]})

    async def begin_linking(self, method: str = "") -> str:
        """Press 'Link a portal', and answer the address at Zoho."""
        answer = await self.post("/connect", data={"method": method})
        assert answer.status_code == 200, answer.text
        return str(answer.headers["refresh"]).removeprefix("0; url=")

    async def consent(
        self, url: str, zuid: str = ADA, decision: str = "accept", org_id: str | None = None
    ) -> str:
        """Be somebody at Zoho and decide; answer the address that Zoho sends the browser back to."""
        await self.post(urljoin(url, "/signin"), data={"zuid": zuid, "continue": ""})
        seen = await self.get(url)
        if seen.status_code == 200:
            found = re.search(r'name="request" value="([^"]*)"', seen.text)
            assert found is not None, seen.text
            form = {"request": html.unescape(found[1]), "decision": decision}
            form |= {} if org_id is None else {"org_id": org_id}
            seen = await self.post(urljoin(url, "/oauth/v2/consent"), data=form)
        assert seen.status_code == 302, seen.text
        return seen.headers["location"]

    async def sign_in(self, zuid: str = ADA, next_path: str | None = None) -> httpx2.Response:
        """Sign in the whole way; answer what the callback says."""
        return await self.get(await self.consent(await self.begin(next_path), zuid))

    async def link(self, zuid: str = ADA, method: str = "", **decision: Any) -> httpx2.Response:
        """Link a portal the whole way; answer what the callback says."""
        return await self.get(await self.consent(await self.begin_linking(method), zuid, **decision))

    async def close(self) -> None:
        """Close the browser."""
        await self.http.aclose()


def query_of(url: str) -> dict[str, str]:
    """Return an address's query."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
