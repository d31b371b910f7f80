"""Id tokens and keys in each of the odd ways in which Zoho has been seen to write them."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import RSAKey

from connector.errors import BadIdentity
from tests.unit.zoho.test_id_tokens import BOTH, CLAIMS, EU, KEY, NOW, OTHER, signed, verifier, verify
from tests.unit.zoho.test_tokens import Answers

pytestmark = pytest.mark.anyio


def written(
    header: dict[str, Any], *, padding: bytes = b"", signed_with: bytes = b"", by: RSAPrivateKey | None = None
) -> str:
    """Sign by hand, whatever the header says; `padding` is sent, `signed_with` is what was signed."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, CLAIMS)]
    message, sent = (
        b".".join(part + (-len(part) % 4) * pad for part in parts) for pad in (signed_with, padding)
    )
    private = by or KEY.private_key
    assert private is not None
    signature = base64.urlsafe_b64encode(private.sign(message, PKCS1v15(), SHA256()))
    return b".".join([sent, signature if padding else signature.rstrip(b"=")]).decode()


@pytest.mark.parametrize(
    "named",
    [
        {"key_id": "k-1"},
        {"kid": None, "key_id": "k-1"},
        {"kid": "k-1", "key_id": "k-1"},
        {"kid": "", "key_id": "k-1"},
        {"kid": 7, "key_id": "k-1"},
        {"kid": ["k-1"], "key_id": "k-1"},
        {"kid": "of-another-list", "key_id": "k-1"},
        {"kid": "k-1", "key_id": "of-another-list"},
        {"kid": "k-1", "key_id": None},
        {},
        {"kid": None},
        {"key_id": ""},
    ],
)
async def test_however_the_header_names_the_key(named: dict[str, Any]) -> None:
    """`key_id` is as good as `kid`; where neither names a key, those of the algorithm are tried."""
    token = written({"alg": "RS256", "typ": "JWS"} | named)
    assert (await verifier(Answers((200, BOTH))).verify(EU, token, "n")).sub == "675000001"


@pytest.mark.parametrize("named", [{"key_id": "k-1"}, {"kid": "k-1"}, {}])
@pytest.mark.parametrize("signed_with", [b"", b"="])
async def test_padded_base64(named: dict[str, Any], signed_with: bytes) -> None:
    """The padding of Zoho's old sample is read, whether it was signed along or added afterwards."""
    header = {"typ": "JWS", "alg": "RS256"} | named
    token = written(header, padding=b"=", signed_with=signed_with)
    assert (await verify(token)).sub == "675000001"


@pytest.mark.parametrize("named", [{"key_id": "k-2"}, {"key_id": "k-9"}, {"kid": "k-2", "key_id": "k-9"}])
async def test_a_key_that_is_named_is_the_one(named: dict[str, Any]) -> None:
    """A signature by another key than the named one does not hold."""
    token = written({"alg": "RS256"} | named)
    with pytest.raises(BadIdentity):
        await verifier(Answers((200, BOTH))).verify(EU, token, "n")


async def test_half_a_character(monkeypatch: pytest.MonkeyPatch) -> None:
    """A surrogate alone, which JSON can spell and no text can hold, is no claim."""
    for name in ("sub", "email", "nonce"):
        monkeypatch.setitem(CLAIMS, name, "\ud800")
        with pytest.raises(BadIdentity, match="no JSON object"):
            await verify(written({"alg": "RS256", "kid": "k-1"}))


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": 7}, {}, {"alg": "RS256", "crit": ["exp"]}])
async def test_headers_that_do_not_hold(header: dict[str, Any]) -> None:
    """No algorithm but Zoho's two, and nothing critical that we do not know."""
    with pytest.raises(BadIdentity):
        await verify(written(header))


def with_numbers(n: int, e: int) -> dict[str, Any]:
    """Write a public key of any size, which its maker may not even have."""
    parts = {"n": n, "e": e}
    encoded = {
        name: base64.urlsafe_b64encode(value.to_bytes(-(-value.bit_length() // 8), "big"))
        .decode()
        .rstrip("=")
        for name, value in parts.items()
    }
    return {"kty": "RSA", "kid": "k-1", **encoded}


@pytest.mark.parametrize("bits", [1_024, 2_040])
async def test_a_short_key_vouches_for_nobody(bits: int) -> None:
    """Who breaks it could sign in as anybody: it is passed over like what is no key."""
    short = generate_private_key(65_537, bits)
    public = short.public_key().public_numbers()
    keys = json.dumps({"keys": [with_numbers(public.n, public.e), OTHER.as_dict(private=False)]}).encode()
    token = written({"alg": "RS256", "kid": "k-1"}, by=short)
    with pytest.raises(BadIdentity, match="not among those"):
        await verifier(Answers((200, keys))).verify(EU, token, None)


STRANGE_KEYS: list[Any] = [
    with_numbers(2**16_000 + 1, 65_537),
    with_numbers(2**2_047 + 1, 2**1_000 + 1),
    with_numbers(2**2_047 + 1, 4),
    KEY.as_dict(private=False) | {"kid": 10**400, "n": "A"},
    KEY.as_dict(private=False) | {"kid": ["k-1"], "alg": ["RS256"], "n": "A"},
    {"kty": "AKP", "alg": "ML-DSA-44", "kid": "k-0", "pub": "AAAA"},
    {"kty": "EC", "crv": "P-256", "kid": "k-0", "x": "AA", "y": "AA"},
    {"kty": "oct", "kid": "k-1", "k": "AAAA"},
    {"kty": "RSA", "kid": "k-0"},
    {"kty": "RSA", "kid": "k-0", "n": 7, "e": None},
    {"kty": "RSA", "kid": "k-0", "n": "=", "e": "AQAB"},
    {name: value for name, value in OTHER.as_dict(private=False).items() if name != "kid"},
    OTHER.as_dict(private=False) | {"kid": None},
    OTHER.as_dict(private=False) | {"kid": 7},
    OTHER.as_dict(private=False) | {"kid": "k-1", "use": "enc"},
    {"kid": "k-0"},
    {},
    None,
    "key",
    [],
]


@pytest.mark.parametrize("strange", STRANGE_KEYS)
@pytest.mark.parametrize("named", [{"kid": "k-1"}, {"key_id": "k-1"}, {}])
async def test_strange_keys_are_passed_over(strange: object, named: dict[str, Any]) -> None:
    """A key that cannot be read, or that nobody can name, spoils none of the others."""
    keys = json.dumps({"keys": [strange, KEY.as_dict(private=False), strange]}).encode()
    token = written({"alg": "RS256"} | named)
    assert (await verifier(Answers((200, keys))).verify(EU, token, "n")).sub == "675000001"


@pytest.mark.parametrize(
    ("changes", "sub"),
    [
        ({"sub": 675000001}, "675000001"),
        ({"sub": 60012345678901234567}, "60012345678901234567"),
        ({"exp": str(NOW // 1000 + 60), "iat": str(NOW // 1000)}, "675000001"),
        ({"email": 7, "name": None, "first_name": ["A"], "last_name": 3}, "675000001"),
        ({"email_verified": [], "first_name": {}}, "675000001"),
        ({"email": "ada\0@example.com", "name": "A\0"}, "675000001"),
    ],
)
async def test_odd_claims(changes: dict[str, Any], sub: str) -> None:
    """A number as `sub` is its digits, digits as a time are a number, and odd names are no names."""
    assert (await verify(signed(**changes))).sub == sub


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (None, "no id token"),
        (signed(OTHER), "a key that is not among those"),
        (signed(RSAKey.generate_key(2048, {"kid": "k-1"})), "signature"),
        (signed(exp=NOW // 1000 - 200), "exp"),
        (signed(aud="1000.OTHER"), "aud"),
        (signed(sub=None), "sub"),
        (signed(sub="6750\0"), "sub"),
        (signed(sub="\ufffd6750"), "sub"),
        (signed(sub="6" * 256), "sub"),
        (signed(azp="1000.OTHER"), "azp"),
    ],
)
async def test_the_message_names_the_reason(token: str | None, said: str) -> None:
    """Whoever reads it in the log knows what to look at."""
    with pytest.raises(BadIdentity, match=said):
        await verify(token)
