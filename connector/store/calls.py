"""Keep the calls: one row each, holding the fold of its events."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    Text,
    and_,
    bindparam,
    case,
    or_,
    select,
    tuple_,
    update,
)

from connector.calls import Call, NotRecorded
from connector.store.bulk import Bulk, Given, Prepared
from connector.store.engine import has_locks
from connector.store.failures import LockedTooLate
from connector.store.tables import calls, outbox

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Call).decode


NOBODY = "none"
"""Stands for a chosen contact: the agent says that it is none of those who bear the number."""


class CallRow(msgspec.Struct):
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
    erased_at: int | None = None
    not_recorded: NotRecorded | None = None


def _read(which: ColumnElement[bool]) -> Select[Any]:
    return select(*_COLUMNS).where(which).order_by(calls.c.key)


_COLUMNS = [calls.c["body" if name == "call" else name] for name in CallRow.__struct_fields__]
_BODY_AT = CallRow.__struct_fields__.index("call")
_REASON_AT = CallRow.__struct_fields__.index("not_recorded")

_STUB = ("key", "phone_system_id", "call_id", "created_at", "changed_at")
_stub = Bulk(calls, _STUB, lambda given: given.insert().on_conflict_do_nothing())


def stub(connection: Connection, keys: Collection[tuple[str, int, str]], now: int) -> None:
    """Make sure that a row stands for each (key, phone system, call id)."""
    _stub.execute(connection, [(*key, now, now) for key in sorted(keys)])


def lock(connection: Connection, keys: Collection[str]) -> list[CallRow]:
    """Read and lock rows in the order of their keys, so that two processes never wait for each other.

    Where rows are locked one by one, the roots of their call groups come along: they will be needed too,
    and to lock them later would be out of order. Raises LockedTooLate where a call got its root while its
    lock was waited for.
    """
    rows = [_row(found) for found in _lock.execute(connection, [(key,) for key in keys])]
    if has_locks(connection) and {row.root_id for row in rows} - {None} - {row.id for row in rows}:
        raise LockedTooLate
    return rows


def _locking(given: Given) -> Executable:
    roots = None
    if given.engine == "postgresql":
        member, root = calls.alias("member"), calls.alias("root")
        joined = root.join(member, member.c.root_id == root.c.id)
        roots = select(root.c.key).select_from(joined).where(given.names(member.c.key))
    # Keys never change, so rows that refer to these calls are let in: the lists are written in another order.
    return _read(given.names(calls.c.key, roots)).with_for_update(key_share=True)


_lock = Bulk(calls, ["key"], _locking)


def lock_ids(connection: Connection, ids: Collection[int]) -> list[CallRow]:
    """Read and lock rows by their ids."""
    return _rows(connection, _read(calls.c.id.in_(ids)).with_for_update(key_share=True)) if ids else []


def call_group(connection: Connection, root_ids: Collection[int]) -> list[CallRow]:
    """Read the members of call groups, roots aside."""
    found = _call_group.execute(connection, [(root_id,) for root_id in root_ids]) if root_ids else ()
    return [_row(each) for each in found]


_call_group = Bulk(calls, ["id"], lambda given: _read(given.names(calls.c.root_id)))


def by_ids(connection: Connection, ids: Collection[int]) -> list[CallRow]:
    """Read calls by their ids."""
    return _rows(connection, _read(calls.c.id.in_(ids))) if ids else []


def find(connection: Connection, phone_system_id: int, call_id: str) -> CallRow | None:
    """Read a call by what its phone system calls it."""
    named = and_(calls.c.phone_system_id == phone_system_id, calls.c.call_id == call_id)
    rows = _rows(connection, _read(named))
    return rows[0] if rows else None


def open_of(connection: Connection, phone_system_id: int) -> list[CallRow]:
    """Read a phone system's calls that go on."""
    is_theirs = calls.c.phone_system_id == phone_system_id
    return _rows(connection, _read(and_(is_theirs, calls.c.closes_at.is_not(None))))


def shown(connection: Connection, since: int) -> list[CallRow]:
    """Read what banners may show: open calls, and those that changed since."""
    open_or_fresh = (calls.c.closes_at.is_not(None)) | (calls.c.changed_at >= since)
    return [row for row in _rows(connection, _read(open_or_fresh)) if row.call is not None]


def changed_since(connection: Connection, since: int) -> list[tuple[int, int]]:
    """Return (id, revision) of the calls that have changed since."""
    asked = select(calls.c.id, calls.c.revision).where(calls.c.changed_at >= since)
    return [(row.id, row.revision) for row in connection.execute(asked)]


def overdue(connection: Connection, now: int, at_most: int, after: tuple[int, int] = (0, 0)) -> list[CallRow]:
    """Read open calls that the watchdog shall look at, those behind a (moment, id) that it has seen."""
    late = and_(calls.c.closes_at <= now, tuple_(calls.c.closes_at, calls.c.id) > after)
    asked = select(calls.c.id).where(late).order_by(calls.c.closes_at, calls.c.id)
    ids = connection.execute(asked.limit(at_most))
    return by_ids(connection, list(ids.scalars()))


def _rows(connection: Connection, asked: Select[Any]) -> list[CallRow]:
    return [_row(found) for found in connection.execute(asked)]


def _row(found: Sequence[Any]) -> CallRow:
    values = list(found)
    body = values[_BODY_AT]
    values[_BODY_AT] = None if body is None else _unpack(body)
    if values[_REASON_AT] is not None:
        values[_REASON_AT] = NotRecorded(values[_REASON_AT])
    return CallRow(*values)


def save(connection: Connection, rows: Sequence[CallRow], now: int) -> None:
    """Write folded calls back, each one revision further; who is whose root is written where it changes."""
    for row in rows:
        row.revision += 1
        row.changed_at = now
    if rows:
        _save.execute(connection, map(_values, rows))


_SAVED = ("id", "state", "body", "revision", "changed_at", "closes_at")


def _saving(given: Given) -> Executable:
    new = {name: given.c[name] for name in _SAVED if name != "id"}
    return update(calls).where(calls.c.id == given.c.id).values(new)


_save = Bulk(calls, _SAVED, _saving)


def _values(row: CallRow) -> tuple[Any, ...]:
    state, body = (None, None) if row.call is None else (row.call.state.value, _pack(row.call))
    return row.id, state, body, row.revision, row.changed_at, row.closes_at


def note_not_recorded(
    connection: Connection, reasons: Mapping[int, NotRecorded], rows: Iterable[CallRow]
) -> list[NotRecorded]:
    """Write down why these locked calls leave no record, by their ids; return the reasons that are new.

    Those that are not named leave one, belong to a call group, or go on. What stays as it was costs nothing.
    """
    changed = {row.id: row for row in rows if row.not_recorded != reasons.get(row.id)}
    if changed:
        _note_reason.execute(connection, [(row_id, reasons.get(row_id)) for row_id in sorted(changed)])
    for row_id, row in changed.items():
        row.not_recorded = reasons.get(row_id)
    return [row.not_recorded for row in changed.values() if row.not_recorded is not None]


_note_reason = Bulk(
    calls,
    ("id", "not_recorded"),
    lambda given: update(calls).where(calls.c.id == given.c.id).values(not_recorded=given.c.not_recorded),
)


def touch(connection: Connection, call_ids: Collection[int], now: int, **values: Any) -> None:
    """Change columns beside the fold, such as the look-up's result, and raise the revision."""
    changed = {"revision": calls.c.revision + 1, "changed_at": now} | values
    connection.execute(update(calls).where(calls.c.id.in_(call_ids)).values(changed))


def choose_at_first(connection: Connection, key: tuple[str, int, str], contact_id: str, now: int) -> None:
    """Say whom a call is with before anything is heard of it; a choice made since stays."""
    stub(connection, [key], now)
    unchosen = and_(calls.c.key == key[0], calls.c.chosen_contact_id.is_(None))
    connection.execute(update(calls).where(unchosen).values(chosen_contact_id=contact_id))


_IS_OPEN_QUESTION = or_(calls.c.lookup == "pending", calls.c.lookup == "failed")


def take_question(
    connection: Connection, call_id: int, now: int, until: int, *, claimed_until: int | None = None
) -> bool:
    """Take the question who is calling until a moment; False if the caller is known, or another process asks.

    Whoever has it already says until when.
    """
    is_free = or_(
        calls.c.asked_until.is_(None), calls.c.asked_until <= now, calls.c.asked_until == claimed_until
    )
    taking = update(calls).where(calls.c.id == call_id, _IS_OPEN_QUESTION, is_free)
    return connection.execute(taking.values(asked_until=until)).rowcount > 0


def hold_question(connection: Connection, call_id: int, until: int | None) -> None:
    """Keep the question who is calling from the others until a moment, None: let them ask."""
    connection.execute(update(calls).where(calls.c.id == call_id).values(asked_until=until))


def note_lookup(
    connection: Connection,
    call_id: int,
    now: int,
    *,
    lookup: str,
    found: bytes,
    asked_until: int | None,
    only_open: bool,
    chosen: str | None = None,
    gone: str | None = None,
) -> CallRow | None:
    """Keep what a look-up came to, and return the call as it is now; None where nothing is changed.

    `only_open` keeps it only where nobody has an answer yet. `chosen` is the contact that was chosen of
    several, unless one is already that is not `gone`.
    """
    noting = _note_open_question if only_open else _note_lookup
    noted = noting.run(
        connection,
        call=call_id,
        now=now,
        lookup=lookup,
        found=found,
        asked_until=asked_until,
        chosen=chosen,
        gone=gone,
    )
    return _row(noted[0]) if noted else None


def _noting(*which: ColumnElement[bool]) -> Executable:
    values = {name: bindparam(name, type_=calls.c[name].type) for name in ("lookup", "found", "asked_until")}
    is_free = or_(
        calls.c.chosen_contact_id.is_(None), calls.c.chosen_contact_id == bindparam("gone", type_=Text)
    )
    chosen = case((is_free, bindparam("chosen", type_=Text)), else_=calls.c.chosen_contact_id)
    changed = {"revision": calls.c.revision + 1, "changed_at": bindparam("now"), "chosen_contact_id": chosen}
    changing = update(calls).where(calls.c.id == bindparam("call"), *which)
    return changing.values(values | changed).returning(*_COLUMNS)


# Made once: this runs while a phone rings.
_note_lookup = Prepared(lambda _: _noting())
_note_open_question = Prepared(lambda _: _noting(_IS_OPEN_QUESTION))


def release_question(connection: Connection, call_id: int, claimed_until: int, now: int) -> CallRow | None:
    """Let others ask who is calling, where it is held until this moment and open; return the call then.

    The revision is raised, so that whoever has the call on a banner hears of it and asks.
    """
    is_claimed = and_(calls.c.id == call_id, calls.c.asked_until == claimed_until, _IS_OPEN_QUESTION)
    values = {"asked_until": None, "revision": calls.c.revision + 1, "changed_at": now}
    changing = update(calls).where(is_claimed).values(values).returning(*_COLUMNS)
    found = connection.execute(changing).one_or_none()
    return None if found is None else _row(found)


class MadeContact(msgspec.Struct, frozen=True):
    """A contact that was made for a call's number, or found for it just before it was."""

    id: str
    name: str
    url: str | None


class RecordState(msgspec.Struct, frozen=True):
    """How far the call record is: the outbox row's state and what Desk calls the record.

    `contact` is the one it stands on, where we have made that.
    """

    state: str
    url: str | None
    contact: MadeContact | None = None


def records(connection: Connection, call_ids: Collection[int]) -> dict[int, RecordState]:
    """Return how far each call's record is; calls without an outbox row are left out."""
    if not call_ids:
        return {}
    found = _records.execute(connection, [(call_id,) for call_id in call_ids])
    rows = [_RecordRow(*values) for values in found]
    sent = {row.call_id: _sent(row.sent) for row in rows if row.sent}
    keys = {(row.portal_id, sent[row.call_id].contact_key) for row in rows if row.call_id in sent}
    made = _made(connection, {key for key in keys if key[1]})
    return {
        row.call_id: RecordState(
            row.state, row.desk_url, _contact_of(row.portal_id, sent.get(row.call_id), made)
        )
        for row in rows
    }


class _RecordRow(NamedTuple):
    call_id: int
    state: str
    desk_url: str | None
    portal_id: int
    sent: bytes | None


def _telling(given: Given) -> Executable:
    columns = (outbox.c[name] for name in _RecordRow._fields)
    return select(*columns).where(given.names(outbox.c.call_id), outbox.c.kind == "call")


_records = Bulk(outbox, ["call_id"], _telling)


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    contact_id: str | None = None


class _Sent(msgspec.Struct, frozen=True):
    body: _Body | None = None
    contact_key: str = ""


class _Wanted(msgspec.Struct, frozen=True):
    last_name: str = ""


_sent = msgspec.json.Decoder(_Sent).decode
_wanted = msgspec.json.Decoder(_Wanted).decode


def _made(connection: Connection, keys: Collection[tuple[int, str]]) -> dict[tuple[int, str], MadeContact]:
    """Read the contacts that were made, by portal and what they were made for."""
    if not keys:
        return {}
    named = tuple_(outbox.c.portal_id, outbox.c.key).in_(sorted(keys))
    columns = (outbox.c[name] for name in ("portal_id", "key", "desk_id", "desk_url", "wanted"))
    asked = select(*columns).where(named, outbox.c.kind == "contact", outbox.c.desk_id.is_not(None))
    return {
        (row.portal_id, row.key): MadeContact(row.desk_id, _wanted(row.wanted).last_name, row.desk_url)
        for row in connection.execute(asked)
    }


def _contact_of(
    portal_id: int, sent: _Sent | None, made: dict[tuple[int, str], MadeContact]
) -> MadeContact | None:
    if sent is None or sent.body is None:
        return None
    found = made.get((portal_id, sent.contact_key))
    return found if found is not None and found.id == sent.body.contact_id else None
