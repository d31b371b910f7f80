"""Recover from the PBX's files (call detail records, queue log) what the bridge did not read live."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import anyio
from anyio.to_thread import run_sync

from connector.bridge.calls import INBOUND, INTERNAL, OUTBOUND, BridgeCall
from connector.bridge.cdr import CdrRow, QueueLogEntry, read_cdr, read_queue_log, tail, tied
from connector.bridge.channels import Channel, ChannelNames, Party
from connector.bridge.neutral_events import EventData, EventType, NeutralEvent
from connector.bridge.registry import Registry
from connector.bridge.settings import BridgeSettings
from connector.bridge.spool import Spool
from connector.bridge.tracker import RecordingUrl
from connector.clock import SECOND

_CONNECTED = "CONNECT"

Emit = Callable[[Iterable[NeutralEvent]], None]
SLACK_SECONDS = 2
"""The files know whole seconds: a call that ended so shortly before the gap counts as in it."""
log = logging.getLogger(__name__)


class CallHistory:
    """What the PBX's files hold of its calls; no I/O."""

    def __init__(
        self,
        names: ChannelNames,
        recording_url: RecordingUrl,
        rows: Sequence[CdrRow],
        entries: Sequence[QueueLogEntry],
        subject: Callable[[str], str] = str,
    ) -> None:
        self._subject = subject
        self._names = names
        self._recording_url = recording_url
        self._entries = entries
        self._rows: dict[str, list[CdrRow]] = {}
        for row in tied(rows):
            self._rows.setdefault(row.uniqueid, []).append(row)

    def has(self, call: BridgeCall) -> bool:
        """Tell whether the files hold the call."""
        return bool(self._rows_of(call))

    def missed(self, since: int, known: Collection[str]) -> list[BridgeCall]:
        """Return the calls of which nothing was read live: ended since then, of no known id."""
        found = []
        for uniqueid, rows in self._rows.items():
            party, agent = self._names.read(rows[0].channel)
            if uniqueid not in known and party is not Party.LOCAL and rows[-1].ended_at >= since:
                found.append(self._call(rows, party, agent))
        return found

    def ids(self, since: int) -> list[str]:
        """Return the ids of all calls that ended since then."""
        return [uniqueid for uniqueid, rows in self._rows.items() if rows[-1].ended_at >= since]

    def answers(self, call: BridgeCall) -> Iterator[NeutralEvent]:
        """Yield who answered unnoticed, and when: what was read live is better than whole seconds."""
        for row in self._talks(call):
            call.answered = True
            name = self._talker(call, row)
            if (name or "") in call.heard_answering:
                continue
            key = f"files/{name or row.other}/{row.ended_at}/answered"
            at, queue = self._answer(row)
            yield from call.event(EventType.ANSWERED, key, at, EventData(agent=name, queue=queue))

    def close(self, call: BridgeCall) -> Iterator[NeutralEvent]:
        """Yield who was rung and who answered, and the end of the call; the files must hold it."""
        rows = self._rows_of(call)
        if call.direction is None:
            call = self._call(rows, *self._names.read(rows[0].channel))
        for row in rows:
            _, agent = self._names.read(row.other)
            if agent is not None and call.direction != OUTBOUND:
                key = f"files/{agent}/{row.started_at}/ringing"
                yield from call.event(EventType.RINGING, key, row.started_at, call.parties(agent))
        yield from self.answers(call)
        talks = self._talks(call)
        ended_at = max(row.ended_at for row in talks or rows)
        cause = "normal" if call.answered else "no_answer"
        yield from call.end(ended_at, cause, key="ended/files")
        yield from self._recordings(call, ended_at)

    def give_up(self, call: BridgeCall) -> Iterator[NeutralEvent]:
        """Yield the end of a call that the files do not hold: at the last moment it was known."""
        at = call.lost_at or call.started_at
        yield from call.end(max(at, call.started_at), None, key="ended/unknown")
        yield from self._recordings(call, at)

    def _recordings(self, call: BridgeCall, at: int) -> Iterator[NeutralEvent]:
        for path in call.recordings if call.answered and call.is_reported else ():
            if (url := self._recording_url(path)) is not None:
                yield from call.event(
                    EventType.RECORDED, f"recorded/{path}", at, EventData(recording_url=url)
                )

    def _rows_of(self, call: BridgeCall) -> list[CdrRow]:
        return [row for one in {call.id, call.root} for row in self._rows.get(one, ())]

    def _talks(self, call: BridgeCall) -> list[CdrRow]:
        """Return the rows in which a person talked.

        A caller whom only a queue or a machine answered has a row 'ANSWERED' too, but nobody in it.
        """
        talks = [row for row in self._rows_of(call) if row.is_answered and row.other]
        return [row for row in talks if call.direction != OUTBOUND or self._party(row) is not Party.AGENT]

    def _party(self, row: CdrRow) -> Party:
        return self._names.read(row.other)[0]

    def _talker(self, call: BridgeCall, row: CdrRow) -> str | None:
        return self._names.read(row.channel if call.direction == OUTBOUND else row.other)[1]

    def _answer(self, row: CdrRow) -> tuple[int, str | None]:
        """Return when a person answered, and for which queue if one connected them.

        For a queue's caller the row's own time is that of the queue's Answer().
        """
        answered_at = row.started_at if row.answered_at is None else row.answered_at
        connected = [
            (entry.at, entry.queue)
            for entry in self._entries
            if entry.call_id == row.uniqueid and entry.event == _CONNECTED
            and answered_at <= entry.at <= row.ended_at
        ]  # fmt: skip
        return min(connected, default=(answered_at, None))

    def _call(self, rows: Sequence[CdrRow], party: Party, agent: str | None) -> BridgeCall:
        row = rows[0]
        outside = next((one for one in rows if one.other and self._party(one) is Party.OUTSIDE), None)
        direction = INBOUND if party is Party.OUTSIDE else OUTBOUND if outside else INTERNAL
        called = outside if outside is not None and direction == OUTBOUND else row
        call = BridgeCall(
            id=row.uniqueid,
            subject=self._subject(row.uniqueid),
            started_at=row.started_at,
            root=row.uniqueid,
            direction=direction,
            from_number=row.source or "anonymous",
            to_number=called.destination if called.destination not in ("", "s") else None,
            queue=next((one.queue for one in self._entries if one.call_id == row.uniqueid), None),
        )
        call.channels[row.uniqueid] = Channel(
            uniqueid=row.uniqueid, name=row.channel, party=party, agent=agent
        )
        return call


class Recovery:
    """Reads the files of one PBX after a gap, when Asterisk has had the time to write them."""

    def __init__(
        self,
        settings: BridgeSettings,
        registry: Registry,
        spool: Spool,
        limiter: anyio.CapacityLimiter,
        emit: Emit,
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._spool = spool
        self._limiter = limiter
        self._emit = emit

    async def after_gap(self, lost: Sequence[BridgeCall], heard_until: int) -> None:
        """Close the calls that ended in the gap, and report those of which nothing was read live.

        A call that the files do not know when their time is up ended when it was last known.
        """
        missing = list(lost)
        for _ in range(self._settings.files_after_seconds):
            history = await self._read()
            for call in [one for one in missing if history.has(one)]:
                missing.remove(call)
                self._close(call.id, history.close(call))
            await anyio.sleep(1)
        history = await self._read()
        for call in missing:
            events = history.close(call) if history.has(call) else history.give_up(call)
            self._close(call.id, events)
        await self._report_missed(history, heard_until - SLACK_SECONDS * SECOND)

    async def after_end(self, call: BridgeCall) -> None:
        """Report who answered, and when, in a call of which only a part was read live."""
        await anyio.sleep(self._settings.files_after_seconds)
        history = await self._read()
        self._emit(history.answers(call))

    async def _report_missed(self, history: CallHistory, since: int) -> None:
        ended = history.ids(since)
        known = await run_sync(self._spool.known, ended, limiter=self._limiter)
        for call in history.missed(since, known | self._registry.calls.keys()):
            log.info("call_unheard", extra={"call": call.id})
            self._close(call.id, history.close(call))

    def _close(self, call_id: str, events: Iterable[NeutralEvent]) -> None:
        self._emit(events)
        self._registry.forget(call_id)

    async def _read(self) -> CallHistory:
        try:
            rows, log_text = await run_sync(self._texts)
        except OSError as problem:
            log.warning("files_not_read", extra={"why": str(problem)})
            rows, log_text = "", ""
        names, url = self._registry.names, self._settings.recording_url
        read, entries = read_cdr(rows), read_queue_log(log_text)
        return CallHistory(names, url, read, entries, self._registry.subject)

    def _texts(self) -> tuple[str, str]:
        return tail(self._settings.master_csv), tail(self._settings.queue_log)
