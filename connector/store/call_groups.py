"""Join calls that came out of one another: the head of a family owns the only record."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, update

from connector.calls import Call, CallRecord, CallState, NotRecorded, is_open, not_recorded, record
from connector.store import calls, outbox, tables
from connector.store.calls import CallRow
from connector.store.outbox import Wanted

encode = msgspec.json.Encoder(order="deterministic").encode
"""Writes a record the same way each time, so that equal records are equal bytes."""

Rows = Mapping[tuple[int, str], CallRow]
"""Calls by (phone system, call id)."""


def adopt(connection: Connection, folded: Sequence[CallRow], rows: Rows) -> set[int]:
    """Give each call that names a parent the head of its family; a ring of parents is left open.

    One that was erased heads nothing: its record is never written again, and would tell of nobody else.
    Answers the heads of families that a call has left: what they waited for may be over.
    """
    left: set[int] = set()
    for row in folded:
        parent = rows.get((row.phone_system_id, row.call.parent)) if row.call and row.call.parent else None
        head_id = None if parent is None or parent.erased_at is not None else parent.root_id or parent.id
        if head_id is None or head_id in (row.id, row.root_id):
            continue
        if row.root_id is not None:
            left.add(row.root_id)
        _move(connection, [row, *_branch(connection, row, rows)], head_id)
    return left


def _branch(connection: Connection, row: CallRow, rows: Rows) -> list[CallRow]:
    """Find all that came out of a call, which has a head itself or is one."""
    head_id = row.root_id or row.id
    call_group = {each.id: each for each in (*calls.call_group(connection, [head_id]), *rows.values())}
    members = [each for each in call_group.values() if each.root_id == head_id and each.id != row.id]
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


def _move(connection: Connection, moved: Sequence[CallRow], head_id: int) -> None:
    which = tables.calls.c.id.in_([row.id for row in moved])
    connection.execute(update(tables.calls).where(which).values(root_id=head_id))
    for row in moved:
        row.root_id = head_id


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What comes of families: the records wanted, and why some leave none, by the ids of their heads.

    `heads` are all heads that were looked at.
    """

    wanted: list[Wanted]
    not_recorded: dict[int, NotRecorded]
    heads: list[CallRow]


def outcome(
    connection: Connection,
    folded: Sequence[CallRow],
    portals: Mapping[int, int],
    due_at: int,
    left: Collection[int] = (),
    with_internal: Collection[int] = (),
) -> Outcome:
    """Return what comes of these calls, now that they have changed and left the families of `left`.

    `portals` maps phone systems to portals; those in `with_internal` want their internal calls told too.
    A family of which a call is still open wants nothing yet.
    What a call wanted before it had a head, and that has not been sent, is withdrawn: the head's tells it.
    """
    call_groups = _call_groups(connection, folded, left)
    reasons = {call_group[0].id: _reason(call_group, with_internal) for call_group in call_groups}
    telling = [call_group for call_group in call_groups if reasons[call_group[0].id] is None]
    joined = [row.id for call_group in telling for row in call_group[1:]]
    outbox.withdraw(connection, joined)
    # Of a call by itself that has a record nothing needs to be known but that it was heard of.
    asked = [
        call_group
        for call_group in call_groups
        if len(call_group) > 1 or reasons[call_group[0].id] is not None
    ]
    standing = calls.records(connection, [row.id for call_group in asked for row in call_group])
    wanted = [
        Wanted(
            portal_id=portals[row.phone_system_id],
            kind="call",
            key=row.key,
            call_id=row.id,
            record=encode(record),
            due_at=due_at,
        )
        for call_group in call_groups
        for row, record in _records(call_group, standing, with_internal)
    ]
    silent = {
        call_group[0].id: why
        for call_group in call_groups
        if (why := reasons[call_group[0].id]) is not None and _leaves_nothing(call_group, standing)
    }
    return Outcome(wanted=wanted, not_recorded=silent, heads=[call_group[0] for call_group in call_groups])


def _leaves_nothing(call_group: Sequence[CallRow], standing: Mapping[int, calls.RecordState]) -> bool:
    """Tell whether a family is over and none of its calls has a record from before."""
    known = _known(call_group)
    return bool(known) and not is_open(known) and all(row.id not in standing for row in call_group)


def _call_groups(
    connection: Connection, folded: Sequence[CallRow], left: Collection[int]
) -> list[list[CallRow]]:
    """Read the whole family of each call that is over or has a family, its head first."""
    own = {row.id: row for row in folded}
    head_ids = {row.root_id or row.id for row in folded if row.root_id or _is_over(row.call)}
    # A former head may have got a head itself meanwhile; then that one's family is read.
    head_ids |= {row.root_id or row.id for row in calls.by_ids(connection, set(left) - own.keys())}
    # Two processes that fold two members at once must see each other's end, so both lock the head.
    elsewhere = {row.id: row for row in calls.lock_ids(connection, head_ids - own.keys())}
    call_groups = {head_id: [own.get(head_id) or elsewhere[head_id]] for head_id in head_ids}
    for row in calls.call_group(connection, head_ids):
        call_groups[row.root_id or row.id].append(own.get(row.id, row))
    return list(call_groups.values())


def _is_over(call: Call | None) -> bool:
    return call is not None and call.state is CallState.ENDED


def _reason(call_group: Sequence[CallRow], with_internal: Collection[int]) -> NotRecorded | None:
    """Return why a family will leave no record, as far as is known by now."""
    known, internal = _known(call_group), call_group[0].phone_system_id in with_internal
    return not_recorded(known, with_internal=internal) if known else NotRecorded.NOTHING_TOLD


def _known(call_group: Sequence[CallRow]) -> list[Call]:
    return [row.call for row in call_group if row.call is not None]


def _records(
    call_group: Sequence[CallRow], standing: Mapping[int, calls.RecordState], with_internal: Collection[int]
) -> Iterator[tuple[CallRow, CallRecord]]:
    """Return the head's record, and those of members that were written before they had a head.

    A head that was never heard of has nothing to tell but what its members' own records may tell already.
    """
    head, *members = call_group
    internal = head.phone_system_id in with_internal
    is_told = head.call is None and head.id not in standing and all(row.id in standing for row in members)
    known = _known(call_group)
    whole = record(head.key, known, with_internal=internal) if known and not is_told else None
    if whole is not None:
        yield head, whole
    for row in members:
        if row.id not in standing or row.call is None:
            continue
        own = record(row.key, [row.call], parent_key=head.key, with_internal=internal)
        if own is not None:
            yield row, own
