"""The simulated phone's signature."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from connector.demo.phone import Phone
from connector.phones.signing import new_secret, verify

NOW = int(datetime.now(UTC).timestamp())


@given(body=st.binary(max_size=200))
def test_others_and_we_accept_its_signature(body: bytes) -> None:
    """The library of Standard Webhooks takes what the phone signs, and so does the connector."""
    secret = new_secret()
    phone = Phone("http://127.0.0.1:9/hooks/demo", secret)
    headers = {
        "webhook-id": "msg-1",
        "webhook-timestamp": str(NOW),
        "webhook-signature": phone.signature("msg-1", str(NOW), body),
    }
    verify(headers, body, [secret], NOW * 1_000)
    text = b'{"x": 1}'
    headers["webhook-signature"] = phone.signature("msg-1", str(NOW), text)
    Webhook(secret).verify(text, headers)
