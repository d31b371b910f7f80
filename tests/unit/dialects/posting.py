"""Requests as phone systems make them."""

from typing import Any

import msgspec

from connector.dialects import DIALECTS, Parsed, Posted, SystemConfig, signing

NOW = 1_767_603_900_000
"""2026-01-05T09:05:00Z."""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ONE = "application/cloudevents+json"
MANY = "application/cloudevents-batch+json"
PARIS = SystemConfig(uid="u", slug="paris", country="FR", time_zone="Europe/Paris", secrets=(SECRET,))


def posted(body: bytes, content_type: str = ONE, **headers: str) -> Posted:
    """Sign a body."""
    signature = signing.sign(SECRET, "msg-1", NOW // 1000, body)
    signed = {"webhook-id": "msg-1", "webhook-timestamp": str(NOW // 1000), "webhook-signature": signature}
    return Posted(headers=signed | headers, content_type=content_type, body=body, received_at=NOW)


def parse_at(body: bytes, received_at: int) -> Parsed:
    """Post a signed body at another moment."""
    signature = signing.sign(SECRET, "msg-1", received_at // 1000, body)
    headers = {
        "webhook-id": "msg-1", "webhook-timestamp": str(received_at // 1000), "webhook-signature": signature
    }  # fmt: skip
    whole = Posted(headers=headers, content_type=ONE, body=body, received_at=received_at)
    return DIALECTS["neutral"].parse(PARIS, whole)


def parse(body: bytes, content_type: str = ONE) -> Parsed:
    """Post a signed body to the neutral dialect."""
    return DIALECTS["neutral"].parse(PARIS, posted(body, content_type))


def neutral(data: Any = None, **fields: Any) -> bytes:
    """Write one event; a field that is given as None is left out."""
    event = {"id": "e", "source": "/pbx", "type": "call.ringing", "subject": "c", "data": data} | fields
    return msgspec.json.encode({name: value for name, value in event.items() if value is not None})
