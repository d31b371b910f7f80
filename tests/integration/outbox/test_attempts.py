"""What Desk answered to each attempt of a delivery is kept in the commits of the delivery itself."""

from functools import partial
from typing import Any

import pytest

from connector.sandbox.faults import FaultKind
from connector.store import attempts, in_flight, tables
from connector.store.attempts import FIRST_KEPT, LAST_KEPT, Attempt, NumberedAttempt
from connector.store.outbox import Row
from tests.integration.delivery.env import NOON, STRANGER, Environment

pytestmark = [pytest.mark.anyio, pytest.mark.both_engines]

KNOWN = {"last_name": "Known", "phone": "06 12 34 56 78"}


async def told(env: Environment, row: Row) -> list[NumberedAttempt]:
    """Return what is kept of a delivery's attempts."""
    return await env.store.read(lambda c: attempts.of_deliveries(c, [row.id]))


async def came_to(env: Environment, row: Row) -> list[tuple[Any, ...]]:
    """Return the attempts of a delivery in short."""
    kept = await told(env, row)
    assert [each.number for each in kept] == list(range(1, len(kept) + 1))
    return [(each.operation, each.status, each.error_code, each.outcome) for each in kept]


async def test_what_is_written_and_changed(env: Environment) -> None:
    """Each write is an attempt: of which revision, when, and how Desk answered."""
    await env.want(env.record())
    await env.drain()
    env.advance(5)
    await env.want(env.record(duration_seconds=43))
    await env.drain()
    row = await env.row()
    first, *changes = await told(env, row)
    assert (first.at + first.milliseconds, first.operation) == (NOON, "POST /calls")
    assert (first.status, first.revision) == (200, 1)
    assert (first.outcome, first.reason, first.error_code) == ("written", "", "")
    assert {each.operation for each in changes} == {f"PATCH /calls/{row.desk_id}"}
    assert (changes[-1].outcome, changes[-1].status, changes[-1].revision) == ("updated", 200, 2)
    assert await came_to(env, await env.contact_row(STRANGER)) == [("POST /contacts", 200, "", "made")]


@pytest.mark.parametrize(
    ("fault", "answers"),
    [
        (
            "server_error",
            [("POST /calls", 500, "INTERNAL_SERVER_ERROR", "unknown"), ("POST /calls", 200, "", "written")],
        ),
        (
            "too_many_requests",
            [("POST /calls", 429, "TOO_MANY_REQUESTS", "later"), ("POST /calls", 200, "", "written")],
        ),
    ],
)
async def test_what_failed(env: Environment, fault: FaultKind, answers: list[tuple[Any, ...]]) -> None:
    """Is told with Desk's status and errorCode, and what the delivery came to with it."""
    env.state.desk.add_contact(**KNOWN)
    env.strike(fault)
    await env.want(env.record())
    await env.settle()
    kept = [each for each in await came_to(env, await env.row()) if each[0].startswith("POST")]
    assert kept == answers


async def test_a_read_that_failed(env: Environment) -> None:
    """Is an attempt too, without what was looked for: numbers stand in no operation."""
    env.strike("server_error", "/api/v1/contacts/search", "GET")
    await env.want(env.record())
    await env.drain()
    (only,) = await told(env, await env.row())
    assert (only.operation, only.status, only.outcome) == ("GET /contacts/search", 500, "later")
    assert only.reason == "zoho_down"


async def test_what_nobody_learnt(env: Environment) -> None:
    """A request whose process died is an attempt without an answer."""
    await env.want(env.record())
    row = await env.row()
    note = in_flight.Note(row, "somebody", b"{}", env.clock())
    await env.store.write(lambda c: in_flight.note_all(c, [note]))
    those = await env.store.read(in_flight.under_way)
    assert await env.store.write(lambda c: in_flight.give_up(c, those, env.clock() + 97_000)) == 1
    (only,) = await told(env, row)
    assert (only.operation, only.status, only.outcome) == ("POST /calls", None, "unknown")
    assert only.milliseconds == 97_000


async def test_what_a_note_brings_along(env: Environment) -> None:
    """Requests that were answered before another one is noted are kept with that note, and only if it is."""
    await env.want(env.record())
    row = await env.row()
    answered = (attempt(1),)
    lost = in_flight.Note(row.__class__(**fields(row) | {"revision": 9}), "a", b"{}", env.clock(), answered)
    kept = in_flight.Note(row, "b", b"{}", env.clock(), answered)
    await env.store.write(lambda c: in_flight.note_all(c, [lost, kept]))
    assert [each.at for each in await told(env, row)] == [1]


async def test_the_middle_of_many_is_left_out(env: Environment) -> None:
    """The first and the last are kept, and the last number says how many there were."""
    await env.want(env.record())
    row = await env.row()
    for at in range(0, 60, 2):
        each = [(row.id, attempt(at)), (row.id, attempt(at + 1))]
        await env.store.write(partial(attempts.add, told=each))
    kept = [each.number for each in await told(env, row)]
    assert kept == [*range(1, FIRST_KEPT + 1), *range(61 - LAST_KEPT, 61)]
    await env.store.write(lambda c: c.execute(tables.outbox.delete()))
    assert await told(env, row) == []


def attempt(at: int) -> Attempt:
    """Make an attempt; what Desk says may hold what PostgreSQL takes for no text."""
    return Attempt(at=at, milliseconds=1, operation="POST /calls", revision=1, detail="a\0b")


def fields(row: Row) -> dict[str, Any]:
    """Return the fields of a row."""
    return {name: getattr(row, name) for name in row.__struct_fields__}
