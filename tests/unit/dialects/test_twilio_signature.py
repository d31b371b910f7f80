"""X-Twilio-Signature, against the vendor's own library and its documented example."""

from hashlib import sha256
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # it brings no types

from connector.dialects.twilio import sign, verify_signature
from connector.errors import BadSignature, TooLarge

TOKEN = "12345"
ADDRESS = "https://mycompany.com/myapp.php?foo=1&bar=2"
FIELDS = {
    "CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234",
    "From": "+14158675309", "To": "+18005551212",
}  # fmt: skip
VECTOR = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
BODY = urlencode(FIELDS).encode()


def signed(signature: str) -> dict[str, str]:
    """Make the header."""
    return {"x-twilio-signature": signature}


def test_the_vector() -> None:
    """The vendor's documented example."""
    verify_signature(signed(VECTOR), ADDRESS, BODY, [TOKEN], is_form=True)
    assert sign(TOKEN, ADDRESS, {name: [value] for name, value in FIELDS.items()}) == VECTOR


@given(st.dictionaries(st.text(min_size=1), st.text()), st.text(st.characters(codec="ascii"), min_size=1))
def test_against_the_vendor(fields: dict[str, str], token: str) -> None:
    """What the vendor's library signs is accepted, whatever the fields."""
    theirs = RequestValidator(token).compute_signature(ADDRESS, fields)
    verify_signature(signed(theirs), ADDRESS, urlencode(fields).encode(), ["another", token], is_form=True)


class Repeated(dict[str, list[str]]):
    """Fields with several values, as the vendor's library takes them."""

    def getall(self, name: str) -> list[str]:
        """Return all values of a field."""
        return self[name]


@given(st.dictionaries(st.sampled_from("abc"), st.lists(st.sampled_from(["", "x", "y"]), min_size=1)))
def test_repeated_fields(fields: dict[str, list[str]]) -> None:
    """Each distinct value once, in order."""
    theirs = RequestValidator(TOKEN).compute_signature(ADDRESS, Repeated(fields))
    verify_signature(signed(theirs), ADDRESS, urlencode(fields, doseq=True).encode(), [TOKEN], is_form=True)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("https://calls.example.com/hooks/x", "https://calls.example.com:443/hooks/x"),
        ("https://calls.example.com:443/hooks/x", "https://calls.example.com/hooks/x"),
        ("https://calls.example.com:8443/hooks/x", "https://calls.example.com/hooks/x"),
        ("http://127.0.0.1/hooks/x?a=%20", "http://127.0.0.1:80/hooks/x?a=%20"),
        ("https://[2001:db8::1]/hooks/x", "https://[2001:db8::1]:443/hooks/x"),
    ],
)
def test_with_and_without_the_port(ours: str, theirs: str) -> None:
    """The sender is inconsistent; another port is another address."""
    verify_signature(
        signed(RequestValidator(TOKEN).compute_signature(theirs, FIELDS)), ours, BODY, [TOKEN], is_form=True
    )
    elsewhere = RequestValidator(TOKEN).compute_signature(ours.replace("/hooks", ":1/hooks"), FIELDS)
    with pytest.raises(BadSignature):
        verify_signature(signed(elsewhere), ours, BODY, [TOKEN], is_form=True)


def test_json() -> None:
    """Of JSON a hash is signed, as a part of the address."""
    body = b'{"CallSid": "CA1"}'
    address = f"{ADDRESS}&bodySHA256={sha256(body).hexdigest()}"
    theirs = RequestValidator(TOKEN).compute_signature(address, {})
    assert RequestValidator(TOKEN).validate(address, body.decode(), theirs)
    verify_signature(signed(theirs), address, body, [TOKEN], is_form=False)
    with pytest.raises(BadSignature, match="hash"):
        verify_signature(signed(theirs), address, body + b" ", [TOKEN], is_form=False)
    with pytest.raises(BadSignature, match="hash"):
        verify_signature(
            signed(RequestValidator(TOKEN).compute_signature(ADDRESS, {})),
            ADDRESS,
            body,
            [TOKEN],
            is_form=False,
        )


def test_shared_keys() -> None:
    """With a key of one's own a header names the hash; one that is not known is refused."""
    theirs = RequestValidator(TOKEN).compute_signature(ADDRESS, FIELDS, algorithm="HMAC_SHA256")
    settings = {"x-twilio-webhooks-signature-settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"}
    verify_signature(signed(theirs) | settings, ADDRESS, BODY, [TOKEN], is_form=True)
    with pytest.raises(BadSignature):
        verify_signature(signed(theirs), ADDRESS, BODY, [TOKEN], is_form=True)
    for other in ("algorithm=NONE", "algorithm=HMAC_MD5"):
        with pytest.raises(BadSignature, match="none of"):
            verify_signature(
                signed(VECTOR) | {"x-twilio-webhooks-signature-settings": other}, ADDRESS, BODY, [TOKEN],
                is_form=True,
            )  # fmt: skip


@pytest.mark.parametrize("signature", ["", "x", VECTOR.lower(), VECTOR[:-1], "\u00e9"])
def test_wrong_signatures(signature: str) -> None:
    """Each is refused, and the refusal shows neither the token nor the right one."""
    with pytest.raises(BadSignature) as refusal:
        verify_signature(signed(signature), ADDRESS, BODY, [TOKEN], is_form=True)
    assert VECTOR not in str(refusal.value)


def test_other_requests() -> None:
    """Another address, another body, another token, none at all."""
    for address, body, tokens in (
        (ADDRESS + "3", BODY, [TOKEN]),
        (ADDRESS.replace("https", "http"), BODY, [TOKEN]),
        (ADDRESS, BODY + b"&a=b", [TOKEN]),
        (ADDRESS, b"\xff", [TOKEN]),
        (ADDRESS, BODY, ["54321"]),
        (ADDRESS, BODY, []),
    ):
        with pytest.raises(BadSignature):
            verify_signature(signed(VECTOR), address, body, tokens, is_form=True)


@pytest.mark.parametrize(
    ("body", "raised"),
    [(b"a=" + b"%41" * 30_000, TooLarge), (b"a&" * 2_000, BadSignature)],
    ids=["bytes", "fields"],
)
def test_a_costly_form_is_not_even_read(body: bytes, raised: type[Exception]) -> None:
    """What takes long to read is refused before it is, by who need not know the key to send it."""
    with pytest.raises(raised):
        verify_signature(signed(VECTOR), ADDRESS, body, [TOKEN], is_form=True)
