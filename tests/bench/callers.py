"""Fill the contact index, and measure how long it takes to look callers up in it."""

import random
import time
from collections.abc import Sequence
from functools import partial
from statistics import median
from typing import Any

import click
import msgspec
from sqlalchemy import Connection, insert

from connector.contacts import ContactLookup
from connector.contacts.cache import indexed
from connector.contacts.cards import Contact
from connector.contacts.indexes import account_row
from connector.errors import GrantLost
from connector.settings import Settings
from connector.store import Store, accounts, contacts, syncs
from connector.store.tables import phone_systems, portals
from connector.zoho import models
from connector.zoho.client import Desk

PORTAL = 1
UID = "uid-of-the-bench"
PAGE = 500
NOW = 1_767_600_000_000
COUNTRY = "GB"


class LookUps(msgspec.Struct, frozen=True, kw_only=True):
    """Looking callers up, one after the other, from the question to the contacts, in milliseconds."""

    p50: float
    p99: float
    unknown_p99: float


class NoDesk:
    """A portal whose Desk nobody may ask: what is measured is our own."""

    async def desk(self, portal_id: int) -> Desk:
        """Refuse."""
        raise GrantLost(f"Portal {portal_id} has no Desk here.")

    async def desk_for(self, portal_id: int, caller: str) -> Desk:
        """Refuse."""
        raise GrantLost(f"Portal {portal_id} has no Desk here for {caller}.")


async def build(store: Store, count: int) -> int:
    """Link a portal, add a phone system, and fill the index; answer how many contacts a second went in."""
    await store.write(_build)
    return await fill(store, count)


def _build(connection: Connection) -> None:
    row = {"location": "us", "org_id": "1", "name": "Zylker", "client_id": "c", "state": "linked"}
    connection.execute(insert(portals).values(row | {"linked_by": "bench", "linked_at": NOW}))
    phone = {"uid": UID, "slug": "pbx", "name": "PBX", "portal_id": PORTAL, "dialect": "neutral"}
    connection.execute(insert(phone_systems).values(phone | {"country": COUNTRY, "created_at": NOW}))
    syncs.begin(connection, PORTAL, NOW, COUNTRY)


def number_of(index: int) -> str:
    """Return the number of a contact: London's, all different."""
    return f"+4420{30_000_000 + index * 37 % 49_999_999:08}"


def contact_of(index: int) -> Contact:
    """Return a contact, typed in one of several ways; every third has a mobile too."""
    e164 = number_of(index)
    local = f"{e164[5:9]} {e164[9:]}"
    typed = (f"020 {local}", e164, f"+44 20 {local}", f"(020) {local}")[index % 4]
    return Contact(
        id=str(104_000_001_000_000_000 + index),
        name=f"Caller {index}",
        account=None if index % 3 else f"Account {index // 8}",
        account_id="" if index % 3 else str(104_000_002_000_000_000 + index // 8),
        email=f"caller.{index}@example.com",
        url=f"https://desk.zoho.com/support/desk/contacts/{104_000_001_000_000_000 + index}",
        modified_at=NOW - index,
        phone=typed,
        mobile=f"07700 9{index % 100_000:05}" if index % 3 == 0 else None,
    )


async def fill(store: Store, count: int, now: int = NOW) -> int:
    """Fill the contact index as a sync does that ended `now`; answer how many contacts a second that was."""
    began = time.perf_counter()
    for first in range(0, count, PAGE):
        rows = [indexed(contact_of(index), (COUNTRY,)) for index in range(first, min(first + PAGE, count))]
        await store.write(partial(contacts.put, portal_id=PORTAL, found=rows, seen_at=now))
    done: dict[str, Any] = {"phase": "kept", "finished_at": now, "refreshed_at": now}
    await store.write(lambda c: syncs.take(c, PORTAL, "bench", now, now + 1))
    await store.write(lambda c: syncs.advance(c, PORTAL, "bench", **done))
    return round(count / (time.perf_counter() - began))


def account_of(index: int) -> models.Account:
    """Return an account, whose number no contact bears."""
    return models.Account(
        id=str(104_000_002_000_000_000 + index),
        name=f"Account {index}",
        phone=f"020 9{index:07}",
        url=f"https://desk.zoho.com/support/desk/accounts/{104_000_002_000_000_000 + index}",
        modified_at=NOW - index,
    )


async def fill_accounts(store: Store, count: int, now: int) -> None:
    """Fill the index of accounts as a sync does that ended `now`."""
    for first in range(0, count, PAGE):
        rows = [
            account_row(account_of(index), (COUNTRY,)) for index in range(first, min(first + PAGE, count))
        ]
        await store.write(partial(accounts.put, portal_id=PORTAL, found=rows, seen_at=now))
    done: dict[str, Any] = {"phase": "kept", "finished_at": now, "refreshed_at": now}

    def finish(connection: Connection) -> None:
        syncs.begin(connection, PORTAL, now, COUNTRY, "accounts")
        syncs.take(connection, PORTAL, "bench", now, now + 1, "accounts")
        syncs.advance(connection, PORTAL, "bench", "accounts", **done)

    await store.write(finish)


async def look_up(store: Store, count: int, look_ups: int) -> LookUps:
    """Look known callers up, and ask the index for unknown ones."""
    chance = random.Random(1)  # noqa: S311 - it repeats; nothing is secret
    contact_lookup = ContactLookup(store, NoDesk(), Settings(), lambda: NOW + 1)
    known, unknown = [], []
    for _ in range(look_ups):
        e164 = number_of(chance.randrange(count))
        began = time.perf_counter()
        found = await contact_lookup.look_up(PORTAL, e164, country=COUNTRY, live=True)
        known.append(time.perf_counter() - began)
        if not found.contacts:
            raise click.ClickException(f"{e164} is not found.")
    for index in range(look_ups // 10):
        began = time.perf_counter()
        await contact_lookup._cache.recall(PORTAL, f"+4420{90_000_000 + index}", COUNTRY)
        unknown.append(time.perf_counter() - began)
    return LookUps(p50=percentile(known, 50), p99=percentile(known, 99), unknown_p99=percentile(unknown, 99))


def medians(turns: Sequence[LookUps]) -> LookUps:
    """Return the medians of several turns."""
    return LookUps(
        p50=median(each.p50 for each in turns),
        p99=median(each.p99 for each in turns),
        unknown_p99=median(each.unknown_p99 for each in turns),
    )


def percentile(seconds: Sequence[float], percent: int) -> float:
    """Return a percentile in milliseconds."""
    return round(sorted(seconds)[len(seconds) * percent // 100] * 1_000, 3)
