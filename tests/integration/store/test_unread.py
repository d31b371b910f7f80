"""Bodies that could not be read: one copy each, and not without end."""

import hashlib
from functools import partial

from sqlalchemy import Connection, func, insert, select

from connector.store import Store, events, tables
from connector.store.events import ROOM, UNREAD_AT_MOST, Unread
from tests.integration.store.conftest import NOW

BODY = b"x" * 100


def _post(first: int, count: int, connection: Connection) -> None:
    for number in range(first, first + count):
        events.keep_unread(connection, 1, b"%d" % number + BODY, "no JSON", NOW + number)


def _fill(count: int, connection: Connection) -> None:
    """Have as many as if they had been posted one by one, which takes seconds."""
    bodies = [b"%d" % number + BODY for number in range(count)]
    rows = [
        {
            "phone_system_id": 1,
            "body_hash": hashlib.sha256(body).hexdigest(),
            "reason": "no JSON",
            "body": body,
            "times": 1,
            "first_at": NOW + number,
            "last_at": NOW + number,
        }
        for number, body in enumerate(bodies)
    ]
    connection.execute(insert(tables.unread), rows)


def _kept(store: Store) -> int:
    return store.read_now(lambda c: c.execute(select(func.count()).select_from(tables.unread)).scalar_one())


def test_one_copy_is_counted(store: Store) -> None:
    """The same body again is the same row, with the last time that it came."""
    store.write_now(partial(_post, 0, 1))
    store.write_now(lambda c: events.keep_unread(c, 1, b"0" + BODY, "no XML", NOW + 5))
    [one] = store.read_now(lambda c: events.list_unread(c, 1))
    assert one == Unread("no XML", b"0" + BODY, 2, NOW, NOW + 5)


def test_the_newest_are_kept_and_the_others_counted(store: Store) -> None:
    """However many different bodies come, a phone system fills no disk, and nothing goes unnoticed."""
    store.write_now(partial(_fill, UNREAD_AT_MOST - 1))
    store.write_now(partial(_post, UNREAD_AT_MOST - 1, ROOM + 1))
    assert _kept(store) == UNREAD_AT_MOST + ROOM
    store.write_now(partial(_post, UNREAD_AT_MOST + ROOM, 1))
    assert _kept(store) == UNREAD_AT_MOST + 1
    store.write_now(partial(_post, UNREAD_AT_MOST + ROOM + 1, ROOM + 1))
    assert _kept(store) <= UNREAD_AT_MOST + ROOM + 1
    *kept, older = store.read_now(lambda c: events.list_unread(c, 1, at_most=10**6))
    posted = UNREAD_AT_MOST + 2 * ROOM + 2
    assert [one.last_at for one in kept] == [NOW + posted - 1 - n for n in range(len(kept))]
    assert older.times == posted - len(kept)
    assert (older.body, older.first_at, older.last_at) == (b"", NOW, kept[-1].last_at - 1)
    assert len(store.read_now(lambda c: events.list_unread(c, 1))) == 51
