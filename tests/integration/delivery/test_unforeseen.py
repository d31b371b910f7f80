"""Failures that nobody foresaw: tried some times, then put before a person."""

import logging
from typing import Any

import pytest

from connector.errors import ZohoDown
from connector.outbox import Deliverer
from connector.zoho.client import Desk
from connector.zoho.models import DeskCall
from tests.integration.delivery.env import Environment
from tests.integration.delivery.test_processes import Nowhere

pytestmark = [pytest.mark.anyio, pytest.mark.both_engines]


async def test_unforeseen_failures(env: Environment, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody foresaw is logged once a kind, tried some times, and then put before a person."""
    await env.want(env.record())
    broken = env.another(desks=Nowhere(RuntimeError("a bug")))
    await env.settle(broken)
    row = await env.row()
    assert (row.state, row.reason, row.detail) == ("dead", "internal", "a bug")
    told = [each.message for each in caplog.records if each.levelno >= logging.WARNING]
    assert told == ["delivery_failed", "delivery_dead"]


async def _try(env: Environment, deliverer: Deliverer, times: int) -> None:
    for _ in range(times):
        await deliverer.once()
        env.advance(3_600)


async def test_an_outage_is_no_excuse_for_giving_up(env: Environment) -> None:
    """Attempts of an outage do not count as tries of what nobody foresaw and comes after it."""
    await env.want(env.record())
    await _try(env, env.another(desks=Nowhere(ZohoDown("away"))), 9)
    await _try(env, env.another(desks=Nowhere(RuntimeError("a bug"))), 5)
    assert ((await env.row()).state, (await env.row()).reason) == ("due", "internal")
    await env.drain()
    assert (await env.row()).state == "done"


class Unreadable(Desk):
    """A Desk that takes no record, and whose answers nobody can read."""

    async def create_call(self, body: dict[str, Any]) -> DeskCall:
        """Fail as nobody has foreseen."""
        raise RuntimeError(f"a bug, {len(body)} fields")


class Bugs:
    """Hand out unreadable Desks."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    async def desk(self, portal_id: int) -> Desk:
        """Return a portal's Desk, whose next write cannot be read."""
        made = Unreadable.__new__(Unreadable)
        made.__dict__.update((await self._env.portals.desk(portal_id)).__dict__)
        return made


async def test_looking_does_not_end_the_count(env: Environment) -> None:
    """What fails at every sending is dead after some, though it is looked for in between."""
    await env.want(env.record())
    await env.settle(env.another(desks=Bugs(env)))
    assert ((await env.row()).state, (await env.row()).reason) == ("dead", "internal")
