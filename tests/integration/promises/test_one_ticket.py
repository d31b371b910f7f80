"""Where a rule wants a ticket for each call: one of each call in Desk, never two, and its record names it."""

from collections import Counter
from collections.abc import Callable

import anyio
import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.calls import CallRecord
from connector.crm.defaults import RULES
from connector.crm.model import AssignRule
from connector.delivery.compose import keys_in
from connector.sandbox.clock import Clock
from connector.sandbox.serve import RunningSandbox
from connector.store import Store, outbox
from connector.zoho.transport import http_client
from tests.integration.databases import Databases
from tests.integration.delivery.env import NOON, TICKETS, Environment
from tests.integration.promises.scenarios import Fault, Scenario, scenarios
from tests.integration.promises.test_one_record import Simulation

EXAMPLES = 15
TICKET_FOR_ALL = msgspec.structs.replace(RULES, assign=(AssignRule(name="All", target="new_ticket"),))


def with_tickets() -> st.SearchStrategy[Scenario]:
    """Return scenarios whose trouble is with tickets, beside changes of records."""
    return scenarios().map(_moved)


def _moved(scenario: Scenario) -> Scenario:
    steps = [
        msgspec.structs.replace(step, path=TICKETS)
        if isinstance(step, Fault) and step.method == "POST"
        else step
        for step in scenario.steps
    ]
    return Scenario(tuple(steps), scenario.parents)


async def verify(env: Environment) -> None:
    """One ticket for each record at most, and each is named by the record of its call, where there is one."""
    tickets = Counter(key for each in env.tickets for key in keys_in(each.description))
    assert not tickets or max(tickets.values()) == 1
    by_id = {each.id: each for each in env.tickets}
    records = {key: call for call in env.calls for key in keys_in(call.description)}
    rows = await env.store.read(lambda c: outbox.list_rows(c, "done"))
    keys = {msgspec.json.decode(row.wanted, type=CallRecord).key for row in rows if row.kind == "call"}
    assert keys == records.keys()
    for key, call in records.items():
        assert call.ticket_id is not None
        assert keys_in(by_id[call.ticket_id].description) == {key}


async def simulate(running: RunningSandbox, url: str, scenario: Scenario) -> None:
    """Run a scenario in a world of its own."""
    running.renew(Clock(frozen_at=NOON))
    store = Store(url)
    try:
        async with http_client() as http:
            env = Environment(store, running, http)
            await env.link(tickets=True)
            await env.build()
            await env.set_rules(TICKET_FOR_ALL)
            simulation = Simulation(env, scenario)
            await simulation.run()
            await simulation.verify()
            await verify(env)
            await env.portals.close()
    finally:
        store.close()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenario=with_tickets())
def test_one_ticket_whatever_happens(
    running: RunningSandbox, databases_of: Callable[[str], Databases], scenario: Scenario
) -> None:
    """Permutations, repeats, transfers learnt late, faults, deaths and time: nothing lost, nothing twice."""
    with databases_of("sqlite").fresh() as url:
        anyio.run(simulate, running, url, scenario)
