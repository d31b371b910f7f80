"""What Zoho's token endpoint answers, without I/O: tokens, or the exception that its oddities mean.

Errors come as `{"error": ...}` under HTTP 200 or 400; the body decides, never the status.
"""

import msgspec

from connector.casing import ascii_lower
from connector.errors import (
    ClientRefused,
    CodeRefused,
    ConnectorError,
    GrantLost,
    NoRefreshToken,
    TokensThrottled,
    ZohoDown,
    ZohoRefused,
)
from connector.times import SECOND

THROTTLED_SECONDS = 600
"""Zoho's window: asking again within it makes it longer."""

LONGEST_LIFE_SECONDS = 3_600
"""An access token lives an hour; answers of old have named it in milliseconds."""


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


class _Answer(msgspec.Struct, frozen=True):
    access_token: str
    refresh_token: str | None = None
    scope: str | None = None
    api_domain: str | None = None
    id_token: str | None = None
    expires_in: float | None = None
    expires_in_sec: float | None = None


class _Error(msgspec.Struct, frozen=True):
    error: str = ""


_errors = msgspec.json.Decoder(_Error)
_answers = msgspec.json.Decoder(_Answer, strict=False)


def decipher(where: str, status: int, body: bytes, now: int, *, refreshing: bool) -> Tokens:
    """Read the tokens of an answer received at `now`, or raise what it means instead.

    `where` begins the message; `refreshing` tells a lost grant from a refused code.
    """
    error = error_of(body)
    if error:
        raise _meaning(where, error, refreshing=refreshing)
    try:
        read = _answers.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise ZohoDown(f"{where}: Zoho Accounts answered {status} and no token ({problem}).") from problem
    return Tokens(
        access_token=read.access_token,
        expires_at=now + _life_seconds(read) * SECOND,
        refresh_token=read.refresh_token,
        scope=read.scope,
        api_domain=read.api_domain,
        id_token=read.id_token,
    )


def error_of(body: bytes) -> str:
    """Answer the `error` of a JSON body, "" where there is none or it is no JSON."""
    try:
        return _errors.decode(body).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""


def with_refresh_token(found: Tokens) -> Tokens:
    """Insist on a refresh token; raises NoRefreshToken."""
    if found.refresh_token is None:
        raise NoRefreshToken(
            "Zoho gave an access token but no refresh token: remove the connector under Connected Apps "
            "in your Zoho account, then link again."
        )
    return found


def _life_seconds(read: _Answer) -> int:
    told = read.expires_in if read.expires_in_sec is None else read.expires_in_sec
    return LONGEST_LIFE_SECONDS if told is None else int(max(0, min(told, LONGEST_LIFE_SECONDS)))


def _meaning(where: str, error: str, *, refreshing: bool) -> ConnectorError:
    if ascii_lower(error) == "access denied":
        return TokensThrottled(f"{where}: too many tokens were asked for.", THROTTLED_SECONDS)
    if error == "invalid_code" and refreshing:
        return GrantLost(f"{where}: the grant is revoked or has been pushed out by newer ones.")
    if error == "invalid_code":
        return CodeRefused(f"{where}: the code is used up, older than two minutes or none of ours.")
    if error in _CLIENT:
        return ClientRefused(f"{where}: {_CLIENT[error]} ({error}).")
    if error == "general_error":
        return ZohoDown(f"{where}: Zoho Accounts reports a general error.")
    return ZohoRefused(f"{where}: Zoho Accounts refuses with {error!r}.")


_CLIENT = {
    "invalid_client": "the client is unknown here, or not enabled for this data centre",
    "invalid_client_secret": "the client secret is not the one of this data centre",
    "invalid_redirect_uri": "the redirect address is not registered with the client",
}
