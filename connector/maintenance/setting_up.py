"""Tell how far the set-up has come, step by step, and ring the test call that ends it."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

import msgspec

from connector import numbers
from connector.aio import TtlCache
from connector.calls import CallEvent, Cause, Direction, EventType, call_key
from connector.checks import Check
from connector.clock import SECOND, Clock
from connector.dialects.base import Parsed
from connector.errors import InvalidValue, NotNow
from connector.store import Store, audit
from connector.store.phones import PhoneSystem
from connector.store.setup_facts import TEST_CALL, TEST_SOURCE, SetupFacts, setup_facts
from connector.store.users import User

CACHED_FOR = 2 * SECOND

StepId = Literal["client", "portal", "sign_in", "people", "phone_system", "test_call"]
StepState = Literal["done", "current", "later"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step: `done` only when it was seen to work; `current` is the first that is not."""

    id: StepId
    state: StepState


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far the set-up is, and what it was read from.

    `is_hindered`: the portal is linked, and Zoho has told that something stands in its way.
    """

    steps: list[Step]
    facts: SetupFacts
    is_hindered: bool = False

    @property
    def done(self) -> int:
        """Return how many steps are done."""
        return sum(step.state == "done" for step in self.steps)

    @property
    def is_complete(self) -> bool:
        """Tell whether all of them are."""
        return self.done == len(self.steps)


def progress_of(facts: SetupFacts, *, has_client: bool, is_hindered: bool = False) -> Progress:
    """Return how far the set-up is; pure."""
    works: dict[StepId, bool] = {
        "client": has_client and (facts.portal_works or facts.signed_in > 0),
        "portal": facts.portal_works and not is_hindered,
        "sign_in": facts.signed_in > 0,
        "people": facts.reachable > 0,
        "phone_system": facts.phone_system_heard,
        "test_call": facts.test_call is not None and facts.test_call.state == "done",
    }
    # A client that is there is tried by the next step: nothing else shows that it works.
    open_ones = [
        name for name, is_done in works.items() if not is_done and not (name == "client" and has_client)
    ]
    current = open_ones[0] if open_ones else None
    return Progress(
        steps=[
            Step(id=name, state="done" if is_done else "current" if name == current else "later")
            for name, is_done in works.items()
        ],
        facts=facts,
        is_hindered=is_hindered,
    )


Take = Callable[[PhoneSystem, Parsed], Awaitable[object]]
"""Commits events and shows them: the pipeline's."""


class SettingUp:
    """Know how far the set-up is; ring the test call, whose events go the way of all others."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        take: Take,
        *,
        has_client: Callable[[], Awaitable[bool]],
        obstacles: Callable[[int], Awaitable[Sequence[Check]]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._take = take
        self._has_client = has_client
        self._obstacles = obstacles
        self._cached: TtlCache[None, Progress] = TtlCache(self._load, CACHED_FOR, clock)

    async def progress(self) -> Progress:
        """Return how far the set-up is, as of two seconds ago at most."""
        return await self._cached.get(None)

    async def fresh_progress(self) -> Progress:
        """Return how far the set-up is at this moment."""
        return await self._load(None)

    async def ring(self, phone: PhoneSystem, number: str, user: User) -> str:
        """Let a call from a number ring on a user's banner; return its key. InvalidValue, NotNow."""
        read = numbers.read(number, phone.country)
        if read.e164 is None:
            raise InvalidValue(
                "{number} is no telephone number: write it as +33 1 99 00 12 34.", "/number", number=number
            )
        facts = (await self.fresh_progress()).facts
        if facts.test_call is not None and facts.test_call.is_open:
            raise NotNow("A test call is ringing already: end it first.")
        call_id = f"test-{secrets.token_hex(8)}"
        key = call_key(phone.uid, call_id)
        now, name = self._clock(), phone.slug
        await self._say(phone, call_id, EventType.RINGING, agent=user.email, number=read.e164)
        await self._store.write(
            lambda c: audit.append(c, now, user.email, TEST_CALL, key, f"phone system: {name}")
        )
        return key

    async def hang_up(self, phone_of: Callable[[int], Awaitable[PhoneSystem]], user: User) -> None:
        """Answer the test call that rings, as this user, and end it; NotNow where none does."""
        rung = (await self.fresh_progress()).facts.test_call
        if rung is None or not rung.is_open:
            raise NotNow("No test call is ringing: ring one first.")
        phone = await phone_of(rung.phone_system_id)
        await self._say(phone, rung.call_id, EventType.ANSWERED, agent=user.email)
        await self._say(phone, rung.call_id, EventType.ENDED, cause=Cause.NORMAL)

    async def _say(
        self,
        phone: PhoneSystem,
        call_id: str,
        kind: EventType,
        *,
        agent: str | None = None,
        number: str | None = None,
        cause: Cause | None = None,
    ) -> None:
        now = self._clock()
        event = CallEvent(
            source=TEST_SOURCE,
            id=f"{call_id}-{kind}",
            type=kind,
            call_id=call_id,
            at=now,
            received_at=now,
            direction=Direction.INBOUND,
            from_number=number,
            agent=agent,
            cause=cause,
        )
        await self._take(phone, Parsed(events=(event,)))

    async def _load(self, _all: None) -> Progress:
        facts = await self._store.read(setup_facts)
        return progress_of(
            facts, has_client=await self._has_client(), is_hindered=await self._is_hindered(facts)
        )

    async def _is_hindered(self, facts: SetupFacts) -> bool:
        if facts.portal is None or not facts.portal_works:
            return False
        return any(each.state == "refused" for each in await self._obstacles(facts.portal[0]))
