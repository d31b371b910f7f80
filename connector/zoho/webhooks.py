"""Desk's webhooks: subscribe, prove that a request is Desk's, and read which contacts it is about.

Sources: the official OpenAPI file (Webhook.json) for the subscription; Desk's webhook document for the
token. Only the token is signed, never the body: it says which contact to read again, and nothing more.
"""

from typing import Any, Literal

import httpx2
import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from connector.errors import BadSignature, ZohoDown
from connector.times import HOUR, MINUTE, SECOND, Clock
from connector.zoho.data_centers import DataCenter
from connector.zoho.transport import mapped

HEADER = "X-ZDesk-JWT"
KEYS_PATH = "/.well-known/jwks.json"
ALGORITHMS = ("RS256",)
LEEWAY = 2 * MINUTE
KEEP_KEYS = HOUR
ASK_AGAIN_AFTER = MINUTE
"""How often a key that we do not know makes us ask for the keys: anybody can name one."""

NAME = "Phone connector"
EVENTS = ("Contact_Add", "Contact_Update", "Contact_Delete")
_IN_MILLISECONDS = 100_000_000_000
"""A time claim from here on is in milliseconds: in seconds it would be the year 5138."""


class ContactChange(msgspec.Struct, frozen=True):
    """A contact that something happened to, and whether it is said to be deleted."""

    contact_id: str
    deleted: bool


class Claimed(msgspec.Struct, frozen=True):
    """What a token that is Desk's says of itself: for which portal, and from which subscription."""

    issuer: str
    audience: str


class _Resource(msgspec.Struct):
    id: str | int = ""


class _Event(msgspec.Struct):
    payload: _Resource | None = None
    kind: str = msgspec.field(default="", name="eventType")


_events = msgspec.json.Decoder(list[_Event])


def subscription(url: str) -> dict[str, Any]:
    """Write the body that subscribes to contacts; the former state of one is of no use to us."""
    filters = {"Contact_Add": None, "Contact_Update": {"includePrevState": False}, "Contact_Delete": None}
    return {"name": NAME, "url": url, "isEnabled": True, "subscriptions": filters}


def issuer_of(org_id: str) -> str:
    """Write who signs for a portal."""
    return f"orgId:{org_id}"


def audience_of(webhook_id: str) -> str:
    """Write whom a subscription's tokens are for."""
    return f"webhookId:{webhook_id}"


def read_changes(body: bytes) -> list[ContactChange]:
    """Answer each contact that a body is about once; what cannot be read, or is something else, is nothing.

    The ids were sent by anybody who has seen a token, so they are digits or left out.
    """
    try:
        events = _events.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
    gone: dict[str, bool] = {}
    for event in events:
        contact_id = str(event.payload.id) if event.payload else ""
        if event.kind in EVENTS and contact_id.isascii() and contact_id.isdigit() and len(contact_id) <= 20:
            gone[contact_id] = event.kind == "Contact_Delete"
    return [ContactChange(contact_id, deleted) for contact_id, deleted in gone.items()]


class HookTokens:
    """Verify the tokens of Desk's requests, with each data centre's keys kept for an hour."""

    def __init__(self, http: httpx2.AsyncClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._kept: dict[str, tuple[KeySet, int]] = {}
        self._registry = jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)

    async def verify(self, dc: DataCenter, token: str | None) -> Claimed:
        """Answer what a token claims whose signature and times hold; the caller compares whose it is.

        BadSignature for any other, ZohoDown if the keys cannot be had.
        """
        if not token:
            raise BadSignature(f"The header {HEADER} is missing.")
        try:
            kid = jws.extract_compact(token.encode()).headers().get("kid")
            keys = await self._keys_with(dc, str(kid))
            claims = jwt.decode(token, keys.get_by_kid(str(kid)), list(ALGORITHMS), self._registry).claims
        except (JoseError, ValueError, TypeError) as problem:
            raise BadSignature(f"The token of {dc.name} does not hold: {problem}.") from problem
        self._check_times(claims)
        return Claimed(str(claims.get("iss")), str(claims.get("aud")))

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self._clock()
        ends_at, begins_at = _moment(claims, "exp"), _moment(claims, "iat")
        if ends_at is None or ends_at + LEEWAY < now:
            raise BadSignature("The token is over.")
        if begins_at is not None and begins_at - LEEWAY > now:
            raise BadSignature("The token begins in the future.")

    async def _keys_with(self, dc: DataCenter, kid: str) -> KeySet:
        """Answer the data centre's keys, fetched again for one that we do not know, yet not too often."""
        keys, at = self._kept.get(dc.location, (KeySet([]), -HOUR))
        age = self._clock() - at
        if age >= KEEP_KEYS or (age >= ASK_AGAIN_AFTER and kid not in {key.kid for key in keys}):
            keys = await self._fetch(dc)
            self._kept[dc.location] = (keys, self._clock())
        return keys

    async def _fetch(self, dc: DataCenter) -> KeySet:
        origin = dc.desk_origin()
        with mapped(f"{dc.name}: GET {KEYS_PATH}", at=origin, repeatable=True):
            response = await self._http.get(origin + KEYS_PATH)
        try:
            return KeySet.import_key_set(response.raise_for_status().json())
        except (httpx2.HTTPStatusError, JoseError, ValueError, TypeError, LookupError) as problem:
            raise ZohoDown(f"{dc.name}: the keys of webhooks cannot be read ({problem}).") from problem


def _moment(claims: dict[str, Any], name: Literal["exp", "iat"]) -> int | None:
    """Read a time claim: seconds by the standard, milliseconds by Desk's own text."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value >= _IN_MILLISECONDS else int(value * SECOND)
