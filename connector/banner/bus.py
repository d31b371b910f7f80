"""Carry the ids of changed calls from process to process: PostgreSQL's NOTIFY and LISTEN.

A notice is sent after the commit that it is about, never inside: one inside would make every commit wait
for the one before it. Whoever listens reads what the calls are now; a notice that is lost costs nothing
but time, because everyone looks every few seconds at what has changed of late.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from secrets import token_hex
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, func, select
from sqlalchemy.engine import make_url

from connector.errors import StoreError
from connector.store import Store
from connector.store.engine import connect_arguments

if TYPE_CHECKING:
    from psycopg import AsyncConnection

CHANNEL = "connector_calls"

PAUSE_SECONDS = 0.025
"""How long a notice waits for others to go with it, unless there was none of late."""

IDS_IN_A_NOTICE = 350
"""PostgreSQL takes less than 8,000 bytes, and an id has 19 digits at most."""

WAITING_AT_MOST = 10_000
"""Ids that are kept while no notice can be sent; whoever misses one finds it by looking."""

ORDERS = "orders"
"""Stands among the ids when orders have changed; an older process takes it for no id, and skips it."""

PING_SECONDS = 10
PING_WITHIN_SECONDS = 5
AGAIN_AFTER_SECONDS = 0.5

log = logging.getLogger(__name__)


class Ears(NamedTuple):
    """What is called for whom: changed calls, what may have been missed, changed orders."""

    hear: Callable[[Collection[int]], None]
    look: Callable[[], None]
    wake: Callable[[], None]


class PostgresqlBus:
    """Tell the other processes on the same database which calls have changed, and hear them.

    `listen_url` is where this process keeps one connection of its own, if the store's address leads
    through a pooler in transaction mode: LISTEN does not pass that.
    """

    reaches_others = True

    def __init__(self, store: Store, listen_url: str = "") -> None:
        self._store = store
        self._listen_url = make_url(listen_url) if listen_url else store.engine.url
        self._name = token_hex(6)
        self._waiting: dict[int, None] = {}
        self._has_waiting = asyncio.Event()
        self._orders_changed = False
        self._listens = True

    def tell(self, call_ids: Iterable[int]) -> None:
        """Have the others hear of these calls; nobody waits for it."""
        self._waiting |= dict.fromkeys(call_ids)
        for forgotten in list(islice(self._waiting, max(0, len(self._waiting) - WAITING_AT_MOST))):
            del self._waiting[forgotten]
        self._has_waiting.set()

    def tell_orders(self) -> None:
        """Have the others hear that orders have changed; nobody waits for it."""
        self._orders_changed = True
        self._has_waiting.set()

    async def work(
        self, hear: Callable[[Collection[int]], None], look: Callable[[], None], wake: Callable[[], None]
    ) -> None:
        """Carry notices until cancelled: `hear` is told ids, `look` that some may have been missed.

        `wake` is called when orders may have changed.
        """
        ears = Ears(hear, look, wake)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_on())
            group.create_task(self._listen_on(ears))

    async def close(self) -> None:
        """Send what still waits, if that is possible."""
        with suppress(StoreError):
            await self._send()

    async def _send_on(self) -> None:
        while True:
            await self._has_waiting.wait()
            self._has_waiting.clear()
            try:
                await self._send()
            except StoreError:
                # The store has said so.
                self._has_waiting.set()
                await asyncio.sleep(AGAIN_AFTER_SECONDS)
            else:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _send(self) -> None:
        ids = list(self._waiting)
        payloads = list(_written(self._name, ids))
        if self._orders_changed:
            payloads.append(f"{self._name},{ORDERS}")
        if not payloads:
            return
        self._orders_changed = False
        try:
            await self._store.read(partial(_notify, payloads=payloads))
        except StoreError:
            self._orders_changed = True
            raise
        for sent in ids:
            self._waiting.pop(sent, None)

    async def _listen_on(self, ears: Ears) -> None:
        import psycopg

        while True:
            try:
                await self._listen(ears)
            except (psycopg.Error, TimeoutError, OSError) as problem:
                if self._listens:
                    log.warning("bus_lost: %s", str(problem).partition("\n")[0])
                self._listens = False
                await asyncio.sleep(AGAIN_AFTER_SECONDS)

    async def _listen(self, ears: Ears) -> None:
        async with await self._connect() as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            if not self._listens:
                log.warning("bus_back")
            self._listens = True
            ears.look()
            ears.wake()
            while True:
                async for notice in connection.notifies(timeout=PING_SECONDS):
                    self._hear(notice.payload, ears)
                async with asyncio.timeout(PING_WITHIN_SECONDS):
                    await connection.execute("SELECT 1")

    async def _connect(self) -> "AsyncConnection":
        import psycopg

        _, address = self._store.engine.dialect.create_connect_args(self._listen_url)
        arguments = {**address, **connect_arguments(self._listen_url)}
        return await psycopg.AsyncConnection.connect(**arguments, autocommit=True)

    def _hear(self, payload: str, ears: Ears) -> None:
        """Read a notice; one's own says nothing new."""
        name, *words = payload.split(",")
        if name == self._name:
            return
        if ORDERS in words:
            ears.wake()
        ears.hear([int(each) for each in words if each.isdecimal()])


def _written(name: str, ids: Sequence[int]) -> Iterator[str]:
    for start in range(0, len(ids), IDS_IN_A_NOTICE):
        yield ",".join([name, *map(str, ids[start : start + IDS_IN_A_NOTICE])])


def _notify(connection: Connection, payloads: Sequence[str]) -> None:
    for payload in payloads:
        connection.execute(select(func.pg_notify(CHANNEL, payload)))
