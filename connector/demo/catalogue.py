"""The kinds of scenarios, and the choice among them."""

from collections.abc import Callable, Iterator
from random import Random

import msgspec

from connector.clock import SECOND
from connector.demo.company import DEPARTMENT_OF_QUEUE, MAIN_LINE, RECORDINGS, SUPPORT, Person
from connector.demo.scenarios import (
    CallTimeline,
    ExpectedRecord,
    Scenario,
    ScenarioBuilder,
    Script,
    WithheldContact,
    post_answered_call,
)

NOBODYS_EXTENSION = "1099"

APART_MS = 300
"""A queue rings its agents one shortly after the other."""
ScenarioKind = Callable[[ScenarioBuilder], Scenario]
INTERNAL_EVERY = 8
"""One internal call among so many scenarios; it comes on top, for it leaves no record."""


def answered(builder: ScenarioBuilder) -> Scenario:
    """Let a contact call, and an agent answer."""
    script = builder.script()
    record = post_answered_call(script, builder.timeline(script.call, builder.known()))
    return Scenario(posts=script.posts, records=(record,), on_banner=(record.call,))


def missed(builder: ScenarioBuilder) -> Scenario:
    """Let a contact call, and give up."""
    script = builder.script()
    timeline = builder.timeline(script.call, builder.known())
    script.post_event(timeline.call, "ringing", timeline.rings_ms, **timeline.data)
    script.post_event(timeline.call, "ended", timeline.answered_ms, cause="cancelled")
    return Scenario(posts=script.posts, records=(timeline.missed,), on_banner=(timeline.call,))


def stranger(builder: ScenarioBuilder) -> Scenario:
    """Let somebody call whom Desk does not know."""
    script = builder.script()
    record = post_answered_call(script, builder.timeline(script.call, builder.stranger()))
    return Scenario(posts=script.posts, records=(record,), on_banner=(record.call,))


def stranger_twice(builder: ScenarioBuilder) -> Scenario:
    """Let a stranger call two agents at once: one contact must do for both."""
    script, who = builder.script(), builder.stranger()
    calls = [f"{script.call}-{end}" for end in "ab"]
    records = tuple(
        post_answered_call(script, builder.timeline(call, who, begins_ms=number * SECOND))
        for number, call in enumerate(calls)
    )
    posts = sorted(script.posts, key=lambda post: post.after_ms)
    return Scenario(posts=tuple(posts), records=records, on_banner=tuple(calls))


def withheld(builder: ScenarioBuilder) -> Scenario:
    """Let somebody call who shows no number."""
    script = builder.script()
    record = post_answered_call(
        script, builder.timeline(script.call, (builder.callers.withheld(), WithheldContact()))
    )
    return Scenario(posts=script.posts, records=(record,), on_banner=(record.call,))


def repeated(builder: ScenarioBuilder) -> Scenario:
    """Post every event twice, and at the end all of them once more."""
    scenario = answered(builder)
    twice = [post for post in scenario.posts for _ in range(2)]
    last = scenario.posts[-1]
    events = tuple(event for post in scenario.posts for event in post.events)
    again = msgspec.structs.replace(last, events=events)
    return msgspec.structs.replace(scenario, posts=(*twice, again))


def disordered(builder: ScenarioBuilder) -> Scenario:
    """Let the events arrive in any order."""
    scenario = answered(builder)
    when = [post.after_ms for post in scenario.posts]
    shuffled = builder.rng.sample(scenario.posts, len(scenario.posts))
    posts = (msgspec.structs.replace(post, after_ms=at) for post, at in zip(shuffled, when, strict=True))
    return msgspec.structs.replace(scenario, posts=tuple(posts))


def at_once(builder: ScenarioBuilder) -> Scenario:
    """Post the whole call in one batch, after its end."""
    scenario = answered(builder)
    events = tuple(event for post in scenario.posts for event in post.events)
    batch = msgspec.structs.replace(scenario.posts[-1], events=events)
    return msgspec.structs.replace(scenario, posts=(batch,))


def recorded(builder: ScenarioBuilder) -> Scenario:
    """Post a recording's address at the end of the call."""
    return _recorded(builder, late=False)


def recorded_late(builder: ScenarioBuilder) -> Scenario:
    """Post a recording's address once the record is in Desk."""
    return _recorded(builder, late=True)


def _recorded(builder: ScenarioBuilder, *, late: bool) -> Scenario:
    script = builder.script()
    timeline = builder.timeline(script.call, builder.known())
    record, at_ms = post_answered_call(script, timeline), timeline.ends_ms + SECOND
    url = f"{RECORDINGS}{record.call}.wav"
    facts = {"recording_url": url, "recording_seconds": record.duration_seconds}
    script.post(script.event(record.call, "recorded", at_ms, **facts), after_ms=at_ms, late=late)
    with_url = msgspec.structs.replace(record, recording_url=url)
    return Scenario(posts=script.posts, records=(with_url,), on_banner=(record.call,))


def voicemail(builder: ScenarioBuilder) -> Scenario:
    """Let the caller leave a message, because nobody answers."""
    script = builder.script()
    timeline = builder.timeline(script.call, builder.known())
    url = f"{RECORDINGS}{timeline.call}.wav"
    script.post_event(timeline.call, "ringing", timeline.rings_ms, **timeline.data)
    script.post_event(timeline.call, "ended", timeline.ends_ms, cause="voicemail")
    script.post_event(timeline.call, "recorded", timeline.ends_ms + 1, recording_url=url)
    record = msgspec.structs.replace(timeline.missed, recording_url=url)
    return Scenario(posts=script.posts, records=(record,), on_banner=(record.call,))


def nobodys_phone(builder: ScenarioBuilder) -> Scenario:
    """Let a phone be answered that belongs to none of our agents."""
    script = builder.script()
    timeline = msgspec.structs.replace(
        builder.timeline(script.call, builder.known()), agent_as_sent=NOBODYS_EXTENSION
    )
    record = msgspec.structs.replace(post_answered_call(script, timeline), owner=None)
    return Scenario(posts=script.posts, records=(record,))


def queue(builder: ScenarioBuilder) -> Scenario:
    """Let a queue ring several agents, one of whom answers."""
    script, members = builder.script(), builder.team.queue(SUPPORT)
    timeline = builder.timeline(script.call, builder.known(), agent=builder.rng.choice(members))
    _ring_all(script, timeline, members)
    script.post_event(timeline.call, "answered", timeline.answered_ms, agent=timeline.agent.extension)
    for other in members:
        if other != timeline.agent:
            script.post_event(
                timeline.call, "left", timeline.answered_ms, agent=other.extension, cause="no_answer"
            )
    script.post_event(timeline.call, "ended", timeline.ends_ms, cause="normal")
    return _of_queue(script, timeline.record)


def queue_missed(builder: ScenarioBuilder) -> Scenario:
    """Let a queue ring several agents until the caller gives up; the record is of whom it rang last."""
    script, members = builder.script(), builder.team.queue(SUPPORT)
    timeline = builder.timeline(script.call, builder.known(), agent=members[-1])
    _ring_all(script, timeline, members)
    script.post_event(timeline.call, "ended", timeline.answered_ms, cause="cancelled")
    return _of_queue(script, timeline.missed)


def _ring_all(script: Script, timeline: CallTimeline, members: tuple[Person, ...]) -> None:
    for place, member in enumerate(members):
        data = timeline.data | {"agent": member.extension, "queue": SUPPORT}
        script.post_event(timeline.call, "ringing", timeline.rings_ms + place * APART_MS, **data)


def _of_queue(script: Script, record: ExpectedRecord) -> Scenario:
    record = msgspec.structs.replace(record, department=DEPARTMENT_OF_QUEUE[SUPPORT])
    return Scenario(posts=script.posts, records=(record,), on_banner=(record.call,))


def outbound(builder: ScenarioBuilder) -> Scenario:
    """Let an agent call a contact, who answers."""
    script, timeline = _dial(builder)
    script.post_event(timeline.call, "answered", timeline.answered_ms, agent=timeline.agent_as_sent)
    script.post_event(timeline.call, "ended", timeline.ends_ms, cause="normal")
    record = msgspec.structs.replace(timeline.record, direction="outbound")
    return Scenario(posts=script.posts, records=(record,), on_banner=(record.call,))


def outbound_unanswered(builder: ScenarioBuilder) -> Scenario:
    """Let an agent call a contact, who does not answer."""
    script, timeline = _dial(builder)
    script.post_event(timeline.call, "ended", timeline.answered_ms, cause="no_answer")
    record = msgspec.structs.replace(timeline.missed, direction="outbound", status="Canceled")
    return Scenario(posts=script.posts, records=(record,), on_banner=(record.call,))


def _dial(builder: ScenarioBuilder) -> tuple[Script, CallTimeline]:
    script = builder.script()
    timeline = builder.timeline(script.call, builder.known())
    data = {
        "direction": "outbound",
        "from_": timeline.line,
        "to": timeline.caller,
        "agent": timeline.agent_as_sent,
    }
    script.post_event(timeline.call, "ringing", timeline.rings_ms, **data)
    return script, timeline


def transfer(builder: ScenarioBuilder) -> Scenario:
    """Transfer a call to another agent: one record names both, and is the second one's."""
    script, who = builder.script(), builder.known()
    first, second = builder.rng.sample(builder.team.agents, 2)
    first_call = msgspec.structs.replace(builder.timeline(script.call, who, agent=first), line=MAIN_LINE)
    rings_ms = first_call.ends_ms - SECOND
    second_call = builder.timeline(f"{script.call}-transferred", who, begins_ms=rings_ms, agent=second)
    script.post_event(first_call.call, "ringing", first_call.rings_ms, **first_call.data)
    script.post_event(first_call.call, "answered", first_call.answered_ms, agent=first_call.agent_as_sent)
    script.post_event(
        second_call.call, "ringing", second_call.rings_ms, parent=first_call.call, **second_call.data
    )
    script.post_event(first_call.call, "ended", first_call.ends_ms, cause="normal")
    script.post_event(second_call.call, "answered", second_call.answered_ms, agent=second_call.agent_as_sent)
    script.post_event(second_call.call, "ended", second_call.ends_ms, cause="normal")
    talked_ms = first_call.ends_ms - first_call.answered_ms + second_call.ends_ms - second_call.answered_ms
    record = msgspec.structs.replace(
        first_call.record,
        owner=second.email,
        duration_seconds=talked_ms // SECOND,
    )
    return Scenario(
        posts=script.posts,
        records=(record,),
        on_banner=(first_call.call, second_call.call),
    )


def internal(builder: ScenarioBuilder) -> Scenario:
    """Let an agent call another, which leaves no record in Desk."""
    script = builder.script()
    caller, called = builder.rng.sample(builder.team.agents, 2)
    data = {"direction": "internal", "from_": caller.extension, "to": called.extension}
    script.post_event(script.call, "ringing", 0, agent=called.extension, **data)
    script.post_event(script.call, "answered", 3 * SECOND, agent=called.extension)
    script.post_event(script.call, "ended", 40 * SECOND, cause="normal")
    return Scenario(posts=script.posts, records=(), on_banner=(script.call,))


SHARES: dict[ScenarioKind, int] = {
    answered: 24,
    stranger_twice: 3,
    withheld: 6,
    repeated: 5,
    disordered: 5,
    missed: 10,
    queue: 10,
    recorded_late: 4,
    transfer: 4,
    outbound: 8,
    stranger: 6,
    outbound_unanswered: 4,
    queue_missed: 3,
    recorded: 8,
    at_once: 2,
    nobodys_phone: 2,
    voicemail: 3,
}
"""How often each kind comes among a hundred or so; the first of each come in this order."""

QUIET: dict[ScenarioKind, int] = {
    answered: 10,
    recorded: 5,
    missed: 3,
    stranger: 3,
    withheld: 2,
    outbound: 3,
}
"""The kinds that a person sees; nothing odd that would look like a mistake."""


def plan(builder: ScenarioBuilder, calls: int) -> list[Scenario]:
    """Return scenarios that leave exactly `calls` records."""
    scenarios: list[Scenario] = []
    planned, kinds = 0, _kinds(builder.rng)
    while planned < calls:
        if len(scenarios) % INTERNAL_EVERY == INTERNAL_EVERY - 1:
            scenarios.append(internal(builder))
        scenario = next(kinds)(builder)
        if planned + len(scenario.records) <= calls:
            scenarios.append(scenario)
            planned += len(scenario.records)
    return scenarios


def _kinds(rng: Random) -> Iterator[ScenarioKind]:
    yield from SHARES
    while True:
        yield pick(SHARES, rng)


def pick(shares: dict[ScenarioKind, int], rng: Random) -> ScenarioKind:
    """Return a kind of scenario, chosen by its share."""
    return rng.choices(list(shares), list(shares.values()))[0]
