"""Write the requests that a busy phone system sends, signed and ready for the wire.

Bodies are written and signed here by the rules of the neutral event, not by the connector's own code.
"""

import base64
import hmac
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any

EVENTS_OF_A_CALL = 4
AT_ONCE = 64
"""Calls that go on at the same time: the second event of each follows the first event of all."""

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Target:
    """Where requests go, and the secret that they are signed with."""

    def __init__(self, port: int, path: str, secret: str) -> None:
        self.port = port
        self._path = path
        self._key = base64.b64decode(secret.removeprefix("whsec_"))

    def request(self, message_id: str, content_type: str, body: bytes) -> bytes:
        """Write a whole HTTP request, signed now."""
        timestamp = int(time.time())
        signed = f"{message_id}.{timestamp}.".encode() + body
        signature = base64.b64encode(hmac.digest(self._key, signed, "sha256")).decode()
        head = (
            f"POST {self._path} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\n"
            f"content-type: {content_type}\r\ncontent-length: {len(body)}\r\n"
            f"webhook-id: {message_id}\r\nwebhook-timestamp: {timestamp}\r\n"
            f"webhook-signature: v1,{signature}\r\n\r\n"
        )
        return head.encode() + body


def singles(target: Target, run: str, count: int) -> Iterator[bytes]:
    """Write one request an event, the events of 64 calls interleaved."""
    groups = (zip(*(_call(run, first + n) for n in range(AT_ONCE)), strict=True) for first in _steps(AT_ONCE))
    events = chain.from_iterable(chain.from_iterable(groups))
    for event in islice(events, count):
        yield target.request(event["id"], SINGLE, json.dumps(event).encode())


def batches(target: Target, run: str, size: int, count: int) -> Iterator[bytes]:
    """Write one request for `size` events, whole calls one after another."""
    calls_each = size // EVENTS_OF_A_CALL
    for first in islice(_steps(calls_each), count):
        events = [event for n in range(calls_each) for event in _call(run, first + n)]
        yield target.request(events[0]["id"], BATCH, json.dumps(events).encode())


def _steps(width: int) -> Iterator[int]:
    first = 0
    while True:
        yield first
        first += width


def _call(run: str, number: int) -> Sequence[dict[str, Any]]:
    """Tell one answered inbound call: it rings, is answered, ends, and its recording is ready."""
    begin = BEGIN + timedelta(seconds=number)
    agent = {"agent": str(1000 + number % 40)}
    ends = {
        "direction": "inbound",
        "from": f"+331{number % 100_000_000:08}",
        "to": "+33987654321",
        "queue": "support",
    }
    recording = {
        "recording_url": f"https://pbx.example/recordings/{run}-{number}.mp3",
        "recording_seconds": 95,
    }
    told = (
        ("ringing", 0, ends | agent),
        ("answered", 8, agent),
        ("ended", 103, {"cause": "normal"}),
        ("recorded", 110, recording),
    )
    return [
        {
            "specversion": "1.0",
            "id": f"{run}-{number}-{kind}",
            "source": "/pbx/paris",
            "type": f"call.{kind}",
            "subject": f"{run}-{number}",
            "time": (begin + timedelta(seconds=after)).isoformat().replace("+00:00", "Z"),
            "data": data,
        }
        for kind, after, data in told
    ]
