"""Keeping a portal's token fresh: one refresh for all, and never too many."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from connector.errors import ClientRefused, GrantLost, NoToken, TokensThrottled
from connector.portals import Portals
from connector.sandbox.faults import Rule
from connector.store import Store, grants
from connector.store.grants import Grant
from tests.integration.databases import url_of
from tests.integration.identity.browser import Browser
from tests.integration.identity.conftest import Services

pytestmark = [pytest.mark.anyio, pytest.mark.both_engines]
HOUR = 3_600
TOKEN = "/oauth/v2/token"


@pytest.fixture
async def linked(services: Services, admin: Browser) -> int:
    """Link a portal, and count Zoho's requests from then on."""
    await admin.link()
    services.sandbox.state.requests.reset()
    return 1


async def ask(portals: Portals, portal_id: int) -> str | None:
    """Ask Desk something that needs a token."""
    return (await (await portals.desk(portal_id)).my_info()).email


async def at_once(number: int, what: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Do something many times at once; answer what each came to."""
    results: list[Any] = []

    async def one() -> None:
        results.append(await what())

    async with anyio.create_task_group() as group:
        for _ in range(number):
            group.start_soon(one)
    return results


async def grant_of(services: Services) -> Grant:
    """Return the stored grant."""
    found = await services.store.read(lambda connection: grants.get(connection, 1))
    assert found is not None
    return found


async def test_a_fresh_token_is_not_refreshed(services: Services, linked: int) -> None:
    """The token of linking serves until five minutes before its end."""
    await at_once(20, lambda: ask(services.portals, linked))
    services.sandbox.state.clock.advance(HOUR - 301)
    await ask(services.portals, linked)
    assert services.asked(TOKEN) == 0
    services.sandbox.state.clock.advance(1)
    await ask(services.portals, linked)
    assert services.asked(TOKEN) == 1


async def test_twenty_at_once_refresh_once(services: Services, linked: int) -> None:
    """Whoever finds the token expired shares one refresh."""
    services.sandbox.state.clock.advance(2 * HOUR)
    assert await at_once(20, lambda: ask(services.portals, linked)) == 20 * ["ada@example.com"]
    assert services.asked(TOKEN) == 1


async def test_two_processes_refresh_once(services: Services, linked: int) -> None:
    """Over one database, the one that comes second finds the token of the first."""
    stores = [Store(url_of(services.store)) for _ in range(2)]
    others = [services.another_portals(store) for store in stores]
    services.sandbox.state.clock.advance(2 * HOUR)
    results: list[Any] = []

    async def one(portals: Portals) -> None:
        results.append(await ask(portals, linked))

    async with anyio.create_task_group() as group:
        for _ in range(10):
            for portals in others:
                group.start_soon(one, portals)
    assert results == 20 * ["ada@example.com"]
    assert services.asked(TOKEN) == 1
    for store in stores:
        store.close()


async def test_a_refused_token_is_renewed_once(services: Services, linked: int) -> None:
    """A token that was pushed out before its time is replaced by one refresh for all."""
    await ask(services.portals, linked)
    former = services.encryptor.decrypt((await grant_of(services)).sealed_access_token or b"")
    services.sandbox.state.tokens.revoke(former)
    assert await at_once(20, lambda: ask(services.portals, linked)) == 20 * ["ada@example.com"]
    assert services.asked(TOKEN) == 1


async def test_a_token_that_another_process_renewed_is_taken(services: Services, linked: int) -> None:
    """Refused, a process looks again before it refreshes."""
    other = services.another_portals()
    await ask(services.portals, linked)
    await ask(other, linked)
    former = services.encryptor.decrypt((await grant_of(services)).sealed_access_token or b"")
    services.sandbox.state.tokens.revoke(former)
    await ask(services.portals, linked)
    await ask(other, linked)
    assert services.asked(TOKEN) == 1


async def test_the_refresh_token_is_kept(services: Services, linked: int) -> None:
    """A refresh answers none, and the one there was goes on serving."""
    before = services.encryptor.decrypt((await grant_of(services)).sealed_refresh_token)
    for _ in range(3):
        services.sandbox.state.clock.advance(2 * HOUR)
        await ask(services.portals, linked)
    grant = await grant_of(services)
    assert services.encryptor.decrypt(grant.sealed_refresh_token) == before
    assert grant.renewing_until == 0


async def test_refusals_leave_tokens_for_those_that_end(services: Services, linked: int) -> None:
    """A Desk that refuses good tokens gets seven, linking's own counted; after that they are sent again."""
    for _ in range(20):
        assert await renew(services) == "ada@example.com"
    assert services.asked(TOKEN) == 6
    services.sandbox.state.clock.advance(600)
    assert await renew(services) == "ada@example.com"
    assert services.asked(TOKEN) == 7


async def test_never_more_than_ten_tokens_in_ten_minutes(services: Services, linked: int) -> None:
    """The next is refused here, before Zoho could lock us out; the last one serves while it lives."""
    services.sandbox.state.config.access_token_life_seconds = 48
    services.sandbox.state.clock.advance(HOUR)
    for _ in range(15):
        assert await ask(services.portals, linked) == "ada@example.com"
        services.sandbox.state.clock.advance(44)
        if services.asked(TOKEN) == 10:
            break
    services.sandbox.state.clock.advance(3)
    assert await ask(services.portals, linked) == "ada@example.com"
    services.sandbox.state.clock.advance(1)
    with pytest.raises(TokensThrottled) as caught:
        await ask(services.portals, linked)
    assert caught.value.retry_after_seconds == 600 - 10 * 44 - 4
    assert services.asked(TOKEN) == 10
    services.sandbox.state.clock.advance(caught.value.retry_after_seconds or 0)
    assert await ask(services.portals, linked) == "ada@example.com"


async def renew(services: Services) -> str | None:
    """Have the present token refused, and ask."""
    services.sandbox.state.faults.add(Rule(kind="unauthorized", path_prefix="/api/v1/myinfo", times=1))
    return await ask(services.portals, 1)


async def test_access_denied_closes_for_ten_minutes(services: Services, linked: int) -> None:
    """Throttled by Zoho, no process asks again until the window is over."""
    services.sandbox.state.config.access_tokens_per_window = 0
    services.sandbox.state.clock.advance(2 * HOUR)
    for portals in (services.portals, services.portals, services.another_portals()):
        with pytest.raises(TokensThrottled) as caught:
            await ask(portals, linked)
        assert caught.value.retry_after_seconds == 600
    assert services.asked(TOKEN) == 1
    services.sandbox.state.config.access_tokens_per_window = 10
    services.sandbox.state.clock.advance(600)
    assert await ask(services.portals, linked) == "ada@example.com"


async def test_a_token_with_minutes_left_bridges_an_outage(services: Services, linked: int) -> None:
    """While no newer one can be had, the old one is used as long as it lives."""
    await ask(services.portals, linked)
    services.sandbox.state.clock.advance(HOUR - 120)
    services.sandbox.state.faults.add(Rule(kind="server_error", path_prefix=TOKEN))
    assert await ask(services.portals, linked) == "ada@example.com"
    services.sandbox.state.clock.advance(119)
    assert await ask(services.portals, linked) == "ada@example.com"
    services.sandbox.state.clock.advance(1)
    with pytest.raises((NoToken, TokensThrottled)):
        await ask(services.portals, linked)


async def test_a_wrong_secret_is_told_and_costs_no_token(services: Services, linked: int) -> None:
    """However often it is tried, correcting the secret helps within seconds."""
    services.sandbox.state.clock.advance(2 * HOUR)
    secret, services.secrets["us"] = services.secrets["us"], "wrong-secret"
    for _ in range(12):
        with pytest.raises(ClientRefused):
            await ask(services.portals, linked)
        services.sandbox.state.clock.advance(5)
    services.secrets["us"] = secret
    assert await ask(services.portals, linked) == "ada@example.com"


async def test_a_lost_grant_is_noted_once(
    services: Services, linked: int, caplog: pytest.LogCaptureFixture
) -> None:
    """State, audit and log say it once, and nobody asks Zoho again."""
    services.sandbox.state.revoke_all_grants()
    for portals in (services.portals, services.portals, services.another_portals()):
        with pytest.raises(GrantLost):
            await ask(portals, linked)
    assert (await services.portals.get(linked)).state == "grant_lost"
    assert [entry.action for entry in await services.audited()].count("portal.grant_lost") == 1
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 1
    assert services.asked(TOKEN) == 1


async def test_many_at_once_lose_the_grant_once(services: Services, linked: int) -> None:
    """Twenty that find it lost together are all told, and Zoho is asked once."""
    services.sandbox.state.revoke_all_grants()
    desks = [await portals.desk(linked) for portals in (services.portals, services.another_portals())]

    async def losing() -> list[str]:
        told = []
        for desk in desks:
            with pytest.raises(GrantLost) as caught:
                await desk.my_info()
            told.append(caught.value.reason)
        return told

    assert await at_once(10, losing) == 10 * [["grant_lost", "grant_lost"]]
    assert services.asked(TOKEN) == 1


async def test_linking_again_brings_everything_back(services: Services, linked: int, admin: Browser) -> None:
    """After the link every process goes on, the one included that had noted the loss."""
    other = services.another_portals()
    await ask(other, linked)
    services.sandbox.state.revoke_all_grants()
    with pytest.raises(GrantLost):
        await ask(services.portals, linked)
    await admin.link()
    assert (await services.portals.get(linked)).state == "linked"
    assert await ask(services.portals, linked) == "ada@example.com"
    assert await ask(other, linked) == "ada@example.com"


async def test_a_dead_process_holds_nobody_up(services: Services, linked: int) -> None:
    """A lease that nobody gives back ends by itself."""
    services.sandbox.state.clock.advance(2 * HOUR)
    grant = await grant_of(services)
    now = services.clock()
    await services.store.write(
        lambda connection: grants.take(connection, grant, "dead", grant.renewals, now, now + 30_000)
    )
    async with anyio.create_task_group() as group:
        group.start_soon(ask, services.portals, linked)
        await anyio.wait_all_tasks_blocked()
        assert services.asked(TOKEN) == 0
        services.sandbox.state.clock.advance(30)
    assert services.asked(TOKEN) == 1


async def test_a_caller_that_gives_up_stops_no_refresh(services: Services, linked: int) -> None:
    """A look-up that gives up leaves the refresh to the others, and its token is kept."""
    await ask(services.portals, linked)
    services.sandbox.state.clock.advance(2 * HOUR)
    desk = await services.portals.desk(linked)
    # Long enough to be seen: a lease that came and went between two looks was waited for without an end.
    services.sandbox.state.faults.add(Rule(kind="latency", path_prefix=TOKEN, seconds=0.5, times=1))
    async with anyio.create_task_group() as group:
        group.start_soon(desk.my_info)
        with anyio.fail_after(20):
            while (await grant_of(services)).renewing_until == 0:
                pass  # The lease is taken right before Zoho is asked.
        group.cancel_scope.cancel()
    await services.portals.close()
    assert services.asked(TOKEN) == 1
    assert (await grant_of(services)).expires_at > services.clock()
    assert await ask(services.portals, linked) == "ada@example.com"
    assert services.asked(TOKEN) == 1


async def test_a_refresh_that_comes_after_linking_again_changes_nothing(
    services: Services, linked: int, admin: Browser
) -> None:
    """A token of the former grant never takes the place of the new one's."""
    stale = await grant_of(services)
    now = services.clock()
    await services.store.write(
        lambda connection: grants.take(connection, stale, "late", stale.renewals, now, now + 30_000)
    )
    await admin.link()
    written = await services.store.write(
        lambda connection: grants.finish(
            connection, linked, "late", encrypted_refresh=b"x", encrypted_access=b"y", expires_at=now, now=now
        )
    )
    assert written is False
    assert await ask(services.portals, linked) == "ada@example.com"
