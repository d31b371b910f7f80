"""Ring for the people who are signed in, one call after the other, until somebody says stop."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from time import strftime

import msgspec

from connector.demo.callers import Callers
from connector.demo.chance import chance_of
from connector.demo.env import Environment
from connector.demo.obeying import Obeying
from connector.demo.people import Team
from connector.demo.phone import Phone
from connector.demo.planning import QUIET, pick
from connector.demo.playing import Calendar, in_real_time, play
from connector.demo.recording import Recorder
from connector.demo.stories import Known, Story, Stranger
from connector.demo.writing import Writer
from connector.errors import CommandError
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import sessions

EVERY_SECONDS = 6
LOOK_AGAIN_SECONDS = 1
TALK_SECONDS = (8, 20)

Say = Callable[[str], None]
"""Writes one line for the person who watches."""


async def run(env: Environment, say: Say) -> None:
    """Ring every few seconds for whoever is signed in; CommandError if one of our programs ends."""
    async with AsyncExitStack() as ending:
        record = Recorder(env.recordings).record
        phone = Phone(env.hook, env.furniture.secret, record=record)
        ending.push_async_callback(phone.close)
        obeying = Obeying(phone, env.services.clock)
        ringing = asyncio.create_task(_ring(env, phone, obeying, say))
        ending.push_async_callback(_cancel, ringing)
        ending.push_async_callback(_cancel, asyncio.create_task(obeying.run()))
        ends = {asyncio.create_task(program.ended()) for program in (env.connector, env.sandbox)}
        for end in ends:
            ending.push_async_callback(_cancel, end)
        await asyncio.wait({ringing, *ends}, return_when=asyncio.FIRST_COMPLETED)
        if not ringing.done():
            raise CommandError(f"The connector or the sandbox has ended; the logs are in {env.folder}.")
        await ringing


async def _ring(env: Environment, phone: Phone, obeying: Obeying, say: Say) -> None:
    clock, calendar = env.services.clock, Calendar(env.services.clock)
    chance = chance_of()
    callers = Callers(await env.control.contacts(DEMO_ORG_ID), chance)
    async with asyncio.TaskGroup() as calls:
        while True:
            present = await _present(env)
            if present.agents:
                story = pick(QUIET, chance)(Writer(chance, callers, present, TALK_SECONDS))
                say(_line(story, present))
                telling = calls.create_task(play(story, phone, calendar.begin(story), in_real_time, clock))
                obeying.follow(story, telling)
            await asyncio.sleep(EVERY_SECONDS if present.agents else LOOK_AGAIN_SECONDS)


async def _present(env: Environment) -> Team:
    """Return the team without those who are not signed in."""
    now = env.services.clock()
    ids = await env.services.store.read(lambda connection: sessions.signed_in(connection, now))
    emails = {agent.user.email for agent in await env.services.agents.list_agents() if agent.user.id in ids}
    agents = tuple(person for person in env.team.agents if person.email in emails)
    return msgspec.structs.replace(env.team, agents=agents)


def _line(story: Story, team: Team) -> str:
    """Tell in one line what is about to happen."""
    due = story.dues[0]
    name = next((person.name for person in team.agents if person.email == due.owner), "Nobody")
    kinds = {Known: "a contact of Desk", Stranger: "somebody Desk does not know"}
    who = kinds.get(type(due.contact), "a withheld number")
    what = f"calls {who}" if due.direction == "outbound" else f"is called by {who}"
    ends = f"talks for {due.duration_seconds} s" if due.status == "Completed" else "nobody answers"
    return f"{strftime('%H:%M:%S')}  {name} {what}; {ends}"


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
