"""Join calls that came out of one another: the root of a call group owns the only record."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, select, update

from connector.calls import Call, CallRecord, CallState, NotRecorded, is_open, not_recorded, record
from connector.store import calls, outbox, tables
from connector.store.calls import CallRow
from connector.store.outbox import Wanted

encode = msgspec.json.Encoder(order="deterministic").encode
"""Writes a record the same way each time, so that equal records are equal bytes."""

Rows = Mapping[tuple[int, str], CallRow]
"""Calls by (phone system, call id)."""


def join(connection: Connection, folded: Sequence[CallRow], rows: Rows) -> set[int]:
    """Give each call that names a parent the root of its call group; a ring of parents is left open.

    One that was erased is the root of nothing: its record is never written again, and would tell of nobody
    else. Returns the roots of call groups that a call has left: what they waited for may be over.
    """
    left: set[int] = set()
    for row in folded:
        parent = rows.get((row.phone_system_id, row.call.parent)) if row.call and row.call.parent else None
        root_id = None if parent is None or parent.erased_at is not None else parent.root_id or parent.id
        if root_id is None or root_id in (row.id, row.root_id):
            continue
        if row.root_id is not None:
            left.add(row.root_id)
        _move(connection, [row, *_branch(connection, row, rows)], root_id)
    return left


def _branch(connection: Connection, row: CallRow, rows: Rows) -> list[CallRow]:
    """Find all that came out of a call, which has a root itself or is one."""
    root_id = row.root_id or row.id
    known = {each.id: each for each in (*calls.call_group(connection, [root_id]), *rows.values())}
    members = [each for each in known.values() if each.root_id == root_id and each.id != row.id]
    if row.root_id is None:
        return members
    branch, seen = [row], {row.call_id}
    for parent in branch:
        for each in members:
            came = each.call is not None and each.call.parent == parent.call_id
            if came and each.call_id not in seen:
                seen.add(each.call_id)
                branch.append(each)
    return branch[1:]


def _move(connection: Connection, moved: Sequence[CallRow], root_id: int) -> None:
    which = tables.calls.c.id.in_([row.id for row in moved])
    connection.execute(update(tables.calls).where(which).values(root_id=root_id))
    for row in moved:
        row.root_id = root_id


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What comes of call groups: the records wanted, and why some leave none, by the ids of their roots.

    `roots` are all roots that were looked at.
    """

    wanted: list[Wanted]
    not_recorded: dict[int, NotRecorded]
    roots: list[CallRow]


def outcome(
    connection: Connection,
    folded: Sequence[CallRow],
    portals: Mapping[int, int],
    due_at: int,
    left: Collection[int] = (),
    with_internal: Collection[int] = (),
) -> Outcome:
    """Return what comes of these calls, now that they have changed and left the call groups of `left`.

    `portals` maps phone systems to portals; those in `with_internal` want their internal calls recorded too.
    A call group of which a call is still open wants nothing yet.
    What a call wanted before it had a root, and that has not been sent, is withdrawn: the root's tells it.
    """
    groups = _groups(connection, folded, left)
    reasons = {group[0].id: _reason(group, with_internal) for group in groups}
    telling = [group for group in groups if reasons[group[0].id] is None]
    outbox.withdraw(connection, [row.id for group in telling for row in group[1:]])
    # Of a call by itself that has a record nothing needs to be known but that it was heard of.
    asked = [group for group in groups if len(group) > 1 or reasons[group[0].id] is not None]
    standing = calls.records(connection, [row.id for group in asked for row in group])
    wanted = [
        Wanted(
            portal_id=portals[row.phone_system_id],
            kind="call",
            key=row.key,
            call_id=row.id,
            record=encode(record),
            due_at=due_at,
        )
        for group in groups
        for row, record in _records(group, standing, with_internal)
    ]
    silent = {
        group[0].id: why
        for group in groups
        if (why := reasons[group[0].id]) is not None and _leaves_nothing(group, standing)
    }
    return Outcome(wanted=wanted, not_recorded=silent, roots=[group[0] for group in groups])


def _leaves_nothing(group: Sequence[CallRow], standing: Mapping[int, calls.RecordState]) -> bool:
    """Tell whether a call group is over and none of its calls has a record from before."""
    known = _known(group)
    return bool(known) and not is_open(known) and all(row.id not in standing for row in group)


def _groups(connection: Connection, folded: Sequence[CallRow], left: Collection[int]) -> list[list[CallRow]]:
    """Read the whole call group of each call that is over or has a root or members, its root first."""
    own = {row.id: row for row in folded}
    root_ids = {row.root_id or row.id for row in folded if row.root_id or _is_over(row.call)}
    # A former root may have got a root itself meanwhile; then that one's call group is read.
    root_ids |= {row.root_id or row.id for row in calls.by_ids(connection, set(left) - own.keys())}
    # Two processes that fold two members at once must see each other's end, so both lock the root.
    elsewhere = {row.id: row for row in calls.lock_ids(connection, root_ids - own.keys())}
    groups = {root_id: [own.get(root_id) or elsewhere[root_id]] for root_id in root_ids}
    for row in calls.call_group(connection, root_ids):
        groups[row.root_id or row.id].append(own.get(row.id, row))
    return list(groups.values())


def _is_over(call: Call | None) -> bool:
    return call is not None and call.state is CallState.ENDED


def _reason(group: Sequence[CallRow], with_internal: Collection[int]) -> NotRecorded | None:
    """Return why a call group will leave no record, as far as is known by now."""
    known, internal = _known(group), group[0].phone_system_id in with_internal
    return not_recorded(known, with_internal=internal) if known else NotRecorded.NOTHING_TOLD


def _known(group: Sequence[CallRow]) -> list[Call]:
    return [row.call for row in group if row.call is not None]


def _records(
    group: Sequence[CallRow], standing: Mapping[int, calls.RecordState], with_internal: Collection[int]
) -> Iterator[tuple[CallRow, CallRecord]]:
    """Return the root's record, and those of members that were written before they had a root.

    A root that was never heard of has nothing to tell but what its members' own records may tell already.
    """
    root, *members = group
    internal = root.phone_system_id in with_internal
    is_told = root.call is None and root.id not in standing and all(row.id in standing for row in members)
    known = _known(group)
    whole = record(root.key, known, with_internal=internal) if known and not is_told else None
    if whole is not None:
        yield root, whole
    for row in members:
        if row.id not in standing or row.call is None:
            continue
        own = record(row.key, [row.call], parent_key=root.key, with_internal=internal)
        if own is not None:
            yield row, own


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a call group without its fold; `chosen_contact_id` is an agent's choice."""

    id: int
    root_id: int | None
    phone_system_id: int
    chosen_contact_id: str | None
    changed_at: int


class CallGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A call, the root of its group (itself where it came out of none), and all that came out of that."""

    call: Member
    root: Member
    members: tuple[Member, ...]

    @property
    def chosen(self) -> str | None:
        """Return the contact chosen for the root, else for the call itself, else on any member's banner.

        Whoever a call was transferred to has only that one's banner to choose on.
        """
        newest_first = sorted(self.members, key=lambda each: (each.id != self.call.id, -each.changed_at))
        chosen = (each.chosen_contact_id for each in (self.root, *newest_first))
        return next(filter(None, chosen), None)


def of_calls(connection: Connection, call_ids: Collection[int]) -> dict[int, CallGroup]:
    """Return the call groups of calls, by the call's id; calls that are gone are left out."""
    known = {each.id: each for each in _read(connection, tables.calls.c.id.in_(call_ids))}
    wanted = [each for each in known.values() if each.id in call_ids]
    root_ids = {each.root_id or each.id for each in wanted}
    if missing := root_ids - known.keys():
        known |= {each.id: each for each in _read(connection, tables.calls.c.id.in_(missing))}
    members: dict[int, list[Member]] = {root_id: [] for root_id in root_ids}
    for each in _read(connection, tables.calls.c.root_id.in_(root_ids)) if root_ids else ():
        members[each.root_id or each.id].append(each)
    return {each.id: _group_of(each, known, members) for each in wanted}


def _group_of(call: Member, known: dict[int, Member], members: dict[int, list[Member]]) -> CallGroup:
    root_id = call.root_id or call.id
    return CallGroup(call=call, root=known[root_id], members=tuple(members[root_id]))


def _read(connection: Connection, which: ColumnElement[bool]) -> list[Member]:
    return [Member(**found) for found in connection.execute(select(*_COLUMNS).where(which)).mappings()]


_COLUMNS = tuple(tables.calls.c[name] for name in Member.__struct_fields__)
