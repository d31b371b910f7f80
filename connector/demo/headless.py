"""Show the road without a person: sign in, ring, answer, end, and see that Desk has it all as it was."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import msgspec

from connector.calls import call_key
from connector.clock import SECOND, from_iso
from connector.demo.agent import HeadlessAgent
from connector.demo.building import KEY_FIELD, Furniture
from connector.demo.callers import Callers
from connector.demo.chance import chance_of
from connector.demo.comparing import Verdict
from connector.demo.control import Record
from connector.demo.env import Environment
from connector.demo.figures import first_seen, report
from connector.demo.hearing import unheard
from connector.demo.judging import delivered, judge, wanted_of
from connector.demo.phone import Phone
from connector.demo.planning import plan
from connector.demo.playing import Played, fast, play_all
from connector.demo.recording import Recorder
from connector.demo.writing import Writer
from connector.sandbox.presets import DEMO_ORG_ID

STEP_SECONDS = 0.25
"""Between two events of a call; what they tell of may take minutes."""
LATE_AFTER_SECONDS = 2
"""How long after its record was due a late recording comes."""
PATIENCE_SECONDS = 150
"""How long nothing may move in the outbox: an unknown outcome is left alone for a minute and a half."""
TALK_SECONDS = (5, 600)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls, how many of them begin in a second, and which chance chooses them."""

    calls: int = 20
    rate: float = 4
    seed: int = 1


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a run, and whether nothing was lost, doubled or wrong."""

    figures: dict[str, object]
    is_clean: bool


async def run(env: Environment, order: Order) -> Outcome:
    """Play the calls that are ordered and compare."""
    before = await env.control.contacts(DEMO_ORG_ID)
    chance = chance_of(order.seed)
    writer = Writer(chance, Callers(before, chance), env.team, TALK_SECONDS)
    stories = plan(writer, order.calls)
    async with AsyncExitStack() as ending:
        agents = [HeadlessAgent(person, env.origin) for person in env.team.agents]
        for agent in agents:
            ending.push_async_callback(agent.stop)
        await asyncio.gather(*(agent.start() for agent in agents))
        record = Recorder(env.recordings).record
        phone = Phone(env.hook, env.furniture.secret, record=record)
        ending.push_async_callback(phone.close)
        await env.control.reset_requests()
        late_seconds = env.services.settings.record_after_seconds + LATE_AFTER_SECONDS
        tempo = fast(STEP_SECONDS, late_seconds)
        played = await play_all(stories, phone, order.rate, tempo, env.services.clock)
        await delivered(env, PATIENCE_SECONDS)
        return await _compare(env, played, agents, before)


async def _compare(
    env: Environment, played: Sequence[Played], agents: Sequence[HeadlessAgent], before: Sequence[Record]
) -> Outcome:
    requests = await env.control.requests()
    verdict, desk = await judge(env, played, before)
    wanted = wanted_of(env.furniture, played)
    # The first agent is an administrator, who may hear every call.
    unheard_ones = await unheard(agents[0].browser, wanted, env.recordings)
    seen = first_seen(played, [sight for agent in agents for sight in agent.seen])
    unseen = [f"{call}: no banner showed it" for call, each in seen.items() if each.number is None]
    verdict = _with(verdict, [*unseen, *unheard_ones])
    seconds = recorded_seconds(played, env.furniture, desk.calls)
    heard = sum(each.recordings_at is not None for each in wanted) - len(unheard_ones)
    figures = report(verdict, played, seen, seconds, requests) | {"recordings_heard": heard}
    return Outcome(figures=figures, is_clean=verdict.is_clean)


def _with(verdict: Verdict, faults: Sequence[str]) -> Verdict:
    """Count what else went wrong: calls that no banner showed, recordings that nobody can hear."""
    problems = (*verdict.problems, *faults)
    return msgspec.structs.replace(verdict, wrong=verdict.wrong + len(faults), problems=problems)


def recorded_seconds(played: Sequence[Played], furniture: Furniture, calls: Sequence[Record]) -> list[float]:
    """Return how long after its end each call stood in Desk; a call that was handed on ends with the last."""
    made_at = {(record["cf"] or {}).get(KEY_FIELD): from_iso(record["createdTime"]) for record in calls}
    found = []
    for each in played:
        for due in each.story.dues:
            ended_at = each.ended_at[due.call] if len(each.story.dues) > 1 else max(each.ended_at.values())
            key = call_key(furniture.phone.uid, due.call)
            if key in made_at:
                found.append((made_at[key] - ended_at) / SECOND)
    return found
