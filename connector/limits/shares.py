"""Share a portal's width among all processes: who may have how many requests under way.

A share has two parts. Look-ups: one each to all who want some, longest unserved first, then what they want.
Work (deliveries, the contact index, all else): likewise, but all of it together stays within the width less
the reserve for look-ups, at least one. Whoever writes its share only lowers it or takes what is free, so that
the sum never exceeds the width, whatever the others do and whenever they die.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from connector.clock import SECOND, Clock, machine_of
from connector.limits.editions import allowed as allowed_by_edition
from connector.store import limits, shares
from connector.store.limits import Allowed, AllowedBy, LimitState
from connector.store.shares import Part

SHARE_LASTS = 45 * SECOND
"""How long a share is good after it was written, or seen to be written."""

REQUEST_LASTS = 30 * SECOND
"""So much of its share must be left when a request leaves: then no request outlives its share."""

SILENT_AFTER = 5 * SECOND
"""A living process writes its share each second. One that has not for so long wants nothing more."""

SERVED_FOR = 5 * SECOND
"""How long a share is left to whoever has it, where there are more processes than requests at a time."""


AT_FIRST = 2
"""Requests wanted for the first look-up: it asks for phone and mobile at one time."""


class Watch:
    """Since when this process has seen the shares of others unchanged, on a clock that never jumps.

    A share says until when it is good by the clock of whoever wrote it, which may be wrong: here that is only
    what changes with each renewal. What was renewed on the same machine says when on the very same clock, so
    that a process that has just been started need not watch its predecessor's share first.
    """

    def __init__(self, steady: Clock, machine: str | None = None) -> None:
        self._steady = steady
        self.machine = machine_of(steady) if machine is None else machine
        self._seen: dict[str, tuple[int, int]] = {}

    def see(self, parts: Iterable[Part]) -> None:
        """Note what is there now; what is not there any more is forgotten."""
        now, before = self._steady(), self._seen
        self._seen = {
            part.holder: before[part.holder]
            if part.holder in before and before[part.holder][0] == part.until
            else (part.until, self._renewed_at(part, now))
            for part in parts
        }

    def _renewed_at(self, part: Part, now: int) -> int:
        is_here = bool(self.machine) and part.machine == self.machine
        return min(now, part.renewed_at) if is_here and part.renewed_at is not None else now

    def is_silent(self, part: Part) -> bool:
        """Tell whether a part has not been renewed for a while."""
        return part.since is not None and self._unchanged_for(part) >= SILENT_AFTER

    def is_over(self, part: Part, now: int) -> bool:
        """Tell whether nothing can be under way any more; `now` is for the rows of the release before."""
        if part.since is None:
            return part.until <= now
        return self._unchanged_for(part) >= SHARE_LASTS

    def _unchanged_for(self, part: Part) -> int:
        return self._steady() - self._seen[part.holder][1]


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What one process asks for, and what it uses until it has the answer.

    `open` is how many requests it may have under way meanwhile, `work_open` how many of them are no look-ups.
    `at` is when it asked, on the clock that never jumps; `now` is the moment that all clocks tell.
    """

    portal_id: int
    process: str
    lookups: int
    deliveries: int
    others: int
    open: int
    work_open: int
    at: int
    now: int
    watch: Watch


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one process may have under way: `lookups` requests for look-ups, and `work` others.

    `room` is how many all processes may have, `written` how many this one has in the table: more than it may
    use while it still has to give some back. It is `contested` where others want more than there is, or could
    not look up at once. No delivery may leave while the portal is `shut`, and only one where it is `trying`
    whether the others may follow.
    """

    lookups: int
    work: int
    room: int
    written: int
    contested: bool
    shut: bool
    trying: bool
    allowed: Allowed
    state: LimitState


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to share: the width, what is kept for look-ups, and what earlier releases hold."""

    width: int
    reserve: int
    leased_before: int = 0


class Division(msgspec.Struct, frozen=True, kw_only=True):
    """What one process may use, the parts it writes, and the holders of those that it deletes."""

    lookups: int
    work: int
    written: Sequence[Part]
    gone: Sequence[str]
    contested: bool


def write_share(connection: Connection, ask: Ask, allowed_by: AllowedBy = allowed_by_edition) -> Share | None:
    """Write the share of a process in the caller's transaction; None where the portal is locked: ask again.

    Nothing more may leave for it before the transaction is committed.
    """
    allowed = limits.lock(connection, ask.portal_id, allowed_by)
    if allowed is None:
        return None
    state = limits.state(connection, ask.portal_id)
    room = Room(
        # However narrow it gets, a look-up and something else go on.
        width=max(state.width(allowed, ask.now), min(2, allowed.width)),
        reserve=allowed.reserve,
        leased_before=shares.leased_before(connection, ask.portal_id, ask.now),
    )
    shut, trying = state.is_shut(allowed, ask.now), state.is_trying(allowed)
    # One that was picked goes on, to find out whether the others may follow; no other is picked meanwhile.
    deliveries = min(1, ask.deliveries) if shut or trying else ask.deliveries
    wanted = msgspec.structs.replace(ask, deliveries=deliveries)
    got = divide(room, wanted, shares.of_portal(connection, ask.portal_id))
    shares.put(connection, ask.portal_id, got.written, got.gone)
    return Share(
        lookups=got.lookups,
        work=got.work,
        room=room.width - room.leased_before,
        written=sum(part.size for part in got.written),
        contested=got.contested,
        shut=shut,
        trying=trying,
        allowed=allowed,
        state=state,
    )


def divide(room: Room, ask: Ask, parts: Sequence[Part]) -> Division:
    """Return what one process gets of a portal's width, where `parts` is all that is written.

    Pure, but that the watch of the process sees the parts.
    """
    ask.watch.see(parts)
    over = [part for part in parts if ask.watch.is_over(part, ask.now)]
    valid = [part for part in parts if part not in over]
    own = {part.is_lookups: part for part in valid if part.holder in holders(ask.process)}
    others = [part for part in valid if part.holder not in holders(ask.process)]
    lookups = _wished(ask, own.get(True), ask.lookups, is_lookups=True)
    work = _wished(ask, own.get(False), ask.deliveries + ask.others, is_lookups=False)
    silent = [part for part in others if ask.watch.is_silent(part)]
    living = [lookups, work, *(part for part in others if part not in silent)]
    for_lookups, for_work = _targets(room, living, silent, ask.now)
    # What may be in use until this is committed stays, as far as it is written; more only where it is free.
    work_kept = min(ask.work_open, work.size)
    kept = max(work_kept, min(ask.open, lookups.size + work.size))
    free = max(0, room.width - sum(part.size for part in others) - room.leased_before - kept)
    lookups_size = _taken(lookups, kept - work_kept, free, for_lookups, living)
    free -= lookups_size - (kept - work_kept)
    work_size = _taken(work, work_kept, free, for_work, living)
    is_short = sum(part.wanted for part in living) > sum(for_lookups.values()) + sum(for_work.values())
    parts_now = [_resized(lookups, lookups_size, ask.now), _resized(work, work_size, ask.now)]
    return Division(
        lookups=min(lookups_size, for_lookups[lookups.holder]),
        work=min(work_size, for_work[work.holder]),
        written=[part for part in parts_now if part.wanted],
        gone=[part.holder for part in (*over, *parts_now) if part in over or not part.wanted],
        contested=bool(others) and (is_short or free - (work_size - work_kept) < AT_FIRST),
    )


def _taken(part: Part, kept: int, free: int, targets: Mapping[str, int], living: Sequence[Part]) -> int:
    """Return what a part comes to: what it keeps, and of what is free what it shall have and others leave."""
    rivals = sum(each.size for each in living if each.holder in targets and each.holder != part.holder)
    left = sum(targets.values()) - rivals - kept
    return kept + max(0, min(free, left, targets[part.holder] - kept))


def holders(process: str) -> tuple[str, str]:
    """Return what the two parts of a process's share are called: for look-ups, and for work."""
    return f"{process}/lookups", f"{process}/work"


def _wished(ask: Ask, before: Part | None, wanted: int, *, is_lookups: bool) -> Part:
    """Return a part as it stands, with what is wanted of it now."""
    until = ask.now + SHARE_LASTS
    if before is None:
        holder = holders(ask.process)[not is_lookups]
        before = Part(holder=holder, is_lookups=is_lookups, size=0, wanted=0, until=0, since=ask.now)
    return msgspec.structs.replace(
        before,
        wanted=wanted,
        until=max(until, before.until + 1),
        machine=ask.watch.machine or None,
        renewed_at=ask.at,
    )


def _resized(part: Part, size: int, now: int) -> Part:
    changed = (part.size > 0) != (size > 0)
    return msgspec.structs.replace(
        part, size=size, wanted=max(part.wanted, size), since=now if changed else part.since
    )


def _work_of(parts: Collection[Part], room: Room) -> int:
    return sum(part.size for part in parts if not part.is_lookups) + room.leased_before


def _targets(
    room: Room, living: Sequence[Part], silent: Sequence[Part], now: int
) -> tuple[dict[str, int], dict[str, int]]:
    """Return what each living process shall have for look-ups, and for work."""
    left = max(0, room.width - sum(part.size for part in silent) - room.leased_before)
    lookups = [part for part in living if part.is_lookups]
    work = [part for part in living if not part.is_lookups]
    wanted_lookups = sum(part.wanted for part in lookups)
    wanted_work = sum(part.wanted for part in work)
    if left == 1 and wanted_lookups and wanted_work:
        # The only one goes round among all.
        only = _dealt(1, living, now)
        return {part.holder: only[part.holder] for part in lookups}, {
            part.holder: only[part.holder] for part in work
        }
    # One is left to work, though none is wanted yet: look-ups may take long to come back.
    for_others = 1 if left > 1 and (wanted_work or not _work_of(silent, room)) else 0
    for_lookups = min(wanted_lookups, left - for_others)
    reserve = max(min(room.reserve, room.width - 1), for_lookups)
    for_work = max(1, room.width - reserve - _work_of(silent, room))
    for_work = min(wanted_work, for_work, left - for_lookups)
    return _dealt(for_lookups, lookups, now), _dealt(for_work, work, now)


def _dealt(size: int, parts: Sequence[Part], now: int) -> dict[str, int]:
    """Deal so many out: one each, longest unserved first, then what they want, one more each in turn."""
    dealt = {part.holder: 0 for part in parts}
    hungry = sorted((part for part in parts if part.wanted > 0), key=lambda part: _order(part, now))
    while size > 0 and hungry:
        for part in hungry[:size]:
            dealt[part.holder] += 1
        size -= min(size, len(hungry))
        hungry = [part for part in hungry if part.wanted > dealt[part.holder]]
    return dealt


def _order(part: Part, now: int) -> tuple[int, int, str]:
    """Order those who have had theirs for a little, those who have nothing, those who have had it long."""
    since = part.since or 0
    if part.size == 0:
        return 1, since, part.holder
    served_for = now - since
    return (0, since, part.holder) if served_for < SERVED_FOR else (2, -since, part.holder)
