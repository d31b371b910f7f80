"""Id tokens and keys in each of the odd ways in which Zoho has been seen to write them."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import RSAKey

from connector.errors import BadIdentity
from tests.unit.zoho.test_id_tokens import BOTH, CLAIMS, EU, KEY, NOW, OTHER, signed, verifier, verify
from tests.unit.zoho.test_tokens import Answers

pytestmark = pytest.mark.anyio


def written(header: dict[str, Any], *, padding: bytes = b"", signed_with: bytes = b"") -> str:
    """Sign by hand, whatever the header says; `padding` is sent, `signed_with` is what was signed."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, CLAIMS)]
    message, sent = (
        b".".join(part + (-len(part) % 4) * pad for part in parts) for pad in (signed_with, padding)
    )
    assert KEY.private_key is not None
    signature = base64.urlsafe_b64encode(KEY.private_key.sign(message, PKCS1v15(), SHA256()))
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


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": 7}, {}, {"alg": "RS256", "crit": ["exp"]}])
async def test_headers_that_do_not_hold(header: dict[str, Any]) -> None:
    """No algorithm but Zoho's two, and nothing critical that we do not know."""
    with pytest.raises(BadIdentity):
        await verify(written(header))


STRANGE_KEYS: list[Any] = [
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
    ],
)
async def test_the_message_names_the_reason(token: str | None, said: str) -> None:
    """Whoever reads it in the log knows what to look at."""
    with pytest.raises(BadIdentity, match=said):
        await verify(token)
