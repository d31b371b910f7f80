"""Verify who posted: by a signature, by a key in a header, or by a secret in the address."""

import hmac
import secrets as random
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from functools import lru_cache

from connector.casing import ascii_lower
from connector.clock import SECOND
from connector.errors import BadSignature, SettingsError

TOLERANCE_SECONDS = 300

_PREFIX = "whsec_"

_SHORTEST_KEY_BYTES = 24

_TOKEN_BYTES = 32

_SHORTEST_WORD = 16
_KEY_AT_MOST = 1_000


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


def verify_hex(given: str, body: bytes, secrets: Sequence[str]) -> None:
    """Pass if this is the HMAC-SHA256 of the body, in hex, with one of the secrets; BadSignature if not."""
    told = ascii_lower(given).encode("utf-8", "replace")
    expected = [hmac.digest(secret.encode(), body, "sha256").hex().encode() for secret in secrets]
    matches = [hmac.compare_digest(told, one) for one in expected]
    if not any(matches):
        raise BadSignature(
            "the signature is missing, or was not made over this body with the secret kept here"
        )


def verify_key(headers: Mapping[str, str], secrets: Sequence[str]) -> None:
    """Pass if the header Authorization holds one of the secrets; BadSignature if not.

    It may be the password or the user of Basic, or the token of Bearer. Header names are in lower case.
    """
    scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
    kind, told = ascii_lower(scheme), rest.strip()[:_KEY_AT_MOST]
    if kind not in ("basic", "bearer"):
        raise BadSignature("the header Authorization with the key is missing")
    verify_word(*(_words_of_basic(told) if kind == "basic" else (told,)), secrets=secrets)


def verify_word(*given: str, secrets: Sequence[str]) -> None:
    """Pass if one of these words is one of the secrets; BadSignature, which repeats nothing, if not."""
    words = [word.encode("utf-8", "replace") for word in given if word]
    # All are compared, so that the time taken says nothing of which one was close.
    matches = [hmac.compare_digest(word, secret.encode()) for word in words for secret in secrets]
    if not any(matches):
        raise BadSignature("the key is missing, or none that is valid now")


def _words_of_basic(told: str) -> tuple[str, ...]:
    try:
        user, _, password = b64decode(told, validate=True).decode("utf-8", "replace").partition(":")
    except (NotBase64, ValueError) as problem:
        raise BadSignature("the header Authorization is no base64") from problem
    return user, password


def check_word(given: str, shortest: int = _SHORTEST_WORD) -> None:
    """Raise SettingsError for what is too short, too long or too odd to be a secret that a vendor shares."""
    is_word = given.isascii() and given.isprintable() and " " not in given
    if not shortest <= len(given) <= _KEY_AT_MOST or not is_word:
        raise SettingsError(
            f"a shared secret has {shortest} to {_KEY_AT_MOST} letters, digits and marks, without blanks"
        )


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
