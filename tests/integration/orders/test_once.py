"""Whatever happens in whatever order, nothing is carried out twice, and nothing late."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from connector.clock import SECOND
from connector.errors import NotFound, RequestError
from connector.metrics import Metrics
from connector.orders import Asker, Orders, Outcome, Request
from connector.orders.planning import WAITS
from connector.store import Store, audit, orders, phones, tables, users
from connector.store.orders import Order
from connector.store.phones import PhoneSystem
from connector.store.users import User
from tests.integration.databases import Databases

NUMBERS = ("+442079460811", "+442079460812")
BY = ("bridge 1", "bridge 2")

Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["click", "click", "fetch", "take", "take", "report", "sweep", "wait"]),
        st.integers(0, 1),
        st.integers(0, 3),
    ),
    max_size=40,
)


def build(connection: Connection) -> None:
    """Link a portal with a phone system that takes orders, and add an agent."""
    portal = {"location": "us", "org_id": "1", "name": "Zylker", "client_id": "c", "state": "linked"}
    connection.execute(insert(tables.portals).values(portal | {"linked_by": "test", "linked_at": 0}))
    phone = PhoneSystem(
        id=0, uid="u", slug="p", name="P", portal_id=1, dialect="neutral", country="GB", time_zone="UTC",
        takes_orders=True,
    )  # fmt: skip
    phones.add(connection, phone, 0)
    user = users.add(connection, "ada@example.com", "Ada", "agent", 0)
    assert user is not None
    users.set_extensions(connection, user.id, [users.Word(0, "1001")])


@pytest.fixture
def store(databases: Databases) -> Iterator[Store]:
    """Open a database with a phone system, on each engine."""
    with databases.fresh(build) as url:
        opened = Store(url)
        yield opened
        opened.close()


class Office:
    """An impatient agent, two programs that fetch, a clock; remembers who was handed what."""

    def __init__(self, store: Store, user: User, phone: PhoneSystem, now: int) -> None:
        self.now = now
        self.store = store
        self.phone = phone
        self.orders = Orders(store, lambda: self.now, Metrics())
        self.asker = Asker(name=user.email, role=user.role, user=user)
        self.given: dict[str, int] = {}
        self.handed: dict[str, set[str]] = {}

    async def step(self, what: str, which: int, other: int) -> None:
        """Do one thing; a refusal is a refusal."""
        try:
            await getattr(self, f"_{what}")(which, other)
        except RequestError:
            return

    async def _click(self, which: int, other: int) -> None:
        key = f"{self.now}-{other}"
        order = await self.orders.give(self.asker, Request(kind="dial", key=key, number=NUMBERS[which]))
        self.given.setdefault(order.uid, self.now)

    async def _fetch(self, _which: int, _other: int) -> None:
        await self.orders.waiting(self.phone, 0)

    async def _take(self, which: int, other: int) -> None:
        uid = self._some(other)
        await self.orders.take(self.phone, uid, BY[which])
        who = self.handed.setdefault(uid, set())
        assert who or self.now < self.given[uid] + WAITS, "handed out for the first time, and too late"
        who.add(BY[which])

    async def _report(self, which: int, other: int) -> None:
        state: Any = ("done", "refused", "unknown")[other % 3]
        await self.orders.settle(self.phone, self._some(other), BY[which], Outcome(state=state))

    async def _sweep(self, _which: int, _other: int) -> None:
        await self.orders.close_overdue()

    async def _wait(self, which: int, other: int) -> None:
        self.now += (SECOND, WAITS, 30 * SECOND, 70 * SECOND)[other] + which

    def _some(self, other: int) -> str:
        found = sorted(self.given)
        return found[other % len(found)] if found else "c00000000000000000000"


async def ringing_at_once(store: Store) -> int:
    """Count the orders that are to ring the one telephone."""
    found = await store.read(lambda c: c.execute(tables.orders.select()).mappings().all())
    return sum(row["state"] in ("waiting", "taken") for row in found)


@pytest.mark.both_engines
def test_at_most_once(store: Store) -> None:
    """Each order is handed to one program at most, in time, and one telephone rings for one at a time."""
    user = store.read_now(lambda c: users.by_email(c, "ada@example.com"))
    phone = store.read_now(lambda c: phones.find(c, "p", 0))
    assert user is not None
    assert phone is not None
    began = iter(range(10**12, 10**13, 10**6))

    async def play(steps: list[Step]) -> None:
        office = Office(store, user, phone, next(began))
        await store.write(lambda c: c.execute(tables.orders.delete()))
        await office.orders.waiting(phone, 0)
        for step in steps:
            await office.step(*step)
            assert await ringing_at_once(store) <= 1
        assert all(len(who) == 1 for who in office.handed.values())

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(STEPS)
    def anything_happens(steps: list[Step]) -> None:
        asyncio.run(play(steps))

    anything_happens()


@pytest.mark.both_engines
def test_too_late_is_never_handed_out(store: Store) -> None:
    """From the moment on when an order's time is up, whoever asks."""
    user = store.read_now(lambda c: users.by_email(c, "ada@example.com"))
    phone = store.read_now(lambda c: phones.find(c, "p", 0))
    assert user is not None
    assert phone is not None

    async def play() -> Order | None:
        office = Office(store, user, phone, 10**12)
        await office.orders.waiting(phone, 0)
        await office.step("click", 0, 0)
        (uid,) = office.given
        office.now += WAITS
        await office.step("take", 0, 0)
        assert office.handed == {}
        await office.step("sweep", 0, 0)
        return await store.read(lambda c: orders.by_uid(c, uid))

    order = asyncio.run(play())
    assert order is not None
    assert order.state == "expired"
    said = [entry.action for entry in store.read_now(audit.newest)]
    assert said == ["order.expired", "order.given"]


@pytest.mark.both_engines
def test_an_order_for_ones_own_telephone_may_be_followed(store: Store) -> None:
    """Who clicks what a supervisor has just ordered for them hears what comes of it; nobody else does."""

    def add(connection: Connection) -> None:
        users.add(connection, "sue@example.com", "Sue", "supervisor", 0)
        users.add(connection, "bruno@example.com", "Bruno", "agent", 0)

    store.write_now(add)
    found = {user.name: user for user in store.read_now(users.list_all)}
    phone = store.read_now(lambda c: phones.find(c, "p", 0))
    assert phone is not None

    async def play() -> None:
        office = Office(store, found["Ada"], phone, 10**12)
        askers = {name: Asker(name=one.email, role=one.role, user=one) for name, one in found.items()}
        await office.orders.waiting(phone, 0)
        wanted = Request(kind="dial", key="1", number=NUMBERS[0], agent="ada@example.com")
        given = await office.orders.give(askers["Sue"], wanted)
        again = await office.orders.give(office.asker, Request(kind="dial", key="2", number=NUMBERS[0]))
        assert again.uid == given.uid
        assert (await office.orders.get(office.asker, given.uid)).uid == given.uid
        with pytest.raises(NotFound):
            await office.orders.get(askers["Bruno"], given.uid)

    asyncio.run(play())
