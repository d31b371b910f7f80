"""Id tokens of Zoho (OpenID Connect): who signs in, proved by the keys of the user's data centre.

Sources: "Sign in using Zoho" and the discovery document; RS256 and RS384 are all that it lists.
"""

from typing import Any

import httpx2
import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from connector.errors import BadIdentity, ZohoDown
from connector.times import HOUR, SECOND, Clock
from connector.zoho.data_centers import DataCenter
from connector.zoho.transport import mapped

KEYS_PATH = "/oauth/v2/keys"
ALGORITHMS = ("RS256", "RS384")
LEEWAY_SECONDS = 120
KEEP_KEYS = HOUR


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A person as Zoho vouches for: (issuer, sub) is the key, the rest may change."""

    issuer: str
    sub: str
    email: str | None
    email_verified: bool
    name: str


class IdTokens:
    """Verify id tokens, with each data centre's keys kept for an hour."""

    def __init__(self, http: httpx2.AsyncClient, client_id: str, clock: Clock) -> None:
        self._http = http
        self._client_id = client_id
        self._clock = clock
        self._kept: dict[str, tuple[KeySet, int]] = {}
        # Zoho may add header members; they are read by nobody, and no reason to refuse a person.
        self._registry = jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)

    async def verify(self, dc: DataCenter, id_token: str | None, nonce: str | None) -> Identity:
        """Answer the identity of a token whose signature, issuer, audience and times hold.

        A nonce in it must be ours; that there is one is not required, for Zoho documents none.
        Raises BadIdentity, or ZohoDown if the keys cannot be had.
        """
        if not id_token:
            raise BadIdentity("Zoho's answer holds no id token.")
        try:
            kid = _kid(id_token)
            keys = await self._keys_with(dc, kid)
            token = jwt.decode(id_token, keys.get_by_kid(kid), list(ALGORITHMS), self._registry)
            self._check(dc, token.claims, nonce)
        except (JoseError, ValueError, TypeError) as problem:
            raise BadIdentity(f"The id token of {dc.name} does not hold: {problem}.") from problem
        return _identity(token.claims)

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
            raise BadIdentity(f"The id token of {dc.name} answers another sign-in (nonce).")

    async def _keys_with(self, dc: DataCenter, kid: str) -> KeySet:
        """Answer the data centre's keys, fetched once more if none of them has this id."""
        keys, at = self._kept.get(dc.location, (KeySet([]), 0))
        if self._clock() - at >= KEEP_KEYS or kid not in {key.kid for key in keys}:
            keys = await self._fetch(dc)
            self._kept[dc.location] = (keys, self._clock())
        return keys

    async def _fetch(self, dc: DataCenter) -> KeySet:
        with mapped(f"{dc.name}: GET {KEYS_PATH}", at=dc.accounts, repeatable=True):
            response = await self._http.get(dc.accounts + KEYS_PATH)
        try:
            return KeySet.import_key_set(response.raise_for_status().json())
        except (httpx2.HTTPStatusError, JoseError, ValueError, TypeError, LookupError) as problem:
            raise ZohoDown(f"{dc.name}: the keys of id tokens cannot be read ({problem}).") from problem


def _kid(id_token: str) -> str:
    kid = jws.extract_compact(id_token.encode()).headers().get("kid")
    if not isinstance(kid, str) or not kid:
        raise BadIdentity("The id token does not say which key signed it.")
    return kid


def _identity(claims: dict[str, Any]) -> Identity:
    email = claims.get("email")
    email = email if isinstance(email, str) and email else None
    parts = (claims.get("first_name"), claims.get("last_name"))
    joined = " ".join(part for part in parts if isinstance(part, str) and part)
    return Identity(
        issuer=claims["iss"],
        sub=claims["sub"],
        email=email,
        email_verified=claims.get("email_verified") in (True, "true"),
        name=str(claims.get("name") or joined or email or claims["sub"]),
    )
