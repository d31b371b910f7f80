"""The simulated phone's signature."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from connector.demo.phone import Phone
from connector.dialects.signing import new_secret, verify

SECRET = new_secret()
PHONE = Phone("http://127.0.0.1:9/hooks/demo", SECRET)


@given(body=st.binary(max_size=200))
def test_others_and_we_accept_its_signature(body: bytes) -> None:
    """The library of Standard Webhooks takes what the phone signs, and so does the connector."""
    # The library compares with the clock of the machine.
    now = int(datetime.now(UTC).timestamp())
    headers = {
        "webhook-id": "msg-1",
        "webhook-timestamp": str(now),
        "webhook-signature": PHONE.signature("msg-1", str(now), body),
    }
    verify(headers, body, [SECRET], now * 1_000)
    text = b'{"x": 1}'
    headers["webhook-signature"] = PHONE.signature("msg-1", str(now), text)
    Webhook(SECRET).verify(text, headers)
