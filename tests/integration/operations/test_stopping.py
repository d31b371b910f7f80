"""`connector serve` is told to stop while a banner is open and a record is on its way to Desk."""

import asyncio
import signal

import httpx2
import pytest

from connector.calls import call_key
from connector.clock import SECOND, system_clock, to_iso
from connector.demo.browser import HeadlessAgent
from connector.demo.environment import Environment, Options
from connector.demo.phone import Phone
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import outbox
from connector.store.outbox import Row
from connector.zoho.transport import trusted

pytestmark = pytest.mark.anyio

LOOK_AGAIN_SECONDS = 0.05

SLOW = {"kind": "latency", "method": "POST", "path_prefix": "/api/v1/calls", "seconds": 4, "times": 1}
"""Desk takes four seconds to write the record: it is under way when the connector stops."""


async def test_does_not_wait_for_a_delivery_under_way() -> None:
    """The stream ends, and the record's outcome is noted as unknown, to be looked for."""
    async with Environment(Options(latency_ms=0, settings={"RECORD_AFTER_SECONDS": "0"})) as env:
        agent = HeadlessAgent(env.team.agents[0], env.origin)
        await agent.start()
        await _slow_down(env)
        await _call(env, "stopped")
        under_way = await _until(env, "stopped", "sending")
        went_by_itself = await env.connector.stop(signal.SIGTERM)
        stopped = await _row(env, "stopped")
        await agent.stop()
        calls = await _calls(env)
    assert under_way.sent_at is not None
    assert went_by_itself
    assert stopped is not None
    assert (stopped.state, stopped.desk_id) == ("unknown", None)
    assert len(calls) == 1


async def _slow_down(env: Environment) -> None:
    async with httpx2.AsyncClient(verify=trusted(), trust_env=False) as http:
        await http.post(f"{env.sandbox_admin.origin}/_sandbox/faults", json={"rules": [SLOW]})


async def _call(env: Environment, call_id: str) -> None:
    """Have a missed call from somebody whom Desk knows."""
    contacts = await env.sandbox_admin.contacts(DEMO_ORG_ID)
    caller = next(each["phone"] for each in contacts if (each["phone"] or "").startswith("+"))
    phone = Phone(env.hook, env.setup.secret)
    said = {"direction": "inbound", "from": caller, "to": next(iter(env.setup.phone.lines))}
    await phone.post([
        {
            "specversion": "1.0", "id": f"{call_id}-{kind}", "source": "/pbx", "type": f"call.{kind}",
            "subject": call_id, "time": to_iso(system_clock() - ago * SECOND), "data": said,
        }
        for kind, ago in (("ringing", 9), ("ended", 1))
    ])  # fmt: skip
    await phone.close()


async def _until(env: Environment, call_id: str, state: str) -> Row:
    async with asyncio.timeout(20):
        while True:
            row = await _row(env, call_id)
            if row is not None and row.state == state and row.sent_at is not None:
                return row
            await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def _row(env: Environment, call_id: str) -> Row | None:
    key = call_key(env.setup.phone.uid, call_id)
    portal_id = env.setup.portal.id
    return await env.services.store.read(lambda c: outbox.find(c, portal_id, "call", key))


async def _calls(env: Environment) -> list[dict[str, object]]:
    """Wait until the sandbox has written the record."""
    async with asyncio.timeout(20):
        while True:
            if calls := await env.sandbox_admin.calls():
                return calls
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
