"""A simulated phone system: posts events, signed as Standard Webhooks, and keeps recordings.

The signature is made here anew rather than borrowed from `connector.dialects`, so that a mistake there
cannot agree with itself.
"""

import asyncio
import hmac
import io
import math
import time
import uuid
import wave
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from connector.demo.company import RECORDINGS
from connector.errors import CommandError
from connector.private_files import private_file
from connector.zoho.transport import trusted

SOURCE = "/demo/phone"
ONE, MANY = "application/cloudevents+json", "application/cloudevents-batch+json"
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 2.0
WORTH_REPEATING = frozenset({408, 425, 429, 500, 502, 503, 504})

CloudEvent = Mapping[str, Any]

RATE = 8_000
LONGEST_SECONDS = 30
"""However long people talked: a thousand calls shall not fill the disk."""
NOTE_SECONDS = 0.25
NOTES = (440.0, 554.4, 659.3, 554.4, 493.9, 587.3, 740.0, 587.3)
LOUDNESS = 40
"""Of 127: nobody shall be startled."""


class PostResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a post went: when it first left, how long the last attempt took, and how many there were."""

    posted_at: float
    ack_seconds: float
    attempts: int
    answer: dict[str, Any]


class Phone:
    """Posts events; `give_up_seconds` is how long it repeats what is not accepted.

    `record` is called with what is about to be posted, so that recordings are there before their address is.
    """

    def __init__(
        self,
        address: str,
        secret: str,
        *,
        give_up_seconds: float = 60,
        record: Callable[[Sequence[CloudEvent]], None] | None = None,
    ) -> None:
        self.address = address
        self._key = b64decode(secret.removeprefix("whsec_"))
        self._give_up_seconds = give_up_seconds
        self._record = record
        self._name = uuid.uuid4().hex
        self._http = httpx2.AsyncClient(verify=trusted(), trust_env=False, timeout=10)

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def post(self, events: Sequence[CloudEvent]) -> PostResult:
        """Post events, several as a batch; CommandError once they are refused or time is up."""
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
                receipt = msgspec.json.decode(answer.content)
                return PostResult(posted_at=posted_at, ack_seconds=took, attempts=attempts, answer=receipt)
            waited = time.perf_counter() - posted_at
            refused = answer is not None and answer.status_code not in WORTH_REPEATING
            if refused or waited > self._give_up_seconds:
                raise CommandError(f"The connector did not take an event: {_shown(answer)}")
            await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (attempts - 1)))

    async def fetch(self, wait_seconds: int) -> bytes:
        """Return the answer to a request for orders; CommandError where there is none."""
        address = f"{self.address}/orders"
        headers = self._headers(f"ask-{uuid.uuid4()}", b"")
        try:
            answer = await self._http.get(
                address, params={"wait": wait_seconds}, headers=headers, timeout=wait_seconds + 10
            )
        except httpx2.TransportError as problem:
            raise CommandError("The connector does not answer.") from problem
        if not answer.is_success:
            raise CommandError(f"The connector gives no orders: {_shown(answer)}")
        return answer.content

    async def report(self, order: str, report: Mapping[str, str]) -> bool:
        """Report what came of an order; return False where the connector refuses it, or does not answer."""
        body = msgspec.json.encode({"by": self._name, **report})
        headers = self._headers(f"{order}-{report['state']}", body)
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
        """Return the signature of an attempt, as Standard Webhooks 1.0 defines it."""
        digest = hmac.digest(self._key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
        return f"v1,{b64encode(digest).decode()}"


def _shown(answer: httpx2.Response | None) -> str:
    return "it does not answer" if answer is None else f"{answer.status_code} {answer.text[:300]}"


class Recorder:
    """Keeps the recordings of the simulated phone system in a folder: a short tune for each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def record(self, events: Iterable[CloudEvent]) -> None:
        """Write the recordings whose address is in these events, before anybody can ask for them."""
        for event in events:
            data: Mapping[str, Any] = event["data"]
            address = data.get("recording_url", "")
            if address.startswith(RECORDINGS):
                sound = tune(int(data.get("recording_seconds", LONGEST_SECONDS)))
                file = self._folder / address.removeprefix(RECORDINGS)
                private_file(file)
                file.write_bytes(sound)


def tune(seconds: int) -> bytes:
    """Return a WAV file of so many seconds, one at least: the telephone's 8,000 samples each, 8 bits."""
    length = RATE * max(1, min(LONGEST_SECONDS, seconds))
    bar = _bar()
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(RATE)
        out.writeframes((bar * (length // len(bar) + 1))[:length])
    return file.getvalue()


@cache
def _bar() -> bytes:
    """Play the notes once, each fading away."""
    steps = int(RATE * NOTE_SECONDS)
    return bytes(
        round(128 + LOUDNESS * (1 - step / steps) * math.sin(2 * math.pi * note * step / RATE))
        for note in NOTES
        for step in range(steps)
    )
