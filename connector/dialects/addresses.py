"""Verify the secret that stands in an address, where a vendor offers nothing better or too little."""

import hmac
import secrets as random
from collections.abc import Sequence

from connector.errors import BadSignature

_BYTES = 32


def new_token() -> str:
    """Make a secret for an address: 43 letters, digits, hyphens and underscores."""
    return random.token_urlsafe(_BYTES)


def verify(token: str, secrets: Sequence[str]) -> None:
    """Pass if this is one of the secrets; BadSignature, whose message repeats nothing of it, if not."""
    given = token.encode("utf-8", "replace")
    # Every secret is compared, so that the time taken says nothing of which one was close.
    matches = [hmac.compare_digest(given, secret.encode()) for secret in secrets]
    if not any(matches):
        raise BadSignature("the secret in the address is missing or wrong")
