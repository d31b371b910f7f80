"""Id tokens of Zoho (OpenID Connect): who signs in, proved by the keys of the user's data centre.

Sources: "Sign in using Zoho" and the discovery document; RS256 and RS384 are all that it lists.
"""

from typing import Any, TypeGuard

import httpx2
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError

from connector.clock import SECOND, Clock
from connector.errors import BadIdentity
from connector.zoho.data_centers import DataCenter
from connector.zoho.signed_tokens import SignedTokens

KEYS_PATH = "/oauth/v2/keys"
ALGORITHMS = ("RS256", "RS384")
LEEWAY_SECONDS = 120
DIGITS_AT_MOST = 12


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A person as Zoho vouches for: (issuer, sub) is the key, the rest may change."""

    issuer: str
    sub: str
    email: str | None
    email_verified: bool
    name: str


class IdTokens:
    """Verify id tokens by the keys of each data centre."""

    def __init__(self, http: httpx2.AsyncClient, client_id: str, clock: Clock) -> None:
        self._client_id = client_id
        self._clock = clock
        self._tokens = SignedTokens(http, clock, path=KEYS_PATH, algorithms=ALGORITHMS)

    async def verify(self, dc: DataCenter, id_token: str | None, nonce: str | None) -> Identity:
        """Return the identity of a token whose signature, issuer, audience and times hold.

        A nonce in it must be ours; that there is one is not required, for Zoho documents none.
        Raises BadIdentity, whose message names the reason, or ZohoDown if the keys cannot be had.
        """
        if not id_token:
            raise BadIdentity(f"{dc.name}: Zoho's answer holds no id token.")
        try:
            claims = _plain(await self._tokens.read(dc.name, dc.accounts, id_token))
            self._check(dc, claims, nonce)
        except (JoseError, ValueError, TypeError) as problem:
            raise BadIdentity(f"The id token of {dc.name} does not hold: {problem}.") from problem
        return _identity(claims)

    def _check(self, dc: DataCenter, claims: dict[str, Any], nonce: str | None) -> None:
        registry = jwt.JWTClaimsRegistry(
            now=self._clock() // SECOND,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": dc.accounts},
            aud={"essential": True, "value": self._client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        registry.validate(claims)
        if claims.get("nonce") not in (None, nonce):
            raise ValueError("it answers another sign-in (nonce)")


def _plain(claims: dict[str, Any]) -> dict[str, Any]:
    """Write a number as `sub` in digits, and digits as a time as a number."""
    sub = claims.get("sub")
    written = {"sub": str(sub)} if isinstance(sub, int) and not isinstance(sub, bool) else {}
    times = {name: claims.get(name) for name in ("exp", "iat", "nbf")}
    return claims | written | {name: int(at) for name, at in times.items() if _is_digits(at)}


def _is_digits(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= DIGITS_AT_MOST and value.isascii() and value.isdigit()


def _identity(claims: dict[str, Any]) -> Identity:
    email = claims.get("email")
    email = email if isinstance(email, str) and email else None
    parts = (claims.get("first_name"), claims.get("last_name"))
    joined = " ".join(part for part in parts if isinstance(part, str) and part)
    name = claims.get("name")
    return Identity(
        issuer=claims["iss"],
        sub=claims["sub"],
        email=email,
        email_verified=claims.get("email_verified") in (True, "true"),
        name=(name if isinstance(name, str) else "") or joined or email or claims["sub"],
    )
