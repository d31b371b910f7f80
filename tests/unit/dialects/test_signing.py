"""Signatures as Standard Webhooks 1.0 makes them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from connector.dialects.signing import new_secret, sign, verify
from connector.errors import BadSignature, SettingsError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, SECONDS, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
VECTOR = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = SECONDS * 1000


def headers(signature: str = VECTOR, **changed: str) -> dict[str, str]:
    """Make the three headers."""
    told = {"webhook-id": ID, "webhook-timestamp": str(SECONDS), "webhook-signature": signature}
    return told | {f"webhook-{name}": value for name, value in changed.items()}


def test_the_vector() -> None:
    """The specification's own example, with and without the secret's prefix."""
    assert sign(SECRET, ID, SECONDS, BODY) == VECTOR
    verify(headers(), BODY, [SECRET.removeprefix("whsec_")], NOW)


@given(st.binary(), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_against_the_reference(body: bytes, message_id: str) -> None:
    """The reference library signs what we accept and accepts what we sign."""
    secret, text = new_secret(), body.hex()
    theirs = Webhook(secret).sign(message_id, datetime.fromtimestamp(SECONDS, UTC), text)
    assert theirs == sign(secret, message_id, SECONDS, text.encode())
    verify(headers(theirs, id=message_id), text.encode(), [secret], NOW)


def test_rotation() -> None:
    """Several secrets are valid at once, and a sender may sign with several."""
    old, new = new_secret(), new_secret()
    both = f"{sign(old, ID, SECONDS, BODY)} {sign(new, ID, SECONDS, BODY)}"
    verify(headers(sign(old, ID, SECONDS, BODY)), BODY, [new, old], NOW)
    verify(headers(both), BODY, [new], NOW)
    verify(headers(f"v1a,bm9uZQ== v2 {both}"), BODY, [old], NOW)
    with pytest.raises(BadSignature):
        verify(headers(sign(old, ID, SECONDS, BODY)), BODY, [new], NOW)


@pytest.mark.parametrize("late", [300, -300, 0])
def test_an_attempt_within_the_tolerance(late: int) -> None:
    """Five minutes either way."""
    verify(headers(), BODY, [SECRET], NOW + late * 1000)


@pytest.mark.parametrize(
    ("changed", "now", "message"),
    [
        ({"id": ""}, NOW, "webhook-id is missing"),
        ({"timestamp": ""}, NOW, "webhook-timestamp is missing"),
        ({"signature": ""}, NOW, "webhook-signature is missing"),
        ({"timestamp": "now"}, NOW, "no number"),
        ({"timestamp": "-5"}, NOW, "no number"),
        ({"timestamp": "\u0661"}, NOW, "no number"),
        ({"timestamp": "9" * 5000}, NOW, "no number"),
        ({}, NOW + 301_000, "stale"),
        ({}, NOW - 301_000, "future"),
        ({"id": "other"}, NOW, "no webhook-signature"),
        ({"timestamp": str(SECONDS + 1)}, NOW, "no webhook-signature"),
        ({"signature": "v1,"}, NOW, "no webhook-signature"),
        ({"signature": "v1,\u00e9\u20ac"}, NOW, "no webhook-signature"),
        ({"signature": VECTOR.removeprefix("v1,")}, NOW, "no webhook-signature"),
        ({"signature": VECTOR.replace("v1,", "v1a,")}, NOW, "no webhook-signature"),
        ({"id": "\u20ac"}, NOW, "no webhook-signature"),
    ],
)
def test_refusals(changed: dict[str, str], now: int, message: str) -> None:
    """Each says what is wrong, and none tells the secret or the right signature."""
    with pytest.raises(BadSignature, match=message) as refusal:
        verify(headers(**changed), BODY, [SECRET], now)
    assert SECRET[6:] not in str(refusal.value)
    assert VECTOR[3:] not in str(refusal.value)


def test_another_body() -> None:
    """One byte is enough."""
    with pytest.raises(BadSignature):
        verify(headers(), BODY + b" ", [SECRET], NOW)


def test_no_secret_fits_nothing() -> None:
    """A phone system without a valid secret accepts nobody."""
    with pytest.raises(BadSignature):
        verify(headers(), BODY, [], NOW)


def test_new_secrets() -> None:
    """Prefixed, 32 bytes, never the same."""
    secret = new_secret()
    assert secret.startswith("whsec_")
    assert len(secret) == 50
    assert secret != new_secret()


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "not base64!", "whsec_\u00e9"])
def test_what_is_no_secret(secret: str) -> None:
    """A short or garbled secret is the administrator's mistake, and is not repeated."""
    with pytest.raises(SettingsError) as refusal:
        sign(secret, ID, SECONDS, BODY)
    assert not secret or secret not in str(refusal.value).replace("whsec_ and", "")
