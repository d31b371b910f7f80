"""Fill the index: every contact once, whatever is changed meanwhile and whoever is killed."""

import asyncio
import random

import pytest

from connector.sandbox.desk.numbers import FORMS, LANDLINES, MOBILES, Line, type_number
from connector.sandbox.faults import Rule
from connector.times import DAY, SECOND
from tests.integration.directory.conftest import NOW, PORTAL, House
from tests.integration.directory.indexing import Shop

pytestmark = pytest.mark.anyio

HOMES = {"44": "GB", "1": "US", "33": "FR", "49": "DE", "46": "SE"}


async def test_any_written_form_is_found_without_a_request(house: House) -> None:
    """Every way of typing a number leads to its contact, be it known to the numbering plan or not."""
    lines = {}
    for place, where in enumerate((*LANDLINES, *MOBILES)):
        for form in range(len(FORMS)):
            line = Line(range=where, digits=str(int(where.first) + form).zfill(len(where.first)))
            field = "mobile" if (place + form) % 2 else "phone"
            house.add(f"{place}/{form}", **{field: type_number(line, form)})
            lines[f"{place}/{form}"] = line
    shop = Shop(house, *HOMES.values())
    await shop.fill()
    house.searches()
    for name, line in lines.items():
        names, searches = await shop.who(line.e164, HOMES[line.range.country])
        assert name in names, name
        assert searches == 0


async def test_everything_is_read_at_the_price_of_its_pages(house: House) -> None:
    """Contacts by the hundred cost three credits, and each page says one again."""
    for number in range(250):
        house.add(f"N{number}", created_at=NOW - DAY + number, modified_at=NOW - DAY + number)
    shop = Shop(house)
    await shop.fill()
    assert shop.indexed() == shop.in_desk()
    assert shop.sync.counted == shop.sync.expected == len(house.people()) == 450
    assert house.searches() == shop.pages() == 5 + 1 + 1  # four and a half pages, the end, a refresh


async def test_an_import_of_one_moment(house: House) -> None:
    """More contacts of one moment than a page holds are gone through by offset."""
    for number in range(250):
        house.add(f"N{number}", created_at=NOW - 7)
    shop = Shop(house)
    await shop.fill()
    assert shop.indexed() == shop.in_desk()


async def test_more_of_one_moment_than_a_search_reaches(house: House) -> None:
    """What lies beyond the last offset is left out, the rest is not, and Desk still knows it."""
    for number in range(1_300):
        house.add(f"N{number}", created_at=NOW - 7, phone=f"030 231250{number}")
    house.add("Behind", created_at=NOW - 5)
    shop = Shop(house)
    shop.syncing = shop.another(sync_credits_percent=100)
    await shop.fill()
    left_out = shop.in_desk().keys() - shop.indexed().keys()
    assert 0 < len(left_out) <= 1_300 - 1_000
    assert len(shop.indexed()) > 1_150


@pytest.mark.parametrize("killed_after", range(5))
async def test_a_kill_costs_a_page_at_most(house: House, killed_after: int) -> None:
    """Whoever dies after any step, or within the next one, is followed by somebody who goes on there."""
    for number in range(250):
        house.add(f"N{number}", created_at=NOW - DAY + number, modified_at=NOW - DAY + number)
    shop = Shop(house)
    dying = shop.another()
    await dying._due()
    for _ in range(killed_after):
        await dying.step(PORTAL)
    house.world.faults.add(Rule(kind="latency", seconds=0.1, times=1))
    house.desks.asked.clear()
    last = asyncio.create_task(dying.step(PORTAL))
    await house.desks.asked.wait()
    last.cancel()
    await asyncio.gather(last, return_exceptions=True)
    house.world.faults.clear()
    assert await shop.syncing.step(PORTAL) is None
    house.later(61)
    await shop.fill()
    assert shop.indexed() == shop.in_desk()
    assert shop.pages() == 7


async def test_whoever_stops_lets_go(house: House) -> None:
    """After an orderly end the next process goes on at once."""
    shop = Shop(house)
    await shop.another()._due()
    ending = shop.another()
    await ending.step(PORTAL)
    assert await shop.syncing.step(PORTAL) is None
    await ending.close()
    await shop.fill()


async def test_a_lost_lease_writes_nothing(house: House) -> None:
    """A process that was asleep for longer than its lease does not undo what its successor did."""
    shop = Shop(house)
    sleeper = shop.another()
    await sleeper._due()
    house.world.faults.add(Rule(kind="latency", seconds=0.05, times=1))
    house.desks.asked.clear()
    late = asyncio.create_task(sleeper.step(PORTAL))
    await house.desks.asked.wait()
    house.later(61)
    assert await shop.syncing.step(PORTAL) == "fill"
    reached = shop.sync
    await late
    assert shop.sync == reached


@pytest.mark.parametrize("seed", range(5))
async def test_changes_during_the_sync(house: House, seed: int) -> None:
    """What is made or changed while pages are read is there after a refresh; deletions, after a new sync."""
    chance = random.Random(seed)  # noqa: S311 - it repeats; nothing is secret
    shop = Shop(house)
    shop.syncing = shop.another(sync_credits_percent=100)
    await shop.syncing.restart(PORTAL)
    for _ in range(3):
        await shop.syncing.step(PORTAL)
        for _ in range(chance.randint(0, 8)):
            _happen(shop, chance)
        house.later(1)
    house.later(200)
    await shop.fill()
    trashed = {each.id for each in house.portal.contacts.everything() if each.is_trashed}
    assert {key: typed for key, typed in shop.indexed().items() if key not in trashed} == shop.in_desk()
    await shop.syncing.restart(PORTAL)
    house.later(1)
    await shop.fill()
    assert shop.indexed() == shop.in_desk()


def _happen(shop: Shop, chance: random.Random) -> None:
    one = chance.choice(shop.house.people())
    kind = chance.choice(("add", "phone", "trash"))
    if kind == "add":
        shop.house.add_now("Added", phone=f"030 23125{chance.randint(0, 999):03}")
    else:
        fields = {"phone": "0171 3920001"} if kind == "phone" else {"is_trashed": True}
        shop.change(one, **fields)


async def test_the_budget(house: House) -> None:
    """Filling takes its share of the day's credits, leaves the refreshes theirs, and goes on tomorrow."""
    for number in range(400):
        house.add(f"N{number}", created_at=NOW - DAY + number, modified_at=NOW - DAY + number)
    shop = Shop(house)
    # The portal's edition is not known: 18 % of 5,000 are 900, and 864 of them are for refreshing.
    shop.syncing = shop.another(sync_credits_percent=18)
    house.world.desk.use_up_credits(leave=5_000)
    await shop.syncing.work()
    assert shop.phase() == "kept"
    await shop.syncing.restart(PORTAL)
    await shop.syncing.work()
    assert shop.phase() == "filling"
    assert house.portal.credits.left(house.world.clock.now()) == 5_000 - 36
    house.later(DAY / SECOND)
    await shop.fill()


async def test_no_credits_no_index(house: House) -> None:
    """A share of 0 keeps none, and nobody asks anything."""
    shop = Shop(house)
    shop.syncing = shop.another(sync_credits_percent=0)
    await shop.syncing.work()
    assert house.searches() == 0
    assert await shop.syncing.standings()


async def test_trouble_waits_and_goes_on(house: House) -> None:
    """A refusal or an outage is noted with its reason; later it goes on where it was."""
    shop = Shop(house)
    house.world.faults.add(Rule(kind="server_error", times=1))
    await shop.syncing.work()
    assert (shop.sync.reason, shop.sync.counted) == ("zoho_down", 0)
    house.later(59)
    await shop.syncing.work()
    assert shop.sync.counted == 0
    house.later(2)
    await shop.fill()
    assert (shop.sync.reason, shop.indexed()) == ("", shop.in_desk())
