"""Looking for a record that may be there, wherever it has gone meanwhile."""

import msgspec
import pytest

from connector.sandbox.desk.records import Call
from connector.sandbox.faults import FaultKind
from tests.integration.delivery.stage import SETTLE_SECONDS, Stage

pytestmark = pytest.mark.anyio


async def _dropped(stage: Stage) -> Call:
    stage.strike("drop")
    await stage.want(stage.record())
    await stage.drain()
    return stage.call


def _surround(stage: Stage, call: Call, before: int, after: int) -> None:
    """Put other calls of the department around one, some of them starting at the same moment."""
    for number in range(-before, after + 1):
        if number:
            made_at = call.created_at + number * (1_000 if number > 0 else 60_000)
            other = msgspec.structs.replace(
                call,
                id=stage.portal.new_id(),
                created_at=made_at,
                start_at=call.start_at + (number if number % 7 else 0),
                description=f"Call key: zpcother{number + before}",
            )
            stage.portal.calls.put(other, made_at)


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (3, 2), (700, 30), (40, 250)])
async def test_among_many(stage: Stage, before: int, after: int, refused: bool) -> None:  # noqa: FBT001
    """It is found by the list, however many calls there are, and though Desk sorts oldest first only."""
    stage.world.config.descending_sort_refused = refused
    stage.world.config.index_delay_seconds = 86_400
    call = await _dropped(stage)
    _surround(stage, call, before, after)
    stage.advance(SETTLE_SECONDS)
    await stage.drain()
    row = await stage.row()
    assert (row.state, row.desk_id) == ("done", call.id)
    assert stage.posts() == 1


async def test_what_the_index_has_costs_two_requests(stage: Stage) -> None:
    """A record that can be searched for by now is not looked for in long lists."""
    call = await _dropped(stage)
    _surround(stage, call, before=40, after=250)
    stage.advance(SETTLE_SECONDS + stage.settings.index_delay_seconds)
    before = stage.world.requests.count("GET")
    await stage.drain()
    assert (await stage.row()).desk_id == call.id
    assert stage.world.requests.count("GET") == before + 2


@pytest.mark.parametrize("kind", ["server_error", "html", "reset"])
async def test_asks_again_before_it_begins_again(stage: Stage, kind: FaultKind) -> None:
    """A look takes several requests; where each may fail, beginning anew with each failure never ends."""
    call = await _dropped(stage)
    _surround(stage, call, before=40, after=250)
    stage.strike(kind, "/api/v1/calls", "GET", times=2)
    stage.advance(SETTLE_SECONDS)
    await stage.drain()
    assert (await stage.row()).desk_id == call.id


async def test_moved_to_another_department(stage: Stage) -> None:
    """A record that somebody has moved is found by its key."""
    call = await _dropped(stage)
    stage.edit(call, department_id=stage.department("Billing"), subject="Mine")
    await stage.settle()
    assert (await stage.row()).desk_id == call.id
    assert stage.call.subject == "Mine"
    assert stage.posts() == 1


async def test_moved_and_not_indexed_yet(stage: Stage) -> None:
    """The second look comes when the index must have it."""
    stage.world.config.index_delay_seconds = 119
    call = await _dropped(stage)
    stage.advance(SETTLE_SECONDS)
    stage.edit(call, department_id=stage.department("Billing"))
    await stage.drain()
    assert (await stage.row()).state == "unknown"
    await stage.settle()
    assert (await stage.row()).desk_id == call.id
    assert stage.posts() == 1


async def test_key_in_the_custom_field(stage: Stage) -> None:
    """A description that somebody wrote anew is no obstacle where the key has its own field."""
    await stage.configure(key_field="cf_callkey")
    call = await _dropped(stage)
    stage.edit(call, description="Called about the invoice")
    await stage.settle()
    assert (await stage.row()).desk_id == call.id


async def test_undecidable(stage: Stage) -> None:
    """A record like ours whose key is gone is for a person to judge."""
    call = await _dropped(stage)
    stage.edit(call, description="Called about the invoice")
    await stage.settle()
    row = await stage.row()
    assert (row.state, row.reason) == ("dead", "undecidable")
    assert call.id in row.detail
    assert stage.posts() == 1


@pytest.mark.parametrize("absent", [False, True])
async def test_undecidable_decided(stage: Stage, absent: bool) -> None:  # noqa: FBT001
    """Retried, it is looked for again; unless the person says that it is not there."""
    await test_undecidable(stage)
    await stage.retry(await stage.row(), absent=absent)
    await stage.settle()
    assert (await stage.row()).state == ("done" if absent else "dead")
    assert len(stage.calls) == (2 if absent else 1)


async def test_deleted_meanwhile(stage: Stage) -> None:
    """A record that somebody has deleted by then is absent, and written again."""
    call = await _dropped(stage)
    stage.edit(call, is_trashed=True)
    await stage.settle()
    assert (await stage.row()).state == "done"
    assert [each.is_trashed for each in stage.calls] == [True, False]


async def test_two_calls_at_the_same_millisecond(stage: Stage) -> None:
    """Each finds its own record, though both are alike in everything but the key."""
    stage.world.desk.add_contact(last_name="Known", phone="06 12 34 56 78")
    stage.strike("drop", times=2)
    await stage.want(stage.record("c-1"), stage.record("c-2"))
    await stage.settle()
    ids = {(await stage.row(stage.record(name))).desk_id for name in ("c-1", "c-2")}
    assert ids == {call.id for call in stage.calls}
    assert stage.posts() == 2


async def test_looking_outlives_an_outage(stage: Stage) -> None:
    """While Desk does not answer, the outcome stays unknown."""
    call = await _dropped(stage)
    stage.strike("html", method="GET", times=6)
    await stage.settle()
    assert (await stage.row()).desk_id == call.id
    assert stage.posts() == 1
