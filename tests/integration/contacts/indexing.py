"""What tests of the index hold in their hands: phone systems, the work, and what came of it."""

import msgspec

from connector.contacts.sync import ContactSync
from connector.sandbox.desk.records import Contact as Recorded
from connector.store import contacts, phones, syncs
from connector.store.phones import PhoneSystem
from connector.store.syncs import Sync
from connector.zoho.operations import PAGE_COST
from tests.integration.contacts.conftest import NOW, PORTAL, Services


class Shop:
    """A house whose portal has phone systems, so that its index is kept."""

    def __init__(self, services: Services, *countries: str, wants_accounts: bool = False) -> None:
        self.services = services
        self.wants_accounts = wants_accounts
        for country in countries or ("DE",):
            self.open_phone_system(country)
        self.syncing = self.another()

    def another(self, **settings: int) -> ContactSync:
        """Make the work of another process."""
        services = self.services
        changed = msgspec.structs.replace(services.settings, **settings)
        return ContactSync(
            services.store,
            services.desks,
            changed,
            services.state.clock.now,
            lambda _connection, _portal: self.wants_accounts,
        )

    def open_phone_system(self, country: str) -> None:
        """Add a phone system in a country."""
        row = PhoneSystem(
            id=0,
            uid=country,
            slug=country.lower(),
            name=country,
            portal_id=PORTAL,
            dialect="neutral",
            country=country,
            time_zone="UTC",
        )
        self.services.store.write_now(lambda c: phones.add(c, row, NOW))

    async def fill(self) -> None:
        """Do all that is due."""
        await self.syncing.work()
        assert self.phase() == "kept"

    def phase(self) -> str:
        """Return where the index is."""
        return self.sync.phase

    async def refresh(self) -> None:
        """Let the next refresh come, late enough for Desk's index to know what was done before."""
        self.services.later(self.services.settings.sync_every_seconds)
        await self.syncing.work()

    @property
    def sync(self) -> Sync:
        """Return how far the index is."""
        found = self.services.store.read_now(lambda c: syncs.get(c, PORTAL))
        assert found is not None
        return found

    def indexed(self) -> dict[str, tuple[str | None, str | None]]:
        """Return phone and mobile of every contact in the index."""
        rows = self.services.store.read_now(lambda c: contacts.after(c, PORTAL, "", 100_000))
        return {row.contact_id: (row.phone, row.mobile) for row in rows}

    def in_desk(self) -> dict[str, tuple[str | None, str | None]]:
        """Return phone and mobile of every contact in Desk."""
        return {each.id: (each.phone, each.mobile) for each in self.services.people()}

    async def who(self, e164: str, country: str = "DE", *, live: bool = True) -> tuple[list[str], int]:
        """Look a number up: names, and how many searches that took."""
        self.services.searches()
        found = await self.services.contact_lookup.look_up(PORTAL, e164, country=country, live=live)
        return [contact.name for contact in found.contacts], self.services.searches()

    def pages(self) -> int:
        """Count the pages that the present sync has paid for."""
        return self.sync.credits_used // PAGE_COST

    def change(self, contact: Recorded, **fields: object) -> Recorded:
        """Change a contact so that only Desk's index delay hides it."""
        portal = self.services.portal
        changed = msgspec.structs.replace(contact, modified_at=self.services.state.clock.now(), **fields)
        return portal.contacts.put(changed, self.services.state.clock.now())
