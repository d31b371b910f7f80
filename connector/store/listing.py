"""Keep by what calls are listed: when they began, who took part, how they stand; one row a call group.

The rows are written a little after the calls themselves, so that no event waits for them. Calls that were
changed since are found by their revision, whichever process, of whichever release, has changed them.
"""

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    and_,
    delete,
    exists,
    or_,
    select,
    text,
    tuple_,
    update,
)

from connector.casing import ascii_lower
from connector.clock import HOUR, MINUTE
from connector.numbers import Notation
from connector.store import calls
from connector.store.bulk import Bulk, Given
from connector.store.calls import CallRow
from connector.store.engine import has_locks, insert
from connector.store.tables import (
    ANY_PHONE_SYSTEM,
    extensions,
    listed_calls,
    listed_parties,
    listed_until,
    phone_systems,
)
from connector.store.tables import calls as call_rows
from connector.store.users import User

LATE = MINUTE
"""How long after its moment of change a call may be committed, other machines' clocks included."""

VERY_LATE = HOUR
"""How much later that is where a machine's clock is slow: what is so late is looked for now and then."""

Position = tuple[int, int]
"""Where a walk has come to: a moment and a call's id."""

FIRST: Position = (0, 0)
_ONLY = 1


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The phone system that calls came from: its address, and how it writes numbers."""

    slug: str
    country: str
    notation: Notation


class CallGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A call with all that came out of it, as it is listed; `heard_at` is when it was first heard of."""

    root: CallRow
    members: tuple[CallRow, ...]
    origin: Origin
    heard_at: int

    @property
    def rows(self) -> tuple[CallRow, ...]:
        """Return all its calls."""
        return (self.root, *self.members)


class ListedCall(msgspec.Struct, frozen=True, kw_only=True):
    """By what a call group is found; it is not listed where `started_at` is None."""

    group: CallGroup
    started_at: int | None
    state: str | None
    parties: frozenset[str]


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A word for an agent: at one phone system or any but some, for calls that began since a moment."""

    word: str
    phone_system_id: int | None = None
    but: frozenset[int] = frozenset()
    since: int = 0


class Which(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls are asked for; what is None does not matter.

    They began at `since` or later and before `until`, have one of the `numbers` (callers' keys), one of the
    `agents`, and one of `own`, which are those of who asks.
    """

    since: int | None = None
    until: int | None = None
    phone_system_id: int | None = None
    state: str | None = None
    reasons: Sequence[str] | None = None
    numbers: Sequence[str] | None = None
    agents: Sequence[Agent] | None = None
    own: Sequence[Agent] | None = None


def number_party(key: str) -> str:
    """Name who took part by a caller's key."""
    return f"number {key}"


def agent_party(word: str) -> str:
    """Name who took part by the phone system's word for them; addresses in small letters."""
    return f"agent {ascii_lower(word) if '@' in word else word}"


# Keep the lists up with the calls.


def changed(
    connection: Connection,
    now: int,
    after: Position,
    at_most: int,
    *,
    quiet_for: int = 0,
    late: int = LATE,
    newest_first: bool = False,
) -> list[Position]:
    """Return calls whose rows here are missing or out of date: when each was changed, and its id.

    Only those that have been quiet for so long, where that is given; none that was committed
    later than `late`.
    """
    since = min(_until(connection), now) - late
    call, listed = call_rows.c, listed_calls.c
    asked = (
        select(call.changed_at, call.id)
        .join(listed_calls, listed.call_id == call.id, isouter=True)
        .where(call.changed_at >= max(since, after[0]), tuple_(call.changed_at, call.id) > after)
        .where(or_(listed.revision.is_(None), listed.revision != call.revision))
        .limit(at_most)
    )
    if quiet_for:
        asked = asked.where(call.changed_at <= now - quiet_for)
    order = [call.changed_at, call.id]
    asked = asked.order_by(*(column.desc() for column in order) if newest_first else order)
    return [(row[0], row[1]) for row in connection.execute(asked)]


def _until(connection: Connection) -> int:
    return connection.execute(select(listed_until.c.changed_at)).scalar() or 0


def take_turn(connection: Connection) -> bool:
    """Tell whether this process is the one that writes the lists in this transaction."""
    adding = insert(connection, listed_until).values(id=_ONLY, changed_at=0)
    connection.execute(adding.on_conflict_do_nothing())
    if not has_locks(connection):
        return True
    asked = select(listed_until.c.id).with_for_update(skip_locked=True)
    return connection.execute(asked).first() is not None


def groups_of(
    connection: Connection, call_ids: Collection[int], origins: Mapping[int, Origin]
) -> list[CallGroup]:
    """Read the call groups of calls."""
    if not call_ids:
        return []
    asked = select(call_rows.c.id, call_rows.c.root_id).where(call_rows.c.id.in_(list(call_ids)))
    roots = {row.root_id or row.id for row in connection.execute(asked)}
    related = or_(call_rows.c.id.in_(roots), call_rows.c.root_id.in_(roots))
    heard = dict(
        map(tuple, connection.execute(select(call_rows.c.id, call_rows.c.created_at).where(related)))
    )
    rows = calls.by_ids(connection, heard)
    return [
        CallGroup(
            root=root,
            members=tuple(sorted((row for row in rows if row.root_id == root.id), key=lambda row: row.id)),
            origin=origins[root.phone_system_id],
            heard_at=heard[root.id],
        )
        for root in rows
        if root.root_id is None
    ]


def group_of_key(connection: Connection, key: str) -> CallGroup | None:
    """Read the call group of the call with this key."""
    asked = select(call_rows.c.id).where(call_rows.c.key == key)
    found = groups_of(connection, connection.execute(asked).scalars().all(), origins_of(connection))
    return found[0] if found else None


def origins_of(connection: Connection) -> dict[int, Origin]:
    """Return all phone systems by their ids."""
    columns = ("id", "slug", "country", "prefixes", "without_plus")
    asked = select(*(phone_systems.c[name] for name in columns))
    return {
        row.id: Origin(
            slug=row.slug,
            country=row.country,
            notation=Notation(prefixes=tuple(row.prefixes.split()), without_plus=row.without_plus),
        )
        for row in connection.execute(asked)
    }


def put(connection: Connection, listed: Sequence[ListedCall], until: int) -> None:
    """Write by what call groups are found, and that all that was changed until a moment is written.

    No call is locked for it: one that was changed meanwhile has another revision and is written anew. Who
    took part is written where that changes, for PostgreSQL looks at the calls of new rows under a lock.
    """
    rows = [values for each in listed for values in _rows(each)]
    if rows:
        _put.execute(connection, rows)
        _put_all_parties(connection, [row[0] for row in rows], set(_parties(listed)))
    later = update(listed_until).where(listed_until.c.changed_at < until)
    connection.execute(later.values(changed_at=until))


def _parties(listed: Sequence[ListedCall]) -> Iterator[tuple[int, str, int, int]]:
    for each in listed:
        if each.started_at is not None:
            root = each.group.root
            yield from ((root.id, party, root.phone_system_id, each.started_at) for party in each.parties)


def _put_all_parties(
    connection: Connection, call_ids: Sequence[object], wanted: set[tuple[int, str, int, int]]
) -> None:
    columns = [listed_parties.c[name] for name in _PARTY]
    asked = select(*columns).where(listed_parties.c.call_id.in_(call_ids))
    there = {(row[0], row[1], row[2], row[3]) for row in connection.execute(asked)}
    for call_id, party, *_ in sorted(there - wanted):
        same = and_(listed_parties.c.call_id == call_id, listed_parties.c.party == party)
        connection.execute(delete(listed_parties).where(same))
    if new := sorted(wanted - there):
        _put_parties.execute(connection, new)


def _rows(each: ListedCall) -> Iterator[tuple[object, ...]]:
    root = each.group.root
    yield (root.id, root.revision, root.phone_system_id, each.started_at, each.state, root.not_recorded)
    for row in each.group.members:
        yield (row.id, row.revision, row.phone_system_id, None, None, None)


def _putting(given: Given) -> Executable:
    adding = given.insert()
    new = {name: adding.excluded[name] for name in _NAMES if name != "call_id"}
    return adding.on_conflict_do_update(index_elements=["call_id"], set_=new)


_NAMES = ("call_id", "revision", "phone_system_id", "started_at", "state", "not_recorded")
_put = Bulk(listed_calls, _NAMES, _putting)
_PARTY = ("call_id", "party", "phone_system_id", "started_at")
_put_parties = Bulk(listed_parties, _PARTY, lambda given: given.insert().on_conflict_do_nothing())


def erase(connection: Connection, call_ids: Collection[int]) -> None:
    """Forget who took part in calls."""
    connection.execute(delete(listed_parties).where(listed_parties.c.call_id.in_(call_ids)))


# Find calls.


def newest(connection: Connection, which: Which, before: Position | None, at_most: int) -> list[Position]:
    """Return when calls began and their ids, the newest first, from behind `before` on."""
    each_way = [
        [(row[0], row[1]) for row in connection.execute(asked)] for asked in queries(which, before, at_most)
    ]
    merged = heapq.merge(*each_way, reverse=True)
    return list(dict.fromkeys(merged))[:at_most]


def queries(which: Which, before: Position | None, at_most: int) -> list[Select[Any]]:
    """Return what to ask, each by one index: the answers together hold the newest calls.

    An index gives one number's calls in order, and not those of several.
    """
    if which.numbers is not None:
        return [_of_party(number_party(key), which, before, at_most) for key in which.numbers]
    for agents in (which.agents, which.own):
        if agents is not None:
            return [
                _of_party(agent_party(each.word), which, before, at_most).where(
                    _is_meant(each, listed_parties.c)
                )
                for each in agents
            ]
    if which.reasons is not None:
        conditions = [listed_calls.c.not_recorded == reason for reason in which.reasons]
    elif which.state in ("ringing", "answered"):
        # Written as the index is: SQLite uses a partial index only where it finds its very words.
        is_open = text("listed_calls.state IN ('ringing', 'answered')")
        conditions = [and_(is_open, listed_calls.c.state == which.state)]
    else:
        conditions = [listed_calls.c.started_at.is_not(None)]
    return [_of_calls(which, before, at_most).where(condition) for condition in conditions]


def _of_calls(which: Which, before: Position | None, at_most: int) -> Select[Any]:
    listed = listed_calls.c
    asked = select(listed.started_at, listed.call_id).where(*_within(listed, which, before), *_traits(which))
    return asked.order_by(listed.started_at.desc(), listed.call_id.desc()).limit(at_most)


def _of_party(party: str, which: Which, before: Position | None, at_most: int) -> Select[Any]:
    mine = listed_parties.c
    asked = select(mine.started_at, mine.call_id)
    asked = asked.where(mine.party == party, *_within(mine, which, before))
    if traits := list(_traits(which)):
        asked = asked.join(listed_calls, listed_calls.c.call_id == mine.call_id).where(*traits)
    if which.numbers is not None:
        also = [agents for agents in (which.agents, which.own) if agents is not None]
        asked = asked.where(*map(_has_one_of, also))
    elif which.agents is not None and which.own is not None:
        asked = asked.where(_has_one_of(which.own))
    return asked.order_by(mine.started_at.desc(), mine.call_id.desc()).limit(at_most)


def _within(columns: Any, which: Which, before: Position | None) -> Iterator[ColumnElement[bool]]:
    if which.since is not None:
        yield columns.started_at >= which.since
    if which.until is not None:
        yield columns.started_at < which.until
    if which.phone_system_id is not None:
        yield columns.phone_system_id == which.phone_system_id
    if before is not None:
        yield columns.started_at <= before[0]
        yield tuple_(columns.started_at, columns.call_id) < before


def _traits(which: Which) -> Iterator[ColumnElement[bool]]:
    if which.state is not None:
        yield listed_calls.c.state == which.state
    if which.reasons is not None:
        yield listed_calls.c.not_recorded.in_(which.reasons)


def _is_meant(agent: Agent, party: Any) -> ColumnElement[bool]:
    begins = party.started_at >= agent.since
    if agent.phone_system_id is not None:
        return and_(begins, party.phone_system_id == agent.phone_system_id)
    return and_(begins, party.phone_system_id.not_in(sorted(agent.but))) if agent.but else begins


def _has_one_of(agents: Sequence[Agent]) -> ColumnElement[bool]:
    also = listed_parties.alias("also")
    same = also.c.call_id == listed_parties.c.call_id
    each = (and_(also.c.party == agent_party(agent.word), _is_meant(agent, also.c)) for agent in agents)
    return exists().where(same, or_(text("1 = 0"), *each))


def is_asked_for(listed: ListedCall, which: Which, before: Position | None) -> bool:
    """Tell whether a call group that has no row here yet is one of those that are asked for."""
    root, at = listed.group.root, listed.started_at
    if at is None:
        return False
    return (
        (which.since is None or at >= which.since)
        and (which.until is None or at < which.until)
        and (before is None or (at, root.id) < before)
        and which.phone_system_id in (None, root.phone_system_id)
        and which.state in (None, listed.state)
        and (which.reasons is None or root.not_recorded in which.reasons)
        and (which.numbers is None or any(number_party(key) in listed.parties for key in which.numbers))
        and all(_took_part(listed, at, agents) for agents in (which.agents, which.own) if agents is not None)
    )


def _took_part(listed: ListedCall, at: int, agents: Sequence[Agent]) -> bool:
    phone_id = listed.group.root.phone_system_id
    return any(
        agent_party(each.word) in listed.parties
        and at >= each.since
        and each.phone_system_id in (None, phone_id)
        and phone_id not in each.but
        for each in agents
    )


def agents_of(connection: Connection, user: User) -> list[Agent]:
    """Return by which words phone systems mean a user, for the calls that were theirs."""
    own = select(extensions.c.extension).where(extensions.c.user_id == user.id)
    rows = connection.execute(select(extensions).where(extensions.c.extension.in_(own))).all()
    found = [Agent(word=user.email, since=user.created_at)]
    for row in rows:
        if row.user_id == user.id:
            others = {other.phone_system_id for other in rows if other.extension == row.extension}
            anywhere = row.phone_system_id == ANY_PHONE_SYSTEM
            found.append(
                Agent(
                    word=row.extension,
                    phone_system_id=None if anywhere else row.phone_system_id,
                    # A row of a phone system counts there before one of all of them.
                    but=frozenset(others - {ANY_PHONE_SYSTEM} if anywhere else ()),
                    since=max(user.created_at, row.given_at or 0),
                )
            )
    return found


def record_states(connection: Connection, call_ids: Sequence[int]) -> Mapping[int, str]:
    """Return how far the records of calls are; calls without one are left out."""
    return {call_id: found.state for call_id, found in calls.records(connection, call_ids).items()}
