"""Tell what nobody heard: read the PBX's files after a gap, when Asterisk has had the time to write them."""

import logging
from collections.abc import Callable, Iterable, Sequence

import anyio
from anyio.to_thread import run_sync

from connector.bridge import files
from connector.bridge.book import Book
from connector.bridge.calls import BridgeCall
from connector.bridge.hindsight import Hindsight
from connector.bridge.settings import BridgeSettings
from connector.bridge.spool import Spool
from connector.bridge.values import Said
from connector.clock import SECOND

Tell = Callable[[Iterable[Said]], None]

SLACK_SECONDS = 2
"""The files know whole seconds: a call that ended so shortly before the gap counts as in it."""

log = logging.getLogger(__name__)


class LookingBack:
    """What the files of one PBX say of the calls in a gap."""

    def __init__(
        self, settings: BridgeSettings, book: Book, spool: Spool, turn: anyio.CapacityLimiter, tell: Tell
    ) -> None:
        self._settings = settings
        self._book = book
        self._spool = spool
        self._turn = turn
        self._tell = tell

    async def after_gap(self, lost: Sequence[BridgeCall], heard_until: int) -> None:
        """Close the calls that ended in the gap, and tell those that nobody heard at all.

        A call that the files do not know when their time is up ended when it was last known.
        """
        missing = list(lost)
        for _ in range(self._settings.files_after_seconds):
            hindsight = await self._read()
            for call in [one for one in missing if hindsight.knows(one)]:
                missing.remove(call)
                self._close(call.id, hindsight.close(call))
            await anyio.sleep(1)
        hindsight = await self._read()
        for call in missing:
            told = hindsight.close(call) if hindsight.knows(call) else hindsight.give_up(call)
            self._close(call.id, told)
        await self._unheard(hindsight, heard_until - SLACK_SECONDS * SECOND)

    async def after_end(self, call: BridgeCall) -> None:
        """Tell who answered, and when, in a call that was heard in part."""
        await anyio.sleep(self._settings.files_after_seconds)
        hindsight = await self._read()
        self._tell(hindsight.answers(call))

    async def _unheard(self, hindsight: Hindsight, since: int) -> None:
        ended = hindsight.ids(since)
        known = await run_sync(self._spool.known, ended, limiter=self._turn)
        for call in hindsight.unheard(since, known | self._book.calls.keys()):
            log.info("call_unheard", extra={"call": call.id})
            self._close(call.id, hindsight.close(call))

    def _close(self, call_id: str, told: Iterable[Said]) -> None:
        self._tell(told)
        self._book.over(call_id)

    async def _read(self) -> Hindsight:
        try:
            rows, log_text = await run_sync(self._texts)
        except OSError as problem:
            log.warning("files_not_read", extra={"why": str(problem)})
            rows, log_text = "", ""
        names, url = self._book.names, self._settings.recording_url
        read, entries = files.rows(rows), files.entries(log_text)
        return Hindsight(names, url, read, entries, self._book.subject)

    def _texts(self) -> tuple[str, str]:
        return files.tail(self._settings.master_csv), files.tail(self._settings.queue_log)
