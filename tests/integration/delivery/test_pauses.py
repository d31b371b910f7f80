"""Processes that stand still, clocks that differ, and answers that were true once."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, update

from connector.clock import MINUTE
from connector.contacts import ContactLookup
from connector.store import Store, calls, outbox, tables
from connector.zoho.client import Desk
from connector.zoho.models import Contact, DeskCall
from tests.integration.delivery.env import CONTACTS, SETTLE_SECONDS, STRANGER, Environment

pytestmark = [pytest.mark.anyio, pytest.mark.both_engines]

KNOWN = "06 12 34 56 78"
PAUSE_SECONDS = 170
Pause = Callable[[], Awaitable[None]]


class Paused(Desk):
    """A Desk whose process stands still once, at its first write of a kind."""

    pause: Pause
    # Shared by all copies of this Desk.
    at: list[str]

    async def create_call(self, body: dict[str, Any]) -> DeskCall:
        """Stand still before the record leaves."""
        await self._stand_still("call")
        return await super().create_call(body)

    async def create_contact(self, body: dict[str, Any], *, live: bool = False) -> Contact:
        """Stand still before the contact leaves."""
        await self._stand_still("contact")
        return await super().create_contact(body, live=live)

    async def _stand_still(self, kind: str) -> None:
        if self.at == [kind]:
            self.at.clear()
            await self.pause()


class PausedDesks:
    """Hand out Desks that stand still."""

    def __init__(self, env: Environment, pause: Pause, at: str) -> None:
        self._env, self._pause, self._at = env, pause, [at]

    async def desk(self, portal_id: int) -> Desk:
        """Return the portal's Desk."""
        paused = Paused.__new__(Paused)
        paused.__dict__.update((await self._env.portals.desk(portal_id)).__dict__)
        paused.pause, paused.at = self._pause, self._at
        return paused


@pytest.mark.parametrize("at", ["call", "contact"])
async def test_machine_stands_still_between_note_and_bytes(env: Environment, store: Store, at: str) -> None:
    """A machine that was suspended, its timers too, does not send what another one has settled."""
    if at == "call":
        env.state.desk.add_contact(last_name="Known", phone=KNOWN)
    other_store = Store(str(store.engine.url))
    other = env.another(other_store)

    async def pause() -> None:
        for _ in range(12):
            env.advance(60)
            await env.drain(other)

    await env.want(env.record())
    await env.drain(env.another(desks=PausedDesks(env, pause, at)))
    await env.settle(other)
    await env.close_others()
    other_store.close()
    assert len(env.calls) == 1
    assert len(env.contacts_of(STRANGER)) == (1 if at == "contact" else 0)


@pytest.mark.parametrize("minutes", [-30, 30])
async def test_desks_clock_is_another(env: Environment, minutes: int) -> None:
    """A record whose answer was lost is found although Desk's clock and ours are half an hour apart."""
    env.state.desk.add_contact(last_name="Known", phone=KNOWN)
    ours = env.another(clock=lambda: env.clock() + minutes * MINUTE)
    env.strike("drop")
    await env.want(env.record(), due_at=0)
    for _ in range(8):
        await env.drain(ours)
        env.advance(60)
    assert len(env.calls) == 1


class Slow(ContactLookup):
    """A look-up whose process stands still between Desk's answer and ours."""

    env: Environment

    async def look_up(self, *args: Any, **more: Any) -> Any:
        """Return what was true before a pause that is long enough for all to be found."""
        found = await super().look_up(*args, **more)
        self.env.advance(PAUSE_SECONDS)
        return found


async def test_search_answered_before_the_pause(env: Environment) -> None:
    """What a search said before a pause does not prove that nothing is there after it."""
    env.strike("drop", CONTACTS)
    await env.want(env.record())
    await env.drain()
    assert (await env.contact_row()).state == "unknown"
    # The index lags for longer than a request takes, as the setting of 120 s allows.
    env.portal._config = msgspec.structs.replace(env.portal._config, index_delay_seconds=110)
    slow = Slow(env.store, env.portals, env.settings, env.clock)
    slow.env = env
    other = env.another(contact_lookup=slow)
    await env.drain(other)
    env.advance(SETTLE_SECONDS)
    await env.drain(other)
    await env.settle()
    assert len(env.contacts_of(STRANGER)) == 1


async def test_contact_made_by_hand_during_an_outage(env: Environment) -> None:
    """Whoever makes the caller's contact by hand while ours could not be made is believed."""
    env.strike("threshold", CONTACTS, seconds=3600)
    await env.want(env.record())
    await env.drain()
    env.state.desk.add_contact(last_name="By hand", phone=STRANGER)
    env.advance(7200)
    await env.settle()
    assert len(env.contacts_of(STRANGER)) == 1


async def test_choice_on_the_banner_of_a_transferred_call(env: Environment) -> None:
    """The agent to whom a call was transferred chooses the contact: the family's record shows it."""
    env.state.desk.add_contact(last_name="Other", phone=KNOWN)
    chosen = env.state.desk.add_contact(last_name="Chosen", phone=KNOWN)
    await env.want(env.record(), due_at=env.clock() + MINUTE)
    root_id = (await env.row()).call_id
    assert root_id is not None

    def transfer(connection: Connection) -> None:
        calls.stub(connection, {("child", 1, "child")}, env.clock())
        (row,) = calls.lock(connection, ["child"])
        joined = update(tables.calls).where(tables.calls.c.id == row.id)
        connection.execute(joined.values(root_id=root_id))
        calls.touch(connection, [row.id], env.clock(), chosen_contact_id=chosen.id)
        outbox.retouch(connection, root_id, env.clock())

    await env.store.write(transfer)
    env.advance(61)
    await env.settle()
    assert env.call.contact_id == chosen.id
