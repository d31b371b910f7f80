"""Run the demo without a person: sign in, ring, answer, end, compare with Desk, and report figures."""

import asyncio
import math
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack

import msgspec

from connector.calls import call_key
from connector.clock import SECOND, from_iso
from connector.demo.browser import HeadlessAgent, SeenView
from connector.demo.callers import Callers, seeded_random
from connector.demo.catalogue import plan
from connector.demo.company import KEY_FIELD
from connector.demo.environment import Environment, Setup
from connector.demo.phone import Phone, Recorder
from connector.demo.sandbox_admin import Record
from connector.demo.scenarios import ScenarioBuilder
from connector.demo.simulator import PlayedScenario, fast, play_all
from connector.demo.verification import (
    Verdict,
    expected_records,
    recording_problems,
    verify,
    wait_until_delivered,
)
from connector.sandbox.presets import DEMO_ORG_ID
from connector.sandbox.state import RequestCount

STEP_SECONDS = 0.25
"""Between two posts of a call, whose events may lie minutes apart."""
LATE_AFTER_SECONDS = 2
"""How long after its record was due a late recording is posted."""
GIVE_UP_SECONDS = 150
"""How long nothing may move in the outbox: an unknown outcome is left alone for a minute and a half."""
TALK_SECONDS = (5, 600)

MS = 1_000


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls, how many of them begin in a second, and the seed that chooses them."""

    calls: int = 20
    rate: float = 4
    seed: int = 1


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a run, and whether nothing was lost, doubled or wrong."""

    figures: dict[str, object]
    is_clean: bool


async def run(env: Environment, options: RunOptions) -> RunResult:
    """Play so many calls, and compare what came of them."""
    before = await env.sandbox_admin.contacts(DEMO_ORG_ID)
    rng = seeded_random(options.seed)
    builder = ScenarioBuilder(rng, Callers(before, rng), env.team, TALK_SECONDS)
    scenarios = plan(builder, options.calls)
    async with AsyncExitStack() as ending:
        agents = [HeadlessAgent(person, env.origin) for person in env.team.agents]
        for agent in agents:
            ending.push_async_callback(agent.stop)
        await asyncio.gather(*(agent.start() for agent in agents))
        record = Recorder(env.recordings).record
        phone = Phone(env.hook, env.setup.secret, record=record)
        ending.push_async_callback(phone.close)
        await env.sandbox_admin.reset_requests()
        late_seconds = env.services.settings.record_after_seconds + LATE_AFTER_SECONDS
        pace = fast(STEP_SECONDS, late_seconds)
        played = await play_all(scenarios, phone.post, options.rate, pace, env.services.clock)
        await wait_until_delivered(env, GIVE_UP_SECONDS)
        return await _compare(env, played, agents, before)


async def _compare(
    env: Environment,
    played: Sequence[PlayedScenario],
    agents: Sequence[HeadlessAgent],
    before: Sequence[Record],
) -> RunResult:
    requests = await env.sandbox_admin.requests()
    verdict, desk = await verify(env, played, before)
    wanted = expected_records(env.setup, played)
    # The first agent is an administrator, who may hear every call.
    unplayable = await recording_problems(agents[0].browser, wanted, env.recordings)
    seen = first_seen(played, [seen_view for agent in agents for seen_view in agent.seen])
    unseen = [f"{call}: no banner showed it" for call, each in seen.items() if each.number is None]
    verdict = _with(verdict, [*unseen, *unplayable])
    seconds = recorded_seconds(played, env.setup, desk.calls)
    playable = sum(each.recordings_at is not None for each in wanted) - len(unplayable)
    figures = report(verdict, played, seen, seconds, requests) | {"recordings_heard": playable}
    return RunResult(figures=figures, is_clean=verdict.is_clean)


def _with(verdict: Verdict, faults: Sequence[str]) -> Verdict:
    """Return the verdict with what else went wrong: unseen calls, recordings that cannot be played."""
    problems = (*verdict.problems, *faults)
    return msgspec.structs.replace(verdict, wrong=verdict.wrong + len(faults), problems=problems)


def recorded_seconds(played: Sequence[PlayedScenario], setup: Setup, calls: Sequence[Record]) -> list[float]:
    """Return how long after its end each call stood in Desk; a transferred call ends with its last part."""
    made_at = {(record["cf"] or {}).get(KEY_FIELD): from_iso(record["createdTime"]) for record in calls}
    found = []
    for each in played:
        for due in each.scenario.records:
            ended_at = (
                each.ended_at[due.call] if len(each.scenario.records) > 1 else max(each.ended_at.values())
            )
            key = call_key(setup.phone.uid, due.call)
            if key in made_at:
                found.append((made_at[key] - ended_at) / SECOND)
    return found


class PopTimes(msgspec.Struct, frozen=True, kw_only=True):
    """When a call was on a banner: with its number, and with its name; seconds since it was first posted."""

    number: float | None
    name: float | None


def percentile(values: Iterable[float], share: float) -> float | None:
    """Return the nearest-rank percentile, rounded to a tenth; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 1)


def first_seen(played: Sequence[PlayedScenario], seen_views: Sequence[SeenView]) -> dict[str, PopTimes]:
    """Find out when each call that banners must show was first on any."""
    call_at = {
        at: (call, scenario)
        for scenario in played
        for call in scenario.posted_at
        for at in scenario.time_of(call)
    }
    number: dict[str, float] = {}
    name: dict[str, float] = {}
    for seen_view in sorted(seen_views, key=lambda each: each.at):
        call, scenario = call_at.get(seen_view.view["started_at"], ("", None))
        if scenario is None:
            continue
        after = seen_view.at - scenario.posted_at[call]
        number.setdefault(call, after)
        # What is shown after the end may be the contact that was made for the record.
        if seen_view.view["contacts"] and seen_view.view["state"] != "ended":
            name.setdefault(call, after)
    wanted = (call for each in played for call in each.scenario.on_banner)
    return {call: PopTimes(number=number.get(call), name=name.get(call)) for call in wanted}


def is_look_up(counted: RequestCount) -> bool:
    """Tell whether requests were made to know who is calling, rather than to write what happened."""
    return counted.path.endswith(("/contacts/search", "/tickets"))


def report(
    verdict: Verdict,
    played: Sequence[PlayedScenario],
    seen: dict[str, PopTimes],
    recorded_seconds: Sequence[float],
    requests: Sequence[RequestCount],
) -> dict[str, object]:
    """Return the figures of a run as one JSON object; times are in what their names end in."""
    calls = sum(len(each.scenario.records) for each in played)
    asked = [each for each in requests if each.path.startswith("/api/")]
    look_ups = sum(each.count for each in asked if is_look_up(each))
    others = sum(each.count for each in asked) - look_ups
    acks = [seconds * MS for each in played for seconds in each.ack_seconds]
    return {
        "calls": calls,
        "delivered": verdict.delivered,
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "wrong": verdict.wrong,
        "contacts_duplicated": verdict.contacts_duplicated,
        "pops": sum(each.number is not None for each in seen.values()),
        "pop_ms": _spread([each.number * MS for each in seen.values() if each.number is not None], 0.99),
        "named_ms": _spread([each.name * MS for each in seen.values() if each.name is not None], 0.99),
        "ack_ms": _spread(acks, 0.99),
        "record_s": _spread(recorded_seconds, 0.95),
        "delivery_requests_per_call": round(others / calls, 2) if calls else 0,
        "lookup_requests_per_call": round(look_ups / calls, 2) if calls else 0,
        "problems": list(verdict.problems),
    }


def _spread(values: Iterable[float], high: float) -> dict[str, float | None]:
    found = list(values)
    return {"p50": percentile(found, 0.5), f"p{round(high * 100)}": percentile(found, high)}
