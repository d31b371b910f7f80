"""Desk refuses a read and takes writes: that says nothing of a record, so that none dies of it."""

import pytest

from connector.store import outbox
from tests.integration.delivery.stage import Stage

pytestmark = pytest.mark.anyio

SEARCH = "/api/v1/contacts/search"
KNOWN = "+33699999999"


async def _one_is_written(stage: Stage, name: str, contact_id: str) -> None:
    """Have a record written whose contact somebody has chosen, so that nobody is searched for."""
    record = stage.record(name, customer=KNOWN)
    await stage.want(record, due_at=stage.clock() + 1)
    await stage.choose(record, contact_id)
    stage.advance(1)
    await stage.drain()
    assert (await stage.row(record)).state == "done"


@pytest.mark.parametrize(
    "fault", [{"kind": "html"}, {"kind": "refusal", "code": "FORBIDDEN"}], ids=["page", "forbidden"]
)
async def test_every_search_is_refused(stage: Stage, fault: dict[str, str]) -> None:
    """Those who need no search go on at once; the others wait minutes, and are written at its end."""
    contact_id = stage.world.desk.add_contact(last_name="Known", phone=KNOWN).id
    await _one_is_written(stage, "k", contact_id)
    rule = stage.strike(path=SEARCH, method="GET", times=None, status=403, **fault)  # type: ignore[arg-type]
    await stage.want(stage.record("a"), stage.record("b"))
    await stage.drain()
    for number in range(12):
        stage.advance(90)
        await _one_is_written(stage, f"k-{number}", contact_id)
    rows = [await stage.row(stage.record(name)) for name in ("a", "b")]
    assert [(row.state, row.strikes) for row in rows] == [("due", 0)] * 2
    assert all(row.due_at <= stage.clock() + 300_000 for row in rows)
    stage.world.faults.rules.remove(rule)
    stage.advance(300)
    await stage.settle()
    assert await stage.store.read(outbox.count_by_state) == {"done": 16}
