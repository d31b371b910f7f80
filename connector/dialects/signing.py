"""Verify who posted: signatures of Standard Webhooks, and secrets in addresses, which some vendors need."""

import hmac
import secrets as random
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from functools import lru_cache

from connector.clock import SECOND
from connector.errors import BadSignature, SettingsError

TOLERANCE_SECONDS = 300

_PREFIX = "whsec_"

_SHORTEST_KEY_BYTES = 24

_TOKEN_BYTES = 32


def new_secret() -> str:
    """Make a signing secret: whsec_ and 32 random bytes in base64."""
    return _PREFIX + b64encode(random.token_bytes(32)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Make the webhook-signature of an attempt; `timestamp` is in seconds.

    Raises SettingsError for what is no signing secret.
    """
    return f"v1,{_digest(secret, message_id, str(timestamp), body).decode()}"


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now: int,
    tolerance_seconds: int = TOLERANCE_SECONDS,
) -> None:
    """Pass if one signature was made with one of the secrets, at most so long before or after `now`.

    Header names are in lower case. Raises BadSignature, whose message never holds a secret or the
    signature that was expected.
    """
    message_id = _header(headers, "webhook-id")
    timestamp = _header(headers, "webhook-timestamp")
    given = _header(headers, "webhook-signature")
    _check_age(timestamp, now, tolerance_seconds)
    offered = [one[3:].encode() for one in given.split() if one.startswith("v1,")]
    expected = [_digest(secret, message_id, timestamp, body) for secret in secrets]
    if not any(hmac.compare_digest(one, other) for one in offered for other in expected):
        raise BadSignature("no webhook-signature of this request was made with a secret that is valid now")


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise BadSignature(f"the header {name} is missing")
    return value


def _check_age(timestamp: str, now: int, tolerance_seconds: int) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise BadSignature("webhook-timestamp is no number of seconds since 1970")
    age_seconds = now // SECOND - int(timestamp)
    if age_seconds > tolerance_seconds:
        raise BadSignature(f"this attempt is stale: signed {age_seconds} s ago; sign anew at each attempt")
    if age_seconds < -tolerance_seconds:
        raise BadSignature(f"this attempt comes from the future: signed {-age_seconds} s ahead of our clock")


def _digest(secret: str, message_id: str, timestamp: str, body: bytes) -> bytes:
    # Header values reach us decoded as latin-1; this gives their bytes back.
    head = f"{message_id}.{timestamp}.".encode("latin-1", "replace")
    # Unlike hmac.digest, this keeps the interpreter's lock for a small body: giving it up for some
    # microseconds means to wait for as long as the writer holds it.
    digest = _keyed(secret).copy()
    digest.update(head + body)
    return b64encode(digest.digest())


@lru_cache(maxsize=256)
def _keyed(secret: str) -> hmac.HMAC:
    """Begin a digest: reading a key and beginning with it costs more than the digest of a small body."""
    return hmac.new(_key(secret), digestmod="sha256")


def _key(secret: str) -> bytes:
    try:
        key = b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (NotBase64, ValueError) as problem:
        raise SettingsError("a signing secret is whsec_ and base64") from problem
    if len(key) < _SHORTEST_KEY_BYTES:
        raise SettingsError(f"a signing secret holds at least {_SHORTEST_KEY_BYTES} bytes")
    return key


def new_token() -> str:
    """Make a secret for an address: 43 letters, digits, hyphens and underscores."""
    return random.token_urlsafe(_TOKEN_BYTES)


def verify_address_secret(token: str, secrets: Sequence[str]) -> None:
    """Pass if this is one of the secrets; BadSignature, whose message repeats nothing of it, if not."""
    given = token.encode("utf-8", "replace")
    # Every secret is compared, so that the time taken says nothing of which one was close.
    matches = [hmac.compare_digest(given, secret.encode()) for secret in secrets]
    if not any(matches):
        raise BadSignature("the secret in the address is missing or wrong")
