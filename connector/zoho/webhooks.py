"""Desk's webhooks: subscribe, prove that a request is Desk's, and read which records it is about.

Sources: the official OpenAPI file (Webhook.json) for the subscription; Desk's webhook document for the
token. Only the token is signed, never the body: it says which record to read again, and nothing more.
"""

from collections.abc import Collection, Iterable
from typing import Any, Literal

import httpx2
import msgspec

from connector.clock import MINUTE, SECOND, Clock
from connector.errors import BadSignature
from connector.zoho.data_centers import DataCenter
from connector.zoho.models import as_id, as_object
from connector.zoho.signed_tokens import SignedTokens

HEADER = "X-ZDesk-JWT"
KEYS_PATH = "/.well-known/jwks.json"
ALGORITHMS = ("RS256",)
LEEWAY = 2 * MINUTE
ASK_AGAIN_AFTER = MINUTE
"""How often a key that we do not know makes us ask for the keys: anybody can name one."""

NAME = "Phone connector"
ID_LENGTH = 20
EVENTS = ("Contact_Add", "Contact_Update", "Contact_Delete")
ACCOUNT_EVENTS = ("Account_Add", "Account_Update", "Account_Delete")
_IN_MILLISECONDS = 100_000_000_000
"""A time claim from here on is in milliseconds: in seconds it would be the year 5138."""


class ContactChange(msgspec.Struct, frozen=True):
    """A contact that something happened to, and whether it is said to be deleted."""

    contact_id: str
    deleted: bool


class AccountChange(msgspec.Struct, frozen=True):
    """An account that something happened to, and whether it is said to be deleted."""

    account_id: str
    deleted: bool


class Claimed(msgspec.Struct, frozen=True):
    """What a token that is Desk's says of itself: for which portal, and from which subscription."""

    issuer: str
    audience: str


def subscription(url: str, *, accounts: bool = False) -> dict[str, Any]:
    """Write the body that subscribes to contacts, and to accounts; a record's former state is of no use."""
    wanted = (*EVENTS, *(ACCOUNT_EVENTS if accounts else ()))
    filters = {event: {"includePrevState": False} if event.endswith("_Update") else None for event in wanted}
    return {"name": NAME, "url": url, "isEnabled": True, "subscriptions": filters}


def issuer_of(org_id: str) -> str:
    """Write who signs for a portal."""
    return f"orgId:{org_id}"


def audience_of(webhook_id: str) -> str:
    """Write whom a subscription's tokens are for."""
    return f"webhookId:{webhook_id}"


def read_changes(body: bytes) -> list[ContactChange]:
    """Return each contact that a body is about once; what cannot be read, or is something else, is nothing.

    The ids were sent by anybody who has seen a token, so they are digits or left out.
    """
    return [ContactChange(record_id, deleted) for record_id, deleted in _changes(body, EVENTS)]


def read_account_changes(body: bytes) -> list[AccountChange]:
    """Return each account that a body is about once, as `read_changes` does for contacts."""
    return [AccountChange(record_id, deleted) for record_id, deleted in _changes(body, ACCOUNT_EVENTS)]


def _changes(body: bytes, wanted: Collection[str]) -> Iterable[tuple[str, bool]]:
    """Return the id of each record of some events, and whether its last event says that it is deleted."""
    try:
        events = msgspec.json.decode(body, type=list[Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()
    gone: dict[str, bool] = {}
    for event in events:
        told = as_object(event) or {}
        record_id = as_id((as_object(told.get("payload")) or {}).get("id")) or ""
        name = told.get("eventType")
        if isinstance(name, str) and name in wanted and _is_id(record_id):
            gone[record_id] = name.endswith("_Delete")
    return gone.items()


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= ID_LENGTH


class HookTokens:
    """Verify the tokens of Desk's requests by the keys of each data centre."""

    def __init__(self, http: httpx2.AsyncClient, clock: Clock) -> None:
        self._clock = clock
        self._tokens = SignedTokens(
            http, clock, path=KEYS_PATH, algorithms=ALGORITHMS, ask_again_after=ASK_AGAIN_AFTER
        )

    async def verify(self, dc: DataCenter, token: str | None) -> Claimed:
        """Return what a token claims whose signature and times hold; the caller compares whose it is.

        BadSignature for any other, ZohoDown if the keys cannot be had.
        """
        if not token:
            raise BadSignature(f"The header {HEADER} is missing.")
        try:
            claims = await self._tokens.read(dc.name, dc.desk_origin(), token)
        except (ValueError, TypeError) as problem:
            raise BadSignature(f"The token of {dc.name} is not valid: {problem}.") from problem
        self._check_times(claims)
        return Claimed(str(claims.get("iss")), str(claims.get("aud")))

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self._clock()
        ends_at, begins_at = _moment(claims, "exp"), _moment(claims, "iat")
        if ends_at is None or ends_at + LEEWAY < now:
            raise BadSignature("The token has expired.")
        if begins_at is not None and begins_at - LEEWAY > now:
            raise BadSignature("The token is not valid yet.")


def _moment(claims: dict[str, Any], name: Literal["exp", "iat"]) -> int | None:
    """Read a time claim: seconds by the standard, milliseconds by Desk's own text."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value >= _IN_MILLISECONDS else int(value * SECOND)
