"""Desk refuses a read and takes writes: that says nothing of a record, so that none dies of it."""

import pytest

from connector.store import outbox
from tests.integration.delivery.env import Environment

pytestmark = pytest.mark.anyio

SEARCH = "/api/v1/contacts/search"
KNOWN = "+33699999999"


async def _one_is_written(env: Environment, name: str, contact_id: str) -> None:
    """Have a record written whose contact somebody has chosen, so that nobody is searched for."""
    record = env.record(name, customer=KNOWN)
    await env.want(record, due_at=env.clock() + 1)
    await env.choose(record, contact_id)
    env.advance(1)
    await env.drain()
    assert (await env.row(record)).state == "done"


@pytest.mark.parametrize(
    "fault", [{"kind": "html"}, {"kind": "refusal", "code": "FORBIDDEN"}], ids=["page", "forbidden"]
)
async def test_every_search_is_refused(env: Environment, fault: dict[str, str]) -> None:
    """Those who need no search go on at once; the others wait minutes, and are written at its end."""
    contact_id = env.state.desk.add_contact(last_name="Known", phone=KNOWN).id
    await _one_is_written(env, "k", contact_id)
    rule = env.strike(path=SEARCH, method="GET", times=None, status=403, **fault)  # type: ignore[arg-type]
    await env.want(env.record("a"), env.record("b"))
    await env.drain()
    for number in range(12):
        env.advance(90)
        await _one_is_written(env, f"k-{number}", contact_id)
    rows = [await env.row(env.record(name)) for name in ("a", "b")]
    assert [(row.state, row.strikes) for row in rows] == [("due", 0)] * 2
    assert all(row.due_at <= env.clock() + 300_000 for row in rows)
    env.state.faults.rules.remove(rule)
    env.advance(300)
    await env.settle()
    assert await env.store.read(outbox.count_by_state) == {"done": 16}
