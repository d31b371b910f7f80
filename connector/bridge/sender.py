"""Send the events in the spool to the connector, in order, for as long as it takes."""

import logging
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from hashlib import sha256
from random import Random
from typing import TypeVar, TypeVarTuple

import anyio
import httpx2
import msgspec
from anyio.to_thread import run_sync

from connector.bridge.settings import BridgeSettings
from connector.bridge.spool import Spool, SpooledEvent
from connector.bridge.status import Status
from connector.clock import SECOND, Clock
from connector.dialects import signing
from connector.settings import Secret

MAX_EVENTS = 500
MAX_BYTES = 1024 * 1024 - 1024
BATCH = "application/cloudevents-batch+json"
LONGEST_WAIT_SECONDS = 60.0
_FIRST_WAIT_SECONDS = 0.5
_CLOCKS_DIFFER_SECONDS = 60

TIMEOUT = httpx2.Timeout(30, connect=5)
TOO_BIG = "one event alone is larger than the connector takes"
_Result = TypeVar("_Result")
_Arguments = TypeVarTuple("_Arguments")
log = logging.getLogger(__name__)


class Delivered(msgspec.Struct, frozen=True):
    """The connector has the batch, except the members in `rejected`: the reason by their place in it."""

    rejected: Mapping[int, str] = {}


class TooBig(msgspec.Struct, frozen=True):
    """The connector takes no batch of this size: send half of it; one event alone is put aside."""


class Retry(msgspec.Struct, frozen=True):
    """The batch stays and is sent again.

    `reason` is a slug, `message` says what is wrong and who can mend it.
    """

    reason: str
    message: str
    after_seconds: float | None = None


Outcome = Delivered | TooBig | Retry


class _Rejected(msgspec.Struct, frozen=True):
    index: int
    error: str = ""


class _Receipt(msgspec.Struct, frozen=True):
    accepted: int
    duplicate: int = 0
    ignored: int = 0
    rejected: tuple[_Rejected, ...] = ()


def request(batch: Sequence[SpooledEvent], secret: Secret, now: int) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of an attempt, signed for this moment.

    The same batch has the same webhook-id at each attempt.
    """
    body = b"[" + b",".join(one.body for one in batch) + b"]"
    message_id = "batch-" + sha256("\0".join(one.id for one in batch).encode()).hexdigest()[:32]
    return body, {"content-type": BATCH} | signed(message_id, body, secret, now)


def signed(message_id: str, body: bytes, secret: Secret, now: int) -> dict[str, str]:
    """Return the headers of an attempt, signed for this moment."""
    timestamp = now // SECOND
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signing.sign(secret.reveal(), message_id, timestamp, body),
    }


def decide(status: int, headers: Mapping[str, str], body: bytes, events: int, now: int) -> Outcome:
    """Return what an answer to a batch of so many events means; header names are in lower case."""
    if status == 202:
        return _taken(body)
    if status == 413:
        return TooBig()
    if status == 422:
        return Delivered(dict.fromkeys(range(events), detail(body)))
    if status == 401:
        return Retry("bad_signature", signature_refused(headers, now))
    if status == 429 or status >= 500:
        return Retry("connector_busy", f"the connector answers {status}", _retry_after(headers))
    return Retry(
        "bad_address", f"the connector answers {status}: is BRIDGE_ADDRESS the one that was shown to you?"
    )


def wait_seconds(attempt: int, random: Random) -> float:
    """Return how long to wait after so many attempts in vain: doubling, capped, and never in step."""
    longest = min(LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2.0 ** min(attempt, 10))
    return random.uniform(longest / 2, longest)


def clock_difference_seconds(headers: Mapping[str, str], now: int) -> int | None:
    """Return how far the connector's clock is ahead of ours, by the Date of its answer."""
    try:
        theirs = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return round(theirs.timestamp()) - now // SECOND


def _taken(body: bytes) -> Outcome:
    try:
        receipt = msgspec.json.decode(body, type=_Receipt)
    except msgspec.MsgspecError:
        return Retry(
            "no_receipt",
            "the answer 202 is not the connector's: is BRIDGE_ADDRESS the one that was shown to you?",
        )
    return Delivered({one.index: one.error for one in receipt.rejected})


def detail(body: bytes) -> str:
    """Return what the connector says of its refusal."""
    try:
        problem = msgspec.json.decode(body, type=dict[str, object])
    except msgspec.MsgspecError:
        return "refused"
    return str(problem.get("detail") or problem.get("title") or "refused")


def signature_refused(headers: Mapping[str, str], now: int) -> str:
    """Return why a signature is refused, and what to do."""
    difference = clock_difference_seconds(headers, now)
    if difference is not None and abs(difference) > _CLOCKS_DIFFER_SECONDS:
        return f"the connector's clock is {difference} s ahead of this machine's: set the clocks"
    return "the connector does not take the signature: is BRIDGE_SECRET the one of this phone system?"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


class EventSender:
    """Sends the events in the spool, one batch at a time; `limiter` lets one thread use the spool."""

    def __init__(
        self,
        settings: BridgeSettings,
        spool: Spool,
        limiter: anyio.CapacityLimiter,
        status: Status,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._spool = spool
        self._limiter = limiter
        self._status = status
        self._clock = clock
        self._random = Random()  # noqa: S311 - spreads attempts, keeps no secret
        self._events = MAX_EVENTS
        self._new_events = anyio.Event()

    def notify(self) -> None:
        """Wake the sender: there is something to deliver."""
        self._new_events.set()

    async def run(self) -> None:
        """Deliver for ever."""
        async with httpx2.AsyncClient(timeout=TIMEOUT, trust_env=True) as http:
            attempt = 0
            while True:
                self._new_events = anyio.Event()
                batch = await self._use(self._spool.next, self._events, MAX_BYTES)
                if not batch:
                    await self._new_events.wait()
                    continue
                outcome = await self._attempt(http, batch)
                await self._settle(batch, outcome)
                await self.count()
                attempt = attempt + 1 if isinstance(outcome, Retry) else 0
                if isinstance(outcome, Retry):
                    usual = wait_seconds(attempt, self._random)
                    await anyio.sleep(usual if outcome.after_seconds is None else outcome.after_seconds)

    async def _attempt(self, http: httpx2.AsyncClient, batch: Sequence[SpooledEvent]) -> Outcome:
        now = self._clock()
        body, headers = request(batch, self._settings.secret, now)
        try:
            answer = await http.post(self._settings.address, content=body, headers=headers)
        except httpx2.HTTPError as problem:
            return Retry("connector_down", f"the connector cannot be reached: {problem!r}")
        headers_in = dict(answer.headers)
        self._status.clock_difference_seconds = clock_difference_seconds(headers_in, self._clock())
        return decide(answer.status_code, headers_in, answer.content, len(batch), self._clock())

    async def _settle(self, batch: Sequence[SpooledEvent], outcome: Outcome) -> None:
        status = self._status
        status.is_delivering = not isinstance(outcome, Retry)
        if isinstance(outcome, Retry):
            status.connector = outcome.message
            status.attempts.labels(outcome.reason).inc()
            log.warning("not_delivered", extra={"reason": outcome.reason, "why": outcome.message})
            return
        status.connector = "delivering"
        status.attempts.labels("delivered" if isinstance(outcome, Delivered) else "too_big").inc()
        if isinstance(outcome, Delivered):
            await self._remove(batch, outcome)
            self._events = min(MAX_EVENTS, self._events * 2)
        elif len(batch) == 1:
            await self._remove(batch, Delivered({0: TOO_BIG}))
        else:
            self._events = len(batch) // 2

    async def _remove(self, batch: Sequence[SpooledEvent], taken: Delivered) -> None:
        for place, why in taken.rejected.items():
            log.error("event_rejected", extra={"event": batch[place].id, "why": why})
        await self._use(self._spool.remove, batch, taken.rejected)
        self._status.delivered.inc(len(batch) - len(taken.rejected))

    async def count(self) -> None:
        """Show in the status how many events wait and how many are put aside."""
        waiting, aside = await self._use(self._spool.counts)
        self._status.waiting.set(waiting)
        self._status.aside.set(aside)

    async def _use(self, function: Callable[[*_Arguments], _Result], *arguments: *_Arguments) -> _Result:
        return await run_sync(function, *arguments, limiter=self._limiter)
