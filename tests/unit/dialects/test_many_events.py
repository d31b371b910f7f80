"""No dialect takes a request that says more than 500 things, and none expands it first."""

import json
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # it brings no types

from connector.dialects import DIALECTS, MAX_EVENTS, Answer, Parsed, Posted
from connector.errors import TooLarge
from tests.unit.dialects.posting import MANY, NOW, neutral, posted
from tests.unit.dialects.telling import ADDRESS, system
from tests.unit.dialects.test_sipgate import berlin
from tests.unit.dialects.test_sipgate import posted as signed_by_sipgate
from tests.unit.dialects.test_twilio import ADDRESS as BOSTON_ADDRESS
from tests.unit.dialects.test_twilio import BOSTON
from tests.unit.dialects.test_twilio import TOKEN as BOSTON_TOKEN
from tests.unit.dialects.vendors import FORM, JSON, TOKEN, answered

BEGUN = {"event": "newCall", "callId": "c", "direction": "in", "from": "4915123456789", "to": "4930123456"}


def names(count: int) -> list[str]:
    """Make up so many users."""
    return [f"w{number}" for number in range(count)]


def zammad(count: int, field: str = "user", content_type: str = JSON) -> Posted:
    """Have so many users rung, in Zammad's words."""
    said: dict[str, Any] = BEGUN | {field: names(count)}
    body = json.dumps(said) if content_type == JSON else urlencode(said, doseq=True)
    return Posted(
        headers={}, content_type=content_type, body=body.encode(), received_at=NOW, url=ADDRESS, token=TOKEN
    )


@pytest.mark.parametrize("field", ["user", "user[]", "to", "anything"])
@pytest.mark.parametrize("count", [MAX_EVENTS + 1, 60_000])
def test_zammad(field: str, count: int) -> None:
    """Whichever field holds so many, it is refused as a batch of so many would be."""
    with pytest.raises(TooLarge, match="500"):
        DIALECTS["zammad"].parse(system("zammad"), zammad(count, field))


@pytest.mark.parametrize("content_type", [JSON, FORM])
def test_as_many_as_there_may_be(content_type: str) -> None:
    """Five hundred are rung, one more is too many, in JSON as in a form."""
    told = DIALECTS["zammad"].parse(system("zammad"), zammad(MAX_EVENTS, "user[]", content_type))
    assert len(told.events) == MAX_EVENTS
    with pytest.raises(TooLarge):
        DIALECTS["zammad"].parse(system("zammad"), zammad(MAX_EVENTS + 1, "user[]", content_type))


def vendors_answer(dialect: str) -> tuple[Parsed, Answer]:
    """Post too much to a vendor's dialect that gives an address up for errors."""
    if dialect == "sipgate":
        body = urlencode(BEGUN | {"userId[]": names(MAX_EVENTS + 1)}, doseq=True).encode()
        return answered(dialect, berlin(), signed_by_sipgate(body))
    body = json.dumps({"CallSid": names(MAX_EVENTS + 1), "CallStatus": "ringing"}).encode()
    address = f"{BOSTON_ADDRESS}?bodySHA256={sha256(body).hexdigest()}"
    headers = {"x-twilio-signature": RequestValidator(BOSTON_TOKEN).compute_signature(address, {})}
    told = Posted(headers=headers, content_type=JSON, body=body, received_at=NOW, url=address)
    return answered(dialect, BOSTON, told)


@pytest.mark.parametrize("dialect", ["sipgate", "twilio"])
def test_vendors_who_give_up_for_errors(dialect: str) -> None:
    """They are told that all is well; what they sent is kept unread, with the reason."""
    parsed, answer = vendors_answer(dialect)
    assert (parsed.events, answer.status) == ((), 200)
    assert "500" in parsed.rejected[0].error


def test_a_neutral_batch() -> None:
    """It is counted before it is read."""
    body = b"[" + b",".join([neutral({"direction": "inbound"})] * (MAX_EVENTS + 1)) + b"]"
    with pytest.raises(TooLarge, match="500"):
        DIALECTS["neutral"].parse(system("neutral"), posted(body, MANY))
