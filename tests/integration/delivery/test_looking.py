"""Looking for a record that may be there, wherever it has gone meanwhile."""

import msgspec
import pytest

from connector.sandbox.desk.records import Call
from connector.sandbox.faults import FaultKind
from tests.integration.delivery.env import SETTLE_SECONDS, Environment

pytestmark = pytest.mark.anyio


async def _dropped(env: Environment) -> Call:
    env.strike("drop")
    await env.want(env.record())
    await env.drain()
    return env.call


def _surround(env: Environment, call: Call, before: int, after: int) -> None:
    """Put other calls of the department around one, some of them starting at the same moment."""
    for number in range(-before, after + 1):
        if number:
            made_at = call.created_at + number * (1_000 if number > 0 else 60_000)
            other = msgspec.structs.replace(
                call,
                id=env.portal.new_id(),
                created_at=made_at,
                start_at=call.start_at + (number if number % 7 else 0),
                description=f"Call key: zpcother{number + before}",
            )
            env.portal.calls.put(other, made_at)


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (3, 2), (700, 30), (40, 250)])
async def test_among_many(env: Environment, before: int, after: int, refused: bool) -> None:  # noqa: FBT001
    """It is found by the list, however many calls there are, and though Desk sorts oldest first only."""
    env.state.config.descending_sort_refused = refused
    env.state.config.index_delay_seconds = 86_400
    call = await _dropped(env)
    _surround(env, call, before, after)
    env.advance(SETTLE_SECONDS)
    await env.drain()
    row = await env.row()
    assert (row.state, row.desk_id) == ("done", call.id)
    assert env.posts() == 1


async def test_what_the_index_has_costs_two_requests(env: Environment) -> None:
    """A record that can be searched for by now is not looked for in long lists."""
    call = await _dropped(env)
    _surround(env, call, before=40, after=250)
    env.advance(SETTLE_SECONDS + env.settings.index_delay_seconds)
    before = env.state.requests.count("GET")
    await env.drain()
    assert (await env.row()).desk_id == call.id
    assert env.state.requests.count("GET") == before + 2


@pytest.mark.parametrize("kind", ["server_error", "html", "reset"])
async def test_asks_again_before_it_begins_again(env: Environment, kind: FaultKind) -> None:
    """A look takes several requests; where each may fail, beginning anew with each failure never ends."""
    call = await _dropped(env)
    _surround(env, call, before=40, after=250)
    env.strike(kind, "/api/v1/calls", "GET", times=2)
    env.advance(SETTLE_SECONDS)
    await env.drain()
    assert (await env.row()).desk_id == call.id


async def test_moved_to_another_department(env: Environment) -> None:
    """A record that somebody has moved is found by its key."""
    call = await _dropped(env)
    env.edit(call, department_id=env.department("Billing"), subject="Mine")
    await env.settle()
    assert (await env.row()).desk_id == call.id
    assert env.call.subject == "Mine"
    assert env.posts() == 1


async def test_moved_and_not_indexed_yet(env: Environment) -> None:
    """The second look comes when the index must have it."""
    env.state.config.index_delay_seconds = 119
    call = await _dropped(env)
    env.advance(SETTLE_SECONDS)
    env.edit(call, department_id=env.department("Billing"))
    await env.drain()
    assert (await env.row()).state == "unknown"
    await env.settle()
    assert (await env.row()).desk_id == call.id
    assert env.posts() == 1


async def test_key_in_the_custom_field(env: Environment) -> None:
    """A description that somebody wrote anew is no obstacle where the key has its own field."""
    await env.configure(key_field="cf_callkey")
    call = await _dropped(env)
    env.edit(call, description="Called about the invoice")
    await env.settle()
    assert (await env.row()).desk_id == call.id


async def test_undecidable(env: Environment) -> None:
    """A record like ours whose key is gone is for a person to judge."""
    call = await _dropped(env)
    env.edit(call, description="Called about the invoice")
    await env.settle()
    row = await env.row()
    assert (row.state, row.reason) == ("dead", "undecidable")
    assert call.id in row.detail
    assert env.posts() == 1


@pytest.mark.parametrize("absent", [False, True])
async def test_undecidable_decided(env: Environment, absent: bool) -> None:  # noqa: FBT001
    """Retried, it is looked for again; unless the person says that it is not there."""
    await test_undecidable(env)
    await env.retry(await env.row(), absent=absent)
    await env.settle()
    assert (await env.row()).state == ("done" if absent else "dead")
    assert len(env.calls) == (2 if absent else 1)


async def test_deleted_meanwhile(env: Environment) -> None:
    """A record that somebody has deleted by then is absent, and written again."""
    call = await _dropped(env)
    env.edit(call, is_trashed=True)
    await env.settle()
    assert (await env.row()).state == "done"
    assert [each.is_trashed for each in env.calls] == [True, False]


async def test_two_calls_at_the_same_millisecond(env: Environment) -> None:
    """Each finds its own record, though both are alike in everything but the key."""
    env.state.desk.add_contact(last_name="Known", phone="06 12 34 56 78")
    env.strike("drop", times=2)
    await env.want(env.record("c-1"), env.record("c-2"))
    await env.settle()
    ids = {(await env.row(env.record(name))).desk_id for name in ("c-1", "c-2")}
    assert ids == {call.id for call in env.calls}
    assert env.posts() == 2


async def test_looking_outlives_an_outage(env: Environment) -> None:
    """While Desk does not answer, the outcome stays unknown."""
    call = await _dropped(env)
    env.strike("html", method="GET", times=6)
    await env.settle()
    assert (await env.row()).desk_id == call.id
    assert env.posts() == 1
