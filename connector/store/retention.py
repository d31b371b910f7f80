"""Delete what has been kept for long enough, a few hundred rows at a time.

What has not reached Desk stays however old it is, and with it the whole group of its call.
The audit is kept for ever: the database itself refuses to delete from it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    TextClause,
    delete,
    func,
    or_,
    select,
    text,
    tuple_,
)

from connector.store.tables import (
    calls,
    card_edits,
    events,
    flows,
    orders,
    outbox,
    recording_accesses,
    sessions,
    unread,
)

ROWS_AT_A_TIME = 500
"""So few that nobody who writes meanwhile has to wait."""

CALLS_AT_A_TIME = 100

OVER = ("done", "dropped")
"""States of deliveries that nothing more comes of."""

Position = tuple[int, int]
"""How far a walk through the old calls has come: when the last one seen changed, and its id."""

START: Position = (0, 0)


class Cutoffs(msgspec.Struct, frozen=True, kw_only=True):
    """From which moment back things are too old to be kept."""

    now: int
    calls_before: int
    unread_before: int


class PruneStep(msgspec.Struct, frozen=True):
    """How many rows were deleted, and where to go on; nowhere at the end."""

    rows: int
    position: Position | None


OF_CALLS = (events, outbox, recording_accesses)
"""What hangs on calls and goes with them."""


class _CallGroup(msgspec.Struct, frozen=True):
    root: int
    members: list[int]

    @property
    def ids(self) -> list[int]:
        return [self.root, *self.members]


def prune_calls(connection: Connection, before: int, position: Position) -> PruneStep:
    """Delete some whole groups of calls that changed last before a moment, with all that hangs on them."""
    seen = _oldest(connection, before, position)
    call_groups, busy = _call_groups(connection, [row.id for row in seen if row.root_id is None], before)
    old = [call_group for call_group in call_groups if not busy.intersection(call_group.ids)]
    sizes = _sizes(connection, [call_id for call_group in old for call_id in call_group.ids])
    chosen = _as_many_as_fit(old, sizes)
    _delete_call_groups(connection, chosen)
    rows = sum(_size(call_group, sizes) for call_group in chosen)
    if len(chosen) < len(old):
        return PruneStep(rows, position)
    return PruneStep(rows, (seen[-1].changed_at, seen[-1].id) if len(seen) == CALLS_AT_A_TIME else None)


def _oldest(connection: Connection, before: int, position: Position) -> Sequence[Row[int, int, int | None]]:
    # Roots are picked out by who asks: SQLite would take the index of root_id and read all calls.
    old = select(calls.c.id, calls.c.changed_at, calls.c.root_id).where(
        calls.c.changed_at < before,
        calls.c.changed_at >= position[0],
        tuple_(calls.c.changed_at, calls.c.id) > position,
    )
    ordered = old.order_by(calls.c.changed_at, calls.c.id).limit(CALLS_AT_A_TIME)
    return connection.execute(ordered.with_for_update(skip_locked=True)).all()


def _call_groups(
    connection: Connection, roots: Sequence[int], before: int
) -> tuple[list[_CallGroup], set[int]]:
    """Return the call groups, and those of their calls that must stay: open, young, or not all in Desk."""
    call_groups = {root: _CallGroup(root, []) for root in roots}
    members = connection.execute(
        select(calls.c.id, calls.c.root_id).where(calls.c.root_id.in_(call_groups)).order_by(calls.c.id)
    )
    for member in members:
        call_groups[member.root_id].members.append(member.id)
    ids = [call_id for call_group in call_groups.values() for call_id in call_group.ids]
    stays = or_(calls.c.closes_at.is_not(None), calls.c.changed_at >= before)
    busy = set(connection.execute(select(calls.c.id).where(calls.c.id.in_(ids), stays)).scalars())
    waits = select(outbox.c.call_id).where(outbox.c.call_id.in_(ids), outbox.c.state.not_in(OVER))
    return list(call_groups.values()), busy | {
        found for found in connection.execute(waits).scalars() if found
    }


def _sizes(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    """Count what hangs on each call, itself aside."""
    sizes = dict.fromkeys(ids, 0)
    for table in OF_CALLS:
        counted = select(table.c.call_id, func.count()).where(table.c.call_id.in_(ids))
        for call_id, count in connection.execute(counted.group_by(table.c.call_id)):
            sizes[call_id] += count
    return sizes


def _size(call_group: _CallGroup, sizes: Mapping[int, int]) -> int:
    return sum(1 + sizes[call_id] for call_id in call_group.ids)


def _as_many_as_fit(call_groups: Sequence[_CallGroup], sizes: Mapping[int, int]) -> list[_CallGroup]:
    """Take call groups until there are rows enough; at least one, however large."""
    chosen: list[_CallGroup] = []
    rows = 0
    for call_group in call_groups:
        rows += _size(call_group, sizes)
        if chosen and rows > ROWS_AT_A_TIME:
            break
        chosen.append(call_group)
    return chosen


def _delete_call_groups(connection: Connection, call_groups: Sequence[_CallGroup]) -> None:
    ids = [call_id for call_group in call_groups for call_id in call_group.ids]
    roots = [call_group.root for call_group in call_groups]
    for table in OF_CALLS:
        connection.execute(delete(table).where(table.c.call_id.in_(ids)))
    connection.execute(delete(calls).where(calls.c.root_id.in_(roots)))
    connection.execute(delete(calls).where(calls.c.id.in_(roots)))


def prune_ignored(connection: Connection, cutoffs: Cutoffs) -> int:
    """Delete events of types that we do not know."""
    return _delete_oldest(
        connection, events, events.c.received_at, cutoffs.calls_before, events.c.call_id.is_(None)
    )


def prune_contacts(connection: Connection, cutoffs: Cutoffs) -> int:
    """Delete deliveries of contacts that have long been in Desk: who calls again is found there.

    Those that take what belongs to no number stay, a few a portal: Desk finds them by the name that we gave
    them, which people change.
    """
    is_there = text("outbox.kind = 'contact' AND outbox.state IN ('done', 'dropped')")
    # They have a word for a key, where others have a number (E.164).
    has_number = or_(outbox.c.key.startswith("+"), outbox.c.desk_id.is_(None))
    return _delete_oldest(connection, outbox, outbox.c.changed_at, cutoffs.calls_before, is_there, has_number)


def prune_unread(connection: Connection, cutoffs: Cutoffs) -> int:
    """Delete bodies that could not be read."""
    return _delete_oldest(connection, unread, unread.c.last_at, cutoffs.unread_before)


def prune_sessions(connection: Connection, cutoffs: Cutoffs) -> int:
    """Delete sessions that are over."""
    return _delete_oldest(connection, sessions, sessions.c.expires_at, cutoffs.now)


def prune_flows(connection: Connection, cutoffs: Cutoffs) -> int:
    """Delete attempts to sign in or to link that nobody came back from."""
    return _delete_oldest(connection, flows, flows.c.expires_at, cutoffs.now)


def prune_orders(connection: Connection, cutoffs: Cutoffs) -> int:
    """Delete what phone systems were to do, when calls of that time are kept no more; the audit has it."""
    return _delete_oldest(connection, orders, orders.c.created_at, cutoffs.calls_before)


def prune_edits(connection: Connection, cutoffs: Cutoffs) -> int:
    """Delete changes of cards that Desk never answered, and must have applied by now if it ever does."""
    return _delete_oldest(connection, card_edits, card_edits.c.until, cutoffs.now)


BY_AGE: tuple[Callable[[Connection, Cutoffs], int], ...] = (
    prune_ignored,
    prune_contacts,
    prune_unread,
    prune_sessions,
    prune_flows,
    prune_orders,
    prune_edits,
)
"""What is pruned beside calls; each answers how many rows it deleted."""


def _delete_oldest(
    connection: Connection,
    table: Table,
    age: ColumnElement[int],
    before: int,
    *which: ColumnElement[bool] | TextClause,
) -> int:
    key = tuple(table.primary_key.columns)
    oldest = select(*key).where(age < before, *which).order_by(age).limit(ROWS_AT_A_TIME)
    return connection.execute(delete(table).where(tuple_(*key).in_(oldest))).rowcount
