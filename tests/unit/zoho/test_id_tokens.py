"""Id tokens: what holds, and everything that does not."""

import json
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import OctKey, RSAKey

from connector.errors import BadIdentity, ZohoDown
from connector.zoho.data_centers import TABLE
from connector.zoho.signed_tokens import KEEP_KEYS, KEY_SET_LENGTH, KEYS_AT_MOST, Identity, IdTokens
from connector.zoho.transport import http_client
from tests.unit.zoho.samples import sample
from tests.unit.zoho.test_tokens import Answers

pytestmark = pytest.mark.anyio

EU = TABLE["eu"]
NOW = 1_767_603_600_000
KEY = RSAKey.generate_key(2048, {"kid": "k-1"})
OTHER = RSAKey.generate_key(2048, {"kid": "k-2"})
KEYS = json.dumps({"keys": [KEY.as_dict(private=False)]}).encode()
BOTH = json.dumps({"keys": [OTHER.as_dict(private=False), KEY.as_dict(private=False)]}).encode()
CLAIMS = {
    "iss": "https://accounts.zoho.eu",
    "aud": "1000.CLIENT",
    "sub": "675000001",
    "iat": NOW // 1000,
    "exp": NOW // 1000 + 3600,
    "email": "ada@example.com",
    "email_verified": True,
    "first_name": "Ada",
    "last_name": "Fontaine",
}


LENIENT = jws.JWSRegistry(algorithms=["RS256", "RS384"], strict_check_header=False)


def signed(key: RSAKey = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """Sign the claims, changed; a claim of None is left out."""
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return jwt.encode({"alg": "RS256", "kid": key.kid} | (header or {}), claims, key, registry=LENIENT)


def verifier(answers: Answers, now: int = NOW) -> IdTokens:
    """Make a verifier whose keys are laid ready."""
    return IdTokens(http_client(answers), "1000.CLIENT", lambda: now)


async def verify(id_token: str | None, nonce: str | None = "n", now: int = NOW) -> Identity:
    """Verify a token against the keys of one data centre."""
    return await verifier(Answers((200, KEYS), (200, KEYS)), now).verify(EU, id_token, nonce)


async def test_an_identity() -> None:
    """Issuer and subject are the key; Zoho's own names of claims make the name."""
    assert await verify(signed()) == Identity(
        issuer="https://accounts.zoho.eu",
        sub="675000001",
        email="ada@example.com",
        email_verified=True,
        name="Ada Fontaine",
    )


@pytest.mark.parametrize(
    ("changes", "email", "is_verified", "name"),
    [
        ({"email_verified": "true"}, "ada@example.com", True, "Ada Fontaine"),
        ({"email_verified": None}, "ada@example.com", False, "Ada Fontaine"),
        ({"email_verified": "yes"}, "ada@example.com", False, "Ada Fontaine"),
        ({"email": None, "first_name": None, "last_name": None}, None, True, "675000001"),
        ({"name": "A. F."}, "ada@example.com", True, "A. F."),
    ],
)
async def test_what_may_be_missing(
    changes: dict[str, Any], email: str | None, is_verified: object, name: str
) -> None:
    """An identity without an e-mail address is one; an address nobody vouches for is not verified."""
    identity = await verify(signed(**changes))
    assert (identity.email, identity.email_verified, identity.name) == (email, is_verified, name)


@pytest.mark.parametrize("alg", ["RS256", "RS384"])
async def test_both_algorithms_and_more_members_in_the_header(alg: str) -> None:
    """What Zoho adds to a header is no reason to refuse."""
    await verify(signed(header={"alg": alg, "key_id": "k-1", "typ": "JWS"}))


async def test_the_nonce() -> None:
    """Ours or none is fine, and told apart; another is not, nor one where we sent none."""
    assert (await verify(signed(nonce="n"))).has_nonce
    assert not (await verify(signed())).has_nonce
    await verify(signed(), None)
    for sent in ("m", None):
        with pytest.raises(BadIdentity, match="nonce"):
            await verify(signed(nonce="n"), sent)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://accounts.zoho.com"},
        {"iss": None},
        {"aud": "1000.OTHER"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": True},
        {"sub": 1.5},
        {"sub": ["675000001"]},
        {"exp": None},
        {"exp": NOW // 1000 - 121},
        {"iat": None},
        {"iat": NOW // 1000 + 121},
        {"nbf": NOW // 1000 + 121},
        {"aud": ["x", "1000.CLIENT"]},
        {"aud": ["x", "1000.CLIENT"], "azp": "x"},
        {"azp": "1000.OTHER"},
        {"azp": ["1000.CLIENT"]},
        {"azp": ""},
    ],
)
async def test_claims_that_do_not_hold(changes: dict[str, Any]) -> None:
    """Issuer, audience, subject and times are all required."""
    with pytest.raises(BadIdentity):
        await verify(signed(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW // 1000 - 119},
        {"iat": NOW // 1000 + 119},
        {"aud": ["1000.CLIENT"]},
        {"aud": ["x", "1000.CLIENT"], "azp": "1000.CLIENT"},
        {"azp": "1000.CLIENT"},
    ],
)
async def test_claims_that_hold(changes: dict[str, Any]) -> None:
    """Clocks may differ by 120 seconds both ways; of several audiences we are the party it was made for."""
    await verify(signed(**changes))


async def test_forgeries() -> None:
    """Another key under the same id, another algorithm, none at all, or rubbish."""
    forged_key = RSAKey.generate_key(2048, {"kid": "k-1"})
    by_hmac = jwt.encode({"alg": "HS256", "kid": "k-1"}, CLAIMS, OctKey.import_key(KEYS.decode()[:64]))
    header, body, _ = signed().split(".")
    for token in (
        signed(forged_key),
        by_hmac,
        f"{header}.{body}.",
        "",
        None,
        "x",
        "a.b.c",
        "é.b.c",
        f"{header}=.{body}.x",
    ):
        with pytest.raises(BadIdentity):
            await verify(token)


async def test_keys_are_kept_and_fetched_once_more_for_an_unknown_one() -> None:
    """Two sign-ins cost one fetch; a rotated key another; a key that nobody has fails after it."""
    answers = Answers((200, KEYS), (200, BOTH), (200, BOTH))
    tokens = verifier(answers)
    await tokens.verify(EU, signed(), None)
    await tokens.verify(EU, signed(), None)
    assert len(answers.asked) == 1
    await tokens.verify(EU, signed(OTHER), None)
    assert len(answers.asked) == 2
    with pytest.raises(BadIdentity):
        await tokens.verify(EU, signed(RSAKey.generate_key(2048, {"kid": "k-3"})), None)
    assert len(answers.asked) == 3


async def test_keys_grow_old() -> None:
    """After an hour they are fetched anew, so that a withdrawn key ends."""
    answers, now = Answers((200, BOTH), (200, KEYS)), [NOW]
    tokens = IdTokens(http_client(answers), "1000.CLIENT", lambda: now[0])
    await tokens.verify(EU, signed(OTHER), None)
    now[0] += KEEP_KEYS
    with pytest.raises(BadIdentity):
        await tokens.verify(EU, signed(OTHER), None)


def key_set(filling: object, *, times: int, then: RSAKey) -> bytes:
    """Write a set of keys, of which the last one is good."""
    return json.dumps({"keys": [filling] * times + [then.as_dict(private=False)]}).encode()


@pytest.mark.parametrize(
    "answer",
    [
        (500, b""),
        (200, sample("token_error.html")),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"keys":[]}'),
        (200, b'{"keys":[{"kty":"RSA","kid":"k-1"}]}'),
        (200, b'{"keys":7}'),
        (200, b'{"keys":' + b"[" * 100_000),
        (200, KEYS + b" " * KEY_SET_LENGTH),
        (200, key_set({"kty": "RSA", "n": "A", "e": "AQAB"}, times=KEYS_AT_MOST, then=KEY)),
        (302, b""),
    ],
)
async def test_keys_that_cannot_be_had(answer: tuple[int, bytes]) -> None:
    """Without keys nobody is judged: Zoho is down."""
    with pytest.raises(ZohoDown):
        await verifier(Answers(answer)).verify(EU, signed(), None)
