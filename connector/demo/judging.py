"""Wait until Desk has what was played, and compare the two."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from connector.calls import call_key
from connector.demo.building import KEY_FIELD, RECORDING_FIELD, Furniture
from connector.demo.comparing import Desk, Verdict, Wanted, compare
from connector.demo.control import Record
from connector.demo.env import Environment
from connector.demo.playing import Played
from connector.demo.stories import Due
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import outbox
from connector.store.outbox import State

LOOK_AGAIN_SECONDS = 0.2
UNDER_WAY: tuple[State, ...] = ("due", "sending", "unknown")

Counted = Mapping[State, int]


async def _to_nobody(_counted: Counted) -> None:
    """Tell nobody."""


async def delivered(
    env: Environment, patience_seconds: float, tell: Callable[[Counted], Awaitable[None]] = _to_nobody
) -> None:
    """Wait until no delivery is under way any more, or none has moved for so long.

    `tell` hears how many there are in each state whenever that has changed.
    """
    loop = asyncio.get_running_loop()
    last: Counted = {}
    moved_at = loop.time()
    while loop.time() - moved_at < patience_seconds:
        counted = await env.services.store.read(outbox.count_by_state)
        if not any(counted.get(state) for state in UNDER_WAY):
            return
        if counted != last:
            last, moved_at = counted, loop.time()
            await tell(counted)
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def judge(env: Environment, played: Sequence[Played], before: Sequence[Record]) -> tuple[Verdict, Desk]:
    """Compare what was played with what Desk holds now; `before` are the contacts that it knew already."""
    desk = Desk(
        calls=await env.control.calls(),
        contacts=await env.control.contacts(DEMO_ORG_ID),
        known_ids={contact["id"] for contact in before},
        key_field=KEY_FIELD,
        recording_field=RECORDING_FIELD,
    )
    return compare(wanted_of(env.furniture, played), desk), desk


def wanted_of(furniture: Furniture, played: Sequence[Played]) -> list[Wanted]:
    """Say what records played calls must have left."""
    return [_wanted(furniture, each, due) for each in played for due in each.story.dues]


def _wanted(furniture: Furniture, played: Played, due: Due) -> Wanted:
    department = furniture.departments[due.department] if due.department else None
    key = call_key(furniture.phone.uid, due.call)
    return Wanted(
        key=key,
        due=due,
        started_at=played.begun_at + due.starts_ms,
        owner_id=furniture.agents[due.owner] if due.owner else furniture.portal.default_owner_id,
        department_id=department or str(furniture.portal.default_department_id),
        recordings_at=f"{furniture.origin}/recordings/{key}" if due.recording_url else None,
    )
