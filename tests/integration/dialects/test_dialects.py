"""Vendors post to a served house: who is let in, what is kept, what they are told."""

import logging
from functools import partial

import pytest
from sqlalchemy import Connection

from connector.calls import CallState, Cause
from connector.contacts.cache import indexed
from connector.contacts.cards import from_desk
from connector.store import contacts, phones, tables
from connector.store.phones import Blocked, PhoneSystem
from connector.zoho import models
from tests.integration.dialects.vendors import Vendors

pytestmark = pytest.mark.anyio

GRACE = models.Contact(id="501", last_name="Grace Example", phone="01 23 45 67 89", owner_id="301")


async def phone_of(vendors: Vendors, slug: str) -> PhoneSystem:
    """Read a phone system."""
    return (await vendors.services.phone_systems.find(slug)).phone


async def forget_memory(vendors: Vendors) -> None:
    """Let a change of a phone system be heard at once."""
    vendors.services.phone_systems._cache.clear()


async def test_zammad(vendors: Vendors) -> None:
    """Events repeated, late or unknown are 200, never 500; what Zammad refuses is refused, and kept."""
    for fields in ({}, {}, {"event": "hangup", "cause": "cancel"}, {"event": "answer"}, {"event": "parked"}):
        answer = await vendors.zammad(**fields)
        assert (answer.status_code, answer.json()) == (200, {})
    call = await vendors.call("c")
    assert (call.state, call.cause) == (CallState.ENDED, Cause.CANCELLED)
    assert (await vendors.zammad(direction="sideways")).status_code == 422
    assert await vendors.unread("zammad") == ["direction is in or out"]


@pytest.mark.both_engines
async def test_sipgate(vendors: Vendors) -> None:
    """The answer asks for the rest at our public address, secret and all; what is unreadable is 200."""
    answer = await vendors.sipgate()
    asked = f"{vendors.services.settings.public_url}/hooks/sipgate/{vendors.secrets['sipgate']}"
    assert answer.status_code == 200
    assert f'onAnswer="{asked}" onHangup="{asked}"' in answer.text
    assert (await vendors.sipgate(event="hangup")).status_code == 200
    assert (await vendors.call("c")).state is CallState.ENDED
    assert (await vendors.sipgate(direction="up")).status_code == 200
    assert await vendors.unread("sipgate") == ["direction is in or out"]


async def test_twilio(vendors: Vendors) -> None:
    """The address is PUBLIC_URL's, whatever the Host header says; the query belongs to it."""
    public = vendors.services.settings.public_url
    assert (await vendors.twilio(public, host="evil.example")).status_code == 200
    assert (await vendors.call("CA1")).from_number == "+33123456789"
    assert (await vendors.twilio("https://evil.example", host="evil.example")).status_code == 401
    assert (await vendors.twilio(public, CallSid=" ")).status_code == 200
    assert await vendors.unread("twilio") == ["CallSid is missing"]


@pytest.mark.both_engines
async def test_secrets_in_addresses(vendors: Vendors, caplog: pytest.LogCaptureFixture) -> None:
    """Without it nobody is let in, it is in no log, and both are valid while it is replaced."""
    caplog.set_level(logging.DEBUG, logger="connector")
    former = vendors.secrets["zammad"]
    for wrong in ("/hooks/zammad", "/hooks/zammad/wrong-secret", f"/hooks/zammad/{former}x"):
        answer = await vendors.place.client.post(wrong, json={})
        assert (answer.status_code, former in answer.text) == (401, False)
    assert (await vendors.zammad(event="parked")).status_code == 200
    vendors.secrets["zammad"] = await vendors.services.phone_systems.rotate("zammad", 24, "test")
    assert (await vendors.zammad()).status_code == 200
    vendors.secrets["zammad"] = former
    assert (await vendors.zammad()).status_code == 200
    assert (await vendors.zammad(direction="sideways")).status_code == 422
    assert "/hooks/zammad/***" in caplog.text
    assert not any(secret in caplog.text for secret in (former, "wrong-secret"))


@pytest.mark.both_engines
async def test_senders(vendors: Vendors) -> None:
    """Only listed addresses may post; here the server is told to believe a proxy on this machine."""
    phone = await phone_of(vendors, "zammad")
    store = vendors.services.store
    await store.write(lambda c: phones.set_senders(c, phone.id, ["203.0.113.0/24", "2001:db8::/32"]))
    await forget_memory(vendors)
    for through, status in (("", 401), ("198.51.100.7", 401), ("203.0.113.7", 200), ("2001:db8::1", 200)):
        headers = {"x-forwarded-for": through} if through else {}
        assert (await vendors.zammad(headers)).status_code == status
    await store.write(lambda c: phones.set_senders(c, phone.id, ["127.0.0.0/8"]))
    await forget_memory(vendors)
    assert (await vendors.zammad()).status_code == 200


@pytest.mark.parametrize("pattern", ["+33123456789", "+331*", "*"])
async def test_blocked_callers(vendors: Vendors, pattern: str) -> None:
    """They are rejected, and their call is over before a banner rings; a repeat is told the same."""
    phone = await phone_of(vendors, "zammad")
    entry = Blocked(pattern=pattern, everywhere=True, reason="", created_at=1)
    await vendors.services.store.write(lambda c: phones.block(c, phone, entry))
    for _ in range(2):
        assert (await vendors.zammad()).json() == {"action": "reject", "reason": "busy"}
    call = await vendors.call("c")
    assert (call.state, call.cause) == (CallState.ENDED, Cause.REJECTED)
    assert "<Reject" in (await vendors.sipgate(callId="d")).text
    outbound = {"direction": "out", "from": "33987654321", "to": "33123456789", "callId": "e"}
    assert (await vendors.zammad(**outbound)).json() == {}


async def test_blocked_callers_of_a_line_abroad(vendors: Vendors) -> None:
    """A national number is one of the line's country: that one is blocked, and its twin at home is not."""
    phone = await phone_of(vendors, "zammad")
    entry = Blocked(pattern="+442079460001", everywhere=True, reason="", created_at=1)
    await vendors.services.store.write(lambda c: phones.block(c, phone, entry))
    caller = {"from": "02079460001", "callId": "d"}
    assert (await vendors.zammad(**caller, to="442079460999")).json()["action"] == "reject"
    assert (await vendors.zammad(**caller | {"callId": "e"})).json() == {}


@pytest.mark.both_engines
async def test_withheld_callers_can_be_blocked(vendors: Vendors) -> None:
    """And only they."""
    phone = await phone_of(vendors, "zammad")
    entry = Blocked(pattern="withheld", everywhere=False, reason="", created_at=1)
    await vendors.services.store.write(lambda c: phones.block(c, phone, entry))
    assert (await vendors.zammad(**{"from": "anonymous"})).json()["action"] == "reject"
    assert (await vendors.zammad(callId="d")).json() == {}
    assert "<Reject" not in (await vendors.sipgate(callId="e", **{"from": "anonymous"})).text


@pytest.mark.both_engines
async def test_caller_ids(vendors: Vendors) -> None:
    """The rule with the most digits counts."""
    phone = await phone_of(vendors, "zammad")
    writes_so = partial(phones.set_without_plus, phone_id=phone.id, without_plus=True)
    await vendors.services.store.write(writes_so)
    await forget_memory(vendors)
    rules = {"*": "+33987654321", "+44*": "+442079460999", "+4420*": "+442079460998"}
    for pattern, number in rules.items():
        rule = partial(phones.set_caller_id, phone_id=phone.id, pattern=pattern, number=number)
        await vendors.services.store.write(rule)
    for called, shown in (("33123456789", "33987654321"), ("442079460001", "442079460998")):
        outbound = {"direction": "out", "from": "1001", "to": called, "callId": called}
        assert (await vendors.zammad(**outbound)).json() == {
            "action": "dial", "caller_id": shown, "number": called,
        }  # fmt: skip


@pytest.mark.both_engines
async def test_names_and_owners(vendors: Vendors) -> None:
    """Of contacts that our own tables know, and only where that is wanted."""
    phone = await phone_of(vendors, "zammad")
    agent = {"portal_id": 1, "user_id": 1, "desk_agent_id": "301", "checked_at": 1}
    known = indexed(from_desk(GRACE), ("FR",))

    def build(connection: Connection) -> None:
        contacts.put(connection, 1, [known], 1)
        connection.execute(tables.desk_agents.insert().values(agent))

    await vendors.services.store.write(build)
    assert (await vendors.zammad()).json() == {}
    await vendors.services.store.write(
        lambda c: phones.set_answers(c, phone.id, tells_names=True, routes_to_owners=True)
    )
    await forget_memory(vendors)
    assert (await vendors.zammad(callId="d")).json() == {
        "action": "dial", "number": "1001", "caller_name": "Grace Example",
    }  # fmt: skip
    assert (await vendors.zammad(callId="e", **{"from": "33123456780"})).json() == {}


async def test_whose_extension_a_short_number_is(vendors: Vendors) -> None:
    """An agent's, who calls a line of ours: among colleagues. Anybody else's number calls from outside."""
    for caller, way in (("1001", "internal"), ("735797", "inbound")):
        assert (await vendors.zammad(callId=caller, **{"from": caller})).status_code == 200
        assert (await vendors.call(caller)).direction == way
    await vendors.services.agents.deactivate("ada@example.com", actor="test")
    await forget_memory(vendors)
    assert (await vendors.zammad(callId="former", **{"from": "1001"})).status_code == 200
    assert (await vendors.call("former")).direction == "inbound"


async def test_more_users_than_a_request_may_ring(vendors: Vendors) -> None:
    """Five thousand names are refused as they come in; where errors count, they are kept unread."""
    refused = await vendors.zammad(user=[f"{number}" for number in range(5_000)])
    assert (refused.status_code, "500" in refused.text) == (413, True)
    assert await vendors.unread("zammad") == []
