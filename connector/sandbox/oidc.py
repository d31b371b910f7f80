"""OpenID Connect as Zoho does it: discovery, keys, id tokens, userinfo (accounts.md section 4).

Issuer and keys are those of the user's data centre. `first_name` and `last_name` stand where others say
given_name and family_name; the nonce comes back only if the switch `nonce_echoed` is on.
"""

import base64
import functools
import gzip
import hashlib
import json
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connector.sandbox.config import Config, DataCenter, User
from connector.sandbox.responses import bearer_of, page, zoho_json
from connector.sandbox.state import SandboxState, data_center_of, state_of
from connector.sandbox.tokens import PROFILE_SCOPES, Code

_LIFE_SECONDS = 3_600

_ODD_KEYS = (
    {"kty": "AKP", "alg": "ML-DSA-44", "kid": "sandbox-odd", "pub": "AAAA"},
    {"kty": "RSA", "alg": "RS256", "e": "AQAB"},
    {"kid": "sandbox-odd"},
)
"""A type that nobody knows yet, a key that nobody can name or use, and one without a type."""


def routes() -> list[Route]:
    """List the addresses of OpenID Connect."""
    return [
        Route("/.well-known/openid-configuration", discovery),
        Route("/oauth/v2/keys", keys),
        Route("/oauth/v2/userinfo", userinfo, methods=["GET", "POST"]),
        Route("/oauth/user/info", legacy_user_info),
    ]


def id_token(state: SandboxState, data_center: DataCenter, code: Code, access_token: str) -> str:
    """Sign the id token of a code's user, with RS256."""
    user = state.config.user(code.grant.zuid)
    if user is None:
        raise LookupError(code.grant.zuid)
    issued_at = state.clock.now() // 1000
    claims: dict[str, object] = {
        "iss": data_center.accounts,
        "sub": user.zuid,
        "aud": code.grant.client_id,
        "iat": issued_at,
        "exp": issued_at + _LIFE_SECONDS,
        "at_hash": _at_hash(access_token),
        **_person(user, code.grant.scopes),
    }
    if code.nonce is not None and state.config.nonce_echoed:
        claims["nonce"] = code.nonce
    if state.config.jwt_sub_number:
        claims["sub"] = int(user.zuid)
    claims |= state.config.jwt_claims
    return _signed(state.config, _key(data_center.location, _bits(state.config)), claims)


def _person(user: User, scopes: frozenset[str]) -> dict[str, object]:
    """Return the claims about a user that the scopes allow."""
    said: dict[str, object] = {}
    if "email" in scopes:
        said |= {"email": user.email, "email_verified": user.email_verified}
    if "profile" in scopes:
        said |= {"first_name": user.first_name, "last_name": user.last_name, "name": user.display_name}
    return said


def _signed(config: Config, key: "_SigningKey", claims: dict[str, object]) -> str:
    """Sign with RS256; the header names the key and the parts are padded as the switches say."""
    names = {"both": ("key_id", "kid"), "neither": ()}.get(config.jwt_key_named, (config.jwt_key_named,))
    kind = "JWS" if "key_id" in names else "JWT"
    header = {**dict.fromkeys(names, key.kid), "typ": kind, "alg": "RS256"}
    # The standard library's writer can spell half a character, which some switch may want.
    signed = b".".join(_encoded(config, json.dumps(part).encode()) for part in (header, claims))
    signature = key.private.sign(signed, PKCS1v15(), SHA256())
    return b".".join((signed, _encoded(config, signature))).decode()


def _encoded(config: Config, part: bytes) -> bytes:
    encoded = base64.urlsafe_b64encode(part)
    return encoded if config.jwt_padded else encoded.rstrip(b"=")


def _at_hash(access_token: str) -> str:
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def _bits(config: Config) -> int:
    return 1_024 if config.key_set == "short" else 2_048


class _SigningKey(NamedTuple):
    kid: str
    private: RSAPrivateKey


@functools.cache
def _key(location: str, bits: int) -> _SigningKey:
    """Return the signing key of a data centre, the same for the life of this process."""
    return _SigningKey(f"sandbox-{location}", generate_private_key(65_537, bits))


def _listed(key: _SigningKey) -> dict[str, str]:
    """Write the public half of a key as RFC 7517 has it."""
    public = key.private.public_key().public_numbers()
    parts = {"n": public.n.to_bytes(-(-public.n.bit_length() // 8), "big"), "e": b"\x01\x00\x01"}
    encoded = {name: base64.urlsafe_b64encode(part).rstrip(b"=").decode() for name, part in parts.items()}
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.kid, **encoded}


@functools.cache
def _packed_bomb() -> bytes:
    """Pack 64 MiB of spaces into 64 kB."""
    return gzip.compress(b" " * 2**26, 9)


async def keys(request: Request) -> Response:
    """Return the public keys of this data centre, as the switches `odd_keys` and `key_set` have them."""
    config = state_of(request).config
    if config.key_set == "packed":
        headers = {"Content-Encoding": "gzip"}
        return Response(_packed_bomb(), media_type="application/json", headers=headers)
    if config.key_set == "nested":
        return Response(b'{"keys":' + b"[" * 100_000, media_type="application/json")
    known = _listed(_key(data_center_of(request).location, _bits(config)))
    odd = _ODD_KEYS if config.odd_keys else ()
    return JSONResponse({"keys": [*odd, known, *odd]})


async def discovery(request: Request) -> Response:
    """Return the discovery document of this data centre, with what Zoho's lacks lacking."""
    origin = data_center_of(request).accounts
    centers = state_of(request).config.data_centers
    return JSONResponse(
        {
            "issuer": origin,
            "authorization_endpoint": f"{origin}/oauth/v2/auth",
            "token_endpoint": f"{origin}/oauth/v2/token",
            "userinfo_endpoint": f"{origin}/oauth/v2/userinfo",
            "jwks_uri": f"{origin}/oauth/v2/keys",
            "revocation_endpoint": f"{origin}/oauth/v2/token/revoke",
            "introspection_endpoint": f"{origin}/oauth/v2/introspect",
            "response_types_supported": ["code", "token"],
            "response_modes_supported": ["query", "fragment"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "RS384"],
            "scopes_supported": ["email", "profile", "openid", "phone"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "claims_supported": [
                *("aud", "email", "email_verified", "exp", "iat", "iss", "sub", "at_hash"),
                *("name", "first_name", "last_name"),
            ],
            "dc_info": {center.location: center.accounts for center in centers},
        }
    )


async def userinfo(request: Request) -> Response:
    """Return who a token is; without the scope `email`, HTTP 400 with a page."""
    state = state_of(request)
    grant = state.tokens.resolve(bearer_of(request))
    user = None if grant is None else state.config.user(grant.zuid)
    if grant is None or user is None:
        return JSONResponse({"error": "INVALID_OAUTHTOKEN"}, 401)
    if "email" not in grant.scopes:
        return page("error.html", 400, title="Zoho Accounts", text="The request cannot be carried out.")
    return JSONResponse({"sub": user.zuid, **_person(user, grant.scopes)})


async def legacy_user_info(request: Request) -> Response:
    """Return `/oauth/user/info`; without its scope, HTTP 200 with a status code inside."""
    state = state_of(request)
    grant = state.tokens.resolve(bearer_of(request))
    user = None if grant is None else state.config.user(grant.zuid)
    if grant is None or user is None:
        return zoho_json({"error": "INVALID_OAUTHTOKEN"}, 401)
    if not grant.scopes & PROFILE_SCOPES:
        return zoho_json({"status_code": 405})
    return zoho_json(
        {
            "First_Name": user.first_name,
            "Last_Name": user.last_name,
            "Email": user.email,
            "Display_Name": user.display_name,
            "ZUID": int(user.zuid),
        }
    )
