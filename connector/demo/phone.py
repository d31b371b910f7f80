"""Be a phone system: post events, signed as Standard Webhooks, and try again until they are taken.

The signature is made here anew rather than borrowed from `connector.dialects`, so that a mistake there
cannot agree with itself.
"""

import asyncio
import hmac
import time
import uuid
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx2
import msgspec

from connector.errors import CommandError
from connector.zoho.transport import trusted

SOURCE = "/demo/phone"
ONE, MANY = "application/cloudevents+json", "application/cloudevents-batch+json"
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 2.0
WORTH_REPEATING = frozenset({408, 425, 429, 500, 502, 503, 504})

CloudEvent = Mapping[str, Any]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """How a post went: when it first left, how long the last attempt took, and how many there were."""

    posted_at: float
    ack_seconds: float
    attempts: int
    answer: dict[str, Any]


class Phone:
    """A sender of events; `patience_seconds` is how long it repeats what is not taken.

    `record` is told what is about to be posted, so that recordings are there before they are told of.
    """

    def __init__(
        self,
        address: str,
        secret: str,
        *,
        patience_seconds: float = 60,
        record: Callable[[Sequence[CloudEvent]], None] | None = None,
    ) -> None:
        self.address = address
        self._key = b64decode(secret.removeprefix("whsec_"))
        self._patience_seconds = patience_seconds
        self._record = record
        self._name = uuid.uuid4().hex
        self._http = httpx2.AsyncClient(verify=trusted(), trust_env=False, timeout=10)

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()

    async def post(self, events: Sequence[CloudEvent]) -> Taken:
        """Post events, several as a batch; CommandError once they are refused or patience is over."""
        if self._record is not None:
            self._record(events)
        body = msgspec.json.encode(events[0] if len(events) == 1 else list(events))
        kind = ONE if len(events) == 1 else MANY
        message_id, posted_at, attempts = f"msg-{uuid.uuid4()}", time.perf_counter(), 0
        while True:
            attempts += 1
            began = time.perf_counter()
            answer = await self._attempt(message_id, kind, body)
            if answer is not None and answer.is_success:
                took = time.perf_counter() - began
                told = msgspec.json.decode(answer.content)
                return Taken(posted_at=posted_at, ack_seconds=took, attempts=attempts, answer=told)
            waited = time.perf_counter() - posted_at
            refused = answer is not None and answer.status_code not in WORTH_REPEATING
            if refused or waited > self._patience_seconds:
                raise CommandError(f"The connector did not take an event: {_told(answer)}")
            await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (attempts - 1)))

    async def fetch(self, wait_seconds: int) -> bytes:
        """Ask what is to be done; CommandError where there is no answer to that."""
        address = f"{self.address}/orders"
        headers = self._headers(f"ask-{uuid.uuid4()}", b"")
        try:
            answer = await self._http.get(
                address, params={"wait": wait_seconds}, headers=headers, timeout=wait_seconds + 10
            )
        except httpx2.TransportError as problem:
            raise CommandError("The connector does not answer.") from problem
        if not answer.is_success:
            raise CommandError(f"The connector gives no orders: {_told(answer)}")
        return answer.content

    async def report(self, order: str, said: Mapping[str, str]) -> bool:
        """Say what comes of an order; False where the connector does not agree, or does not answer."""
        body = msgspec.json.encode({"by": self._name, **said})
        headers = self._headers(f"{order}-{said['state']}", body)
        try:
            answer = await self._http.post(f"{self.address}/orders/{order}", content=body, headers=headers)
        except httpx2.TransportError:
            return False
        return answer.is_success

    async def _attempt(self, message_id: str, kind: str, body: bytes) -> httpx2.Response | None:
        """Post once; None where no answer came. Each attempt is signed anew, for a signature grows stale."""
        headers = {"content-type": kind} | self._headers(message_id, body)
        try:
            return await self._http.post(self.address, content=body, headers=headers)
        except httpx2.TransportError:
            return None

    def _headers(self, message_id: str, body: bytes) -> dict[str, str]:
        now = str(int(time.time()))
        return {
            "webhook-id": message_id,
            "webhook-timestamp": now,
            "webhook-signature": self.signature(message_id, now, body),
        }

    def signature(self, message_id: str, timestamp: str, body: bytes) -> str:
        """Sign an attempt as Standard Webhooks 1.0 says."""
        digest = hmac.digest(self._key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
        return f"v1,{b64encode(digest).decode()}"


def _told(answer: httpx2.Response | None) -> str:
    return "it does not answer" if answer is None else f"{answer.status_code} {answer.text[:300]}"
