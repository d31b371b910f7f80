"""What banners are told of a call: the latest, and nothing less because of a failure."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec
import pytest

from connector.banner.bus import NoBus
from connector.banner.hub import Hub, Subscription
from connector.banner.publisher import Publisher
from connector.calls import CallEvent, Direction, EventType, fold
from connector.crm import EVERYONE, Crm, Profile, Profiles, Rulebook
from connector.crm.profiles import Access
from connector.crm.rulebook import crm_of
from connector.errors import StoreUnavailable
from connector.phone_systems import PhoneSystems
from connector.store import Store, users
from connector.store.calls import CallRow
from connector.store.phones import PhoneSystem
from connector.store.users import Team

pytestmark = pytest.mark.anyio

NOW = 1_767_603_600_000
PHONE = PhoneSystem(
    id=1, uid="u", slug="paris", name="Paris", portal_id=1, dialect="neutral", country="FR", time_zone="UTC"
)
RINGS = CallEvent(
    source="/p",
    id="1",
    type=EventType.RINGING,
    call_id="c",
    at=NOW,
    received_at=NOW,
    direction=Direction.INBOUND,
    from_number="+33199000001",
    agent="1001",
)
OVER = msgspec.structs.replace(RINGS, id="2", type=EventType.ENDED, agent=None)


def row(revision: int, *events: CallEvent) -> CallRow:
    """Make a call as the database has it."""
    return CallRow(
        id=7,
        phone_system_id=1,
        call_id="c",
        key="k",
        root_id=None,
        call=fold(events),
        revision=revision,
        chosen_contact_id=None,
        lookup="none",
        found=None,
        changed_at=NOW,
        closes_at=None,
    )


class Readings:
    """A store that is asked for the team, then for records; the first readings of each may go wrong."""

    def __init__(self, *, fails: int = 0, first_waits: bool = False) -> None:
        self.fails = fails
        self.first_waits = first_waits
        self.profile_id = EVERYONE.id
        self.is_waiting = asyncio.Event()
        self.may_go_on = asyncio.Event()

    async def read(self, asked: Callable[..., Any]) -> Any:
        """Return what is asked."""
        if self.fails:
            self.fails -= 1
            raise StoreUnavailable("The database is away.")
        if asked is users.load_team:
            profiles = {1: self.profile_id}
            return Team(names={1: "Ada"}, words={(1, "1001"): 1}, emails={}, profiles=profiles)
        if self.first_waits:
            self.first_waits = False
            self.is_waiting.set()
            await self.may_go_on.wait()
        return {}

    async def get(self, _phone_id: int) -> PhoneSystem:
        """Return the phone system."""
        return PHONE

    async def of(self, portal_id: int) -> Crm:
        """Return the CRM of its portal."""
        return crm_of(portal_id, None)


class FewProfiles:
    """Profiles of which there is that of everyone, and others that see nothing."""

    async def of(self, profile_id: int) -> Profile:
        """Return one."""
        return EVERYONE if profile_id == EVERYONE.id else Profile(id=profile_id, name="L", access=Access())

    def forget(self) -> None:
        """Have nothing to forget."""


def published_by(readings: Readings, hub: Hub, bus: NoBus) -> Publisher:
    """Return a publisher that reads these."""
    store, phone_systems = cast("Store", readings), cast("PhoneSystems", readings)
    rulebook, profiles = cast("Rulebook", readings), cast("Profiles", FewProfiles())
    return Publisher(store, phone_systems, rulebook, profiles, hub, bus, lambda: NOW)


def opened(readings: Readings) -> tuple[Publisher, Subscription]:
    """Open a banner."""
    hub = Hub()
    banner = hub.subscribe(1, "s")
    hub.fill(banner, [])
    return published_by(readings, hub, NoBus()), banner


async def revisions(banner: Subscription) -> list[int]:
    """Return what stands unread on a banner."""
    return [msgspec.json.decode(each.data)["revision"] for each in await banner.read(0)]


async def test_what_could_not_be_shown_is_shown_later() -> None:
    """A database that is away for a moment costs a moment, not the call."""
    publisher, banner = opened(Readings(fails=1))
    with pytest.raises(StoreUnavailable):
        await publisher.publish([row(1, RINGS)])
    await publisher.publish([row(1, RINGS)])
    assert await revisions(banner) == [1]


class Told(NoBus):
    """A bus to other processes that notes which calls it was told of."""

    reaches_others = True

    def __init__(self) -> None:
        self.calls: list[int] = []

    def notify_calls(self, call_ids: Iterable[int]) -> None:
        """Note them."""
        self.calls.extend(call_ids)


async def test_others_hear_of_what_no_banner_shows_here() -> None:
    """Where no banner is open the others are told at once; the first to open is not shown it again."""
    readings, hub, bus = Readings(), Hub(), Told()
    publisher = published_by(readings, hub, bus)
    assert not publisher.has_banners
    publisher.notify_others([row(1, RINGS)])
    assert bus.calls == [7]
    banner = hub.subscribe(1, "s")
    hub.fill(banner, [7])
    assert publisher.has_banners
    await publisher.publish([row(1, RINGS)])
    assert await revisions(banner) == []


async def test_a_slow_reading_hides_nothing_newer() -> None:
    """What was read later may be shown first; then what is older is of no use any more."""
    readings = Readings(first_waits=True)
    publisher, banner = opened(readings)
    slow = asyncio.create_task(publisher.publish([row(2, RINGS, OVER)]))
    await asyncio.sleep(0)
    await publisher.publish([row(3, RINGS, OVER)])
    readings.may_go_on.set()
    await slow
    assert await revisions(banner) == [3]


async def test_what_was_read_before_a_switch_is_shown_by_the_new_profile() -> None:
    """A call whose reading takes longer than a switch is not shown by the profile of before."""
    readings = Readings(first_waits=True)
    publisher, banner = opened(readings)
    showing = asyncio.create_task(publisher.publish([row(1, RINGS, OVER)]))
    await readings.is_waiting.wait()
    readings.profile_id = 2
    await publisher.renew_profiles()
    readings.may_go_on.set()
    await showing
    (message,) = await banner.read(0)
    assert msgspec.json.decode(message.data)["has_card"]
    assert not msgspec.json.decode(message.data)["may"]["listen"]
