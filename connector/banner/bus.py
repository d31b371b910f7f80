"""Tell the other processes of the same company which calls have changed: PostgreSQL's NOTIFY and LISTEN.

A notice is sent after the commit that it is about, never inside: one inside would make every commit wait
for the one before it. Whoever listens reads what the calls are now; a notice that is lost costs nothing
but time, because every process reads every few seconds what has changed of late.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from secrets import token_hex
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sqlalchemy import Connection, func, select
from sqlalchemy.engine import make_url

from connector.errors import StoreError
from connector.store import Store
from connector.store.engine import connect_arguments

if TYPE_CHECKING:
    from psycopg import AsyncConnection

CHANNEL = "connector_calls"

GATHER_SECONDS = 0.025
"""How long a notice waits for others to go with it, unless there was none of late."""

IDS_IN_A_NOTICE = 350
"""PostgreSQL takes less than 8,000 bytes, and an id has 19 digits at most."""

UNSENT_AT_MOST = 10_000
"""Ids that are kept while no notice can be sent; whoever misses one finds it by a resync."""

ORDERS = "orders"
"""Stands among the ids when orders have changed; an older process takes it for no id, and skips it."""

PING_SECONDS = 10
PING_WITHIN_SECONDS = 5
AGAIN_AFTER_SECONDS = 0.5

log = logging.getLogger(__name__)


class Listener(NamedTuple):
    """What is called: for changed calls, where notices may have been missed, for changed orders."""

    on_calls: Callable[[Collection[int]], None]
    on_gap: Callable[[], None]
    on_orders: Callable[[], None]


class Bus(Protocol):
    """The way to the other processes that serve the same company."""

    @property
    def reaches_others(self) -> bool:
        """Tell whether there may be other processes at all."""

    def notify_calls(self, call_ids: Iterable[int]) -> None:
        """Tell the others of calls that have changed, after the commit that changed them; do not wait."""

    def notify_orders(self) -> None:
        """Tell the others that orders have changed, after the commit that changed them; do not wait."""

    async def run(self, listener: Listener) -> None:
        """Carry notices until cancelled."""

    async def close(self) -> None:
        """Send what has not been sent yet."""


class NoBus:
    """A bus without others: one process is all there is."""

    reaches_others = False

    def notify_calls(self, call_ids: Iterable[int]) -> None:
        """Do nothing."""

    def notify_orders(self) -> None:
        """Do nothing."""

    async def run(self, listener: Listener) -> None:
        """Return at once."""

    async def close(self) -> None:
        """Do nothing."""


class PostgresqlBus:
    """Notices between the processes on one PostgreSQL database.

    `listen_url` is where this process keeps one connection of its own, if the store's address leads
    through a pooler in transaction mode: LISTEN does not pass that.
    """

    reaches_others = True

    def __init__(self, store: Store, listen_url: str = "") -> None:
        self._store = store
        self._listen_url = make_url(listen_url) if listen_url else store.engine.url
        self._name = token_hex(6)
        self._unsent: dict[int, None] = {}
        self._has_unsent = asyncio.Event()
        self._orders_changed = False
        self._listens = True

    def notify_calls(self, call_ids: Iterable[int]) -> None:
        """Tell the others of calls that have changed; do not wait for it."""
        self._unsent |= dict.fromkeys(call_ids)
        if len(self._unsent) > UNSENT_AT_MOST:
            for forgotten in list(islice(self._unsent, len(self._unsent) - UNSENT_AT_MOST)):
                del self._unsent[forgotten]
        self._has_unsent.set()

    def notify_orders(self) -> None:
        """Tell the others that orders have changed; do not wait for it."""
        self._orders_changed = True
        self._has_unsent.set()

    async def run(self, listener: Listener) -> None:
        """Carry notices until cancelled; what fails is tried again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_sending())
            group.create_task(self._keep_listening(listener))

    async def close(self) -> None:
        """Send what still waits, if that is possible."""
        with suppress(StoreError):
            await self._send()

    async def _keep_sending(self) -> None:
        while True:
            await self._has_unsent.wait()
            self._has_unsent.clear()
            try:
                await self._send()
            except StoreError:
                # The store has said so.
                self._has_unsent.set()
                await asyncio.sleep(AGAIN_AFTER_SECONDS)
            else:
                await asyncio.sleep(GATHER_SECONDS)

    async def _send(self) -> None:
        ids = list(self._unsent)
        payloads = list(_payloads(self._name, ids))
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
            self._unsent.pop(sent, None)

    async def _keep_listening(self, listener: Listener) -> None:
        import psycopg

        while True:
            try:
                await self._listen(listener)
            except (psycopg.Error, TimeoutError, OSError) as problem:
                if self._listens:
                    log.warning("bus_lost: %s", str(problem).partition("\n")[0])
                self._listens = False
                await asyncio.sleep(AGAIN_AFTER_SECONDS)

    async def _listen(self, listener: Listener) -> None:
        async with await self._connect() as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            if not self._listens:
                log.warning("bus_back")
            self._listens = True
            listener.on_gap()
            listener.on_orders()
            while True:
                async for notice in connection.notifies(timeout=PING_SECONDS):
                    self._dispatch(notice.payload, listener)
                async with asyncio.timeout(PING_WITHIN_SECONDS):
                    await connection.execute("SELECT 1")

    async def _connect(self) -> "AsyncConnection":
        import psycopg

        _, address = self._store.engine.dialect.create_connect_args(self._listen_url)
        arguments = {**address, **connect_arguments(self._listen_url)}
        return await psycopg.AsyncConnection.connect(**arguments, autocommit=True)

    def _dispatch(self, payload: str, listener: Listener) -> None:
        """Read a notice, and hand on what it says; one's own says nothing new."""
        name, *words = payload.split(",")
        if name == self._name:
            return
        if ORDERS in words:
            listener.on_orders()
        listener.on_calls([int(each) for each in words if each.isdecimal()])


def _payloads(name: str, ids: Sequence[int]) -> Iterator[str]:
    for start in range(0, len(ids), IDS_IN_A_NOTICE):
        yield ",".join([name, *map(str, ids[start : start + IDS_IN_A_NOTICE])])


def _notify(connection: Connection, payloads: Sequence[str]) -> None:
    for payload in payloads:
        connection.execute(select(func.pg_notify(CHANNEL, payload)))
