"""Processes that stand still, clocks that differ, and answers that were true once."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, update

from connector.delivery import Deliverer
from connector.delivery.held import LEASE_SECONDS
from connector.directory import Directory
from connector.store import Store, calls, outbox, tables
from connector.times import MINUTE
from connector.zoho.client import Desk
from connector.zoho.models import Contact, DeskCall
from tests.integration.delivery.stage import CONTACTS, SETTLE_SECONDS, STRANGER, Stage

pytestmark = pytest.mark.anyio

KNOWN = "06 12 34 56 78"
Pause = Callable[[], Awaitable[None]]


class Paused(Desk):
    """A Desk whose process stands still once, at its first write of a kind."""

    pause: Pause
    at: str

    async def create_call(self, body: dict[str, Any]) -> DeskCall:
        """Stand still before the record leaves."""
        await self._stand_still("call")
        return await super().create_call(body)

    async def create_contact(self, body: dict[str, Any]) -> Contact:
        """Stand still before the contact leaves."""
        await self._stand_still("contact")
        return await super().create_contact(body)

    async def _stand_still(self, kind: str) -> None:
        if self.at == kind:
            self.at = ""
            await self.pause()


class PausedDesks:
    """Hand out Desks that stand still."""

    def __init__(self, stage: Stage, pause: Pause, at: str) -> None:
        self._stage, self._pause, self._at = stage, pause, at

    async def desk(self, portal_id: int) -> Desk:
        """Answer the portal's Desk."""
        paused = Paused.__new__(Paused)
        paused.__dict__.update((await self._stage.portals.desk(portal_id)).__dict__)
        paused.pause, paused.at = self._pause, self._at
        return paused


@pytest.mark.parametrize("at", ["call", "contact"])
async def test_machine_stands_still_between_note_and_bytes(stage: Stage, store: Store, at: str) -> None:
    """A machine that was suspended, its timers too, does not send what another one has settled."""
    if at == "call":
        stage.world.desk.add_contact(last_name="Known", phone=KNOWN)
    other_store = Store(str(store.engine.url))
    other = stage.another(other_store)

    async def pause() -> None:
        for _ in range(12):
            stage.advance(60)
            await stage.drain(other)

    await stage.want(stage.record())
    await stage.drain(stage.another(desks=PausedDesks(stage, pause, at)))
    await stage.settle(other)
    other_store.close()
    assert len(stage.calls) == 1
    assert len(stage.contacts_of(STRANGER)) == (1 if at == "contact" else 0)


@pytest.mark.parametrize("minutes", [-30, 30])
async def test_desks_clock_is_another(stage: Stage, minutes: int) -> None:
    """A record whose answer was lost is found although Desk's clock and ours are half an hour apart."""
    stage.world.desk.add_contact(last_name="Known", phone=KNOWN)
    ours = Deliverer(
        stage.store,
        stage.portals,
        stage.directory,
        stage.settings,
        lambda: stage.clock() + minutes * MINUTE,
    )
    stage.strike("drop")
    await stage.want(stage.record(), due_at=0)
    for _ in range(8):
        await stage.drain(ours)
        stage.advance(60)
    assert len(stage.calls) == 1


class Slow(Directory):
    """A directory whose process stands still between Desk's answer and ours."""

    stage: Stage

    async def look_up(self, *args: Any, **more: Any) -> Any:
        """Answer what was true before a pause that the lease has just outlived."""
        found = await super().look_up(*args, **more)
        self.stage.advance(LEASE_SECONDS - 10)
        return found


async def test_search_answered_before_the_pause(stage: Stage) -> None:
    """What a search said before a pause does not prove that nothing is there after it."""
    stage.strike("drop", CONTACTS)
    await stage.want(stage.record())
    await stage.drain()
    assert (await stage.contact_row()).state == "unknown"
    # The index lags for longer than a request takes, as the setting of 120 s allows.
    stage.portal._config = msgspec.structs.replace(stage.portal._config, index_delay_seconds=110)
    slow = Slow(stage.store, stage.portals, stage.settings, stage.clock)
    slow.stage = stage
    stage.advance(SETTLE_SECONDS)
    await stage.drain(Deliverer(stage.store, stage.portals, slow, stage.settings, stage.clock))
    await stage.settle()
    assert len(stage.contacts_of(STRANGER)) == 1


async def test_contact_made_by_hand_during_an_outage(stage: Stage) -> None:
    """Whoever makes the caller's contact by hand while ours could not be made is believed."""
    stage.strike("threshold", CONTACTS, seconds=3600)
    await stage.want(stage.record())
    await stage.drain()
    stage.world.desk.add_contact(last_name="By hand", phone=STRANGER)
    stage.advance(7200)
    await stage.settle()
    assert len(stage.contacts_of(STRANGER)) == 1


async def test_choice_on_the_banner_of_a_transferred_call(stage: Stage) -> None:
    """The agent to whom a call was transferred chooses the contact: the family's record shows it."""
    stage.world.desk.add_contact(last_name="Other", phone=KNOWN)
    chosen = stage.world.desk.add_contact(last_name="Chosen", phone=KNOWN)
    await stage.want(stage.record(), due_at=stage.clock() + MINUTE)
    head_id = (await stage.row()).call_id
    assert head_id is not None

    def transfer(connection: Connection) -> None:
        calls.stub(connection, {("child", 1, "child")}, stage.clock())
        (row,) = calls.lock(connection, ["child"])
        joined = update(tables.calls).where(tables.calls.c.id == row.id)
        connection.execute(joined.values(root_id=head_id))
        calls.touch(connection, [row.id], stage.clock(), chosen_contact_id=chosen.id)
        outbox.retouch(connection, head_id, stage.clock())

    await stage.store.write(transfer)
    stage.advance(61)
    await stage.settle()
    assert stage.call.contact_id == chosen.id
