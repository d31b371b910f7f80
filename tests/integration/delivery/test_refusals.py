"""A portal that takes no writes: nothing dies, and an administrator sees why until one is taken again."""

import pytest

from connector.store import outbox, refusals
from tests.integration.delivery.env import CALLS, CONTACTS, STRANGER, Environment

pytestmark = pytest.mark.anyio


async def shown(env: Environment) -> dict[str, str]:
    """Return what is refused at present: reason by kind of write."""
    found = await env.store.read(refusals.refusals)
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
async def test_every_post_is_refused(env: Environment, code: str, status: int, reason: str) -> None:
    """The portal rests, hardly asks, and delivers everything once the administrator has mended it."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    rule = env.strike("refusal", times=None, code=code, status=status)
    await env.want(*(env.record(f"c-{n}") for n in range(3)))
    await env.drain()
    assert await shown(env) == {"call": reason}
    for _ in range(12):
        env.advance(300)
        await env.drain()
    assert await env.store.read(outbox.count_by_state) == {"due": 3}
    assert env.posts(CALLS) <= 13 * 3
    env.state.faults.rules.remove(rule)
    env.advance(300)
    await env.drain()
    assert len(env.calls) == 3
    assert await shown(env) == {}


async def test_contacts_alone_are_forbidden(env: Environment) -> None:
    """Their calls wait with them, those of known callers do not, and only contacts are said to be refused."""
    env.portal.denied.add("contacts.create")
    await env.want(env.record("new"))
    await env.drain()
    env.state.desk.add_contact(last_name="Known", phone="+33699999999")
    await env.want(env.record("known", customer="+33699999999"))
    await env.drain()
    assert len(env.calls) == 1
    assert await shown(env) == {"contact": "forbidden"}
    env.portal.denied.clear()
    env.advance(900)
    await env.settle()
    assert len(env.calls) == 2
    assert await shown(env) == {}


@pytest.mark.both_engines
async def test_one_record_alone_is_forbidden(env: Environment) -> None:
    """It is dead after the third time while others go on without a rest."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    bad = env.record("bad")
    await env.want(env.record("c-0"))
    await env.drain()
    env.strike("refusal", times=None, code="FORBIDDEN", status=403, containing=bad.key)
    await env.want(bad)
    for number in range(1, 6):
        await env.want(env.record(f"c-{number}"))
        await env.drain()
        assert len(env.calls) == number + 1
        env.advance(120)
    row = await env.row(bad)
    assert (row.state, row.reason, row.strikes) == ("dead", "forbidden", 3)
    assert await shown(env) == {}


async def test_linking_anew_forgets_and_wakes(env: Environment) -> None:
    """Whoever links with another agent sees no refusal of the former one's, and nothing waits."""
    env.portal.denied.add("calls.create")
    await env.want(env.record())
    await env.drain()
    assert await shown(env) == {"call": "forbidden"}
    env.portal.denied.clear()
    await env.link()
    assert await shown(env) == {}
    await env.deliverer.resume(1)
    await env.drain()
    assert len(env.calls) == 1


@pytest.mark.parametrize("path", [CALLS, CONTACTS])
async def test_pages_for_all_writes_are_shown(env: Environment, path: str) -> None:
    """A firewall before Desk is named as such, until it lets a write pass."""
    env.strike("html", path, times=1, status=403)
    await env.want(env.record())
    await env.drain()
    assert await shown(env) == {"call" if path == CALLS else "contact": "blocked"}
    await env.settle()
    assert await shown(env) == {}
