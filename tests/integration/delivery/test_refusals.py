"""A portal that takes no writes: nothing dies, and an administrator sees why until one is taken again."""

import pytest

from connector.store import outbox, writes
from tests.integration.delivery.stage import CALLS, CONTACTS, STRANGER, Stage

pytestmark = pytest.mark.anyio


async def shown(stage: Stage) -> dict[str, str]:
    """Answer what is refused at present: reason by kind of write."""
    found = await stage.store.read(writes.refusals)
    return {each.work: each.reason for each in found}


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("FORBIDDEN", 403, "forbidden"),
        ("LICENSE_ACCESS_LIMITED", 403, "license_limited"),
        ("SCOPE_MISMATCH", 403, "scope_missing"),
        ("OAUTH_ORG_MISMATCH", 401, "org_mismatch"),
    ],
)
async def test_every_post_is_refused(stage: Stage, code: str, status: int, reason: str) -> None:
    """The portal rests, hardly asks, and delivers everything once the administrator has mended it."""
    stage.world.desk.add_contact(last_name="Known", phone=STRANGER)
    rule = stage.strike("refusal", times=None, code=code, status=status)
    await stage.want(*(stage.record(f"c-{n}") for n in range(3)))
    await stage.drain()
    assert await shown(stage) == {"call": reason}
    for _ in range(12):
        stage.advance(300)
        await stage.drain()
    assert await stage.store.read(outbox.count_by_state) == {"due": 3}
    assert stage.posts(CALLS) <= 13 * 3
    stage.world.faults.rules.remove(rule)
    stage.advance(300)
    await stage.drain()
    assert len(stage.calls) == 3
    assert await shown(stage) == {}


async def test_contacts_alone_are_forbidden(stage: Stage) -> None:
    """Their calls wait with them, those of known callers do not, and only contacts are said to be refused."""
    stage.portal.denied.add("contacts.create")
    await stage.want(stage.record("new"))
    await stage.drain()
    stage.world.desk.add_contact(last_name="Known", phone="+33699999999")
    await stage.want(stage.record("known", customer="+33699999999"))
    await stage.drain()
    assert len(stage.calls) == 1
    assert await shown(stage) == {"contact": "forbidden"}
    stage.portal.denied.clear()
    stage.advance(900)
    await stage.settle()
    assert len(stage.calls) == 2
    assert await shown(stage) == {}


async def test_one_record_alone_is_forbidden(stage: Stage) -> None:
    """It is dead after the third time while others go on without a rest."""
    stage.world.desk.add_contact(last_name="Known", phone=STRANGER)
    bad = stage.record("bad")
    await stage.want(stage.record("c-0"))
    await stage.drain()
    stage.strike("refusal", times=None, code="FORBIDDEN", status=403, containing=bad.key)
    await stage.want(bad)
    for number in range(1, 6):
        await stage.want(stage.record(f"c-{number}"))
        await stage.drain()
        assert len(stage.calls) == number + 1
        stage.advance(120)
    row = await stage.row(bad)
    assert (row.state, row.reason, row.strikes) == ("dead", "forbidden", 3)
    assert await shown(stage) == {}


async def test_linking_anew_forgets_and_wakes(stage: Stage) -> None:
    """Whoever links with another agent sees no refusal of the former one's, and nothing waits."""
    stage.portal.denied.add("calls.create")
    await stage.want(stage.record())
    await stage.drain()
    assert await shown(stage) == {"call": "forbidden"}
    stage.portal.denied.clear()
    await stage.link()
    assert await shown(stage) == {}
    await stage.deliverer.resume(1)
    await stage.drain()
    assert len(stage.calls) == 1


@pytest.mark.parametrize("path", [CALLS, CONTACTS])
async def test_pages_for_all_writes_are_shown(stage: Stage, path: str) -> None:
    """A firewall before Desk is named as such, until it lets a write pass."""
    stage.strike("html", path, times=1, status=403)
    await stage.want(stage.record())
    await stage.drain()
    assert await shown(stage) == {"call" if path == CALLS else "contact": "blocked"}
    await stage.settle()
    assert await shown(stage) == {}
