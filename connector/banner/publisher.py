"""Tell the banners: who sees which call, and what they see of it."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import anyio
import msgspec

from connector.banner import views
from connector.banner.hub import Hub, Message
from connector.banner.views import CallView, Finding, Mine, Record, Shown
from connector.calls import Call, CallState
from connector.clock import MINUTE, SECOND, Clock
from connector.phone_systems import PhoneSystems
from connector.store import Store, calls, team
from connector.store.calls import CallRow, RecordState
from connector.store.phones import PhoneSystem
from connector.store.team import Team

TEAM_REMEMBERED_FOR = 2 * SECOND
"""How long the team is taken from memory; a change of extensions or queues is heard after that."""

SHOWN_AFTER_THE_END = 10 * MINUTE
"""How long a call that is over stays on the banners."""

LATE_NEWS = MINUTE
"""How far back we look for what another process has changed without our hearing of it."""

LATE_COMMIT = 10 * SECOND
"""How long after its moment a change may be committed, clocks that differ included."""

SHOWN_AT_MOST = 20_000
"""Calls whose shown revision is remembered: more than change in the time of `LATE_NEWS`."""

encode = msgspec.json.Encoder().encode
_finding = msgspec.json.Decoder(Finding).decode

NOBODY = Team(names={}, words={}, emails={}, queues={})


class Revisions:
    """Remember which revision of a call was shown last, so that none is shown twice or after a newer one."""

    def __init__(self) -> None:
        self._shown: dict[int, int] = {}

    def has(self, call_id: int, revision: int) -> bool:
        """Tell whether this revision or a newer one has been shown."""
        return self._shown.get(call_id, -1) >= revision

    def is_new(self, call_id: int, revision: int) -> bool:
        """Note that a revision is shown; False if it has been already."""
        if self.has(call_id, revision):
            return False
        self._shown.pop(call_id, None)
        self._shown[call_id] = revision
        if len(self._shown) > SHOWN_AT_MOST:
            del self._shown[next(iter(self._shown))]
        return True


class Publisher:
    """Make views of calls and hand them to the feed."""

    def __init__(self, store: Store, phone_systems: PhoneSystems, hub: Hub, clock: Clock) -> None:
        self._store = store
        self._phone_systems = phone_systems
        self._hub = hub
        self._clock = clock
        self._team = NOBODY
        self._team_until = 0
        self._reading_team = anyio.Lock()
        self._shown = Revisions()
        self._looks_from = 0

    @property
    def has_readers(self) -> bool:
        """Tell whether a banner may be open, here or in front of another process.

        Where none is, nobody is told and nobody looked up.
        """
        return self._hub.open_banners > 0 or self._hub.bus.reaches_others

    async def team(self) -> Team:
        """Return who takes calls."""
        while (now := self._clock()) >= self._team_until:
            # Read once for all who ask meanwhile.
            async with self._reading_team:
                if now >= self._team_until:
                    self._team = await self._store.read(team.load)
                    self._team_until = now + TEAM_REMEMBERED_FOR
        return self._team

    async def spread(self, rows: Sequence[CallRow]) -> None:
        """Show changed calls to those concerned, whichever process has their banner."""
        self._hub.bus.tell(row.id for row in rows)
        await self.show(rows)

    async def show(self, rows: Sequence[CallRow]) -> None:
        """Show calls on the banners of this process, and take them from those not concerned any more."""
        rows = [row for row in rows if not self._shown.has(row.id, row.revision)]
        if not self._hub.open_banners:
            for row in rows:
                self._shown.is_new(row.id, row.revision)
            return
        if not rows:
            return
        who = await self.team()
        records = await self._records(rows)
        for row in rows:
            phone = await self._phone_systems.get(row.phone_system_id)
            # Only now: reading may fail, and whoever shows what came later may have been faster.
            if self._shown.is_new(row.id, row.revision):
                self._tell(row, phone, who, records.get(row.id))

    async def refresh(self, call_ids: Iterable[int]) -> None:
        """Read calls again and spread what they are now."""
        ids = list(call_ids)
        if not self._hub.open_banners:
            # Nobody here to show them to.
            self._hub.bus.tell(ids)
            return
        await self.spread(await self._store.read(lambda connection: calls.by_ids(connection, ids)))

    async def hear(self, call_ids: Collection[int]) -> list[CallRow]:
        """Show what calls are now that another process has changed, and answer those that were news."""
        if not call_ids or not self._hub.open_banners:
            return []
        rows = await self._store.read(lambda connection: calls.by_ids(connection, call_ids))
        publisher = [row for row in rows if not self._shown.has(row.id, row.revision)]
        await self.show(publisher)
        return publisher

    async def look(self) -> list[CallRow]:
        """Show what has changed of late and nobody has told us, and answer those calls."""
        now = self._clock()
        if not self._hub.open_banners:
            # The first banner to open is shown everything up to then.
            self._looks_from = now - LATE_COMMIT
            return []
        since = max(now - LATE_NEWS, self._looks_from)
        revisions = await self._store.read(lambda connection: calls.changed_since(connection, since))
        return await self.hear([one for one, revision in revisions if not self._shown.has(one, revision)])

    async def shown_to(self, user_id: int) -> list[tuple[CallRow, CallView]]:
        """Return what this user's banner shows now."""
        since = self._clock() - SHOWN_AFTER_THE_END
        rows = await self._store.read(lambda connection: calls.shown(connection, since))
        who = await self.team()
        records = await self._records(rows)
        shown = [(row, await self._view_for(user_id, row, who, records)) for row in rows]
        return [(row, view) for row, view in shown if view is not None]

    async def row(self, call_id: int) -> CallRow | None:
        """Read one call."""
        rows = await self._store.read(lambda connection: calls.by_ids(connection, [call_id]))
        return rows[0] if rows else None

    async def is_watched(self, row: CallRow) -> bool:
        """Tell whether anyone concerned has a banner open."""
        return self._hub.is_watched_by(_audience(row, await self.team()))

    async def view(self, user_id: int, row: CallRow) -> CallView | None:
        """Return what one user sees of a call, None if it does not concern them."""
        return await self._view_for(user_id, row, await self.team(), await self._records([row]))

    async def _records(self, rows: Sequence[CallRow]) -> Mapping[int, RecordState]:
        over = [row.root_id or row.id for row in rows if row.call and row.call.state is CallState.ENDED]
        if not over:
            return {}
        return await self._store.read(lambda connection: calls.records(connection, over))

    async def _view_for(
        self, user_id: int, row: CallRow, who: Team, records: Mapping[int, RecordState]
    ) -> CallView | None:
        concerned = _audience(row, who)
        if row.call is None or user_id not in concerned or self._is_past(row.call):
            return None
        phone = await self._phone_systems.get(row.phone_system_id)
        return _view(row, row.call, concerned[user_id], phone, who, records.get(row.root_id or row.id))

    def _is_past(self, call: Call) -> bool:
        return call.ended_at is not None and call.heard_at < self._clock() - SHOWN_AFTER_THE_END

    def _tell(self, row: CallRow, phone: PhoneSystem, who: Team, record: RecordState | None) -> None:
        if row.call is None or self._is_past(row.call):
            return
        concerned = _audience(row, who)
        for mine in set(concerned.values()):
            view = _view(row, row.call, mine, phone, who, record)
            users = [user for user, theirs in concerned.items() if theirs == mine]
            self._hub.publish(users, Message("call", encode(view), row.id))
        self._hub.withdraw(_gone(row), concerned)


def _audience(row: CallRow, who: Team) -> dict[int, Mine | None]:
    if row.call is None:
        return {}
    users = who.users(row.phone_system_id, [leg.agent for leg in row.call.legs])
    members = who.members(row.phone_system_id, row.call.queue)
    return views.audience(row.call, users, members, who.agents)


def _gone(row: CallRow) -> Message:
    answered = row.call is not None and row.call.answered_at is not None
    reason = "answered_elsewhere" if answered else "not_concerned"
    gone = {"id": row.id, "revision": row.revision, "reason": reason}
    return Message("gone", encode(gone), row.id)


def _view(
    row: CallRow, call: Call, mine: Mine | None, phone: PhoneSystem, who: Team, record: RecordState | None
) -> CallView:
    is_asked = views.is_worth_asking(call, phone.country, phone.lines, phone.habits)
    made = None if record is None or record.contact is None else record.contact
    shown = Shown(
        id=row.id,
        revision=row.revision,
        call=call,
        lookup=row.lookup if is_asked else "skipped",
        finding=finding_of(row),
        made=None if made is None else views.Contact(id=made.id, name=made.name, url=made.url or ""),
        chosen=row.chosen_contact_id,
        record=_record(record),
        takes_orders=phone.takes_orders,
    )
    return views.view(shown, mine, phone.country, lambda word: who.name(phone.id, word), habits=phone.habits)


def finding_of(row: CallRow) -> Finding:
    """Read what the look-up found."""
    return Finding() if row.found is None else _finding(row.found)


_STATES = {"done": "written", "dead": "failed", "dropped": "none"}


def _record(record: RecordState | None) -> Record:
    if record is None:
        return Record()
    # A record that stands and is being changed has been written all the same.
    state = "written" if record.url and record.state != "dead" else _STATES.get(record.state, "waiting")
    return msgspec.convert({"state": state, "url": record.url}, Record)
