"""Whatever is told in whatever order, and whoever dies meanwhile: one record of a call in Desk, never two."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import anyio
import anyio.lowlevel
import msgspec
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Connection, and_, or_, select

from connector.calls import CallRecord, call_key
from connector.clock import SECOND
from connector.delivery.compose import keys_in
from connector.sandbox.clock import Clock
from connector.sandbox.serve import RunningSandbox
from connector.store import Store, outbox
from connector.store.ingester import Arrival, EventIngester, Sender
from connector.store.tables import calls as call_rows
from connector.store.tables import outbox as outbox_rows
from connector.zoho.transport import http_client
from tests.integration.databases import Databases
from tests.integration.delivery.env import NOON, UID, Environment
from tests.integration.delivery.test_processes import Mortals
from tests.integration.promises.scenarios import (
    KNOWN,
    LATE_SECONDS,
    STRANGER,
    Delivered,
    Fault,
    Passed,
    Posted,
    Scenario,
    Step,
    scenarios,
)

EXAMPLES = 25
RECORD_AFTER_SECONDS = 3


class Simulation:
    """Run a scenario on the real ingester, the real deliverer and the sandbox, and verify what came of it."""

    def __init__(self, env: Environment, scenario: Scenario) -> None:
        self._env = env
        self._scenario = scenario
        self._ingester = EventIngester(
            env.clock, record_after_seconds=RECORD_AFTER_SECONDS, silent_after_seconds=14_400
        )
        self._late: list[int] = []
        self._stood_alone: set[str] = set()

    async def run(self) -> None:
        """Do every step, then let nothing fail any more until all is settled."""
        self._env.state.desk.add_contact(last_name="Known", phone=KNOWN)
        for step in self._scenario.steps:
            await self._do(step)
        self._env.state.faults.clear()
        await self._pass(400)
        await self._env.settle()

    async def _do(self, step: Step) -> None:
        match step:
            case Posted():
                await self._env.store.write(partial(self._take, step))
            case Delivered(dies=None):
                await self._env.drain()
            case Delivered():
                dying = self._env.another(desks=Mortals(self._env, before=step.dies == "before"))
                await dying.once()
            case Passed():
                await self._pass(step.seconds)
            case Fault():
                self._env.strike(step.kind, step.path, step.method, seconds=LATE_SECONDS)
        while len(self._late) < len(self._env.state.late):
            self._late.append(self._env.clock() + LATE_SECONDS * SECOND)

    async def _pass(self, seconds: int) -> None:
        until = self._env.clock() + seconds * SECOND
        while self._late and self._late[0] <= until:
            # Desk applies it when its time has come, and not when we next look.
            self._env.advance((self._late.pop(0) - self._env.clock()) / SECOND)
            while len(self._env.state.late) > len(self._late):
                await anyio.lowlevel.checkpoint()
        self._env.advance((until - self._env.clock()) / SECOND)

    def _take(self, posted: Posted, connection: Connection) -> None:
        """Take a request, and note whose record may have left before they had a root."""
        may_be_there = or_(outbox_rows.c.sent_at.is_not(None), outbox_rows.c.desk_id.is_not(None))
        its_own = and_(outbox_rows.c.call_id == call_rows.c.id, may_be_there)
        wanted = select(call_rows.c.id).join(outbox_rows, its_own)
        alone = set(connection.execute(wanted.where(call_rows.c.root_id.is_(None))).scalars())
        self._ingester.take(connection, [Arrival(Sender(1, UID, 1), posted.events)])
        joined = select(call_rows.c.key).where(call_rows.c.id.in_(alone), call_rows.c.root_id.is_not(None))
        self._stood_alone |= set(connection.execute(joined).scalars())

    async def verify(self) -> None:
        """One record for each call group, and one for who had theirs before; one contact a number."""
        rows = await self._env.store.read(lambda c: outbox.list_rows(c, "done"))
        found = Counter(key for call in self._env.calls for key in keys_in(call.description))
        roots = {call_key(UID, self._root(name)) for name in self._scenario.parents}
        assert max(found.values()) == 1
        assert roots <= found.keys()
        assert found.keys() - roots <= self._stood_alone
        assert len(self._env.contacts_of(STRANGER)) <= 1
        assert len(self._env.contacts_named("Withheld number")) <= 1
        durations = {
            row.desk_id: msgspec.json.decode(row.wanted, type=CallRecord).duration_seconds
            for row in rows
            if row.kind == "call"
        }
        assert {call.id: int(call.duration or 0) for call in self._env.calls} == durations

    def _root(self, name: str) -> str:
        while (parent := self._scenario.parents[name]) is not None:
            name = parent
        return name


async def simulate(running: RunningSandbox, url: str, scenario: Scenario) -> None:
    """Run a scenario in a world of its own."""
    running.renew(Clock(frozen_at=NOON))
    store = Store(url)
    try:
        async with http_client() as http:
            env = Environment(store, running, http)
            await env.link()
            await env.build()
            simulation = Simulation(env, scenario)
            await simulation.run()
            await simulation.verify()
            await env.portals.close()
    finally:
        store.close()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenario=scenarios())
def test_one_record_whatever_happens(
    running: RunningSandbox, databases_of: Callable[[str], Databases], scenario: Scenario
) -> None:
    """Permutations, repeats, transfers learnt late, faults, deaths and time: nothing lost, nothing twice."""
    with databases_of("sqlite").fresh() as url:
        anyio.run(simulate, running, url, scenario)
