"""Be a person's browser: at the connector, at the sandbox's sign-in and consent pages, and back."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
import msgspec

from connector.errors import CommandError
from connector.zoho.transport import trusted

STEPS_AT_MOST = 10
PATIENCE = httpx2.Timeout(15)
STREAM_PATIENCE = httpx2.Timeout(15, read=None)


class Publisher(msgspec.Struct, frozen=True):
    """One event of a banner's stream."""

    event: str
    data: dict[str, Any]


class Browser:
    """A browser with cookies, in front of which sits the person with this ZUID, who accepts everything."""

    def __init__(self, origin: str, zuid: str) -> None:
        self._origin = origin
        self._zuid = zuid
        self._http = httpx2.AsyncClient(verify=trusted(), trust_env=False, timeout=PATIENCE)

    async def close(self) -> None:
        """Close the browser."""
        await self._http.aclose()

    async def sign_in(self) -> None:
        """Sign in with Zoho, from the connector's page to its banner."""
        arrived = await self._follow(f"{self._origin}/login?next=/banner")
        if arrived.url.path != "/banner":
            raise CommandError(f"Signing in came to nothing: {_told(arrived)}")

    async def link(self, org_id: str) -> None:
        """Link the portal, as an administrator does."""
        onward = await self._post("/connect")
        _, _, address = onward.headers.get("refresh", "").partition("url=")
        if not address:
            raise CommandError(f"Linking did not begin: {_told(onward)}")
        arrived = await self._follow(address, org_id)
        if not arrived.url.path.startswith("/portals/"):
            raise CommandError(f"Linking came to nothing: {_told(arrived)}")

    async def sign_out(self) -> None:
        """Sign out."""
        await self._post("/logout")

    async def get(self, path: str) -> httpx2.Response:
        """Open a page of the connector, or ask its API."""
        return await self._http.get(self._origin + path)

    async def choose(self, call_id: int, contact_id: str | None) -> httpx2.Response:
        """Say which of several contacts a call is with, as the banner does."""
        headers = {"Origin": self._origin, "X-Requested-With": "connector"}
        address = f"{self._origin}/api/calls/{call_id}/contact"
        return await self._http.post(address, json={"contact": contact_id}, headers=headers)

    async def stream(self) -> AsyncIterator[Publisher]:
        """Go through the news of the banner's stream, until it ends."""
        address = f"{self._origin}/api/banner/stream"
        async with self._http.stream("GET", address, timeout=STREAM_PATIENCE) as answer:
            if answer.status_code != httpx2.codes.OK:
                raise CommandError(f"The banner's stream was refused with {answer.status_code}.")
            event = ""
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    yield Publisher(event, msgspec.json.decode(value))

    async def _post(self, path: str) -> httpx2.Response:
        return await self._http.post(self._origin + path, headers={"Origin": self._origin})

    async def _follow(self, address: str, org_id: str = "") -> httpx2.Response:
        """Go where answers lead, filling in Zoho's forms on the way."""
        seen = await self._http.get(address)
        for _ in range(STEPS_AT_MOST):
            if seen.is_redirect:
                onward = urljoin(str(seen.url), seen.headers["location"])
                seen = await self._http.get(onward)
            elif seen.url.path == "/signin":
                form = {"zuid": self._zuid, "continue": seen.url.params.get("continue", "")}
                seen = await self._http.post(seen.url.join("/signin"), data=form)
            elif seen.url.path == "/oauth/v2/auth" and seen.is_success:
                consent = {"request": urlsplit(str(seen.url)).query, "decision": "accept", "org_id": org_id}
                form = {name: value for name, value in consent.items() if value}
                seen = await self._http.post(seen.url.join("/oauth/v2/consent"), data=form)
            else:
                break
        return seen


def _told(answer: httpx2.Response) -> str:
    """Return what a page says, in short."""
    title = answer.text.partition("<title>")[2].partition("</title>")[0].strip()
    return f"{answer.status_code} {title or answer.text[:200]} at {answer.url.path}"
