"""What a portal's Desk wants named in every change beside its contract: learnt from refusals, and sent."""

import msgspec
import pytest

from connector.calls import Recording
from connector.store import portals
from tests.integration.delivery.env import CALLS, STRANGER, Environment

pytestmark = pytest.mark.anyio

ONE = f"{CALLS}/{{id}}"
LATE = (Recording(url="https://pbx.example/r/1"),)


async def required(env: Environment) -> list[str]:
    """Return what was learnt of the portal."""
    portal = await env.store.read(lambda c: portals.get(c, 1))
    assert portal is not None
    return portal.required_fields.split()


async def changed_late(env: Environment, names: list[str]) -> int:
    """Let recordings come late, each to another process, and count what Desk refuses after the first."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    records = [env.record(name, duration_seconds=0) for name in names]
    await env.want(*records)
    await env.drain()
    for call in env.calls:
        env.edit(call, priority="High")
    for number, record in enumerate(records):
        if number == 1:
            env.state.requests.reset()
        await env.want(msgspec.structs.replace(record, recordings=LATE))
        await env.drain(env.another())
    assert {(await env.row(record)).state for record in records} == {"done"}
    assert all(call.recording_url for call in env.calls)
    return env.state.requests.count(method="PATCH", path=ONE, status=422)


@pytest.mark.both_engines
async def test_the_older_contract(env: Environment) -> None:
    """Direction and duration, even one of nought, are named again; only the first change is refused."""
    env.state.config.older_contract = True
    assert await changed_late(env, ["c-1", "c-2", "c-3"]) == 0
    assert await required(env) == ["direction", "duration"]
    assert {call.duration for call in env.calls} == {"0"}


@pytest.mark.parametrize("name", ["priority", "cf/cf_callkey", "ownerId"])
async def test_whatever_is_missing(env: Environment, name: str) -> None:
    """Ours is sent as it shall be, and what is not ours as it stands in Desk now."""
    await env.configure(key_field="cf_callkey")
    env.state.config.patch_requires_more = [name]
    assert await changed_late(env, ["c-1", "c-2"]) == 0
    assert await required(env) == [name]
    assert {call.priority for call in env.calls} == {"High"}
    assert {call.owner_id for call in env.calls} == {env.agent("Ada")}


async def test_what_nobody_knows_is_for_a_person(env: Environment) -> None:
    """A member that neither we nor Desk have a value for ends the change, not the record in Desk."""
    env.state.config.patch_requires_more = ["teamId"]
    await env.want(env.record())
    await env.settle()
    await env.want(env.record(recordings=LATE))
    await env.settle()
    row = await env.row()
    assert (row.state, row.reason, row.desk_id) == ("dead", "invalid_data", env.call.id)
    assert "teamId missing" in row.detail


async def test_a_change_loses_no_key(env: Environment) -> None:
    """Where Desk empties custom fields that a change does not name, the call key stays all the same."""
    await env.configure(key_field="cf_callkey", recording_field="cf_recordingurl")
    env.state.config.patch_replaces_cf = True
    await env.want(env.record())
    await env.settle()
    await env.want(env.record(recordings=LATE))
    await env.settle()
    assert env.call.cf["cf_callkey"] == env.record().key
    assert env.call.cf["cf_recordingurl"]
