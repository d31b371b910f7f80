"""What the tests of the pipeline use: a served connector, a phone that signs, banners that listen."""

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from starlette.responses import Response

from connector.clock import SECOND, to_iso
from connector.dialects import signing
from connector.sandbox.serve import RunningSandbox
from connector.services import Services
from connector.store import users
from connector.web.auth import SESSION, Cookies

OWN_LINE = "+442079460999"
AGENTS = (
    ("ada@example.com", "Ada", "1001"),
    ("bruno@example.com", "Bruno", "1002"),
    ("chiara@example.com", "Chiara", "1003"),
)
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
SILENT_SECONDS = 30
"""How long a banner hears nothing before its test has failed; no test shows anything by it."""


class Place:
    """A served connector with everything that tests need to ring, look and listen."""

    def __init__(
        self, services: Services, sandbox: RunningSandbox, client: httpx2.AsyncClient, secret: str
    ) -> None:
        self.services = services
        self.sandbox = sandbox
        self.client = client
        self.secret = secret
        self._numbers = itertools.count(1)

    def event(self, kind: str, call: str, **data: Any) -> dict[str, Any]:
        """Make a neutral event of a call."""
        facts = {"direction": "inbound", "from": "+442079460001", "to": OWN_LINE}
        return {
            "specversion": "1.0",
            "id": f"e-{next(self._numbers)}",
            "source": "/pbx",
            "type": f"call.{kind}",
            "subject": call,
            "time": to_iso(self.services.clock()),
            "data": facts | data,
        }

    async def post(self, *events: dict[str, Any]) -> httpx2.Response:
        """Post events as a phone system does: one alone, several as a batch."""
        kind, body = (STRUCTURED, events[0]) if len(events) == 1 else (BATCH, list(events))
        return await self.post_raw(json.dumps(body).encode(), kind)

    async def post_raw(
        self, body: bytes, content_type: str = STRUCTURED, *, slug: str = "pbx", **headers: str
    ) -> httpx2.Response:
        """Post any body, signed as it should be unless headers say otherwise."""
        signed = self.signed(body, self.services.clock() // SECOND)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(
            f"/hooks/{slug}", content=body, headers={"content-type": content_type} | signed | named
        )

    def signed(self, body: bytes, timestamp: int, message_id: str = "m-1") -> dict[str, str]:
        """Sign a body."""
        signature = signing.sign(self.secret, message_id, timestamp, body)
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature,
        }

    async def signed_in(self, email: str) -> str:
        """Open a session and answer its cookie; signing in itself is tested elsewhere."""
        user = await self.services.store.read(lambda c: users.by_email(c, email))
        assert user is not None
        session_id = await self.services.sessions.open(user)
        return self._cookie(session_id)

    def _cookie(self, session_id: str) -> str:
        response = Response()
        cookies = Cookies(self.services.encryptor, https=self.services.settings.is_https)
        cookies.set_session(response, session_id)
        return response.headers["set-cookie"].partition(";")[0].removeprefix(f"{SESSION}=")

    async def ask(self, email: str, path: str, body: object = None, key: str = "") -> httpx2.Response:
        """Ask the API as an agent's banner does: POST where there is a body."""
        headers = {"cookie": f"{SESSION}={await self.signed_in(email)}"}
        if body is None:
            return await self.client.get(path, headers=headers, timeout=40)
        own = {"x-requested-with": "connector", "sec-fetch-site": "same-origin"}
        named = {"idempotency-key": key} if key else {}
        return await self.client.post(path, headers=headers | own | named, json=body)

    async def fetch(self, wait: int = 0) -> list[dict[str, Any]]:
        """Fetch orders as the program beside the phone system does."""
        signed = self.signed(b"", self.services.clock() // SECOND, f"ask-{next(self._numbers)}")
        answer = await self.client.get(f"/hooks/pbx/orders?wait={wait}", headers=signed, timeout=40)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["orders"]
        return found

    async def report(self, order: str, state: str, by: str = "b-1", **said: str) -> httpx2.Response:
        """Say what comes of an order, as that program does."""
        body = json.dumps({"state": state, "by": by} | said).encode()
        signed = self.signed(body, self.services.clock() // SECOND, f"{order}-{state}-{next(self._numbers)}")
        return await self.client.post(f"/hooks/pbx/orders/{order}", content=body, headers=signed)

    @asynccontextmanager
    async def banner(self, email: str) -> AsyncIterator["Banner"]:
        """Open an agent's banner."""
        cookie = {"cookie": f"{SESSION}={await self.signed_in(email)}"}
        listening = self.client.stream("GET", "/api/banner/stream", headers=cookie, timeout=SILENT_SECONDS)
        async with listening as response:
            assert response.status_code == 200
            banner = Banner(response)
            await banner.next("snapshot")
            yield banner


class Banner:
    """An open banner: reads what the server sends."""

    def __init__(self, response: httpx2.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self, *events: str) -> dict[str, Any]:
        """Return the data of the next event of these kinds, or of any."""
        name = ""
        async for line in self._lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: ") and (not events or name in events):
                return {"event": name} | dict(json.loads(line.removeprefix("data: ")))
        return {"event": "end"}

    async def until(self, **facts: Any) -> dict[str, Any]:
        """Read until a call is shown with these facts."""
        while True:
            shown = await self.next("call", "end")
            assert shown["event"] == "call"
            if all(shown[name] == fact for name, fact in facts.items()):
                return shown
