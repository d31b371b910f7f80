"""What a portal's Desk wants named in every change beside its contract: learnt from refusals, and sent."""

import msgspec
import pytest

from connector.calls import Recording
from connector.store import portals
from tests.integration.delivery.stage import CALLS, STRANGER, Stage

pytestmark = pytest.mark.anyio

ONE = f"{CALLS}/{{id}}"
LATE = (Recording(url="https://pbx.example/r/1"),)


async def required(stage: Stage) -> list[str]:
    """Answer what was learnt of the portal."""
    portal = await stage.store.read(lambda c: portals.get(c, 1))
    assert portal is not None
    return portal.required_fields.split()


async def changed_late(stage: Stage, names: list[str], *, partial: bool) -> int:
    """Let recordings come late, each to another process, and count what Desk refuses after the first."""
    stage.world.config.patch_requires_all = not partial
    stage.world.desk.add_contact(last_name="Known", phone=STRANGER)
    records = [stage.record(name, duration_seconds=0) for name in names]
    await stage.want(*records)
    await stage.drain()
    for call in stage.calls:
        stage.edit(call, priority="High")
    for number, record in enumerate(records):
        if number == 1:
            stage.world.requests.reset()
        await stage.want(msgspec.structs.replace(record, recordings=LATE))
        await stage.drain(stage.another())
    assert {(await stage.row(record)).state for record in records} == {"done"}
    assert all(call.recording_url for call in stage.calls)
    return stage.world.requests.count(method="PATCH", path=ONE, status=422)


@pytest.mark.parametrize("partial", [True, False])
async def test_the_older_contract(stage: Stage, partial: bool) -> None:  # noqa: FBT001
    """Direction and duration, even one of nought, are named again; only the first change is refused."""
    stage.world.config.older_contract = True
    assert await changed_late(stage, ["c-1", "c-2", "c-3"], partial=partial) == 0
    assert await required(stage) == ["direction", "duration"]
    assert {call.duration for call in stage.calls} == {"0"}


@pytest.mark.parametrize("name", ["priority", "cf/cf_callkey", "ownerId"])
async def test_whatever_is_missing(stage: Stage, name: str) -> None:
    """Ours is sent as it shall be, and what is not ours as it stands in Desk now."""
    await stage.configure(key_field="cf_callkey")
    stage.world.config.patch_requires_more = [name]
    assert await changed_late(stage, ["c-1", "c-2"], partial=False) == 0
    assert await required(stage) == [name]
    assert {call.priority for call in stage.calls} == {"High"}
    assert {call.owner_id for call in stage.calls} == {stage.agent("Ada")}


async def test_what_nobody_knows_is_for_a_person(stage: Stage) -> None:
    """A member that neither we nor Desk have a value for ends the change, not the record in Desk."""
    stage.world.config.patch_requires_more = ["teamId"]
    await stage.want(stage.record())
    await stage.settle()
    await stage.want(stage.record(recordings=LATE))
    await stage.settle()
    row = await stage.row()
    assert (row.state, row.reason, row.desk_id) == ("dead", "invalid_data", stage.call.id)
    assert "teamId missing" in row.detail


async def test_a_change_loses_no_key(stage: Stage) -> None:
    """Where Desk empties custom fields that a change does not name, the call key stays all the same."""
    await stage.configure(key_field="cf_callkey", recording_field="cf_recordingurl")
    stage.world.config.patch_replaces_cf = True
    await stage.want(stage.record())
    await stage.settle()
    await stage.want(stage.record(recordings=LATE))
    await stage.settle()
    assert stage.call.cf["cf_callkey"] == stage.record().key
    assert stage.call.cf["cf_recordingurl"]
