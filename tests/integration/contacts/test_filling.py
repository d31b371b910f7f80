"""Fill the index: every contact once, whatever is changed meanwhile and whoever is killed."""

import asyncio
import random

import pytest

from connector.clock import DAY, SECOND
from connector.sandbox.desk.numbers import FORMS, LANDLINES, MOBILES, Line, type_number
from connector.sandbox.faults import Rule
from tests.integration.contacts.conftest import NOW, PORTAL, Services
from tests.integration.contacts.indexing import Shop

pytestmark = pytest.mark.anyio

HOMES = {"44": "GB", "1": "US", "33": "FR", "49": "DE", "46": "SE"}


async def test_any_written_form_is_found_without_a_request(services: Services) -> None:
    """Every way of typing a number leads to its contact, be it known to the numbering plan or not."""
    lines = {}
    for place, where in enumerate((*LANDLINES, *MOBILES)):
        for form in range(len(FORMS)):
            line = Line(range=where, digits=str(int(where.first) + form).zfill(len(where.first)))
            field = "mobile" if (place + form) % 2 else "phone"
            services.add(f"{place}/{form}", **{field: type_number(line, form)})
            lines[f"{place}/{form}"] = line
    shop = Shop(services, *HOMES.values())
    await shop.fill()
    services.searches()
    for name, line in lines.items():
        names, searches = await shop.who(line.e164, HOMES[line.range.country])
        assert name in names, name
        assert searches == 0


async def test_everything_is_read_at_the_price_of_its_pages(services: Services) -> None:
    """Contacts by the hundred cost three credits, and each page says one again."""
    for number in range(250):
        services.add(f"N{number}", created_at=NOW - DAY + number, modified_at=NOW - DAY + number)
    shop = Shop(services)
    await shop.fill()
    assert shop.indexed() == shop.in_desk()
    assert shop.sync.counted == shop.sync.expected == len(services.people()) == 450
    assert services.searches() == shop.pages() == 5 + 1 + 1  # four and a half pages, the end, a refresh


async def test_an_import_of_one_moment(services: Services) -> None:
    """More contacts of one moment than a page holds are gone through by offset."""
    for number in range(250):
        services.add(f"N{number}", created_at=NOW - 7)
    shop = Shop(services)
    await shop.fill()
    assert shop.indexed() == shop.in_desk()


async def test_more_of_one_moment_than_a_search_reaches(services: Services) -> None:
    """What lies beyond the last offset is left out, the rest is not, and Desk still knows it."""
    for number in range(1_300):
        services.add(f"N{number}", created_at=NOW - 7, phone=f"030 231250{number}")
    services.add("Behind", created_at=NOW - 5)
    shop = Shop(services)
    shop.syncing = shop.another(sync_credits_percent=100)
    await shop.fill()
    left_out = shop.in_desk().keys() - shop.indexed().keys()
    assert 0 < len(left_out) <= 1_300 - 1_000
    assert len(shop.indexed()) > 1_150


@pytest.mark.parametrize("killed_after", range(5))
async def test_a_kill_costs_a_page_at_most(services: Services, killed_after: int) -> None:
    """Whoever dies after any step, or within the next one, is followed by somebody who goes on there."""
    for number in range(250):
        services.add(f"N{number}", created_at=NOW - DAY + number, modified_at=NOW - DAY + number)
    shop = Shop(services)
    dying = shop.another()
    await dying._due()
    for _ in range(killed_after):
        await dying.step(PORTAL)
    services.state.faults.add(Rule(kind="latency", seconds=0.1, times=1))
    services.desks.asked.clear()
    last = asyncio.create_task(dying.step(PORTAL))
    await services.desks.asked.wait()
    last.cancel()
    await asyncio.gather(last, return_exceptions=True)
    services.state.faults.clear()
    assert await shop.syncing.step(PORTAL) is None
    services.later(61)
    await shop.fill()
    assert shop.indexed() == shop.in_desk()
    assert shop.pages() == 7


async def test_whoever_stops_lets_go(services: Services) -> None:
    """After an orderly end the next process goes on at once."""
    shop = Shop(services)
    await shop.another()._due()
    ending = shop.another()
    await ending.step(PORTAL)
    assert await shop.syncing.step(PORTAL) is None
    await ending.close()
    await shop.fill()


async def test_a_lost_lease_writes_nothing(services: Services) -> None:
    """A process that was asleep for longer than its lease does not undo what its successor did."""
    shop = Shop(services)
    sleeper = shop.another()
    await sleeper._due()
    services.state.faults.add(Rule(kind="latency", seconds=0.05, times=1))
    services.desks.asked.clear()
    late = asyncio.create_task(sleeper.step(PORTAL))
    await services.desks.asked.wait()
    services.later(61)
    assert await shop.syncing.step(PORTAL) == "fill"
    reached = shop.sync
    await late
    assert shop.sync == reached


@pytest.mark.parametrize("seed", range(5))
async def test_changes_during_the_sync(services: Services, seed: int) -> None:
    """What is made or changed while pages are read is there after a refresh; deletions, after a new sync."""
    chance = random.Random(seed)  # noqa: S311 - it repeats; nothing is secret
    shop = Shop(services)
    shop.syncing = shop.another(sync_credits_percent=100)
    await shop.syncing.restart(PORTAL)
    for _ in range(3):
        await shop.syncing.step(PORTAL)
        for _ in range(chance.randint(0, 8)):
            _happen(shop, chance)
        services.later(1)
    services.later(200)
    await shop.fill()
    trashed = {each.id for each in services.portal.contacts.everything() if each.is_trashed}
    assert {key: typed for key, typed in shop.indexed().items() if key not in trashed} == shop.in_desk()
    await shop.syncing.restart(PORTAL)
    services.later(1)
    await shop.fill()
    assert shop.indexed() == shop.in_desk()


def _happen(shop: Shop, chance: random.Random) -> None:
    one = chance.choice(shop.services.people())
    kind = chance.choice(("add", "phone", "trash"))
    if kind == "add":
        shop.services.add_now("Added", phone=f"030 23125{chance.randint(0, 999):03}")
    else:
        fields = {"phone": "0171 3920001"} if kind == "phone" else {"is_trashed": True}
        shop.change(one, **fields)


async def test_the_budget(services: Services) -> None:
    """Filling takes its share of the day's credits, leaves the refreshes theirs, and goes on tomorrow."""
    for number in range(400):
        services.add(f"N{number}", created_at=NOW - DAY + number, modified_at=NOW - DAY + number)
    shop = Shop(services)
    # The portal's edition is not known: 18 % of 5,000 are 900, and 864 of them are for refreshing.
    shop.syncing = shop.another(sync_credits_percent=18)
    services.state.desk.use_up_credits(leave=5_000)
    await shop.syncing.work()
    assert shop.phase() == "kept"
    await shop.syncing.restart(PORTAL)
    await shop.syncing.work()
    assert shop.phase() == "filling"
    assert services.portal.credits.left(services.state.clock.now()) == 5_000 - 36
    services.later(DAY / SECOND)
    await shop.fill()


async def test_no_credits_no_index(services: Services) -> None:
    """A share of 0 keeps none, and nobody asks anything."""
    shop = Shop(services)
    shop.syncing = shop.another(sync_credits_percent=0)
    await shop.syncing.work()
    assert services.searches() == 0
    assert await shop.syncing.statuses()


async def test_trouble_waits_and_goes_on(services: Services) -> None:
    """A refusal or an outage is noted with its reason; later it goes on where it was."""
    shop = Shop(services)
    services.state.faults.add(Rule(kind="server_error", times=1))
    await shop.syncing.work()
    assert (shop.sync.reason, shop.sync.counted) == ("zoho_down", 0)
    services.later(59)
    await shop.syncing.work()
    assert shop.sync.counted == 0
    services.later(2)
    await shop.fill()
    assert (shop.sync.reason, shop.indexed()) == ("", shop.in_desk())
