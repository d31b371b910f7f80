"""What a portal's Desk refuses is learnt once, by all processes, and shown until somebody has mended it."""

import logging
from collections.abc import Sequence
from functools import partial

import msgspec
import pytest

from connector.calls import Recording
from connector.store import portals
from connector.store.portals import Portal
from tests.integration.delivery.env import CALLS, SETTLE_SECONDS, STRANGER, Environment

pytestmark = pytest.mark.anyio

TICKETS = "/api/v1/contacts/{id}/tickets"
LATE = (Recording(url="https://pbx.example/r/1"),)


async def portal_of(env: Environment) -> Portal:
    """Return the portal as the database has it."""
    return await env.portals.get(1)


async def refusals_of_many(env: Environment, names: Sequence[str]) -> int:
    """Have records written one after the other, each by another process, and count what Desk refuses."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    for name in names:
        await env.want(env.record(name))
        await env.drain(env.another(desks=env.another_portals()))
    assert {(await env.row(env.record(name))).state for name in names} == {"done"}
    return env.posts(CALLS, status=422)


@pytest.mark.both_engines
@pytest.mark.parametrize("lists_fields", [True, False])
async def test_an_unknown_field(
    env: Environment,
    caplog: pytest.LogCaptureFixture,
    lists_fields: bool,  # noqa: FBT001
) -> None:
    """It is refused once, left out of all other records, and shown with the remedy; the other field stays."""
    env.state.config.lists_fields = lists_fields
    await env.configure(key_field="cf_gone", recording_field="cf_recordingurl")
    assert await refusals_of_many(env, ["c-1", "c-2", "c-3"]) == 1
    assert (await portal_of(env)).refused_fields == "cf_gone"
    (only,) = await env.portals.obstacles(1)
    assert (only.layer, "cf_gone" in only.why, "--key-field cf_gone" in only.remedy) == ("field", True, True)
    (told,) = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert "Desk has no text field cf_gone for calls, so it is left out of all records" in told
    await env.want(msgspec.structs.replace(env.record("c-1"), recordings=LATE))
    await env.drain()
    assert env.state.requests.count(method="PATCH", status=422) == 0
    assert env.calls[0].cf["cf_recordingurl"]


async def test_a_field_that_takes_no_text(env: Environment) -> None:
    """A number or a list refuses every key, and so is learnt too."""
    env.state.config.call_field_types = {"cf_callkey": "Number"}
    env.strike("refusal", times=None, containing="cf_callkey", fields={"/cf/cf_callkey": "invalid"})
    await env.configure(key_field="cf_callkey")
    assert await refusals_of_many(env, ["c-1", "c-2", "c-3"]) == 1


async def test_a_value_that_is_refused(env: Environment) -> None:
    """A field that Desk has goes on being filled: what it did not like stood in one record alone."""
    env.strike("refusal", fields={"/cf/cf_callkey": "invalid"})
    await env.configure(key_field="cf_callkey")
    assert await refusals_of_many(env, ["c-1", "c-2"]) == 1
    assert (await portal_of(env)).refused_fields == ""
    assert [call.cf["cf_callkey"] for call in env.calls] == [None, env.record("c-2").key]
    assert "cf/cf_callkey" in (await env.row(env.record("c-1"))).detail


async def test_fields_that_are_not_shown(env: Environment) -> None:
    """Where the agent may not read which fields Desk has, nothing is learnt from one refused value."""
    env.strike("refusal", "/api/v1/fields", "GET", times=None, code="FORBIDDEN", status=403)
    env.strike("refusal", fields={"/cf/cf_callkey": "invalid"})
    await env.configure(key_field="cf_callkey")
    assert await refusals_of_many(env, ["c-1", "c-2"]) == 1
    assert (await portal_of(env)).refused_fields == ""
    assert [call.cf["cf_callkey"] for call in env.calls] == [None, env.record("c-2").key]


@pytest.mark.parametrize("mended", ["set", "checked", "linked"])
async def test_a_field_that_somebody_makes(env: Environment, mended: str) -> None:
    """Set again, checked or linked again, it is filled; before that, a check finds it missing as before."""
    await env.configure(key_field="cf_new")
    await refusals_of_many(env, ["c-1"])
    await env.portals.check(1)
    assert (await portal_of(env)).refused_fields == "cf_new"
    env.state.config.call_custom_fields = ["cf_new"]
    if mended == "set":
        await env.portals.configure(1, actor="test", key_field="cf_new")
    elif mended == "checked":
        await env.portals.check(1)
    else:
        await env.link()
    assert (await portal_of(env)).refused_fields == ""
    assert await env.portals.obstacles(1) == []
    await env.want(env.record("c-2"))
    await env.drain()
    assert env.calls[-1].cf["cf_new"] == env.record("c-2").key


async def test_a_check_that_fails_forgets_nothing(env: Environment) -> None:
    """Where Desk does not answer, what it has refused stays known."""
    await env.configure(key_field="cf_gone")
    await refusals_of_many(env, ["c-1"])
    env.strike("server_error", "/api/v1/fields", "GET")
    await env.portals.check(1)
    assert (await portal_of(env)).refused_fields == "cf_gone"


@pytest.mark.both_engines
async def test_a_sort_order(env: Environment) -> None:
    """It is refused once for all processes, and of one list alone: tickets are still had newest first."""
    env.state.config.index_delay_seconds = 86_400
    refusing = {
        "code": "UNPROCESSABLE_ENTITY",
        "fields": {"/sortBy": "invalid"},
        "containing": "-createdTime",
    }
    env.strike("refusal", CALLS, "GET", times=None, **refusing)
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    for name in ("c-1", "c-2", "c-3"):
        env.strike("drop")
        deliverer = env.another(desks=env.another_portals())
        await env.want(env.record(name))
        await env.drain(deliverer)
        env.advance(SETTLE_SECONDS)
        await env.drain(deliverer)
        assert (await env.row(env.record(name))).state == "done"
    assert env.state.requests.count(method="GET", path=CALLS, status=422) == 1
    assert (await portal_of(env)).refused_sorts == "calls"
    for desks in (env.portals, env.another_portals()):
        (contact,) = env.contacts_of(STRANGER)
        await (await desks.desk(1)).contact_tickets(contact.id)
    assert env.state.requests.count(path=TICKETS, status=422) == 0
    assert env.state.requests.count(path=TICKETS) == 2


async def test_one_refusal_is_tried_anew(env: Environment) -> None:
    """A refused order and a required field are shown, and forgotten by a check, for every process."""
    other, department = await env.another_portals().desk(1), env.department("Sales")
    env.strike("refusal", CALLS, "GET", code="UNPROCESSABLE_ENTITY", fields={"/sortBy": "invalid"})
    assert [await other.newest_calls(department) for _ in range(2)] == [None, None]
    await env.store.write(lambda c: portals.require(c, 1, ["priority"]))
    (only,) = await env.portals.obstacles(1)
    assert "Desk has refused to sort calls" in only.why
    await env.portals.check(1)
    found = await portal_of(env)
    assert (found.refused_sorts, found.required_fields) == ("", "")
    assert await other.newest_calls(department) == []
    assert await env.portals.obstacles(1) == []


async def test_what_is_learnt_meanwhile(env: Environment) -> None:
    """A field that is refused while another is set or checked stays known."""
    await env.configure(key_field="cf_a")
    await env.store.write(lambda c: portals.refuse_fields(c, 1, ["cf_a"]))
    before = await portal_of(env)
    await env.store.write(lambda c: portals.refuse_fields(c, 1, ["cf_b"]))
    setting = partial(env.portals._configure, before, {"key_field": "cf_a"}, "test")
    await env.store.write(setting)
    assert (await portal_of(env)).refused_fields == "cf_b"


async def test_what_is_learnt_adds_up(env: Environment) -> None:
    """Nothing that was learnt before is lost with something new."""
    for name in ("tickets", "calls", "calls"):
        await env.store.write(partial(portals.refuse_sort, portal_id=1, name=name))
    await env.store.write(lambda c: portals.refuse_fields(c, 1, ["cf_b", "cf_a"]))
    found = await portal_of(env)
    assert (found.refused_sorts, found.refused_fields) == ("calls tickets", "cf_a cf_b")
