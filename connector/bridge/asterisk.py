"""Run the Asterisk bridge until told to stop: listen, keep on disk, deliver, carry out orders."""

import logging
import signal
from collections.abc import Iterable, Sequence

import anyio
import msgspec
from anyio.abc import TaskGroup
from anyio.to_thread import run_sync

from connector.bridge.ami import WANTED, BadStream, Message
from connector.bridge.calls import BridgeCall
from connector.bridge.channels import ChannelNames
from connector.bridge.connection import Connection
from connector.bridge.executor import Executor
from connector.bridge.neutral_events import NeutralEvent, encode
from connector.bridge.order_client import OrderClient
from connector.bridge.recordings import InProgress
from connector.bridge.recovery import Recovery
from connector.bridge.reporter import Reporter
from connector.bridge.resync import ACTION, Resync
from connector.bridge.sender import EventSender
from connector.bridge.settings import BridgeSettings
from connector.bridge.setup_check import CHECK_SECONDS, SetupCheck
from connector.bridge.spool import Spool
from connector.bridge.status import Pages, Status, listener
from connector.bridge.tracker import Tracker
from connector.clock import Clock
from connector.errors import StoreUnavailable

MAX_UNSAVED = 200_000
"""So many events wait for a disk that cannot be written; then the bridge ends, and systemd starts it anew."""
AGAIN_SECONDS = (0.2, 0.5, 1, 2, 5)
"""How long to wait before each new attempt to reach Asterisk."""

log = logging.getLogger(__name__)


class Bridge:
    """One bridge beside one Asterisk."""

    def __init__(self, settings: BridgeSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._spool = Spool.open(settings.spool)
        self._spool_limiter = anyio.CapacityLimiter(1)
        self._status = Status()
        names = ChannelNames(settings.agents, settings.trunks, settings.trunk_contexts, settings.context)
        self._tracker = Tracker(names, settings.recording_url, clock, settings.name)
        self._sender = EventSender(settings, self._spool, self._spool_limiter, self._status, clock)
        registry = self._tracker.registry
        self._setup_check = SetupCheck(settings, names, self._status)
        self._reporter = Reporter(settings, self._status, self._spool.identity(), clock)
        self._executor = Executor(settings, registry)
        self._order_client = OrderClient(settings, self._executor.execute, self._status, clock)
        self._recovery = Recovery(settings, registry, self._spool, self._spool_limiter, self._keep)
        self._unsaved: list[tuple[str, bytes]] = []
        self._has_unsaved = anyio.Event()
        self._heard_at = self._alive_at = self._spool.heard_at()
        for body in self._spool.calls():
            registry.restore(msgspec.json.decode(body, type=BridgeCall))

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; the events of what was read by then are on disk.

        Raises StoreUnavailable where the disk cannot be written for too long.
        """
        pages = listener(self._settings.listen_address)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(Pages(self._status).serve, [pages])
                tasks.start_soon(self._sender.run)
                tasks.start_soon(self._order_client.run)
                tasks.start_soon(self._reporter.run)
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
        """Read Asterisk's events for ever, over one connection after the other."""
        attempt = 0
        while True:
            why = "Asterisk has closed the connection"
            try:
                await self._read(tasks)
            except* (BadStream, OSError) as problems:
                why = str(problems.exceptions[0])
            attempt = 0 if self._status.is_connected else attempt
            self._status.asterisk_lost(why)
            self._executor.disconnected()
            log.warning("asterisk_lost", extra={"why": why})
            await anyio.sleep(AGAIN_SECONDS[min(attempt, len(AGAIN_SECONDS) - 1)])
            attempt += 1

    async def _read(self, tasks: TaskGroup) -> None:
        host, port = self._settings.ami_address
        resync, heard_until = Resync(self._tracker, self._alive_at, self._clock), self._heard_at
        stream = await anyio.connect_tcp(host, port)
        async with Connection(stream, WANTED) as connection, anyio.create_task_group() as tasks_of_connection:
            tasks_of_connection.start_soon(self._log_in, connection, tasks_of_connection)
            counted = 0
            async for messages in connection.batches():
                self._handle(messages, resync)
                self._status.ami_events.inc(connection.events - counted)
                counted = connection.events
                if resync.is_over:
                    self._heard_at = self._alive_at = self._status.heard_at = self._clock()
                    if heard_until is not None:
                        tasks.start_soon(self._recovery.after_gap, tuple(resync.lost), heard_until)
                        heard_until = None
                for call in self._tracker.take_incomplete():
                    tasks.start_soon(self._recovery.after_end, call)
                self._has_unsaved.set()
            tasks_of_connection.cancel_scope.cancel()
        if resync.is_over:
            # Asterisk was alive until it closed the connection: the calls of a killed one ended now.
            self._alive_at = self._clock()

    async def _log_in(self, connection: Connection, tasks: TaskGroup) -> None:
        user, secret = self._settings.ami_user, self._settings.ami_secret
        await connection.act("Login", {"Username": user, "Secret": secret.reveal()})
        await connection.act(ACTION)
        self._status.asterisk_found()
        self._executor.connected(connection.act)
        log.info("asterisk_found")
        tasks.start_soon(self._check, connection)
        await connection.keep_alive()

    async def _check(self, connection: Connection) -> None:
        """Look what the set-up lacks, and at what goes on unheard, for as long as the connection lasts."""
        registry, check, connected_at = self._tracker.registry, self._setup_check, self._clock()
        is_recording_wanted = bool(self._settings.recordings_url)
        in_progress = InProgress(registry, check, connection, is_recording_wanted=is_recording_wanted)
        lasting = await check.begin(connection)
        while True:
            self._status.show_setup([*lasting, *await check.again(connection)])
            await in_progress.look(self._clock() - connected_at)
            self._has_unsaved.set()
            await anyio.sleep(CHECK_SECONDS)

    def _handle(self, messages: Sequence[Message], resync: Resync) -> None:
        for message in messages:
            self._executor.handle(message)
            self._setup_check.handle(message)
            self._keep(self._tracker.handle(message))
            if not resync.is_over:
                self._keep(resync.handle(message))
        for reason, count in self._tracker.take_not_told().items():
            self._status.not_told.labels(reason).inc(count)
        self._status.open_calls.set(len(self._tracker.registry.calls))

    def _keep(self, events: Iterable[NeutralEvent]) -> None:
        written = [(event.id, encode(event, self._settings.source)) for event in events]
        self._unsaved += written
        self._status.events_made.inc(len(written))
        self._status.unsaved.set(len(self._unsaved))
        self._has_unsaved.set()

    async def _save(self) -> None:
        """Write events to the disk, all that came meanwhile in one commit; then have them sent."""
        while True:
            await self._has_unsaved.wait()
            self._has_unsaved = anyio.Event()
            events, calls = self._take_unsaved()
            try:
                await run_sync(self._write, events, calls, limiter=self._spool_limiter)
            except StoreUnavailable as problem:
                self._put_back(events, calls)
                log.error("spool_unavailable", extra={"why": str(problem)})  # noqa: TRY400 - the message says it
                if len(self._unsaved) > MAX_UNSAVED:
                    raise
                await anyio.sleep(1)
            if events:
                self._sender.notify()
                await self._sender.count()

    def _take_unsaved(self) -> tuple[list[tuple[str, bytes]], dict[str, bytes | None]]:
        events, self._unsaved = self._unsaved, []
        self._status.unsaved.set(0)
        return events, self._tracker.registry.changes()

    def _put_back(self, events: list[tuple[str, bytes]], calls: dict[str, bytes | None]) -> None:
        self._unsaved = events + self._unsaved
        self._tracker.registry.mark_changed(calls)
        self._has_unsaved.set()

    def _write(self, events: list[tuple[str, bytes]], calls: dict[str, bytes | None]) -> None:
        if events or calls or self._heard_at is not None:
            self._spool.write(events, calls, self._heard_at or self._clock())
