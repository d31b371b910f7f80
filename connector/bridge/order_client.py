"""Fetch orders from the connector, have them carried out, and report what came of them.

The bridge asks, over a connection of its own: no port is opened. An order is carried out only after the
connector has handed it to this very process, and at once; a late one is refused.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable
from random import Random
from typing import Literal

import anyio
import httpx2
import msgspec
from anyio import create_task_group
from anyio.abc import TaskGroup

from connector.bridge.executor import Order, Outcome, refused
from connector.bridge.sender import detail, signature_refused, signed
from connector.bridge.settings import BridgeSettings
from connector.bridge.status import Status
from connector.clock import SECOND, Clock

WAIT_SECONDS = 25
"""How long the connector may keep a question until there is an order; proxies cut off after a minute."""
TIMEOUT = httpx2.Timeout(WAIT_SECONDS + 15, connect=5)
QUICK = httpx2.Timeout(4, connect=3)

AT_ONCE_SECONDS = 5
"""An order that was longer on its way is not done: a telephone that rings then surprises."""
TAKE_TIMES = 2
REPORT_FOR_SECONDS = 120
_LONGEST_PAUSE_SECONDS = 15.0

log = logging.getLogger(__name__)


Execute = Callable[[Order], Awaitable[Outcome]]
"""Carries an order out, once, and returns what came of it; never raises."""


class Orders(msgspec.Struct, frozen=True):
    """The connector's answer: the orders that wait."""

    orders: tuple[Order, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the connector is told of an order: that it is taken, or what came of it."""

    state: Literal["taken", "done", "refused", "unknown"]
    by: str
    reason: str = ""
    detail: str = ""


class _FetchFailed(Exception):
    """The connector gave no answer that can be used; the message says why."""


class OrderClient:
    """Asks for orders, one request at a time; the orders are carried out side by side."""

    def __init__(self, settings: BridgeSettings, execute: Execute, status: Status, clock: Clock) -> None:
        self._settings = settings
        self._execute = execute
        self._status = status
        self._clock = clock
        self._address = f"{settings.address.rstrip('/')}/orders"
        self._name = secrets.token_hex(8)
        self._random = Random()  # noqa: S311 - spreads attempts, keeps no secret

    async def run(self) -> None:
        """Ask for ever; return at once where the bridge is not set up to carry orders out."""
        if not self._settings.context:
            return
        self._status.orders = "not asked for yet"
        async with httpx2.AsyncClient(timeout=TIMEOUT, trust_env=True) as http, create_task_group() as tasks:
            attempt = 0
            is_answered = False
            while True:
                try:
                    # The first answer comes at once, so that somebody who looks knows how it stands.
                    await self._turn(http, tasks, WAIT_SECONDS if is_answered else 0)
                except _FetchFailed as problem:
                    is_answered = False
                    self._show(str(problem))
                    pause = min(_LONGEST_PAUSE_SECONDS, 0.5 * 2.0**attempt)
                    await anyio.sleep(self._random.uniform(pause / 2, pause))
                    attempt = min(attempt + 1, 10)
                else:
                    attempt, is_answered = 0, True
                    self._show("carried out")

    async def _turn(self, http: httpx2.AsyncClient, tasks: TaskGroup, wait_seconds: int) -> None:
        """Ask once, and take what there is before asking again: it would be offered again."""
        for order in await self._ask(http, wait_seconds):
            began, began_at = anyio.current_time(), self._clock()
            if await self._take(http, order):
                # By both clocks: one stands still while the machine is suspended, the other may be set.
                took = max(anyio.current_time() - began, (self._clock() - began_at) / SECOND)
                tasks.start_soon(self._do, http, order, took > AT_ONCE_SECONDS)

    async def _ask(self, http: httpx2.AsyncClient, wait_seconds: int) -> tuple[Order, ...]:
        headers = signed(f"ask-{secrets.token_hex(8)}", b"", self._settings.secret, self._clock())
        try:
            answer = await http.get(self._address, params={"wait": wait_seconds}, headers=headers)
        except httpx2.HTTPError as problem:
            raise _FetchFailed(f"the connector cannot be reached: {problem!r}") from problem
        if answer.status_code != 200:
            raise _FetchFailed(self._refusal(answer))
        try:
            return msgspec.json.decode(answer.content, type=Orders).orders
        except msgspec.MsgspecError as problem:
            raise _FetchFailed(
                "the answer is not the connector's: is BRIDGE_ADDRESS the one that was shown to you?"
            ) from problem

    def _refusal(self, answer: httpx2.Response) -> str:
        if answer.status_code == 401:
            return signature_refused(dict(answer.headers), self._clock())
        return f"the connector answers {answer.status_code}: {detail(answer.content)}"

    async def _take(self, http: httpx2.AsyncClient, order: Order) -> bool:
        """Tell whether the order has been handed to us, and to nobody else."""
        for _ in range(TAKE_TIMES):
            status = await self._report(http, order, Report(state="taken", by=self._name))
            if status == 200:
                return True
            if status is not None and status < 500:
                return False
        raise _FetchFailed("the connector offered an order, but did not hand it over when asked")

    async def _do(self, http: httpx2.AsyncClient, order: Order, is_late: bool) -> None:  # noqa: FBT001 - of a task
        outcome = refused("late") if is_late else await self._execute(order)
        self._status.carried_out.labels(outcome.reason or outcome.state).inc()
        facts = {"order": order.id, "kind": order.kind, "outcome": outcome.state, "why": outcome.detail}
        log.info("order_carried_out", extra=facts)
        await self._report_outcome(http, order, outcome)

    async def _report_outcome(self, http: httpx2.AsyncClient, order: Order, outcome: Outcome) -> None:
        """Report until the connector has taken it in, or the time for that is over."""
        report = Report(
            state=outcome.state, by=self._name, reason=outcome.reason, detail=outcome.detail[:2_000]
        )
        with anyio.move_on_after(REPORT_FOR_SECONDS):
            while True:
                status = await self._report(http, order, report)
                if status is not None and status < 500:
                    return
                await anyio.sleep(1)

    async def _report(self, http: httpx2.AsyncClient, order: Order, report: Report) -> int | None:
        """Post a report; return the status of the answer, None where there was none."""
        body = msgspec.json.encode(report)
        message_id = f"{order.id}-{report.state}-{secrets.token_hex(8)}"
        headers = signed(message_id, body, self._settings.secret, self._clock())
        try:
            where = f"{self._address}/{order.id}"
            answer = await http.post(where, content=body, headers=headers, timeout=QUICK)
        except httpx2.HTTPError:
            return None
        return answer.status_code

    def _show(self, how: str) -> None:
        if self._status.orders != how:
            log.info("orders", extra={"how": how})
        self._status.orders = how
