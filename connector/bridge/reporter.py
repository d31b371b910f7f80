"""Tell the connector what the bridge is and what its set-up lacks, so that somebody who looks there knows."""

import logging

import anyio
import httpx2
import msgspec

from connector import __version__
from connector.bridge.sender import signed
from connector.bridge.settings import BridgeSettings
from connector.bridge.status import Status
from connector.clock import Clock

REPORT_EVERY_SECONDS = 15 * 60
"""Reported again so often, though nothing has changed: who is silent for longer is not there."""
AGAIN_SECONDS = 60
SETTLE_SECONDS = 1
"""What changes back at once, as when Asterisk closes a connection and takes the next, is not reported."""
TIMEOUT = httpx2.Timeout(10, connect=5)
LONGEST_TEXT = 500
MOST_PROBLEMS = 20

log = logging.getLogger(__name__)


class ProgramReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the connector is told; the wire is connector/dialects/neutral.md.

    `source` is the one of the events; `id` is this bridge's own, the same for as long as its spool is.
    """

    source: str
    id: str
    program: str
    problems: tuple[str, ...]


class Reporter:
    """Reports when something has changed, and every quarter of an hour."""

    def __init__(self, settings: BridgeSettings, status: Status, identity: str, clock: Clock) -> None:
        self._settings = settings
        self._status = status
        self._identity = identity
        self._clock = clock
        self._address = f"{settings.address.rstrip('/')}/status"

    async def run(self) -> None:
        """Report for ever; an older connector, which knows no reports, is asked again later."""
        reported, reported_at = None, 0.0
        async with httpx2.AsyncClient(timeout=TIMEOUT, trust_env=True) as http:
            while True:
                await anyio.sleep(SETTLE_SECONDS)
                self._status.changed = anyio.Event()
                report, now = self._report(), anyio.current_time()
                pause: float = REPORT_EVERY_SECONDS
                if report != reported or now - reported_at >= REPORT_EVERY_SECONDS:
                    is_taken = await self._send(http, report)
                    reported, reported_at = (report, now) if is_taken else (None, now)
                    pause = REPORT_EVERY_SECONDS if is_taken else AGAIN_SECONDS
                with anyio.move_on_after(pause):
                    await self._status.changed.wait()

    def _report(self) -> ProgramReport:
        status = self._status
        problems = status.problems()[:MOST_PROBLEMS]
        return ProgramReport(
            source=self._settings.source,
            id=self._identity,
            program=f"bridge {__version__}, Asterisk {status.asterisk_version or 'not seen yet'}",
            problems=tuple(text[:LONGEST_TEXT] for text in problems),
        )

    async def _send(self, http: httpx2.AsyncClient, report: ProgramReport) -> bool:
        body = msgspec.json.encode(report)
        now = self._clock()
        headers = signed(f"status-{self._identity}-{now}", body, self._settings.secret, now)
        try:
            answer = await http.put(self._address, content=body, headers=headers)
        except httpx2.HTTPError as problem:
            log.debug("status_not_reported", extra={"why": repr(problem)})
            return False
        if answer.status_code >= 300:
            log.debug("status_not_reported", extra={"why": f"the connector answers {answer.status_code}"})
        return answer.status_code < 300
