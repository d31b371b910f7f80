"""The index of accounts: filled and kept beside that of contacts, only where it is needed."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from connector.clock import DAY, SECOND
from connector.contacts.accounts import AccountLookup
from connector.contacts.sync_plan import ACCOUNT_REFRESHES
from connector.sandbox.desk.records import Account as Recorded
from connector.sandbox.faults import Rule
from connector.sandbox.presets import DEMO_ORG_ID
from connector.store import accounts, contacts, syncs
from connector.store.syncs import Change, Sync
from connector.store.tables import contacts as rows_of_contacts
from connector.zoho.operations import PAGE_COST
from tests.integration.contacts.conftest import NOW, PORTAL, Services
from tests.integration.contacts.indexing import Shop

pytestmark = pytest.mark.anyio

E164 = "+493023125999"
TYPED = "030 23125999"


class Firms(Shop):
    """A house whose search order asks for accounts."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, wants_accounts=True)
        self.lookup = AccountLookup(services.store, services.desks, timeout_seconds=60)

    def found(self) -> list[str]:
        """Return the names of the accounts with the number."""
        read = self.services.store.read_now
        rows = read(lambda c: self.lookup.with_number_in(c, PORTAL, E164, "DE"))
        return [each.name for each in rows]

    def kept(self) -> dict[str, str | None]:
        """Return the phone of every account in the index."""
        rows = self.services.store.read_now(lambda c: accounts.after(c, PORTAL, "", 100_000))
        return {row.account_id: row.phone for row in rows}

    def there(self) -> dict[str, str | None]:
        """Return the phone of every account in Desk."""
        return {each.id: each.phone for each in self.services.portal.accounts.present()}

    @property
    def accounts_sync(self) -> Sync:
        """Return how far the index is."""
        found = self.services.store.read_now(lambda c: syncs.get(c, PORTAL, "accounts"))
        assert found is not None
        return found

    async def fill_all(self) -> None:
        """Do all that is due, of both."""
        await self.syncing.work()
        assert (self.phase(), self.accounts_sync.phase) == ("kept", "kept")

    async def refresh_accounts(self) -> None:
        """Let the next refresh of accounts come, of which there are fewer."""
        self.services.later(DAY / SECOND / ACCOUNT_REFRESHES)
        await self.syncing.work()


def add(services: Services, name: str, **fields: Any) -> Recorded:
    """Make an account that has long been there."""
    return services.state.desk.add_account(DEMO_ORG_ID, account_name=name, **fields)


def add_many(services: Services, count: int) -> None:
    """Make so many, one after the other."""
    for number in range(count):
        add(services, f"N{number}", created_at=NOW - DAY + number, modified_at=NOW - DAY + number)


def asked(services: Services) -> int:
    """Count the searches for accounts, and begin anew."""
    counted = services.state.requests.count(path="/api/v1/accounts/search")
    services.state.requests.reset()
    return counted


@pytest.fixture(autouse=True)
def _no_waiting(services: Services) -> Iterator[None]:
    yield
    services.state.faults.clear()


async def test_nothing_is_asked_where_nothing_needs_it(services: Services) -> None:
    """Without a row of the search order that asks for accounts there is no index, and no request."""
    shop = Shop(services)
    await shop.fill()
    await shop.refresh()
    assert asked(services) == 0
    assert services.store.read_now(lambda c: syncs.get(c, PORTAL, "accounts")) is None


async def test_everything_is_read_at_the_price_of_its_pages(services: Services) -> None:
    """Accounts by the hundred cost three credits; once all have been read, a number leads to who bears it."""
    add_many(services, 250)
    add(services, "Wexcombe", phone=TYPED)
    shop = Firms(services)
    assert shop.found() == []
    await shop.fill_all()
    assert shop.kept() == shop.there()
    assert asked(services) == shop.accounts_sync.credits_used // PAGE_COST == 6
    assert shop.found() == ["Wexcombe"]


@pytest.mark.parametrize("killed_after", range(4))
async def test_a_kill_costs_a_page_at_most(services: Services, killed_after: int) -> None:
    """Whoever dies after any step, or within the next one, is followed by somebody who goes on there."""
    add_many(services, 250)
    shop = Firms(services)
    await shop.syncing.finish(PORTAL)
    dying = shop.another()
    await dying._due()
    for _ in range(killed_after):
        await dying.step(PORTAL, "accounts")
    services.state.faults.add(Rule(kind="latency", seconds=0.1, times=1))
    services.desks.asked.clear()
    last = asyncio.create_task(dying.step(PORTAL, "accounts"))
    await services.desks.asked.wait()
    last.cancel()
    await asyncio.gather(last, return_exceptions=True)
    services.state.faults.clear()
    assert await shop.syncing.step(PORTAL, "accounts") is None
    services.later(61)
    await shop.fill_all()
    assert shop.kept() == shop.there()
    assert shop.accounts_sync.credits_used // PAGE_COST == 5


async def test_a_lost_lease_writes_nothing(services: Services) -> None:
    """A process that was asleep for longer than its lease does not undo what its successor did."""
    shop = Firms(services)
    sleeper = shop.another()
    await sleeper._due()
    services.state.faults.add(Rule(kind="latency", seconds=0.05, times=1))
    services.desks.asked.clear()
    late = asyncio.create_task(sleeper.step(PORTAL, "accounts"))
    await services.desks.asked.wait()
    services.later(61)
    assert await shop.syncing.step(PORTAL, "accounts") == "fill"
    reached = shop.accounts_sync
    await late
    assert shop.accounts_sync == reached


async def test_it_is_kept_fresh(services: Services) -> None:
    """A changed number leads elsewhere after a refresh; what was deleted goes when all is read again."""
    firm = add(services, "Wexcombe", phone=TYPED)
    shop = Firms(services)
    await shop.fill_all()
    services.later(1)
    changed = services.state.desk.change_account(firm, phone="030 23125000")
    await shop.refresh_accounts()
    assert shop.found() == []
    services.state.desk.change_account(changed, is_trashed=True)
    services.later(30 * DAY / SECOND)
    await shop.fill_all()
    assert shop.kept() == shop.there()


async def test_what_a_webhook_told(services: Services) -> None:
    """An account that Desk told of is read again, alone; one that is gone is forgotten."""
    firm, gone = add(services, "Wexcombe", phone="030 23125000"), add(services, "Gone", phone=TYPED)
    shop = Firms(services)
    await shop.fill_all()
    services.state.desk.change_account(firm, phone=TYPED)
    services.state.desk.change_account(gone, is_trashed=True)
    told = [Change(firm.id, False, NOW), Change(gone.id, True, NOW)]
    services.store.write_now(lambda c: syncs.note_changes(c, PORTAL, told, "accounts"))
    asked(services)
    await shop.syncing.work()
    assert (shop.found(), asked(services)) == (["Wexcombe"], 0)
    assert services.store.read_now(lambda c: syncs.count_changes(c, PORTAL, "accounts")) == 0


async def test_switched_off_it_stands_still(services: Services) -> None:
    """Nobody pays for an index that nothing needs any more; needed again, it goes on where it was."""
    shop = Firms(services)
    await shop.fill_all()
    shop.wants_accounts = False
    asked(services)
    await shop.refresh()
    assert asked(services) == 0
    firm = add(services, "New", phone=TYPED)
    services.later(10)
    shop.wants_accounts = True
    await shop.refresh_accounts()
    assert asked(services) == 2
    assert firm.id in shop.kept()


async def test_who_belongs_to_it(services: Services) -> None:
    """Our index tells once it knows of everybody; until then, and of nobody, Desk does, if it can."""
    firm = add(services, "Wexcombe", phone=TYPED)
    one = services.add("One", account_id=firm.id)
    shop = Firms(services)
    await shop.fill_all()
    read = services.store.read_now
    found = read(lambda c: shop.lookup.with_number_in(c, PORTAL, E164, "DE"))
    people, is_desks = await shop.lookup.people(PORTAL, found)
    assert ([each.id for each in people], is_desks) == ([one.id], False)
    # As a row is that the release before has written.
    other = read(lambda c: contacts.after(c, PORTAL, "", 1))[0]
    with services.store.engine.begin() as connection:
        connection.execute(
            rows_of_contacts.update()
            .where(rows_of_contacts.c.contact_id == other.contact_id)
            .values(account_id=None)
        )
    people, is_desks = await shop.lookup.people(PORTAL, found)
    assert ([(each.id, each.account) for each in people], is_desks) == ([(one.id, "Wexcombe")], True)
    services.state.faults.add(Rule(kind="server_error", times=9))
    people, is_desks = await shop.lookup.people(PORTAL, found)
    assert ([each.id for each in people], is_desks) == ([one.id], False)
