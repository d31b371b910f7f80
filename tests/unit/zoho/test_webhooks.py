"""Requests of Desk's webhooks: whose token it is, and what the body is about."""

import json
from typing import Any

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from connector.clock import SECOND
from connector.errors import BadSignature, ZohoDown
from connector.zoho.data_centers import TABLE
from connector.zoho.transport import http_client
from connector.zoho.webhooks import (
    AccountChange,
    ContactChange,
    HookTokens,
    read_account_changes,
    read_changes,
    subscription,
)

NOW = 1_767_600_000_000
KEY = RSAKey.generate_key(2048, {"kid": "desk-1"})
NEWER = RSAKey.generate_key(2048, {"kid": "desk-2"})
CLAIMS = {"iss": "orgId:1", "aud": "webhookId:2", "iat": NOW // SECOND, "exp": NOW // SECOND + 60}


class Keys(httpx2.AsyncBaseTransport):
    """A Desk host that publishes keys, and counts who asks."""

    def __init__(self, *keys: RSAKey, status: int = 200) -> None:
        self.keys = list(keys)
        self.status = status
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the keys."""
        self.asked.append(str(request.url))
        return httpx2.Response(self.status, json={"keys": [key.as_dict(private=False) for key in self.keys]})


class Scene:
    """A verifier, its clock and the keys' host."""

    def __init__(self, *keys: RSAKey, status: int = 200) -> None:
        self.now = NOW
        self.host = Keys(*keys, status=status)
        self.tokens = HookTokens(http_client(self.host), lambda: self.now)

    async def verify(self, key: RSAKey = KEY, **claims: Any) -> tuple[str, str]:
        """Verify a token with these claims."""
        token = jwt.encode({"alg": "RS256", "kid": key.kid}, CLAIMS | claims, key)
        claimed = await self.tokens.verify(TABLE["eu"], token)
        return claimed.issuer, claimed.audience


@pytest.mark.anyio
async def test_a_genuine_token() -> None:
    """It says for which portal and from which subscription it is; keys come from the data centre's Desk."""
    scene = Scene(KEY)
    for _ in range(3):
        assert await scene.verify() == ("orgId:1", "webhookId:2")
    assert scene.host.asked == ["https://desk.zoho.eu/.well-known/jwks.json"]


@pytest.mark.anyio
@pytest.mark.parametrize("header", [{"key_id": "desk-1"}, {}])
async def test_another_way_to_name_the_key(header: dict[str, Any]) -> None:
    """Desk's tokens are read as tolerantly as those of a sign-in."""
    scene = Scene(NEWER, KEY)
    lenient = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    token = jwt.encode({"alg": "RS256"} | header, CLAIMS, KEY, registry=lenient)
    assert (await scene.tokens.verify(TABLE["eu"], token)).issuer == "orgId:1"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({"exp": NOW + 60_000, "iat": NOW}, True),
        ({"exp": NOW // SECOND - 100}, True),
        ({"exp": NOW // SECOND - 121}, False),
        ({"exp": NOW - 121_000}, False),
        ({"iat": NOW // SECOND + 121}, False),
        ({"iat": None}, True),
        ({"exp": None}, False),
        ({"exp": "soon"}, False),
        ({"exp": True}, False),
    ],
)
async def test_times(claims: dict[str, Any], *, good: bool) -> None:
    """Seconds and milliseconds are understood, two minutes are forgiven, and an end must be there."""
    scene = Scene(KEY)
    if good:
        assert await scene.verify(**claims)
    else:
        with pytest.raises(BadSignature):
            await scene.verify(**claims)


@pytest.mark.anyio
async def test_a_new_key_is_fetched_and_invented_ones_are_not() -> None:
    """A key that we do not know makes us ask, once a minute at most, whoever names it."""
    scene = Scene(KEY)
    await scene.verify()
    scene.host.keys.append(NEWER)
    for _ in range(3):
        with pytest.raises(BadSignature):
            await scene.verify(NEWER)
    assert len(scene.host.asked) == 1
    scene.now += 60_000
    assert await scene.verify(NEWER)
    assert len(scene.host.asked) == 2


@pytest.mark.anyio
async def test_keys_that_cannot_be_had() -> None:
    """That is Zoho's trouble, and no forgery."""
    with pytest.raises(ZohoDown):
        await Scene(KEY, status=500).verify()


@pytest.mark.anyio
@pytest.mark.parametrize("token", [None, "", "a.b", "a.b.c", "🦊"])
async def test_no_token_at_all(token: str | None) -> None:
    """What is none is refused, and nobody is asked for keys."""
    scene = Scene(KEY)
    with pytest.raises(BadSignature):
        await scene.tokens.verify(TABLE["eu"], token)
    assert scene.host.asked == []


def test_changes() -> None:
    """Each contact counts once, by its last event; other events and ids that are none do not count."""
    told = [
        {"eventType": "Contact_Add", "payload": {"id": "1"}},
        {"eventType": "Contact_Update", "payload": {"id": 2}, "prevState": None},
        {"eventType": "Contact_Delete", "payload": {"id": "1"}},
        {"eventType": "Ticket_Add", "payload": {"id": "3"}},
        {"eventType": "Contact_Add", "payload": {"id": "../4"}},
        {"eventType": "Contact_Add"},
        {"eventType": ["Contact_Add"], "payload": {"id": "5"}},
        {"eventType": "Account_Update", "payload": {"id": "6"}},
        {"eventType": "Account_Delete", "payload": {"id": "7"}},
    ]
    found = read_changes(json.dumps(told).encode())
    assert found == [ContactChange("1", deleted=True), ContactChange("2", deleted=False)]
    accounts = read_account_changes(json.dumps(told).encode())
    assert accounts == [AccountChange("6", deleted=False), AccountChange("7", deleted=True)]


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_body(body: bytes) -> None:
    """Nothing that can be sent raises."""
    assert read_changes(body) == [] or msgspec.json.decode(body)


def test_the_subscription() -> None:
    """It is for contacts, and asks for no former states: what is not read need not travel."""
    body = subscription("https://calls.example.com/webhooks/desk/1")
    assert set(body["subscriptions"]) == {"Contact_Add", "Contact_Update", "Contact_Delete"}
    assert body["subscriptions"]["Contact_Update"] == {"includePrevState": False}
    both = subscription("https://calls.example.com/webhooks/desk/1", accounts=True)["subscriptions"]
    assert set(both) == {*body["subscriptions"], "Account_Add", "Account_Update", "Account_Delete"}
    assert both["Account_Update"] == {"includePrevState": False}
