"""Send events to webhooks: signed as Desk signs, one after the other for each, and only on this machine.

The token is RS256 with `kid`; issuer `orgId:..`, audience `webhookId:..`. The body is not signed.
Nothing is tried twice, because Desk does not document that it does; 410 ends a webhook.
"""

import asyncio
import functools
import ipaddress
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
import msgspec
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connector.sandbox.config import Config
from connector.sandbox.desk.records import JsonObject, Webhook

if TYPE_CHECKING:
    from connector.sandbox.desk.portal import Portal

HEADER = "X-ZDesk-JWT"
_TIMEOUT_SECONDS = 5
_GOOD = 200
_GONE = 410


class SentNotification(msgspec.Struct, frozen=True, kw_only=True):
    """One request that was sent to a webhook, and the status of its answer; 0 where there was none."""

    webhook_id: str
    events: tuple[str, ...]
    token: str
    body: bytes
    status: int


class WebhookSender:
    """Sends the notifications of portals; `sent` lists every request, the oldest first.

    A `transport` given takes the place of the network.
    """

    def __init__(
        self, config: Config, now: Callable[[], int], transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self.transport = transport
        self.sent: list[SentNotification] = []
        self._config = config
        self._now = now
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._under_way: set[asyncio.Task[None]] = set()

    def notify(
        self, portal: "Portal", event: str, payload: JsonObject, before: JsonObject | None = None
    ) -> None:
        """Notify every webhook that subscribes to an event; nobody waits for it."""
        notification = {
            "payload": payload,
            "eventTime": str(self._now()),
            "eventType": event,
            "orgId": portal.org.org_id,
        }
        for webhook in list(portal.webhooks.values()):
            if webhook.is_enabled and event in webhook.subscriptions:
                wants = webhook.subscriptions[event] or {}
                if not _is_meant(wants, payload):
                    continue
                prev = {"prevState": before} if before and wants.get("includePrevState") else {}
                task = asyncio.get_running_loop().create_task(
                    self._send(portal, webhook, [notification | prev])
                )
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)

    async def answers(self, url: str) -> bool:
        """Tell whether a URL of this machine answers 200 to a GET, or else to a POST."""
        return await self._status_of("GET", url) == _GOOD or await self._status_of("POST", url) == _GOOD

    def token(self, org_id: str, webhook_id: str) -> str:
        """Return a token, signed now."""
        now = self._now() // 1000
        ends = now + self._config.webhook_token_life_seconds
        unit = 1000 if self._config.webhook_times_in_ms else 1
        claims = {
            "iss": f"orgId:{org_id}",
            "aud": f"webhookId:{webhook_id}",
            "iat": now * unit,
            "exp": ends * unit,
        }
        return jwt.encode({"alg": "RS256", "kid": key().kid}, claims, key())

    async def _send(self, portal: "Portal", webhook: Webhook, notification: list[JsonObject]) -> None:
        async with self._turns[webhook.id]:
            body = msgspec.json.encode(notification)
            token = self.token(portal.org.org_id, webhook.id)
            status = await self._status_of("POST", webhook.url, body, {HEADER: token})
            events = tuple(str(each["eventType"]) for each in notification)
            self.sent.append(
                SentNotification(webhook_id=webhook.id, events=events, token=token, body=body, status=status)
            )
            if status == _GONE:
                portal.webhooks.pop(webhook.id, None)

    async def _status_of(
        self, method: str, url: str, body: bytes = b"[]", headers: dict[str, str] | None = None
    ) -> int:
        """Return the status of a request; 0 for no answer, or an address that is not this machine's."""
        if not is_loopback(url):
            return 0
        sent = {"Content-Type": "application/json"} | (headers or {})
        content = body if method == "POST" else None
        try:
            async with httpx2.AsyncClient(
                transport=self.transport,
                trust_env=False,
                verify=False,
                timeout=_TIMEOUT_SECONDS,
            ) as http:
                return (await http.request(method, url, content=content, headers=sent)).status_code
        except (httpx2.HTTPError, httpx2.InvalidURL):
            return 0


def _is_meant(wants: JsonObject, payload: JsonObject) -> bool:
    """Tell whether a subscription to some departments alone is to hear of a record."""
    departments = {*map(str, wants.get("departmentIds") or ()), *map(str, wants.get("departmentId") or ())}
    return not departments or payload.get("departmentId") in departments


def is_loopback(url: str) -> bool:
    """Tell whether a URL leads to this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@functools.cache
def key() -> RSAKey:
    """Return the key that Desk signs with, the same for the life of this process."""
    return RSAKey.generate_key(2048, {"kid": "sandbox-desk", "use": "sig", "alg": "RS256"})


async def keys(_request: Request) -> Response:
    """Return the public keys of Desk; those of Accounts are elsewhere."""
    return JSONResponse({"keys": [key().as_dict(private=False)]})


def routes_of_keys() -> list[BaseRoute]:
    """List the address of the keys."""
    return [Route("/.well-known/jwks.json", keys)]
