"""What Zoho's token endpoint answers, without I/O: tokens, or the exception that its oddities mean.

Errors come as `{"error": ...}` under HTTP 200 or 400; the body decides, never the status.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from connector.casing import ascii_lower
from connector.clock import SECOND
from connector.errors import (
    ClientRefused,
    CodeRefused,
    ConnectorError,
    GrantLost,
    NoRefreshToken,
    NoToken,
    TokensThrottled,
    ZohoDown,
)

THROTTLED_SECONDS = 600
"""Zoho's window: asking again within it makes it longer."""

LONGEST_LIFE_SECONDS = 3_600
"""An access token lives an hour; answers of old have named it in milliseconds."""

ERROR_LENGTH = 60

_objects = msgspec.json.Decoder(dict[str, Any])


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What a token answer holds; its secrets are never printed.

    `expires_at` counts from the receipt. `scope` is optional, and written with spaces whatever was asked.
    """

    access_token: str
    expires_at: int
    refresh_token: str | None = None
    scope: str | None = None
    api_domain: str | None = None
    id_token: str | None = None

    def __repr__(self) -> str:
        held = "refreshable" if self.refresh_token else "not refreshable"
        return f"Tokens({held}, expires_at={self.expires_at}, scope={self.scope!r})"


def decipher(where: str, status: int, body: bytes, now: int, *, refreshing: bool) -> Tokens:
    """Read the tokens of an answer received at `now`, or raise what it means instead.

    Only `access_token` has to be there; any other member that is odd counts as not told.
    `where` begins the message; `refreshing` tells a lost grant from a refused code.
    Raises TokensThrottled, GrantLost, CodeRefused, NoToken, or ZohoDown for what is no answer of Zoho's.
    """
    read = _members(body)
    if error := _text(read, "error"):
        raise _meaning(where, error, _text(read, "error_description"), refreshing=refreshing)
    access_token = _text(read, "access_token")
    if not access_token:
        raise ZohoDown(f"{where}: Zoho Accounts answered {status} and no token.")
    return Tokens(
        access_token=access_token,
        expires_at=now + _life_seconds(read) * SECOND,
        refresh_token=_text(read, "refresh_token") or None,
        scope=_scope(read),
        api_domain=_text(read, "api_domain") or None,
        id_token=_text(read, "id_token") or None,
    )


def error_of(body: bytes) -> str:
    """Return the `error` of a JSON body, "" where there is none or it is no JSON."""
    return _text(_members(body), "error")


def _members(body: bytes) -> dict[str, Any]:
    try:
        return _objects.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}


def _text(read: Mapping[str, Any], name: str) -> str:
    value = read.get(name)
    return value if isinstance(value, str) else ""


def _scope(read: Mapping[str, Any]) -> str | None:
    """Return the granted scopes with spaces between; None where Zoho does not tell them."""
    told = read.get("scope")
    parts = told if isinstance(told, list) else [told]
    return " ".join(part for part in parts if isinstance(part, str)).strip() or None


def with_refresh_token(found: Tokens) -> Tokens:
    """Insist on a refresh token; raises NoRefreshToken."""
    if found.refresh_token is None:
        raise NoRefreshToken(
            "Zoho gave an access token but no refresh token: remove the connector under Connected Apps "
            "in your Zoho account, then link again."
        )
    return found


def _life_seconds(read: Mapping[str, Any]) -> int:
    told = (_seconds(read.get(name)) for name in ("expires_in_sec", "expires_in"))
    return min(next((life for life in told if life > 0), LONGEST_LIFE_SECONDS), LONGEST_LIFE_SECONDS)


def _seconds(value: object) -> int:
    """Return a number of seconds, written as a number or as text; 0 for what is none."""
    try:
        return int(float(value)) if isinstance(value, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0


def _meaning(where: str, error: str, described: str, *, refreshing: bool) -> ConnectorError:
    is_throttled = ascii_lower(error).replace("_", " ") == "access denied"
    if is_throttled or "too many requests" in ascii_lower(described):
        return TokensThrottled(f"{where}: too many tokens were asked for.", THROTTLED_SECONDS)
    if error == "invalid_code" and refreshing:
        return GrantLost(f"{where}: the grant is revoked or has been pushed out by newer ones.")
    if error == "invalid_code":
        return CodeRefused(f"{where}: the code is used up, older than two minutes or none of ours.")
    if error in _CLIENT:
        return ClientRefused(f"{where}: {_CLIENT[error]} ({error}).")
    return NoToken(f"{where}: Zoho Accounts gives no token and says {error[:ERROR_LENGTH]!r}.")


_CLIENT = {
    "invalid_client": "the client is unknown here, or not enabled for this data centre",
    "invalid_client_secret": "the client secret is not the one of this data centre",
    "invalid_redirect_uri": "the redirect address is not registered with the client",
}
