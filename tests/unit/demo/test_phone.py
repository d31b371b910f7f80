"""The simulated phone's signature."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from connector.demo.phone import Phone
from connector.phones.signing import new_secret, verify

SECRET = new_secret()
PHONE = Phone("http://127.0.0.1:9/hooks/demo", SECRET)
NOW = int(datetime.now(UTC).timestamp())


@given(body=st.binary(max_size=200))
def test_others_and_we_accept_its_signature(body: bytes) -> None:
    """The library of Standard Webhooks takes what the phone signs, and so does the connector."""
    headers = {
        "webhook-id": "msg-1",
        "webhook-timestamp": str(NOW),
        "webhook-signature": PHONE.signature("msg-1", str(NOW), body),
    }
    verify(headers, body, [SECRET], NOW * 1_000)
    text = b'{"x": 1}'
    headers["webhook-signature"] = PHONE.signature("msg-1", str(NOW), text)
    Webhook(SECRET).verify(text, headers)
