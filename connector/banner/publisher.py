"""Publish calls to the banners: read each change once, decide who sees what of it, hand it to the hub."""

from collections.abc import Collection, Sequence
from functools import partial

import anyio
import msgspec

from connector.banner.audience import Mine, audience
from connector.banner.bus import Bus
from connector.banner.hub import Hub, Message
from connector.banner.views import CallView, Snapshot, view
from connector.calls import Call, CallState
from connector.clock import MINUTE, SECOND, Clock
from connector.crm import EVERYONE, Profile, Profiles, Rulebook
from connector.phone_systems import PhoneSystems
from connector.store import Store, calls, users
from connector.store.calls import CallRow, RecordState
from connector.store.users import NOBODY, Team

TEAM_REMEMBERED_FOR = 2 * SECOND
"""How long the team is taken from memory; a change of extensions or queues counts after that."""

SHOWN_AFTER_THE_END = 10 * MINUTE
"""How long a call that is over stays on the banners."""

RESYNC_FROM = MINUTE
"""How far back a resync reads what another process has changed without our hearing of it."""

LATE_COMMIT = 10 * SECOND
"""How long after its moment a change may be committed, clocks that differ included."""

PUBLISHED_AT_MOST = 20_000
"""Calls whose published revision is remembered: more than change in the time of `RESYNC_FROM`."""

encode = msgspec.json.Encoder().encode


class Revisions:
    """The revision of each call that was published last: none is published twice or after a newer one."""

    def __init__(self) -> None:
        self._published: dict[int, int] = {}

    def has(self, call_id: int, revision: int) -> bool:
        """Tell whether this revision or a newer one has been published."""
        return self._published.get(call_id, -1) >= revision

    def add(self, call_id: int, revision: int) -> bool:
        """Note that a revision is published; return False if it or a newer one has been already."""
        if self.has(call_id, revision):
            return False
        self._published.pop(call_id, None)
        self._published[call_id] = revision
        if len(self._published) > PUBLISHED_AT_MOST:
            del self._published[next(iter(self._published))]
        return True


class Publisher:
    """Make views of calls, and hand them to the banners of those who see the calls."""

    def __init__(
        self,
        store: Store,
        phone_systems: PhoneSystems,
        rulebook: Rulebook,
        profiles: Profiles,
        hub: Hub,
        bus: Bus,
        clock: Clock,
    ) -> None:
        self._store = store
        self._phone_systems = phone_systems
        self._rulebook = rulebook
        self._profiles = profiles
        self._profiles_of_team: dict[int, Profile] = {EVERYONE.id: EVERYONE}
        self._hub = hub
        self._bus = bus
        self._clock = clock
        self._team = NOBODY
        self._team_until = 0
        self._reading_team = anyio.Lock()
        self._published = Revisions()
        self._resyncs_from = 0

    @property
    def has_banners(self) -> bool:
        """Tell whether a banner is open in front of this process; where none is, nobody is looked up."""
        return self._hub.open_banners > 0

    def notify_others(self, rows: Sequence[CallRow]) -> None:
        """Tell the other processes of changed calls that no banner of this one shows; do not wait for it."""
        if not self._bus.reaches_others:
            return
        self._bus.notify_calls(row.id for row in rows)
        for row in rows:
            # The first banner to open is shown them: no resync has to.
            self._published.add(row.id, row.revision)

    async def publish(self, rows: Sequence[CallRow]) -> list[Snapshot]:
        """Show changed calls to those who see them, whichever process has their banner.

        Return what was read of those that the banners of this process had not been shown.
        """
        self._bus.notify_calls(row.id for row in rows)
        return await self._show(rows)

    async def republish(self, call_ids: Collection[int]) -> None:
        """Read calls again and publish what they are now."""
        if not self._hub.open_banners:
            # Nobody here to show them to.
            self._bus.notify_calls(call_ids)
            return
        await self.publish(await self._store.read(partial(calls.by_ids, ids=call_ids)))

    async def on_notice(self, call_ids: Collection[int]) -> list[Snapshot]:
        """Show what calls are now that another process has changed; return those that were not shown yet."""
        if not call_ids or not self._hub.open_banners:
            return []
        return await self._show(await self._store.read(partial(calls.by_ids, ids=call_ids)))

    async def resync(self) -> list[Snapshot]:
        """Show what has changed of late without our hearing of it; return those calls."""
        now = self._clock()
        if not self._hub.open_banners:
            # The first banner to open is shown everything up to then.
            self._resyncs_from = now - LATE_COMMIT
            return []
        since = max(now - RESYNC_FROM, self._resyncs_from)
        revisions = await self._store.read(partial(calls.changed_since, since=since))
        missed = [one for one, revision in revisions if not self._published.has(one, revision)]
        return await self.on_notice(missed)

    async def read(self, call_id: int) -> Snapshot | None:
        """Read one call; None where there is none, or nothing has been heard of it."""
        rows = await self._store.read(partial(calls.by_ids, ids=[call_id]))
        snapshots = await self._snapshots(rows)
        return snapshots[0] if snapshots else None

    async def seen_by(self, user_id: int) -> list[tuple[Snapshot, CallView]]:
        """Return what a user's banner shows now."""
        since = self._clock() - SHOWN_AFTER_THE_END
        snapshots = await self._snapshots(await self._store.read(partial(calls.shown, since=since)))
        seen = [(snapshot, self.view(user_id, snapshot)) for snapshot in snapshots]
        return [(snapshot, view) for snapshot, view in seen if view is not None]

    def view(self, user_id: int, snapshot: Snapshot) -> CallView | None:
        """Return what one user sees of a call, None if it does not concern them, or no longer."""
        seen_by = _audience(snapshot)
        if user_id not in seen_by or self._is_past(snapshot.call):
            return None
        return view(snapshot, seen_by[user_id], self._profile(user_id))

    def is_watched(self, snapshot: Snapshot) -> bool:
        """Tell whether anyone who sees a call has a banner open here."""
        return self._hub.is_watched_by(_audience(snapshot))

    async def renew_profiles(self) -> None:
        """Show by the profiles as they are now whatever is published from here on."""
        async with self._reading_team:
            self._profiles.forget()
            await self._load_team()

    async def _show(self, rows: Sequence[CallRow]) -> list[Snapshot]:
        """Show calls on the banners of this process, and take them from who does not see them any more."""
        rows = [row for row in rows if not self._published.has(row.id, row.revision)]
        for row in rows:
            if row.call is None or not self._hub.open_banners:
                self._published.add(row.id, row.revision)
        if not self._hub.open_banners:
            return []
        snapshots = await self._snapshots(rows)
        for snapshot in snapshots:
            # Only now: reading may fail, and whoever shows what came later may have been faster.
            if self._published.add(snapshot.row.id, snapshot.row.revision):
                self._hand_out(snapshot)
        return snapshots

    async def _snapshots(self, rows: Sequence[CallRow]) -> list[Snapshot]:
        """Read what stands around calls; rows of which nothing has been heard are left out."""
        heard_of = [(row, row.call) for row in rows if row.call is not None]
        if not heard_of:
            return []
        who, records = await self._read_team(), await self._records(rows)
        phones = [await self._phone_systems.get(row.phone_system_id) for row, _ in heard_of]
        return [
            Snapshot(
                row=row,
                call=call,
                phone=phone,
                team=who,
                crm=await self._rulebook.of(phone.portal_id),
                record=records.get(row.root_id or row.id),
            )
            for (row, call), phone in zip(heard_of, phones, strict=True)
        ]

    async def _read_team(self) -> Team:
        while (now := self._clock()) >= self._team_until:
            # Read once for all who ask meanwhile.
            async with self._reading_team:
                if now >= self._team_until:
                    await self._load_team()
        return self._team

    async def _load_team(self) -> None:
        now, team = self._clock(), await self._store.read(users.load_team)
        used = {EVERYONE.id, *team.profiles.values()}
        profiles = {each: await self._profiles.of(each) for each in used}
        # Both at once: nobody is ever shown something by another profile than theirs.
        self._team, self._profiles_of_team = team, profiles
        self._team_until = now + TEAM_REMEMBERED_FOR

    def _profile(self, user_id: int) -> Profile:
        """Return a user's profile as it was read last, be the snapshot an older one."""
        return self._profiles_of_team[self._team.profiles.get(user_id, EVERYONE.id)]

    async def _records(self, rows: Sequence[CallRow]) -> dict[int, RecordState]:
        over = [row.root_id or row.id for row in rows if row.call and row.call.state is CallState.ENDED]
        return await self._store.read(partial(calls.records, call_ids=over)) if over else {}

    def _is_past(self, call: Call) -> bool:
        return call.ended_at is not None and call.heard_at < self._clock() - SHOWN_AFTER_THE_END

    def _hand_out(self, snapshot: Snapshot) -> None:
        """Encode each distinct view once, and hand it to all who see it."""
        if self._is_past(snapshot.call):
            return
        seen_by = _audience(snapshot)
        alike: dict[tuple[Mine | None, int], list[int]] = {}
        for user, mine in seen_by.items():
            alike.setdefault((mine, self._profile(user).id), []).append(user)
        for (mine, _), watching in alike.items():
            if self._hub.is_watched_by(watching):
                shown = view(snapshot, mine, self._profile(watching[0]))
                self._hub.publish(watching, Message("call", encode(shown), snapshot.row.id))
        self._hub.withdraw(snapshot.row.id, partial(_gone, snapshot), seen_by)


def _audience(snapshot: Snapshot) -> dict[int, Mine | None]:
    return audience(snapshot.call, snapshot.phone.id, snapshot.team)


def _gone(snapshot: Snapshot) -> Message:
    answered = snapshot.call.answered_at is not None
    reason = "answered_elsewhere" if answered else "not_concerned"
    row = snapshot.row
    return Message("gone", encode({"id": row.id, "revision": row.revision, "reason": reason}), row.id)
