"""Processes that deliver are killed and stopped by signals: others go on, and each record is there once."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from connector.clock import SECOND, steady_clock
from connector.delivery.compose import keys_in
from connector.store import tables
from connector.store.engine import has_locks
from tests.integration.databases import url_of
from tests.integration.delivery.env import CALLS, STRANGER, Environment
from tests.integration.outbox.process import Order, Stop, fast

pytestmark = pytest.mark.anyio
RECORDS = 60
FREE_AFTER_SECONDS = 30
DONE_AFTER_SECONDS = 40
LATE_SECONDS = 20
STARTS_WITHIN_SECONDS = 60
"""Loading the connector takes a second, and ten where others want the cores: it counts for nothing."""

LOOK_AGAIN_SECONDS = 0.05
"""Each look reads the database in a process that plays Desk too."""

ROOT = Path(__file__).parents[3]


class Process:
    """A process that delivers as soon as it is let go."""

    def __init__(self, order: Order) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.integration.outbox.process",
            msgspec.json.encode(order).decode(),
        ]
        self._process = subprocess.Popen(  # noqa: S603 - ours
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    async def said(self, word: str, within_seconds: int = LATE_SECONDS) -> None:
        """Wait until it says a word."""
        assert self._process.stdout is not None
        async with asyncio.timeout(within_seconds):
            while (line := await asyncio.to_thread(self._process.stdout.readline)) != f"{word}\n".encode():
                assert line

    async def go(self) -> None:
        """Let it deliver."""
        await self.said("ready", STARTS_WITHIN_SECONDS)
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    async def stopped(self) -> None:
        """Wait until it has been stopped."""
        async with asyncio.timeout(STARTS_WITHIN_SECONDS):
            _, status = await asyncio.to_thread(os.waitpid, self._process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def signal(self, which: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(which)

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        if self._process.returncode is None:
            self._process.communicate()


@pytest.fixture
def start(env: Environment) -> Iterator[Callable[..., Process]]:
    """Return how to start a process, which waits to be let go."""
    env.state.desk.add_contact(last_name="Known", phone=STRANGER)
    began, began_steady = env.clock(), steady_clock()
    started: list[Process] = []

    def one(stop: Stop = "", stop_at: int = 1) -> Process:
        order = Order(
            url=url_of(env.store),
            origin=env.sandbox.origin,
            began=began,
            began_steady=began_steady,
            stop=stop,
            stop_at=stop_at,
        )
        started.append(Process(order))
        return started[-1]

    yield one
    for each in started:
        each.end()


def times(env: Environment) -> Counter[str]:
    """Count the records in Desk by their call's key."""
    return Counter(key for call in env.calls for key in keys_in(call.description))


async def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(LATE_SECONDS):
        while True:
            if is_so():
                return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)


def keys(env: Environment, *states: str, is_picked: bool = False) -> set[str]:
    """Return the keys of the rows in some states."""
    asked = select(tables.outbox.c.key).where(tables.outbox.c.state.in_(states))
    if is_picked:
        asked = asked.where(tables.outbox.c.picked_until.is_not(None))
    return set(env.store.read_now(lambda c: c.execute(asked).scalars().all()))


async def test_killed_in_mid_backlog(env: Environment, start: Callable[..., Process]) -> None:
    """The other goes on at once; what the killed one had not sent is there within 40 s, each record once."""
    await env.portals.limits.close()
    await env.configure(edition="EXPRESS")
    env.state.config.latency_ms = 60
    records = [env.record(f"c-{number}") for number in range(RECORDS)]
    await env.want(*records)
    started_at, killed, other = fast(), start("before the note", 2), start()
    # One after the other: whoever is loaded first could else have done it all before the other begins.
    await killed.go()
    await killed.stopped()
    await other.go()
    await other.said("written")
    killed.end()
    killed_at, there = fast(), len(env.calls)
    unsent = keys(env, "due", is_picked=True)
    assert unsent
    await until(lambda: len(env.calls) > there + 2)
    assert fast() - killed_at < FREE_AFTER_SECONDS * SECOND
    await until(lambda: unsent <= keys(env, "done"))
    assert fast() - killed_at <= DONE_AFTER_SECONDS * SECOND
    # What was under way at the kill is looked for when Desk has had its time, here by this very process.
    await until(lambda: not keys(env, "due"))
    other.end()
    env.advance((fast() - started_at) / SECOND)
    await env.settle()
    assert times(env) == {record.key: 1 for record in records}


@pytest.mark.parametrize("stop", ["before the note", "in its transaction"])
async def test_stopped(env: Environment, start: Callable[..., Process], stop: Stop) -> None:
    """Others go on, except where it has SQLite's file locked; come back, it sends nothing of theirs again."""
    await env.portals.limits.close()
    first, second, third = (env.record(f"c-{number}") for number in range(3))
    await env.want(first)
    stopped, other = start(stop), start()
    await stopped.go()
    await stopped.stopped()
    stopped_at = fast()
    holds_all = stop == "in its transaction" and not has_locks(env.store.engine)
    await other.go()
    if not holds_all:
        await env.want(second)
        await until(lambda: second.key in keys(env, "done"))
        assert fast() - stopped_at < FREE_AFTER_SECONDS * SECOND
        await until(lambda: first.key in keys(env, "done"))
        assert fast() - stopped_at <= DONE_AFTER_SECONDS * SECOND
        other.end()
    stopped.signal(signal.SIGCONT)
    # Who comes back goes on with what is wanted now, and not with what others have sent.
    await env.want(third)
    wanted = {first.key, third.key} | (set() if holds_all else {second.key})
    await until(lambda: keys(env, "done") == wanted)
    assert times(env) == dict.fromkeys(wanted, 1)
    assert env.posts(CALLS) == len(wanted)
