"""One token for all processes, and a lost grant that is told once."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from connector.errors import GrantLost, NoToken, TokensThrottled
from connector.sandbox.faults import Rule
from connector.store import audit, grants, outbox
from tests.integration.delivery.env import Environment
from tests.integration.limits.process import Process

pytestmark = pytest.mark.anyio
Start = Callable[[], Process]
TOKEN = "/oauth/v2/token"
HOUR, DAY = 3_600, 86_400


async def ask(process: Process) -> str | None:
    """Ask Desk something that needs a token."""
    return (await (await process.desk()).my_info()).email


async def test_four_processes_refresh_once(env: Environment, process: Start) -> None:
    """At its expiry forty requests of four processes cost one refresh."""
    processes = [process() for _ in range(4)]
    await asyncio.gather(*(ask(each) for each in processes))
    for expiry in (1, 2, 3):
        env.advance(2 * HOUR)
        env.state.requests.reset()
        assert set(await asyncio.gather(*(ask(each) for each in processes * 10))) == {"ada@example.com"}
        assert env.state.requests.count(path=TOKEN) == 1, expiry


async def test_refused_before_its_time(env: Environment, process: Start) -> None:
    """INVALID_OAUTH before expiry costs one refresh for all, and one more sending each."""
    processes = [process() for _ in range(4)]
    await asyncio.gather(*(ask(each) for each in processes))
    grant = await env.store.read(lambda c: grants.get(c, 1))
    assert grant is not None
    env.state.tokens.revoke(env.encryptor.decrypt(grant.sealed_access_token or b""))
    env.state.requests.reset()
    await asyncio.gather(*(ask(each) for each in processes))
    assert env.state.requests.count(path=TOKEN) == 1
    assert env.state.requests.count(path="/api/v1/myinfo", status=401) == 4
    assert env.state.requests.count(path="/api/v1/myinfo", status=200) == 4


@pytest.mark.parametrize("error", ["invalid_client", "server_error"])
async def test_who_gives_no_token_is_not_asked_at_each_request(
    env: Environment, process: Start, error: str
) -> None:
    """Whatever Zoho Accounts says, however many ask in whichever process: once in two seconds."""
    processes = [process() for _ in range(2)]
    env.advance(2 * HOUR)
    env.state.faults.add(Rule(kind="token_error", path_prefix=TOKEN, times=None, error=error))
    env.state.requests.reset()
    for _ in range(60):
        for each in processes:
            with pytest.raises((NoToken, TokensThrottled)):
                await ask(each)
        env.advance(0.5)
    assert env.state.requests.count(path=TOKEN) == 15
    env.state.faults.rules.clear()
    env.advance(2)
    assert await ask(processes[0]) == "ada@example.com"


async def test_a_grant_lost_for_a_day(
    env: Environment, process: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """Everything waits, nobody asks Zoho, the administrator is told once; linking again drains it."""
    processes = [process() for _ in range(4)]
    await asyncio.gather(*(ask(each) for each in processes))
    env.state.revoke_all_grants()
    with caplog.at_level(logging.ERROR, "connector.portals.token_manager"):
        for hour in range(24):
            await env.want(*(env.record(f"c-{hour}-{n}") for n in range(2)))
            await asyncio.gather(*(each.deliverer.once() for each in processes))
            env.advance(HOUR)
    told = [each for each in caplog.records if each.name == "connector.portals.token_manager"]
    entries = await env.store.read(audit.newest)
    assert [each.message for each in told] == ["grant lost: link the portal again"]
    assert [each.action for each in entries].count("portal.grant_lost") == 1
    assert await env.store.read(outbox.count_by_state) == {"due": 48}
    with pytest.raises(GrantLost, match="/connect"):
        await processes[0].desk()
    await env.link()
    await env.deliverer.resume(1)
    await asyncio.gather(*(env.drain(each.deliverer) for each in processes))
    await env.settle()
    assert len(env.calls) == 48
