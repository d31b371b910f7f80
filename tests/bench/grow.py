"""Measure what growing costs: looking a caller up among a million contacts, beside a small index."""

import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click
import msgspec
from sqlalchemy import Connection, insert

from connector.directory import Directory
from connector.directory.asking import Desk
from connector.directory.contacts import Contact
from connector.directory.index import indexed
from connector.errors import GrantLost
from connector.settings import Settings
from connector.store import Store, contacts, syncs
from connector.store.tables import phone_systems, portals
from tests.bench.databases import SCRATCH

PORTAL = 1
PAGE = 100
NOW = 1_767_600_000_000
COUNTRY = "GB"
SMALL = 1_000
LOOK_UPS = 20_000
AIM_MS = 5


class LookUps(msgspec.Struct, frozen=True, kw_only=True):
    """Looking known callers up, one after the other, from the question to the contacts."""

    contacts: int
    look_up_ms_p50: float
    look_up_ms_p99: float
    unknown_ms_p99: float
    fill_per_s: int
    database_mb: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The same measured in a small index and in a large one."""

    small: LookUps
    large: LookUps
    of_small: float
    """How many times the p50 of the small index the large one takes."""


class NoDesk:
    """A portal whose Desk nobody may ask: what is measured is our own."""

    async def desk(self, portal_id: int) -> Desk:
        """Refuse."""
        raise GrantLost(f"Portal {portal_id} has no Desk here.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--contacts", "count", default=1_000_000, show_default=True, help="Contacts of the large index."
)
@click.option("--look-ups", default=LOOK_UPS, show_default=True, help="How many callers are looked up.")
def grow(as_json: bool, count: int, look_ups: int) -> None:  # noqa: FBT001 - click's way
    """Look callers up among many contacts: aim p99 <= 5 ms at a million."""
    SCRATCH.mkdir(exist_ok=True)
    small, large = (asyncio.run(measured(size, look_ups)) for size in (SMALL, count))
    report = Report(small=small, large=large, of_small=large.look_up_ms_p50 / small.look_up_ms_p50)
    if as_json:
        click.echo(msgspec.json.encode(report))
        return
    for name, value in msgspec.to_builtins(report).items():
        click.echo(f"{name}: {value}")


async def measured(count: int, look_ups: int) -> LookUps:
    """Fill an index as a sync does, a page a commit, and look callers up in it."""
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        store = Store.open(f"sqlite:///{folder}/connector.db")
        try:
            store.write_now(_furnish)
            fill_per_s = await fill(store, count)
            known, unknown = await _look_up(store, count, look_ups)
            size = _size(Path(folder))
        finally:
            store.close()
    return LookUps(
        contacts=count,
        look_up_ms_p50=_percentile(known, 50),
        look_up_ms_p99=_percentile(known, 99),
        unknown_ms_p99=_percentile(unknown, 99),
        fill_per_s=fill_per_s,
        database_mb=size // 10**6,
    )


def _furnish(connection: Connection) -> None:
    row = {"location": "us", "org_id": "1", "name": "Zylker", "client_id": "c", "state": "linked"}
    connection.execute(insert(portals).values(row | {"linked_by": "bench", "linked_at": NOW}))
    phone = {"uid": "u", "slug": "pbx", "name": "PBX", "portal_id": PORTAL, "dialect": "neutral"}
    connection.execute(insert(phone_systems).values(phone | {"country": COUNTRY, "created_at": NOW}))
    syncs.begin(connection, PORTAL, NOW, COUNTRY)


def number_of(index: int) -> str:
    """Answer the number of a contact: London's, all different."""
    return f"+4420{30_000_000 + index * 37 % 49_999_999:08}"


def contact_of(index: int) -> Contact:
    """Answer a contact, typed in one of several ways; every third has a mobile too."""
    e164 = number_of(index)
    local = f"{e164[5:9]} {e164[9:]}"
    typed = (f"020 {local}", e164, f"+44 20 {local}", f"(020) {local}")[index % 4]
    return Contact(
        id=str(104_000_001_000_000_000 + index),
        name=f"Caller {index}",
        account=None if index % 3 else f"Account {index // 8}",
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
    done = {"phase": "kept", "finished_at": now, "refreshed_at": now}
    await store.write(lambda c: syncs.take(c, PORTAL, "bench", now, now + 1))
    await store.write(lambda c: syncs.advance(c, PORTAL, "bench", **done))
    return round(count / (time.perf_counter() - began))


async def _look_up(store: Store, count: int, look_ups: int) -> tuple[list[float], list[float]]:
    """Answer the milliseconds of each look-up: of known callers, and of the index's no to unknown ones."""
    chance = random.Random(1)  # noqa: S311 - it repeats; nothing is secret
    directory = Directory(store, NoDesk(), Settings(), lambda: NOW + 1)
    known, unknown = [], []
    for _ in range(look_ups):
        e164 = number_of(chance.randrange(count))
        began = time.perf_counter()
        found = await directory.look_up(PORTAL, e164, country=COUNTRY, live=True)
        known.append((time.perf_counter() - began) * 1_000)
        if not found.contacts:
            raise click.ClickException(f"{e164} is not found.")
    for index in range(look_ups // 10):
        began = time.perf_counter()
        await directory._index.recall(PORTAL, f"+4420{90_000_000 + index}", COUNTRY)
        unknown.append((time.perf_counter() - began) * 1_000)
    return known, unknown


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _percentile(times: Sequence[float], percent: int) -> float:
    return round(sorted(times)[len(times) * percent // 100], 3)
