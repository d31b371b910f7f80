"""List calls with what came of each, the newest first, and keep what the lists are made of."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import anyio
import msgspec
from sqlalchemy import Connection

from connector import numbers
from connector.banner import views
from connector.calls import Call, CallState, Direction, NotRecorded, root_of
from connector.clock import MINUTE, SECOND, Clock, to_iso
from connector.errors import InvalidRequest, NotAllowed, UnknownPhoneSystem
from connector.follow_up.viewers import Viewer
from connector.store import Store, listing, users
from connector.store.erasure import ERASED
from connector.store.listing import Agent, CallGroup, ListedCall, Origin, Position, Which
from connector.store.phone_changes import slug_when_removed

AT_A_TIME = 50
"""Calls in one commit: so few that nobody who writes meanwhile has to wait."""

WORK_SECONDS = 5.0
"""How long one step goes on: a million calls of the release before are listed within half an hour."""

LOOK_BACK_EVERY = 10 * MINUTE
"""How often calls are looked for that a machine whose clock is slow has written."""

QUIET_FOR = 10 * SECOND
"""How long nothing has happened to calls that are written to the lists: nobody else writes them then."""

FRESH_AT_MOST = 2_000
"""Calls that a list reads itself because they were changed since the last step."""

WITHHELD = "withheld"
"""Stands for the number of those who show none."""

WHY = {
    NotRecorded.INTERNAL: "among colleagues, as the phone system says or as both ends are yours; "
    "`connector phones internal` has such calls logged",
    NotRecorded.NOT_TAKEN: "nobody took the ring of the agent's own telephone, so nobody was called",
    NotRecorded.NOTHING_TOLD: "the phone system told neither the direction nor a caller nor a ring",
    NotRecorded.ERASED: "erased by `connector forget`",
    NotRecorded.EARLIER: "ended before reasons were kept",
}
"""Why calls leave no record, for people."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls somebody asks for; what is None does not matter.

    They began at `since` or later and before `until`, epoch milliseconds. `number` is one end in any
    spelling, `agent` a user's e-mail address, or a phone system's word for one; `phone_system` is an address.
    """

    since: int | None = None
    until: int | None = None
    number: str | None = None
    agent: str | None = None
    state: CallState | None = None
    phone_system: str | None = None
    not_recorded: bool = False
    reason: NotRecorded | None = None


class CallLine(msgspec.Struct, frozen=True, kw_only=True, rename={"from_number": "from", "to_number": "to"}):
    """A call, with all that came out of it, and what came of it; numbers are as people read them.

    `call` is its key, `at` when it began. `names` are those of its `agents`; whom nobody knows keeps the
    phone system's word. `state` is None where all was erased. `record` is the state of its record's delivery;
    `not_recorded` says why there is none, and `why` the same in words. A call with neither goes on.
    Of a call that was erased after its record was written, `record` is "erased".
    """

    call: str
    at: str
    phone_system: str
    direction: Direction | None
    from_number: str | None
    to_number: str | None
    agents: tuple[str, ...]
    names: tuple[str, ...]
    state: CallState | None
    record: str | None
    not_recorded: NotRecorded | None
    why: str


class CallPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some calls, the newest first; `next` is the cursor of those behind, None at the end.

    Where it is not `complete`, calls from before an upgrade are still being listed.
    """

    calls: tuple[CallLine, ...]
    next: str | None
    complete: bool


class CallLists:
    """Return lists of calls; `step` keeps what they are made of up with the calls."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._position = listing.FIRST
        self._late = listing.LATE
        self._looked_back_at = 0

    async def page(self, viewer: Viewer, asked: Filter, *, cursor: str | None, limit: int) -> CallPage:
        """Return a page of the calls that somebody may see.

        Raises UnknownPhoneSystem, InvalidRequest for a cursor of nobody's, NotAllowed where who is shown no
        numbers asks by one.
        """
        if asked.number is not None and not viewer.sees_numbers:
            raise NotAllowed("Calls are found by their numbers only for those who may see these.")
        if asked.agent is not None and viewer.word(asked.agent) != asked.agent:
            # What a phone system calls an agent may be anybody's number.
            raise NotAllowed("An agent is found by a telephone number only for those who may see numbers.")
        before = None if cursor is None else _position(cursor)
        reading = partial(
            read_page, viewer=viewer, asked=asked, before=before, limit=limit, now=self._clock()
        )
        return await self._store.read(reading)

    async def step(self) -> int:
        """Write the lists for some calls that were changed, and return how many."""
        count, end = 0, anyio.current_time() + WORK_SECONDS
        while written := await self._write_some():
            count += written
            if anyio.current_time() >= end:
                break
        return count

    async def _write_some(self) -> int:
        """Write some from where the last time ended on; 0 where none is left, or another process does it."""
        now = self._clock()
        if self._position == listing.FIRST:
            is_due = now - self._looked_back_at >= LOOK_BACK_EVERY
            self._late = listing.VERY_LATE if is_due else listing.LATE
        changed = partial(
            listing.changed,
            now=now,
            after=self._position,
            at_most=AT_A_TIME,
            quiet_for=QUIET_FOR,
            late=self._late,
        )
        # First without a lock: to read a number takes longer than all the rest, and is remembered.
        if not await self._store.read(partial(_prepare, changed=changed)):
            self._position = listing.FIRST
            if self._late == listing.VERY_LATE:
                self._looked_back_at = now
            return 0
        written = await self._store.write(partial(_keep_up, changed=changed))
        self._position = written[-1] if written else listing.FIRST
        return len(written)


Changed = Callable[[Connection], list[Position]]
"""Reads which calls are to be written."""


def _prepare(connection: Connection, changed: Changed) -> int:
    found = changed(connection)
    origins = listing.origins_of(connection)
    for group in listing.groups_of(connection, [call_id for _, call_id in found], origins):
        listed_of(group)
    return len(found)


def _keep_up(connection: Connection, changed: Changed) -> list[Position]:
    if not listing.take_turn(connection):
        return []
    found = changed(connection)
    if found:
        ids, origins = [call_id for _, call_id in found], listing.origins_of(connection)
        groups = listing.groups_of(connection, ids, origins)
        listing.put(connection, [listed_of(group) for group in groups], found[-1][0])
    return found


def listed_of(group: CallGroup) -> ListedCall:
    """Return by what a call group is found."""
    known = [row.call for row in group.rows if row.call is not None]
    if not known and group.root.not_recorded is None:
        # A parent that was named and never heard of, or erased after its record was written.
        is_erased = group.root.erased_at is not None
        started_at = group.heard_at if is_erased else None
        return ListedCall(group=group, started_at=started_at, state=None, parties=frozenset())
    return ListedCall(
        group=group,
        started_at=min((call.started_at for call in known), default=group.heard_at),
        state=_state(known),
        parties=frozenset(party for call in known for party in _parties(call, group)),
    )


def _state(known: Collection[Call]) -> CallState | None:
    states = {call.state for call in known}
    ordered = (CallState.ANSWERED, CallState.RINGING, CallState.ENDED)
    return next((state for state in ordered if state in states), None)


def _parties(call: Call, group: CallGroup) -> list[str]:
    """Name both ends and all agents of a call."""
    origin = group.origin
    customer = views.customer(call, origin.country, origin.notation)
    line = numbers.read(_other_end(call), origin.country)
    keys = [numbers.caller_key(customer) or WITHHELD, numbers.caller_key(line)]
    agents = [listing.agent_party(leg.agent) for leg in call.legs]
    return [*(listing.number_party(key) for key in keys if key), *agents]


def _other_end(call: Call) -> str | None:
    return call.from_number if call.direction is Direction.OUTBOUND else call.to_number


def read_page(
    connection: Connection,
    *,
    viewer: Viewer,
    asked: Filter,
    now: int,
    before: Position | None = None,
    limit: int = 100,
) -> CallPage:
    """Read a page, as `CallLists.page` returns it."""
    origins = listing.origins_of(connection)
    which = _which(connection, viewer, asked, origins)
    changed = listing.changed(connection, now, listing.FIRST, FRESH_AT_MOST + 1, newest_first=True)
    fresh = {
        group.root.id: listed_of(group)
        for group in listing.groups_of(
            connection, [call_id for _, call_id in changed[:FRESH_AT_MOST]], origins
        )
    }
    written_anew = {row.id for each in fresh.values() for row in each.group.rows}
    found = listing.newest(connection, which, before, limit + 1 + len(written_anew))
    positions = [each for each in found if each[1] not in written_anew]
    positions += [
        (each.started_at or 0, each.group.root.id)
        for each in fresh.values()
        if listing.is_asked_for(each, which, before)
    ]
    shown = sorted(positions, reverse=True)[: limit + 1]
    is_last = len(shown) <= limit
    ids = [call_id for _, call_id in shown[:limit]]
    others = listing.groups_of(connection, [call_id for call_id in ids if call_id not in fresh], origins)
    listed = {group.root.id: listed_of(group) for group in others} | fresh
    return CallPage(
        calls=_lines(connection, viewer, [listed[call_id] for call_id in ids if call_id in listed]),
        next=None if is_last else _cursor(shown[limit - 1]),
        complete=len(changed) <= FRESH_AT_MOST,
    )


def _which(connection: Connection, viewer: Viewer, asked: Filter, origins: Mapping[int, Origin]) -> Which:
    phone_id = None
    if asked.phone_system is not None:
        phone_id = phone_of(origins, asked.phone_system)
    countries = {each.country for which, each in origins.items() if phone_id in (None, which)}
    reasons = [asked.reason] if asked.reason else list(NotRecorded) if asked.not_recorded else None
    own = None if viewer.sees_all or viewer.user is None else listing.agents_of(connection, viewer.user)
    return Which(
        since=asked.since,
        until=asked.until,
        phone_system_id=phone_id,
        state=asked.state,
        reasons=reasons,
        numbers=None if asked.number is None else _keys(asked.number, countries),
        agents=None if asked.agent is None else _agents(connection, asked.agent),
        own=own,
    )


def phone_of(origins: Mapping[int, Origin], slug: str) -> int:
    """Return the id of the phone system at an address, or of the only removed one that was there.

    Raises UnknownPhoneSystem, which names the removed ones where there were several.
    """
    names = {origin.slug: phone_id for phone_id, origin in origins.items()}
    former = [name for name, phone_id in names.items() if name == slug_when_removed(slug, phone_id)]
    if slug in names or len(former) == 1:
        return names.get(slug) or names[former[0]]
    several = f" Several were removed: {', '.join(former)}." if former else ""
    raise UnknownPhoneSystem(f"There is no phone system {slug}.{several}")


def _keys(number: str, countries: Collection[str]) -> list[str]:
    """Return whose number it may be, as it is read in the countries of the phone systems."""
    read = (numbers.read(number, country) for country in countries or ("",))
    return sorted({numbers.caller_key(each) or WITHHELD for each in read})


def _agents(connection: Connection, text: str) -> Sequence[Agent]:
    user = users.by_email(connection, text) if "@" in text else None
    return [Agent(word=text)] if user is None else listing.agents_of(connection, user)


def _lines(connection: Connection, viewer: Viewer, listed: Sequence[ListedCall]) -> tuple[CallLine, ...]:
    records = listing.record_states(connection, [each.group.root.id for each in listed])
    names = _names(connection, listed)
    return tuple(_line(viewer, each, records.get(each.group.root.id), names) for each in listed)


def _names(connection: Connection, listed: Sequence[ListedCall]) -> Mapping[tuple[int, str], str]:
    """Return who goes by a phone system's words now."""
    words: dict[int, set[str]] = {}
    for each in listed:
        words.setdefault(each.group.root.phone_system_id, set()).update(_agents_of(each.group))
    return {who: user.name for who, user in users.by_words_of(connection, words).items()}


def _agents_of(group: CallGroup) -> tuple[str, ...]:
    legs = (leg for row in group.rows if row.call is not None for leg in row.call.legs)
    return tuple(dict.fromkeys(leg.agent for leg in legs))


def _line(
    viewer: Viewer, listed: ListedCall, record: str | None, names: Mapping[tuple[int, str], str]
) -> CallLine:
    group, root = listed.group, listed.group.root
    known = [row.call for row in group.rows if row.call is not None]
    call = root.call or (root_of(known) if known else None)
    from_number, to_number = (None, None) if call is None else ends(call, group)
    words = _agents_of(group)
    return CallLine(
        call=root.key,
        at=to_iso(listed.started_at or group.heard_at),
        phone_system=group.origin.slug,
        direction=None if call is None else call.direction,
        from_number=viewer.number(from_number),
        to_number=viewer.number(to_number),
        agents=tuple(dict.fromkeys(map(viewer.word, words))),
        names=tuple(
            dict.fromkeys(names.get((root.phone_system_id, word)) or viewer.word(word) for word in words)
        ),
        state=None if listed.state is None else CallState(listed.state),
        record=record if record is None or root.erased_at is None else ERASED,
        not_recorded=root.not_recorded,
        why="" if root.not_recorded is None else WHY[root.not_recorded],
    )


def ends(call: Call, group: CallGroup) -> tuple[str | None, str | None]:
    """Return both ends as the banner and the record show them: the customer's in the notation there."""
    origin = group.origin
    customer = numbers.labelled(views.customer(call, origin.country, origin.notation))
    if call.direction is Direction.OUTBOUND:
        return _number(call.from_number, origin.country), customer if call.to_number else None
    return customer if call.from_number else None, _number(call.to_number, origin.country)


def _number(raw: str | None, country: str) -> str | None:
    return None if raw is None else numbers.labelled(numbers.read(raw, country))


def _cursor(position: Position) -> str:
    return urlsafe_b64encode(f"{position[0]}.{position[1]}".encode()).decode().rstrip("=")


CURSOR_AT_MOST = 60


def _position(cursor: str) -> Position:
    try:
        padded = cursor[:CURSOR_AT_MOST].encode() + b"=="
        began, _, call_id = urlsafe_b64decode(padded).decode().partition(".")
        if began.lstrip("-").isdigit() and call_id.isdigit() and len(began) <= 16 and len(call_id) <= 18:
            return int(began), int(call_id)
    except (NotBase64, ValueError) as problem:
        raise InvalidRequest(_NO_CURSOR) from problem
    raise InvalidRequest(_NO_CURSOR)


_NO_CURSOR = "cursor must be what `next` of another page was."
