"""Keep the calls: one row each, holding the fold of its events."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, or_, select, update

from connector.calls import Call
from connector.store.dialects import among, has_locks, insert_all, update_all
from connector.store.tables import calls, outbox

KEYS_AT_A_TIME = 5_000
"""How many keys one IN may list; SQLite takes 32,766."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Call).decode


class CallRow(msgspec.Struct, kw_only=True):
    """One call as the database has it; `call` is empty on a stub, a parent never heard of.

    `found` is the JSON that the look-up left.
    """

    id: int
    phone_system_id: int
    call_id: str
    key: str
    root_id: int | None
    call: Call | None
    revision: int
    chosen_contact_id: str | None
    lookup: str
    found: bytes | None
    changed_at: int
    closes_at: int | None


def stub(connection: Connection, keys: Collection[tuple[str, int, str]], now: int) -> None:
    """Make sure that a row stands for each (key, phone system, call id)."""
    rows = [
        {"key": key, "phone_system_id": phone_id, "call_id": call_id, "created_at": now, "changed_at": now}
        for key, phone_id, call_id in sorted(keys)
    ]
    adding, given = insert_all(connection, calls, rows)
    connection.execute(adding.on_conflict_do_nothing(), given)


def lock(connection: Connection, keys: Collection[str]) -> list[CallRow]:
    """Read and lock rows in the order of their keys, so that two processes never wait for each other.

    Where rows are locked one by one, the heads of their families come along: they will be needed too,
    and to lock them later would be out of order.
    """
    if has_locks(connection):
        return _rows(
            connection, among(connection, calls.c.key, {*keys, *_heads(connection, keys)}), lock=True
        )
    found: list[CallRow] = []
    ordered = sorted(keys)
    for start in range(0, len(ordered), KEYS_AT_A_TIME):
        found += _rows(connection, calls.c.key.in_(ordered[start : start + KEYS_AT_A_TIME]))
    return found


def _heads(connection: Connection, keys: Collection[str]) -> Sequence[str]:
    head = calls.alias("head")
    joined = head.join(calls, calls.c.root_id == head.c.id)
    asked = select(head.c.key).select_from(joined).where(among(connection, calls.c.key, keys))
    return connection.execute(asked).scalars().all()


def lock_ids(connection: Connection, ids: Collection[int]) -> list[CallRow]:
    """Read and lock rows by their ids."""
    return _rows(connection, calls.c.id.in_(ids), lock=True) if ids else []


def family(connection: Connection, root_ids: Collection[int]) -> list[CallRow]:
    """Read the members of families, heads aside."""
    return _rows(connection, calls.c.root_id.in_(root_ids)) if root_ids else []


def by_ids(connection: Connection, ids: Collection[int]) -> list[CallRow]:
    """Read calls by their ids."""
    return _rows(connection, calls.c.id.in_(ids)) if ids else []


def shown(connection: Connection, since: int) -> list[CallRow]:
    """Read what banners may show: open calls, and those that changed since."""
    open_or_fresh = (calls.c.closes_at.is_not(None)) | (calls.c.changed_at >= since)
    return [row for row in _rows(connection, open_or_fresh) if row.call is not None]


def changed_since(connection: Connection, since: int) -> list[tuple[int, int]]:
    """Answer (id, revision) of the calls that have changed since."""
    asked = select(calls.c.id, calls.c.revision).where(calls.c.changed_at >= since)
    return [(row.id, row.revision) for row in connection.execute(asked)]


def overdue(connection: Connection, now: int, at_most: int) -> list[CallRow]:
    """Read open calls that the watchdog shall look at."""
    late = calls.c.closes_at <= now
    ids = connection.execute(select(calls.c.id).where(late).order_by(calls.c.closes_at).limit(at_most))
    return by_ids(connection, list(ids.scalars()))


def _rows(connection: Connection, which: ColumnElement[bool], *, lock: bool = False) -> list[CallRow]:
    asked = select(*_COLUMNS).where(which).order_by(calls.c.key)
    if lock:
        asked = asked.with_for_update()
    return [_row(found) for found in connection.execute(asked).mappings()]


_COLUMNS = (*(calls.c[name] for name in CallRow.__struct_fields__ if name != "call"), calls.c.body)


def _row(found: RowMapping) -> CallRow:
    values: dict[str, Any] = dict(found)
    body = values.pop("body")
    return CallRow(call=None if body is None else _unpack(body), **values)


def save(connection: Connection, rows: Sequence[CallRow], now: int) -> None:
    """Write folded calls back, each one revision further."""
    for row in rows:
        row.revision += 1
        row.changed_at = now
    values = [_values(row) for row in rows]
    if values:
        connection.execute(*update_all(connection, calls, values))


def _values(row: CallRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "root_id": row.root_id,
        "state": row.call and row.call.state.value,
        "body": row.call and _pack(row.call),
        "revision": row.revision,
        "changed_at": row.changed_at,
        "closes_at": row.closes_at,
    }


def touch(connection: Connection, call_ids: Collection[int], now: int, **values: Any) -> None:
    """Change columns beside the fold, such as the look-up's result, and raise the revision."""
    changed = {"revision": calls.c.revision + 1, "changed_at": now} | values
    connection.execute(update(calls).where(calls.c.id.in_(call_ids)).values(changed))


def take_question(connection: Connection, call_id: int, now: int, until: int) -> bool:
    """Take the question who is calling until a moment; False if it is answered, or another asks it."""
    is_free = or_(calls.c.asked_until.is_(None), calls.c.asked_until <= now)
    is_open = calls.c.lookup.in_(("pending", "failed"))
    taking = update(calls).where(calls.c.id == call_id, is_open, is_free)
    return connection.execute(taking.values(asked_until=until)).rowcount > 0


class RecordState(msgspec.Struct, frozen=True):
    """How far the call record is: the outbox row's state and what Desk calls the record."""

    state: str
    url: str | None


def records(connection: Connection, call_ids: Collection[int]) -> dict[int, RecordState]:
    """Answer how far each call's record is; calls without an outbox row are left out."""
    if not call_ids:
        return {}
    asked = select(outbox.c.call_id, outbox.c.state, outbox.c.desk_url).where(
        outbox.c.call_id.in_(call_ids), outbox.c.kind == "call"
    )
    return {row.call_id: RecordState(row.state, row.desk_url) for row in connection.execute(asked)}
