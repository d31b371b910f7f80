"""What limits an API key: its end, its portals, what it may give away."""

import pytest

from connector.accounts.keys import USE_NOTED_EVERY, Wanted
from connector.clock import SECOND, to_iso
from connector.errors import InvalidValue, NotAllowed
from connector.store.keys import ApiKey
from tests.integration.identity.browser import Browser
from tests.integration.identity.conftest import NOW, Services
from tests.integration.identity.test_auth import bearer

pytestmark = pytest.mark.anyio
SOON = to_iso(NOW + 5 * SECOND)


async def kept(services: Services, name: str) -> ApiKey:
    """Return a key as it is kept."""
    return await services.keys.by_name(name)


async def test_a_key_ends_by_itself(services: Services, browser: Browser) -> None:
    """To the millisecond, and no process takes it for a valid one any longer than a second."""
    _, key = await services.keys.add(Wanted(name="soon", expires_at=SOON), actor="test")
    assert (await browser.get("/api/me", headers=bearer(key))).status_code == 200
    assert await services.keys.is_known(key)
    services.sandbox.state.clock.advance(5)
    assert (await browser.get("/api/me", headers=bearer(key))).status_code == 401
    assert not await services.keys.is_known(key)


@pytest.mark.both_engines
async def test_the_last_use_is_noted_once_a_minute(services: Services, browser: Browser) -> None:
    """Requests in between write nothing."""
    key = await services.keys.add_key("busy", actor="test")
    assert (await kept(services, "busy")).last_used_at is None
    for seconds in (0, 30, 29):
        services.sandbox.state.clock.advance(seconds)
        assert (await browser.get("/api/me", headers=bearer(key))).status_code == 200
        assert (await kept(services, "busy")).last_used_at == NOW
    services.sandbox.state.clock.advance(1)
    await browser.get("/api/me", headers=bearer(key))
    assert (await kept(services, "busy")).last_used_at == NOW + USE_NOTED_EVERY


@pytest.mark.both_engines
async def test_a_key_for_portals_reaches_no_others(services: Services, admin: Browser) -> None:
    """It is refused wherever nobody asks which portal a request is about."""
    assert (await admin.link()).status_code == 303
    (portal,) = await services.portals.list_portals()
    made, key = await services.keys.add(
        Wanted(name="one portal", role="administrator", portals=[portal.id], actions=["call_*"]), actor="test"
    )
    assert (sorted(made.portals), list(made.actions)) == ([portal.id], ["call_*"])
    assert (await admin.get("/api/me", headers=bearer(key))).status_code == 403
    assert (await admin.get(f"/api/portal/{portal.id}", headers=bearer(key))).status_code == 200
    assert (await admin.get(f"/api/portal/{portal.id + 1}", headers=bearer(key))).status_code == 403
    audited = (await services.audited())[-1]
    assert audited.detail == f"role: administrator; actions: call_*; portals: {portal.id}"


async def test_a_key_gives_no_more_than_it_has(services: Services) -> None:
    """Neither role, nor actions, nor portals, nor time."""
    limited = ApiKey(
        id=1,
        name="limited",
        role="supervisor",
        created_at=0,
        expires_at=NOW + 60 * SECOND,
        actions=("call_*", "list_contacts"),
        portals=frozenset({1}),
    )
    for more in (
        Wanted(name="x", role="administrator", portals=[1], expires_at=SOON),
        Wanted(name="x", portals=[1]),
        Wanted(name="x", portals=[1], expires_at=to_iso(NOW + 61 * SECOND)),
        Wanted(name="x", portals=[1, 2], expires_at=SOON),
        Wanted(name="x", expires_at=SOON),
        Wanted(name="x", portals=[1], expires_at=SOON, actions=["*"]),
        Wanted(name="x", portals=[1], expires_at=SOON, actions=["call_*", "call_delete"]),
    ):
        with pytest.raises(NotAllowed):
            await services.keys.add(more, actor="test", by=limited)
    assert await services.keys.list_keys() == []
    unlimited = ApiKey(id=2, name="all", role="administrator", created_at=0, actions=("*",))
    made, _ = await services.keys.add(Wanted(name="x", actions=["call_*"]), actor="test", by=unlimited)
    assert made.actions == ("call_*",)


async def test_what_cannot_be_is_refused(services: Services) -> None:
    """Each with the field that it is about."""
    for wanted, pointer in (
        (Wanted(name="x", role="boss"), "/role"),
        (Wanted(name="x" * 201), "/name"),
        (Wanted(name="a\x1b[31mb"), "/name"),
        (Wanted(name="x", actions=["a b"]), "/actions"),
        (Wanted(name="x", actions=[f"a{number}" for number in range(101)]), "/actions"),
        (Wanted(name="x", expires_at="tomorrow"), "/expires_at"),
        (Wanted(name="x", expires_at=to_iso(NOW)), "/expires_at"),
        (Wanted(name="x", portals=[7]), "/portals"),
    ):
        with pytest.raises(InvalidValue) as refused:
            await services.keys.add(wanted, actor="test")
        assert refused.value.pointer == pointer
    assert await services.audited() == []
