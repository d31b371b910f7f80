"""Run the Asterisk bridge: hear, keep, deliver; until told to stop."""

import logging
import signal
from collections.abc import Iterable, Sequence

import anyio
import msgspec
from anyio.abc import TaskGroup
from anyio.to_thread import run_sync

from connector.bridge.ami import BadStream, Message
from connector.bridge.calls import BridgeCall
from connector.bridge.channels import Names
from connector.bridge.connection import Connection
from connector.bridge.fetching import Fetcher
from connector.bridge.hands import Hands
from connector.bridge.looking_back import LookingBack
from connector.bridge.poster import Poster
from connector.bridge.rollcall import ACTION, RollCall
from connector.bridge.settings import BridgeSettings
from connector.bridge.spool import Spool
from connector.bridge.status import Pages, Status, listener
from connector.bridge.tracker import Tracker
from connector.bridge.values import Said, encode
from connector.bridge.wanted import WANTED
from connector.clock import Clock
from connector.errors import StoreUnavailable

MAX_UNSAVED = 200_000
"""So many events wait for a disk that takes none; then the bridge gives up, and systemd starts it anew."""
AGAIN_SECONDS = (0.2, 0.5, 1, 2, 5)
"""How long to wait before each new attempt to reach Asterisk."""

log = logging.getLogger(__name__)


class Bridge:
    """One bridge beside one Asterisk."""

    def __init__(self, settings: BridgeSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._spool = Spool.open(settings.spool)
        self._turn = anyio.CapacityLimiter(1)
        self._status = Status()
        names = Names(settings.agents, settings.trunks, settings.trunk_contexts, settings.context)
        self._tracker = Tracker(names, settings.recording_url, clock, settings.name)
        self._poster = Poster(settings, self._spool, self._turn, self._status, clock)
        book = self._tracker.book
        self._hands = Hands(settings, book)
        self._fetcher = Fetcher(settings, self._hands, self._status, clock)
        self._looking_back = LookingBack(settings, book, self._spool, self._turn, self._tell)
        self._unsaved: list[tuple[str, bytes]] = []
        self._something = anyio.Event()
        self._heard_at = self._alive_at = self._spool.heard_at()
        for body in self._spool.calls():
            book.take_in(msgspec.json.decode(body, type=BridgeCall))

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; what was heard by then is on disk.

        Raises StoreUnavailable where the disk takes nothing for too long.
        """
        pages = listener(self._settings.listen_address)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(Pages(self._status).serve, [pages])
                tasks.start_soon(self._poster.run)
                tasks.start_soon(self._fetcher.run)
                tasks.start_soon(self._save)
                tasks.start_soon(self._listen, tasks)
                with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                    async for _ in signals:
                        tasks.cancel_scope.cancel()
        finally:
            self._write(*self._take_unsaved())
            self._spool.close()
            pages.close()

    async def _listen(self, tasks: TaskGroup) -> None:
        """Hear Asterisk for ever, over one connection after the other."""
        attempt = 0
        while True:
            why = "Asterisk has closed the connection"
            try:
                await self._hear(tasks)
            except* (BadStream, OSError) as problems:
                why = str(problems.exceptions[0])
            attempt = 0 if self._status.is_connected else attempt
            self._status.lost(why)
            self._hands.let_go()
            log.warning("asterisk_lost", extra={"why": why})
            await anyio.sleep(AGAIN_SECONDS[min(attempt, len(AGAIN_SECONDS) - 1)])
            attempt += 1

    async def _hear(self, tasks: TaskGroup) -> None:
        host, port = self._settings.ami_address
        roll, heard_until = RollCall(self._tracker, self._alive_at, self._clock), self._heard_at
        stream = await anyio.connect_tcp(host, port)
        async with Connection(stream, WANTED) as connection, anyio.create_task_group() as greeting:
            greeting.start_soon(self._greet, connection)
            counted = 0
            async for messages in connection.batches():
                self._take(messages, roll)
                self._status.heard.inc(connection.events - counted)
                counted = connection.events
                if roll.is_over:
                    self._heard_at = self._alive_at = self._status.heard_at = self._clock()
                    if heard_until is not None:
                        tasks.start_soon(self._looking_back.after_gap, tuple(roll.lost), heard_until)
                        heard_until = None
                for call in self._tracker.take_patchy():
                    tasks.start_soon(self._looking_back.after_end, call)
                self._something.set()
            greeting.cancel_scope.cancel()
        if roll.is_over:
            # Whoever closes a connection was there until now: a killed PBX took its calls along.
            self._alive_at = self._clock()

    async def _greet(self, connection: Connection) -> None:
        user, secret = self._settings.ami_user, self._settings.ami_secret
        await connection.act("Login", {"Username": user, "Secret": secret.reveal()})
        await connection.act(ACTION)
        self._status.found()
        self._hands.take_hold(connection)
        log.info("asterisk_found")
        await connection.keep_alive()

    def _take(self, messages: Sequence[Message], roll: RollCall) -> None:
        for message in messages:
            self._hands.hear(message)
            self._tell(self._tracker.hear(message))
            if not roll.is_over:
                self._tell(roll.hear(message))
        for reason, count in self._tracker.take_not_told().items():
            self._status.not_told.labels(reason).inc(count)
        self._status.open_calls.set(len(self._tracker.book.calls))

    def _tell(self, told: Iterable[Said]) -> None:
        events = [(said.id, encode(said, self._settings.source)) for said in told]
        self._unsaved += events
        self._status.said.inc(len(events))
        self._status.unsaved.set(len(self._unsaved))
        self._something.set()

    async def _save(self) -> None:
        """Bring what was said to the disk, all that came meanwhile in one commit, then to the connector."""
        while True:
            await self._something.wait()
            self._something = anyio.Event()
            events, calls = self._take_unsaved()
            try:
                await run_sync(self._write, events, calls, limiter=self._turn)
            except StoreUnavailable as problem:
                self._put_back(events, calls)
                log.error("spool_unavailable", extra={"why": str(problem)})  # noqa: TRY400 - the message says it
                if len(self._unsaved) > MAX_UNSAVED:
                    raise
                await anyio.sleep(1)
            if events:
                self._poster.notify()
                await self._poster.count()

    def _take_unsaved(self) -> tuple[list[tuple[str, bytes]], dict[str, bytes | None]]:
        events, self._unsaved = self._unsaved, []
        self._status.unsaved.set(0)
        return events, self._tracker.book.changes()

    def _put_back(self, events: list[tuple[str, bytes]], calls: dict[str, bytes | None]) -> None:
        self._unsaved = events + self._unsaved
        self._tracker.book.mark(calls)
        self._something.set()

    def _write(self, events: list[tuple[str, bytes]], calls: dict[str, bytes | None]) -> None:
        if events or calls or self._heard_at is not None:
            self._spool.write(events, calls, self._heard_at or self._clock())
