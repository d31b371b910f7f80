"""A process that delivers, to be killed and stopped: `python -m tests.integration.outbox.process ORDER`.

Its time runs faster than in earnest. Told to by a line, it delivers, and says what each delivery came to.
"""

import asyncio
import itertools
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
from sqlalchemy import Connection

from connector import delivery
from connector.clock import steady_clock
from connector.contacts import ContactLookup
from connector.crypto import Encryptor
from connector.limits import Limits, PortalBudget
from connector.limits.budget import RENEW_SECONDS
from connector.outbox import Deliverer, worker
from connector.portals import Methods, Portals, SettingsClient
from connector.sandbox.presets import DEMO_CLIENT_ID, client_secret
from connector.settings import Secret, Settings
from connector.store import Store, engine, in_flight, writer
from connector.store.in_flight import Note
from connector.store.outbox import Row
from connector.zoho.data_centers import parse_row
from connector.zoho.transport import http_client

FASTER = 4
Stop = Literal["", "before the note", "in its transaction"]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is told: where, which moment it was at a moment of the steady clock, when it stops.

    It stops at the transaction of its `stop_at`th notes.
    """

    url: str
    origin: str
    began: int
    began_steady: int
    stop: Stop = ""
    stop_at: int = 1

    def clock(self) -> int:
        """Return the moment that all such processes tell."""
        return self.began + (steady_clock() - self.began_steady) * FASTER


def fast() -> int:
    """Return the moment of a steady clock that runs faster."""
    return steady_clock() * FASTER


class FastLimits(Limits):
    """Budgets whose shares are renewed as much more often."""

    def of(self, portal_id: int) -> PortalBudget:
        """Return a portal's budget."""
        if portal_id not in self._budgets:
            renew_seconds = RENEW_SECONDS / FASTER
            made = PortalBudget(self._store, portal_id, self._clock, fast, renew_seconds=renew_seconds)
            self._budgets[portal_id] = made
        return self._budgets[portal_id]


class Telling:
    """Say what deliveries come to."""

    def count(self, outcome: str) -> None:
        """Say one."""
        sys.stdout.write(f"{outcome}\n")
        sys.stdout.flush()


def stop() -> None:
    """Stop all threads, this one here and now, until somebody sends SIGCONT."""
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def stop_at(point: Stop, number: int) -> None:
    """Stop at a note: before its transaction begins, or between its UPDATE and the COMMIT."""
    note_all, commit, numbers = in_flight.note_all, writer._Committer.commit, itertools.count(1)

    def stop_inside(connection: Connection, given: Sequence[Note]) -> list[Row | None]:
        noted = note_all(connection, given)
        if next(numbers) == number:
            stop()
        return noted

    def stop_before(
        self: writer._Committer, changes: Sequence[writer._Change], tries: int = writer.TRIES
    ) -> Iterator[writer.Results]:
        if any(change.handler is note_all for change in changes) and next(numbers) == number:
            stop()
        return commit(self, changes, tries)

    if point == "before the note":
        writer._Committer.commit = stop_before  # type: ignore[method-assign]
    elif point:
        in_flight.note_all = stop_inside  # type: ignore[assignment]


async def deliver(order: Order) -> None:
    """Deliver until killed."""
    store, settings = (
        Store(order.url),
        Settings(secret_key=[Secret("a key of tests")], settle_after_seconds=0),
    )
    async with http_client() as http:
        secret = lambda place: client_secret(DEMO_CLIENT_ID, place)  # noqa: E731 - short
        limits = FastLimits(store, order.clock, fast)
        encryptor = Encryptor(settings.secret_key)
        centers = {"us": parse_row(f"us={order.origin}|{order.origin}")}
        own = SettingsClient(DEMO_CLIENT_ID, "us", secret)
        portals = Portals(
            store,
            order.clock,
            encryptor,
            Methods(store, order.clock, encryptor, http, centers, own),
            http,
            data_centers=centers,
            limits=limits,
        )
        lookup = ContactLookup(store, portals, settings, order.clock)
        kinds = delivery.kinds(store, lookup, settings, order.clock)
        deliverer = Deliverer(
            store, portals, limits, kinds, settings, order.clock, counter=Telling(), steady=fast
        )
        Telling().count("ready")
        await asyncio.to_thread(sys.stdin.readline)
        await deliverer.run()


if __name__ == "__main__":
    told = msgspec.json.decode(sys.argv[1], type=Order)
    worker.POLL_SECONDS /= FASTER
    engine.BEGIN = engine.BEGIN.replace("'5s'", "'1s'")
    stop_at(told.stop, told.stop_at)
    asyncio.run(deliver(told))
