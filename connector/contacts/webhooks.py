"""Learn from Desk's webhooks which contacts and accounts have changed, and subscribe to them.

Only a token is signed, and the body is not. So what it says makes us read a record again, and nothing else:
a request that somebody sends a second time, with whatever in it, costs a credit for each record it names.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Literal

from sqlalchemy import Connection

from connector.clock import Clock
from connector.contacts.indexes import NeedsAccounts
from connector.contacts.lookup import Desks
from connector.contacts.sync import no_accounts
from connector.contacts.sync_plan import reading
from connector.errors import BadSignature, CommandError, NotFound, RecordNotFound
from connector.store import Store, audit, contacts, portals, syncs
from connector.store.portals import Portal
from connector.store.syncs import Change
from connector.zoho import webhooks
from connector.zoho.client import Desk
from connector.zoho.data_centers import DataCenter
from connector.zoho.webhooks import HookTokens

Heard = Literal["taken", "later", "gone"]
"""What to answer Desk: it is kept; we do not know our own subscription yet; we want no more of it."""


class DeskHooks:
    """Take what Desk posts, for every portal; `data_centers` is the allow-list by location."""

    def __init__(
        self,
        store: Store,
        desks: Desks,
        tokens: HookTokens,
        data_centers: Mapping[str, DataCenter],
        clock: Clock,
        needs_accounts: NeedsAccounts = no_accounts,
    ) -> None:
        self._store = store
        self._needs_accounts = needs_accounts
        self._desks = desks
        self._tokens = tokens
        self._data_centers = data_centers
        self._clock = clock

    async def is_known(self, portal_id: int) -> bool:
        """Tell whether a portal is linked: what Desk wants to know before it makes a webhook."""
        return await self._linked(portal_id) is not None

    async def hear(self, portal_id: int, token: str | None, body: bytes) -> Heard:
        """Keep which records are to be read again; raises BadSignature, ZohoDown or StoreError."""
        portal = await self._linked(portal_id)
        sync = await self._store.read(lambda c: syncs.get(c, portal_id))
        if portal is None or sync is None or sync.webhook_id is None:
            return "gone"
        claimed = await self._tokens.verify(self._data_centers[portal.location], token)
        if claimed.issuer != webhooks.issuer_of(portal.org_id):
            raise BadSignature("The token is another portal's.")
        if not sync.webhook_id:
            return "later"
        if claimed.audience != webhooks.audience_of(sync.webhook_id):
            return "gone"
        now = self._clock()
        changed = [Change(each.contact_id, each.deleted, now) for each in webhooks.read_changes(body)]
        accounts = [
            Change(each.account_id, each.deleted, now) for each in webhooks.read_account_changes(body)
        ]

        def write(connection: Connection) -> None:
            syncs.note_changes(connection, portal_id, changed)
            # Nobody would ever read what is noted where no index of accounts is kept.
            if accounts and self._needs_accounts(connection, portal_id):
                syncs.note_changes(connection, portal_id, accounts, "accounts")

        await self._store.write(write)
        return "taken"

    async def subscribe(self, portal_id: int, url: str, actor: str) -> str:
        """Let Desk tell us of what changes at `url`, and answer the webhook's id; raises any ZohoError."""
        desk = await self._desks.desk(portal_id)
        # Desk asks the URL before it answers, and may tell us of something before we know the id.
        await self._store.write(partial(self._begin, portal_id))
        webhook_id: str | None = None
        try:
            webhook_id = (
                await _own(desk, url)
                or (await desk.create_webhook(webhooks.subscription(url, accounts=True))).id
            )
        finally:
            await self._store.write(lambda c: syncs.set_webhook(c, portal_id, webhook_id))
        await self._note(actor, "portal.webhooks_on", portal_id, f"{webhook_id} {url}")
        return webhook_id

    async def unsubscribe(self, portal_id: int, actor: str) -> None:
        """Let Desk tell us nothing any more; CommandError where it does not, or any ZohoError."""
        sync = await self._store.read(lambda c: syncs.get(c, portal_id))
        if sync is None or not sync.webhook_id:
            raise CommandError(f"Portal {portal_id} has no webhook of ours.")
        desk = await self._desks.desk(portal_id)
        # Where somebody has deleted it in Desk, what was wanted is the case.
        with suppress(RecordNotFound):
            await desk.delete_webhook(sync.webhook_id)
        await self._store.write(lambda c: syncs.set_webhook(c, portal_id, None))
        await self._note(actor, "portal.webhooks_off", portal_id, sync.webhook_id)

    def _begin(self, portal_id: int, connection: Connection) -> None:
        countries = reading(contacts.countries(connection, portal_id))
        syncs.begin(connection, portal_id, self._clock(), countries)
        syncs.set_webhook(connection, portal_id, "")

    async def _linked(self, portal_id: int) -> Portal | None:
        portal = await self._store.read(lambda c: portals.get(c, portal_id))
        return portal if portal is not None and portal.state != "unlinked" else None

    async def _note(self, actor: str, action: str, portal_id: int, detail: str) -> None:
        portal = await self._linked(portal_id)
        if portal is None:
            raise NotFound(f"There is no portal {portal_id}.")
        now = self._clock()
        await self._store.write(lambda c: audit.append(c, now, actor, action, portal.name, detail))


async def _own(desk: Desk, url: str) -> str | None:
    """Return the webhook that is ours already, such as one whose making was answered to nobody."""
    found = [each for each in await desk.list_webhooks() if each.url == url and each.is_enabled]
    return found[0].id if found else None
