"""Keep the orders: what a phone system shall do, and what came of it.

An order waits until it is fetched, once; then its outcome is waited for. Neither waits for long.
"""

from collections.abc import Collection
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, update

from connector.store import engine
from connector.store.tables import destinations, orders, phone_systems, takers
from connector.store.users import Role

OrderKind = Literal["dial", "hang_up", "transfer"]
OrderState = Literal["waiting", "taken", "done", "refused", "expired", "unknown"]

OPEN: tuple[OrderState, ...] = ("waiting", "taken")
"""States of which something still comes."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a phone system shall do, as the database has it; the columns say what is what."""

    uid: str
    phone_system_id: int
    asker: str
    key: str
    kind: OrderKind
    agent: str
    call_id: str
    asked: str | None = None
    number: str = ""
    caller_id: str | None = None
    contact_id: str | None = None
    state: OrderState = "waiting"
    taken_by: str | None = None
    reason: str = ""
    detail: str = ""
    created_at: int
    ends_at: int

    @property
    def is_open(self) -> bool:
        """Tell whether something still comes of it."""
        return self.state in OPEN


def add(connection: Connection, order: Order) -> Order | None:
    """Add an order; None where its key is used, or another stands for its telephone or its part of a call."""
    adding = engine.insert(connection, orders).values(msgspec.structs.asdict(order))
    row = connection.execute(adding.on_conflict_do_nothing().returning(*_COLUMNS)).one_or_none()
    return None if row is None else _order(row)


def by_key(connection: Connection, asker: str, key: str) -> Order | None:
    """Return the order that somebody gave under a key."""
    return _one(connection, and_(orders.c.asker == asker, orders.c.key == key))


def by_uid(connection: Connection, uid: str) -> Order | None:
    """Return the order of this name."""
    return _one(connection, orders.c.uid == uid)


def ringing(connection: Connection, phone_id: int, agent: str) -> Order | None:
    """Return the order for which an agent's telephone is about to be rung."""
    is_theirs = and_(orders.c.phone_system_id == phone_id, orders.c.agent == agent)
    return _one(connection, and_(is_theirs, orders.c.kind == "dial", orders.c.state.in_(OPEN)))


def alike(connection: Connection, order: Order) -> Order | None:
    """Return an open order for the same thing with the same call."""
    columns = (orders.c[name] for name in ("phone_system_id", "kind", "agent", "call_id", "number"))
    same = and_(*(column == getattr(order, column.name) for column in columns))
    asked = select(*_COLUMNS).where(same, orders.c.state.in_(OPEN)).limit(1)
    row = connection.execute(asked).one_or_none()
    return None if row is None else _order(row)


def last_dialled(connection: Connection, phone_id: int, agent: str, number: str) -> Order | None:
    """Return the latest order by which an agent's telephone was picked up to call a number."""
    whose = and_(orders.c.phone_system_id == phone_id, orders.c.agent == agent, orders.c.number == number)
    asked = select(*_COLUMNS).where(whose, orders.c.kind == "dial", orders.c.state == "done")
    row = connection.execute(asked.order_by(orders.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _order(row)


def of_calls(connection: Connection, phone_id: int, call_ids: Collection[str]) -> list[Order]:
    """Return the orders that made these calls or are about them, the oldest first."""
    theirs = and_(orders.c.phone_system_id == phone_id, orders.c.call_id.in_(call_ids))
    asked = select(*_COLUMNS).where(theirs).order_by(orders.c.id)
    return [_order(row) for row in connection.execute(asked)]


def waiting(connection: Connection, phone_id: int, now: int, at_most: int) -> list[Order]:
    """Return what a phone system has not fetched yet, the oldest first."""
    which = _waits(now, orders.c.phone_system_id == phone_id)
    asked = select(*_COLUMNS).where(which).order_by(orders.c.id).limit(at_most)
    return [_order(row) for row in connection.execute(asked)]


def take(connection: Connection, uid: str, by: str, now: int, ends_at: int) -> bool:
    """Hand an order to one that fetches it, and to no other; False if it is gone, or too old."""
    taken = update(orders).where(_waits(now, orders.c.uid == uid))
    values = {"state": "taken", "taken_by": by, "ends_at": ends_at}
    return connection.execute(taken.values(**values)).rowcount > 0


def settle(
    connection: Connection, uid: str, from_states: Collection[OrderState], **values: Any
) -> Order | None:
    """Write what came of an order that is in one of these states; None if it is in another."""
    which = and_(orders.c.uid == uid, orders.c.state.in_(from_states))
    changing = update(orders).where(which).values(**values).returning(*_COLUMNS)
    row = connection.execute(changing).one_or_none()
    return None if row is None else _order(row)


def overdue(connection: Connection, now: int, at_most: int) -> list[Order]:
    """Return open orders whose time is up."""
    late = and_(orders.c.state.in_(OPEN), orders.c.ends_at <= now)
    rows = connection.execute(select(*_COLUMNS).where(late).order_by(orders.c.ends_at).limit(at_most))
    return [_order(row) for row in rows]


def note_taker(connection: Connection, phone_id: int, now: int) -> None:
    """Note that a phone system's program has asked for orders."""
    adding = engine.insert(connection, takers).values(phone_system_id=phone_id, asked_at=now)
    changing = adding.on_conflict_do_update(index_elements=["phone_system_id"], set_={"asked_at": now})
    connection.execute(changing)


def taker_asked_at(connection: Connection, phone_id: int) -> int | None:
    """Return when a phone system's program last asked for orders."""
    found: int | None = connection.execute(
        select(func.max(takers.c.asked_at)).where(takers.c.phone_system_id == phone_id)
    ).scalar()
    return found


def takers_asked_at(connection: Connection) -> dict[str, int]:
    """Return when the programs beside phone systems last asked for orders, by address."""
    asked = select(phone_systems.c.slug, takers.c.asked_at).join_from(takers, phone_systems)
    return {row.slug: row.asked_at for row in connection.execute(asked)}


def set_destination(connection: Connection, phone_id: int, pattern: str, role: Role | None) -> None:
    """Set from which role on numbers that fit a pattern may be called; None lets nobody."""
    remove_destination(connection, phone_id, pattern)
    connection.execute(insert(destinations).values(phone_system_id=phone_id, pattern=pattern, role=role))


def remove_destination(connection: Connection, phone_id: int, pattern: str) -> bool:
    """Delete what was set for a pattern; return whether there was something."""
    which = and_(destinations.c.phone_system_id == phone_id, destinations.c.pattern == pattern)
    return connection.execute(delete(destinations).where(which)).rowcount > 0


def destinations_of(connection: Connection, phone_id: int) -> dict[str, Role | None]:
    """Return who may call whom, by pattern."""
    asked = select(destinations.c.pattern, destinations.c.role).where(
        destinations.c.phone_system_id == phone_id
    )
    return {row.pattern: row.role for row in connection.execute(asked.order_by(destinations.c.pattern))}


def _waits(now: int, which: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(which, orders.c.state == "waiting", orders.c.ends_at > now)


_COLUMNS = tuple(orders.c[name] for name in Order.__struct_fields__)


def _one(connection: Connection, which: ColumnElement[bool]) -> Order | None:
    row = connection.execute(select(*_COLUMNS).where(which)).one_or_none()
    return None if row is None else _order(row)


def _order(row: Row[Any]) -> Order:
    return Order(**dict(row._mapping))
