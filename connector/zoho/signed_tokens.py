"""JSON Web Tokens that Zoho signs: by whose key, whatever their header calls it; and who an id token is of.

Sources: "Sign in using Zoho" and the discovery document for id tokens (RS256 and RS384 are all that it
lists); the id token in Zoho's "User authentication" page, which names its key `key_id` and pads its parts;
RFC 7515 and 7517 for the rest.
joserfc is loaded with the first token: a process that starts has none yet.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2
import msgspec

from connector.clock import HOUR, SECOND, Clock
from connector.errors import BadIdentity, ZohoDown
from connector.zoho.data_centers import DataCenter
from connector.zoho.transport import mapped

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

KEEP_KEYS = HOUR
LONGEST_TOKEN = 16_384
"""Characters; Zoho's have about a thousand."""

KEY_SET_LENGTH = 256 * 2**10
"""Bytes of a key set that are looked at; Zoho's have about a thousand."""

KEYS_AT_MOST = 50
"""Keys of a set that are tried: each costs a signature where a token names none."""

KEY_BITS = (2_048, 8_192)
"""How long a key may be: shorter ones can be broken, longer ones cost seconds of computing."""

EXPONENT_AT_MOST = 2**32
"""Of a public key: 65,537 everywhere, and the time that a signature takes grows with it."""

SUBJECT_LENGTH = 255
"""Characters of `sub`, ASCII alone (OpenID Connect Core, section 2); Zoho's are digits."""

NAMES = ("kid", "key_id")
"""What headers and keys call the id of a key."""

JsonObject = dict[str, Any]

ID_KEYS_PATH = "/oauth/v2/keys"
ID_ALGORITHMS = ("RS256", "RS384")
LEEWAY_SECONDS = 120
TIME_DIGITS_AT_MOST = 12


class _Key(NamedTuple):
    """A key that signs, by the id that its list gives it; `algorithm` is None where it suits several."""

    id: str | None
    algorithm: str | None
    key: "RSAKey"


class _Token(NamedTuple):
    """A token taken apart; `messages` is what its signature may have been made over."""

    header: JsonObject
    claims: JsonObject
    messages: tuple[bytes, ...]
    signature: bytes

    @property
    def key_ids(self) -> set[str]:
        """Return the ids that the header gives the key; none at all, where it names none."""
        return _ids(self.header)


class SignedTokens:
    """Read tokens by the keys that lie at a path of a server, kept for an hour.

    Keys are fetched again for a token that none of the kept ones has signed, but not before they are
    `ask_again_after` milliseconds old: anybody can send such a token where anybody can post.
    """

    def __init__(
        self,
        http: httpx2.AsyncClient,
        clock: Clock,
        *,
        path: str,
        algorithms: tuple[str, ...],
        ask_again_after: int = 0,
    ) -> None:
        self._http = http
        self._clock = clock
        self._path = path
        self._algorithms = algorithms
        self._ask_again_after = ask_again_after
        self._kept: dict[str, tuple[list[_Key], int]] = {}

    async def read(self, name: str, origin: str, token: str) -> JsonObject:
        """Return the claims of a token that one of the server's keys has signed.

        Raises ValueError that says what is wrong with it, or ZohoDown if the keys cannot be had.
        """
        taken = _taken_apart(token)
        if taken.header.get("alg") not in self._algorithms:
            raise ValueError("its header names no algorithm that Zoho signs with")
        if self._is_signed(taken, self._kept_keys(origin)):
            return taken.claims
        if self._may_ask(origin) and self._is_signed(taken, await self._fetch(name, origin)):
            return taken.claims
        raise ValueError(self._why_not(taken, self._kept[origin][0]))

    def _kept_keys(self, origin: str) -> list[_Key]:
        keys, at = self._kept.get(origin, ([], 0))
        return keys if self._clock() - at < KEEP_KEYS else []

    def _may_ask(self, origin: str) -> bool:
        return origin not in self._kept or self._clock() - self._kept[origin][1] >= self._ask_again_after

    def _is_signed(self, taken: _Token, keys: list[_Key]) -> bool:
        from joserfc.jws import JWSRegistry

        with _value_errors():
            algorithm = JWSRegistry(algorithms=list(self._algorithms)).get_alg(taken.header["alg"])
            return any(
                algorithm.verify(message, taken.signature, each.key)
                for each in _candidates(taken, keys)
                for message in taken.messages
            )

    def _why_not(self, taken: _Token, keys: list[_Key]) -> str:
        if any(_candidates(taken, keys)):
            return "its signature is not by the key that it names"
        return "it names a key that is not among those of the server, or none"

    async def _fetch(self, name: str, origin: str) -> list[_Key]:
        with mapped(f"{name}: GET {self._path}", at=origin, repeatable=True):
            response = await self._http.get(origin + self._path)
        body = response.content if len(response.content) <= KEY_SET_LENGTH else b""
        keys = list(_readable(body)) if response.status_code == 200 else []
        if not keys:
            raise ZohoDown(f"{name}: GET {self._path}: no key can be read ({response.status_code}).")
        self._kept[origin] = (keys, self._clock())
        return keys


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A person as Zoho vouches for: (issuer, sub) is the key, the rest may change.

    `has_nonce` says that the token answers this very sign-in, and no other one.
    """

    issuer: str
    sub: str
    email: str | None
    email_verified: bool
    name: str
    has_nonce: bool = False


class IdTokens:
    """Verify id tokens by the keys of each data centre."""

    def __init__(self, http: httpx2.AsyncClient, client_id: str, clock: Clock) -> None:
        self._client_id = client_id
        self._clock = clock
        self._tokens = SignedTokens(http, clock, path=ID_KEYS_PATH, algorithms=ID_ALGORITHMS)

    async def verify(self, dc: DataCenter, id_token: str | None, nonce: str | None) -> Identity:
        """Return the identity of a token whose signature, issuer, audience and times hold.

        A nonce in it must be ours. Whether there must be one is for whoever knows what this data centre has
        done before to say: Zoho documents none.
        Raises BadIdentity, whose message names the reason, or ZohoDown if the keys cannot be had.
        """
        if not id_token:
            raise BadIdentity(f"{dc.name}: Zoho's answer holds no id token.")
        try:
            claims = _normalised(await self._tokens.read(dc.name, dc.accounts, id_token))
            self._check(dc, claims, nonce)
        except (ValueError, TypeError) as problem:
            raise BadIdentity(f"The id token of {dc.name} is not valid: {problem}.") from problem
        return _identity(claims)

    def _check(self, dc: DataCenter, claims: dict[str, Any], nonce: str | None) -> None:
        from joserfc.jwt import JWTClaimsRegistry

        registry = JWTClaimsRegistry(
            now=self._clock() // SECOND,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": dc.accounts},
            aud={"essential": True, "value": self._client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        with _value_errors():
            registry.validate(claims)
        if claims.get("nonce") not in (None, nonce):
            raise ValueError("it answers another sign-in (nonce)")
        self._check_party(claims)
        if not _is_subject(claims["sub"]):
            raise ValueError("it names nobody that Zoho could mean (sub)")

    def _check_party(self, claims: JsonObject) -> None:
        """Raise ValueError unless the token was made for us, as OpenID Connect Core (3.1.3.7) has it."""
        party, audience = claims.get("azp"), claims["aud"]
        is_shared = isinstance(audience, list) and len(audience) > 1
        if party != self._client_id and (party is not None or is_shared):
            raise ValueError("it was made for another client (azp)")


@contextmanager
def _value_errors() -> Iterator[None]:
    """Raise the library's errors as ValueError with the same words."""
    from joserfc.errors import JoseError

    try:
        yield
    except JoseError as problem:
        raise ValueError(str(problem)) from problem


def _taken_apart(token: str) -> _Token:
    parts = token.split(".")
    if len(token) > LONGEST_TOKEN or not token.isascii() or len(parts) != 3:
        raise ValueError("it is no signed token of three parts")
    header, claims = _object(_decoded(parts[0])), _object(_decoded(parts[1]))
    if "crit" in header:
        raise ValueError("its header demands something that is not known here")
    sent, bare = (".".join(each).encode() for each in (parts[:2], [part.rstrip("=") for part in parts[:2]]))
    return _Token(header, claims, (sent,) if sent == bare else (sent, bare), _decoded(parts[2]))


def _decoded(part: str) -> bytes:
    bare = part.rstrip("=").encode()
    return b64decode(bare + b"=" * (-len(bare) % 4), b"-_", validate=True)


def _object(part: bytes) -> JsonObject:
    try:
        return msgspec.json.decode(part, type=JsonObject)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise ValueError("one of its parts is no JSON object") from problem


def _ids(named: Mapping[str, Any]) -> set[str]:
    return {str(named[name]) for name in NAMES if isinstance(named.get(name), str | int) and named[name]}


def _candidates(taken: _Token, keys: list[_Key]) -> Iterator[_Key]:
    """Yield the keys that the token names, or all of its algorithm where it names none."""
    for each in keys:
        is_meant = not taken.key_ids or each.id in taken.key_ids
        if is_meant and each.algorithm in (None, taken.header["alg"]):
            yield each


def _readable(body: bytes) -> Iterator[_Key]:
    """Yield the RSA keys of a key set; what is no such key is passed over, as RFC 7517 (section 5) says.

    So is one that is too weak, or too costly, to vouch for anybody.
    """
    try:
        listed = msgspec.json.decode(body, type=dict[str, Any]).get("keys")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    for each in listed[:KEYS_AT_MOST] if isinstance(listed, list) else ():
        if isinstance(each, dict) and each.get("kty") == "RSA" and each.get("use") in (None, "sig"):
            yield from _named(each)


def _named(listed: JsonObject) -> Iterator[_Key]:
    from joserfc.jwk import RSAKey

    try:
        if not _is_fit(_number(listed["n"]), _number(listed["e"])):
            return
        with _value_errors():
            key = RSAKey.import_key({"kty": "RSA", "n": listed["n"], "e": listed["e"]})
        names = _ids(listed)
    except (ValueError, TypeError, AttributeError, KeyError):
        return
    for name in names or (None,):
        yield _Key(name, listed.get("alg"), key)


def _is_fit(modulus: int, exponent: int) -> bool:
    shortest, longest = KEY_BITS
    return shortest <= modulus.bit_length() <= longest and exponent < EXPONENT_AT_MOST


def _number(part: str) -> int:
    return int.from_bytes(_decoded(part), "big")


def _normalised(claims: dict[str, Any]) -> dict[str, Any]:
    """Write a number as `sub` in digits, and digits as a time as a number."""
    sub = claims.get("sub")
    written = {"sub": str(sub)} if isinstance(sub, int) and not isinstance(sub, bool) else {}
    times = {name: claims.get(name) for name in ("exp", "iat", "nbf")}
    return (
        claims
        | written
        | {name: int(at) for name, at in times.items() if isinstance(at, str) and _is_time(at)}
    )


def _is_time(text: str) -> bool:
    return len(text) <= TIME_DIGITS_AT_MOST and text.isascii() and text.isdigit()


def _is_subject(sub: str) -> bool:
    return sub.isascii() and sub.isprintable() and len(sub) <= SUBJECT_LENGTH


def _text(claims: JsonObject, name: str) -> str:
    """Return a claim that people read, "" for what is none; no database takes a NUL."""
    value = claims.get(name)
    return value if isinstance(value, str) and "\0" not in value else ""


def _identity(claims: JsonObject) -> Identity:
    email = _text(claims, "email") or None
    joined = " ".join(filter(None, (_text(claims, "first_name"), _text(claims, "last_name"))))
    return Identity(
        issuer=claims["iss"],
        sub=claims["sub"],
        email=email,
        email_verified=claims.get("email_verified") in (True, "true"),
        name=_text(claims, "name") or joined or email or claims["sub"],
        has_nonce=claims.get("nonce") is not None,
    )
