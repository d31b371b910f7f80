"""A database with a portal and a phone system, on each engine, and calls that were told of and delivered."""

from collections.abc import Iterator, Mapping

import pytest
from sqlalchemy import Connection, func, insert, select, update

from connector.calls import CallEvent, EventType
from connector.clock import MINUTE, SECOND
from connector.follow_up import CallLists
from connector.store import Store, attempts, tables
from connector.store.attempts import Attempt
from connector.store.ingester import Arrival, EventIngester, Ingested, Sender
from tests.integration.databases import Databases

NOW = 1_767_603_600_000
"""2026-01-05T09:00:00Z."""

SENDER = Sender(1, "uid-of-paris", 1)
CALLER = "+33123456789"
LINE = "+33987654321"


class Time:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        """Return the present moment."""
        return self.now


class Desk:
    """A store with what tests of it need: calls that come in, and rows that are counted."""

    def __init__(self, store: Store, time: Time) -> None:
        self.store = store
        self.time = time
        self._ingester = EventIngester(time, record_after_seconds=3, silent_after_seconds=14_400)

    def take(self, *events: CallEvent) -> Ingested:
        """Commit events as the pipeline does."""
        return self.store.write_now(lambda c: self._ingester.take(c, [Arrival(SENDER, events)]))[0]

    def call(
        self, call_id: str, number: str = CALLER, *, delivered: bool = True, parent: str | None = None
    ) -> None:
        """Have a call that was missed a minute ago."""
        self.take(*self.events(call_id, number, parent=parent))
        if delivered:
            self.deliver()

    def events(self, call_id: str, number: str = CALLER, *, parent: str | None = None) -> list[CallEvent]:
        """Make the events of a missed call."""
        at = self.time.now
        kinds = ((EventType.RINGING, at - MINUTE), (EventType.ENDED, at - MINUTE + 10 * SECOND))
        return [
            CallEvent(
                source="/pbx", id=f"{call_id}-{kind}", type=kind, call_id=call_id, at=when, received_at=at,
                from_number=number, to_number=LINE, parent=parent,
            )
            for kind, when in kinds
        ]  # fmt: skip

    def deliver(self) -> None:
        """Let everything that is due have come to Desk."""
        done = {"state": "done", "desk_id": "77", "sent_revision": 1, "sent": b'{"body":{"contactId":"c1"}}'}
        self.store.write_now(
            lambda c: c.execute(update(tables.outbox).where(tables.outbox.c.state == "due").values(done))
        )

    async def tell_again(self, call_id: str) -> None:
        """Have a call leave all that its history tells: events said again, attempts, a place in lists."""
        self.take(*self.events(call_id))
        failed = Attempt(at=self.time.now, milliseconds=9, operation="POST /calls", revision=1, detail=CALLER)
        ids = [row_id for row_id in self.column("outbox.id") if isinstance(row_id, int)]
        self.store.write_now(lambda c: attempts.add(c, [(row_id, failed) for row_id in ids]))
        await CallLists(self.store, lambda: self.time.now + MINUTE).step()

    def told(self) -> list[int]:
        """Count what is kept for histories: attempts, events said again, listed calls, who took part."""
        tables = ("attempts", "event_repeats", "listed_calls", "listed_parties")
        return [self.count(table) for table in tables]

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        found = tables.metadata.tables[table]
        return self.store.read_now(lambda c: c.execute(select(func.count()).select_from(found)).scalar_one())

    def column(self, name: str) -> list[object]:
        """Return a column, such as `calls.body`, of all rows in the order of the key."""
        table, column = name.split(".")
        found = tables.metadata.tables[table]
        asked = select(found.c[column]).order_by(*found.primary_key.columns)
        return list(self.store.read_now(lambda c: c.execute(asked).scalars().all()))

    def change(self, table: str, row_id: int, **values: object) -> None:
        """Write columns of a row anew."""
        found = tables.metadata.tables[table]
        self.store.write_now(lambda c: c.execute(update(found).where(found.c.id == row_id).values(values)))

    def put(self, table: str, *rows: Mapping[str, object]) -> None:
        """Write rows."""
        found = tables.metadata.tables[table]
        self.store.write_now(lambda c: c.execute(insert(found), [dict(row) for row in rows]))


@pytest.fixture
def time() -> Time:
    """Have a clock that stands still."""
    return Time()


@pytest.fixture
def desk(databases: Databases, time: Time) -> Iterator[Desk]:
    """Open a fresh database, on each engine."""
    with databases.fresh(build) as url:
        store = Store(url)
        yield Desk(store, time)
        store.close()


def build(connection: Connection) -> None:
    """Link a portal and add a phone system, both with id 1."""
    portal = {"location": "us", "org_id": "1", "name": "Zylker", "client_id": "c", "state": "linked"}
    connection.execute(insert(tables.portals).values(portal | {"linked_by": "test", "linked_at": NOW}))
    phone = {"uid": SENDER.uid, "slug": "paris", "name": "Paris", "portal_id": 1, "dialect": "neutral"}
    connection.execute(insert(tables.phone_systems).values(phone | {"country": "FR", "created_at": NOW}))
