"""Phone systems in memory: how often they are read, and for how long they are believed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert

from connector.clock import HOUR
from connector.crypto import Encryptor
from connector.errors import InvalidValue, UnknownPhoneSystem
from connector.phone_systems import PhoneSystems
from connector.phone_systems.programs import LINES_AN_HOUR
from connector.phone_systems.systems import CACHED_FOR
from connector.settings import Secret
from connector.store import Store, audit, phones
from connector.store.phones import PhoneSystem, Program
from connector.store.tables import portals
from tests.integration.databases import Databases

pytestmark = pytest.mark.anyio

NOW = 1_767_600_000_000
PHONE = PhoneSystem(
    id=0, uid="", slug="pbx", name="PBX", portal_id=1, dialect="neutral", country="FR", time_zone="UTC"
)


class Systems:
    """Phone systems over a real database, on a clock of their own, and how often the database was read."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOW
        self.reads = 0
        self.phone_systems = PhoneSystems(store, Encryptor([Secret("a key")]), lambda: self.now)

    def count_read(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """Count a statement that reads phone systems."""
        self.reads += "FROM phone_systems" in statement


def _link(connection: Connection) -> None:
    row = {"id": 1, "location": "us", "org_id": "1", "name": "Harbour", "client_id": "c"}
    connection.execute(insert(portals).values(row | {"state": "linked", "linked_by": "t", "linked_at": NOW}))


@pytest.fixture
def opened(sqlite_databases: Databases) -> Iterator[Store]:
    """Open a database with a linked portal."""
    with sqlite_databases.fresh(_link) as url:
        store = Store(url)
        yield store
        store.close()


@pytest.fixture
async def systems(opened: Store, anyio_backend: str) -> AsyncIterator[Systems]:
    """Add a phone system, and count from then on."""
    made = Systems(opened)
    await made.phone_systems.add(PHONE, "a test")
    listened: Callable[..., None] = made.count_read  # one object: each access makes another
    event.listen(opened.engine, "before_cursor_execute", listened)
    yield made
    event.remove(opened.engine, "before_cursor_execute", listened)


async def test_a_burst_reads_once(systems: Systems) -> None:
    """Of a hundred requests that find it expired, one reads it and the others wait for that."""
    for _ in range(2):
        found = await asyncio.gather(*(systems.phone_systems.find("pbx") for _ in range(100)))
        assert {one.phone.slug for one in found} == {"pbx"}
        systems.now += CACHED_FOR
    assert systems.reads == 2


async def test_a_change_is_seen_when_it_expires(systems: Systems) -> None:
    """What another process has changed counts after two seconds, and not before."""
    before = await systems.phone_systems.find("pbx")
    await systems.store.write(lambda c: phones.set_line(c, before.phone.id, "+33123456789", None))
    systems.now += CACHED_FOR - 1
    assert not (await systems.phone_systems.find("pbx")).phone.lines
    systems.now += 1
    assert "+33123456789" in (await systems.phone_systems.find("pbx")).phone.lines
    assert "+33123456789" in (await systems.phone_systems.get(before.phone.id)).lines


async def test_a_rotation_is_seen_at_once(systems: Systems) -> None:
    """Where this process has rotated a secret, the next request is verified with it."""
    await systems.phone_systems.find("pbx")
    secret = await systems.phone_systems.rotate("pbx", 0, "a test")
    systems.now += 1
    assert (await systems.phone_systems.find("pbx")).config.secrets == (secret,)


async def test_what_is_missing_is_asked_for_each_time(systems: Systems) -> None:
    """A phone system that is added a moment later is there at once."""
    with pytest.raises(UnknownPhoneSystem, match="/hooks/desk"):
        await systems.phone_systems.find("desk")
    added = PhoneSystem(
        id=0, uid="", slug="desk", name="D", portal_id=1, dialect="neutral", country="FR", time_zone="UTC"
    )
    await systems.phone_systems.add(added, "a test")
    assert (await systems.phone_systems.find("desk")).phone.name == "D"
    with pytest.raises(UnknownPhoneSystem, match="deleted"):
        await systems.phone_systems.get(99)


async def test_no_page_of_ours_is_its_address(systems: Systems) -> None:
    """What the pages of phone systems are called is no phone system."""
    with pytest.raises(InvalidValue, match="address of a page"):
        await systems.phone_systems.change("pbx", {"slug": "new"}, "a test")


async def test_problems_are_lines_up_to_a_number_an_hour(
    systems: Systems, caplog: pytest.LogCaptureFixture
) -> None:
    """A program whose problems are new each time fills no log; that more were left out is said once."""
    phone = (await systems.phone_systems.find("pbx")).phone

    async def said(first: int) -> list[str]:
        caplog.clear()
        for number in range(first, first + 5):
            problems = tuple(f"{number}: {one}" for one in range(20))
            told = Program(source="/pbx", id=f"{number % 2}", program="p", problems=problems, reported_at=NOW)
            await systems.phone_systems.programs.note(phone, told)
        return [record.msg for record in caplog.records]

    whole = LINES_AN_HOUR * ["phone_system_problem"] + ["phone_system_problems_left_out"]
    assert await said(0) == whole
    assert await said(5) == []
    systems.now += HOUR
    assert await said(10) == whole
    shown = (await systems.phone_systems.programs.statuses())["pbx"]
    assert {one.problems[-1] for one in shown} == {"14: 19", "13: 19"}


async def test_what_is_saved_as_it_was_changes_nothing(systems: Systems) -> None:
    """Nothing to change is no failure of the database, and no row of the audit."""
    before = await systems.store.read(audit.newest)
    assert await systems.phone_systems.change("pbx", {}, "a test") == ""
    assert await systems.store.read(audit.newest) == before
