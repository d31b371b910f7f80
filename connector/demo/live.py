"""Ring for the people who are signed in, one call after the other, until stopped."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from time import strftime

import msgspec

from connector.demo.callers import Callers, seeded_random
from connector.demo.catalogue import QUIET, pick
from connector.demo.company import Team
from connector.demo.environment import Environment
from connector.demo.phone import Phone, Recorder
from connector.demo.scenarios import KnownContact, NewContact, Scenario, ScenarioBuilder
from connector.demo.simulator import PhoneSimulator, StartTimes, in_real_time, play
from connector.errors import CommandError
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import sign_in

EVERY_SECONDS = 6
LOOK_AGAIN_SECONDS = 1
TALK_SECONDS = (8, 20)

Print = Callable[[str], None]
"""Writes one line for the person who watches."""


async def run(env: Environment, show: Print) -> None:
    """Ring every few seconds for whoever is signed in; CommandError if one of our programs ends."""
    async with AsyncExitStack() as ending:
        record = Recorder(env.recordings).record
        phone = Phone(env.hook, env.setup.secret, record=record)
        ending.push_async_callback(phone.close)
        simulator = PhoneSimulator(phone, env.services.clock)
        ringing = asyncio.create_task(_ring(env, phone, simulator, show))
        ending.push_async_callback(_cancel, ringing)
        ending.push_async_callback(_cancel, asyncio.create_task(simulator.run()))
        ends = {asyncio.create_task(program.ended()) for program in (env.connector, env.sandbox)}
        for end in ends:
            ending.push_async_callback(_cancel, end)
        await asyncio.wait({ringing, *ends}, return_when=asyncio.FIRST_COMPLETED)
        if not ringing.done():
            raise CommandError(f"The connector or the sandbox has ended; the logs are in {env.folder}.")
        await ringing


async def _ring(env: Environment, phone: Phone, simulator: PhoneSimulator, show: Print) -> None:
    clock, start_times = env.services.clock, StartTimes(env.services.clock)
    rng = seeded_random()
    callers = Callers(await env.sandbox_admin.contacts(DEMO_ORG_ID), rng)
    async with asyncio.TaskGroup() as calls:
        while True:
            present = await _present(env)
            if present.agents:
                scenario = pick(QUIET, rng)(ScenarioBuilder(rng, callers, present, TALK_SECONDS))
                show(_description(scenario, present))
                playing = calls.create_task(
                    play(scenario, phone.post, start_times.begin(scenario), in_real_time, clock)
                )
                simulator.follow(scenario, playing)
            await asyncio.sleep(EVERY_SECONDS if present.agents else LOOK_AGAIN_SECONDS)


async def _present(env: Environment) -> Team:
    """Return the team without those who are not signed in."""
    now = env.services.clock()
    ids = await env.services.store.read(lambda connection: sign_in.signed_in(connection, now))
    emails = {agent.user.email for agent in await env.services.agents.list_agents() if agent.user.id in ids}
    agents = tuple(person for person in env.team.agents if person.email in emails)
    return msgspec.structs.replace(env.team, agents=agents)


def _description(scenario: Scenario, team: Team) -> str:
    """Return in one line what is about to happen."""
    due = scenario.records[0]
    name = next((person.name for person in team.agents if person.email == due.owner), "Nobody")
    kinds = {KnownContact: "a contact of Desk", NewContact: "somebody Desk does not know"}
    who = kinds.get(type(due.contact), "a withheld number")
    what = f"calls {who}" if due.direction == "outbound" else f"is called by {who}"
    ends = f"talks for {due.duration_seconds} s" if due.status == "Completed" else "nobody answers"
    return f"{strftime('%H:%M:%S')}  {name} {what}; {ends}"


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
