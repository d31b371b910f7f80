"""Vendors that post as they do, and what became of it in the store."""

from base64 import b64encode
from functools import cache
from typing import Any
from urllib.parse import urlencode

import httpx2
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # it brings no types

from connector.calls import Call
from connector.store import calls, events, tables
from tests.integration.pipeline.place import Place
from tests.unit.dialects.vendor_posts import SHARED, posted

AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
OWN_LINE = "+33987654321"
FORM = "application/x-www-form-urlencoded"


@cache
def key() -> rsa.RSAPrivateKey:
    """Make sipgate's key pair."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def pem() -> str:
    """Write sipgate's public key."""
    return key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class Vendors:
    """Post what each vendor would."""

    def __init__(self, place: Place, secrets: dict[str, str]) -> None:
        self.place = place
        self.services = place.services
        self.secrets = secrets

    async def zammad(self, headers: Any = None, **fields: Any) -> httpx2.Response:
        """Post an event of Zammad's CTI; an inbound call unless fields say otherwise."""
        event = {
            "event": "newCall", "callId": "c", "direction": "in", "from": "33123456789",
            "to": OWN_LINE.removeprefix("+"),
        }  # fmt: skip
        path = f"/hooks/zammad/{self.secrets['zammad']}"
        return await self.place.client.post(path, json=event | fields, headers=headers or {})

    async def sipgate(self, **fields: str) -> httpx2.Response:
        """Post a signed push of sipgate.io."""
        event = {
            "event": "newCall",
            "callId": "c",
            "direction": "in",
            "from": "33123456789",
            "to": "33987654321",
        }
        body = urlencode(event | fields).encode()
        signature = b64encode(key().sign(body, PKCS1v15(), SHA256())).decode()
        headers = {"content-type": FORM, "x-sipgate-signature": signature}
        return await self.place.client.post(
            f"/hooks/sipgate/{self.secrets['sipgate']}", content=body, headers=headers
        )

    async def twilio(self, public_url: str, host: str = "", **fields: str) -> httpx2.Response:
        """Post a signed callback of Twilio's, which knows us by our public address."""
        event = {"CallSid": "CA1", "CallStatus": "ringing", "Direction": "inbound", "From": "+33123456789"}
        theirs = RequestValidator(AUTH_TOKEN).compute_signature(
            f"{public_url}/hooks/twilio?a=%20b", event | fields
        )
        headers = {"x-twilio-signature": theirs} | ({"host": host} if host else {})
        return await self.place.client.post("/hooks/twilio?a=%20b", data=event | fields, headers=headers)

    async def post(self, dialect: str, body: bytes) -> httpx2.Response:
        """Post a body with the proof of its vendor."""
        whole = posted(dialect, body, secret=self.secrets[dialect] or SHARED)
        headers = {**whole.headers, "content-type": whole.content_type}
        return await self.place.client.post(f"/hooks/{dialect}", content=body, headers=headers)

    async def call(self, call_id: str) -> Call:
        """Read a call."""
        asked = select(tables.calls.c.id).where(tables.calls.c.call_id == call_id)
        ids = await self.services.store.read(lambda c: list(c.execute(asked).scalars()))
        (row,) = await self.services.store.read(lambda c: calls.by_ids(c, ids))
        assert row.call is not None
        return row.call

    async def unread(self, slug: str) -> list[str]:
        """Read why bodies of a phone system were kept unread."""
        phone = (await self.services.phone_systems.find(slug)).phone
        return [
            one.reason for one in await self.services.store.read(lambda c: events.list_unread(c, phone.id))
        ]
