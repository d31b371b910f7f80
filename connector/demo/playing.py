"""Play a story: post what it says when it is time, and remember when that was."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from connector.clock import SECOND, Clock
from connector.demo.phone import CloudEvent, Taken
from connector.demo.stories import Post, Story


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """A story as it was played.

    `begun_at` is epoch milliseconds, and so are `ended_at`, when the end of each call was posted;
    `posted_at` is when a call was first heard of, in seconds of `time.perf_counter`.
    """

    story: Story
    begun_at: int
    posted_at: dict[str, float]
    ended_at: dict[str, int]
    ack_seconds: tuple[float, ...]

    def time_of(self, call: str) -> set[int]:
        """Return every moment at which a call says that something happened."""
        events = (event for post in self.story.posts for event in post.events)
        return {self.begun_at + event.at_ms for event in events if event.call == call}


class Calendar:
    """Give each story a beginning such that no two events of a run happen in the same millisecond.

    By its moment a call is known again on a banner, which is told no call ids.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken: set[int] = set()

    def begin(self, story: Story) -> int:
        """Return when a story begins: now, or some milliseconds later."""
        offsets = {event.at_ms for post in story.posts for event in post.events}
        begun_at = self._clock()
        while any(begun_at + offset in self._taken for offset in offsets):
            begun_at += 1
        self._taken |= {begun_at + offset for offset in offsets}
        return begun_at


Tempo = Callable[[int, Post], float]
"""Answers how many seconds after the beginning a post goes out, given its place in the story."""


def in_real_time(_place: int, post: Post) -> float:
    """Post everything when it happens."""
    return post.after_ms / SECOND


def fast(step_seconds: float, late_seconds: float) -> Tempo:
    """Post step by step, however long people talk, and what is late so much later."""

    def tempo(place: int, post: Post) -> float:
        return place * step_seconds + (late_seconds if post.late else 0)

    return tempo


class Poster(Protocol):
    """Whoever posts events until they are taken."""

    async def post(self, events: Sequence[CloudEvent]) -> Taken:
        """Post events, several as a batch."""


async def play(story: Story, phone: Poster, begun_at: int, tempo: Tempo, clock: Clock) -> Played:
    """Post a story to its end."""
    started = time.perf_counter()
    posted_at: dict[str, float] = {}
    ended_at: dict[str, int] = {}
    acks: list[float] = []
    for place, post in enumerate(story.posts):
        await asyncio.sleep(started + tempo(place, post) - time.perf_counter())
        left_at = clock()
        taken = await phone.post([event.written(begun_at) for event in post.events])
        acks.append(taken.ack_seconds)
        for event in post.events:
            posted_at.setdefault(event.call, taken.posted_at)
            if event.type == "ended":
                ended_at.setdefault(event.call, left_at)
    return Played(
        story=story, begun_at=begun_at, posted_at=posted_at, ended_at=ended_at, ack_seconds=tuple(acks)
    )


async def play_all(
    stories: Sequence[Story], phone: Poster, rate: float, tempo: Tempo, clock: Clock
) -> list[Played]:
    """Post stories side by side, so many of them begun a second."""
    calendar = Calendar(clock)

    async def after(seconds: float, story: Story) -> Played:
        await asyncio.sleep(seconds)
        return await play(story, phone, calendar.begin(story), tempo, clock)

    async with asyncio.TaskGroup() as group:
        playing = [group.create_task(after(place / rate, story)) for place, story in enumerate(stories)]
    return [each.result() for each in playing]
