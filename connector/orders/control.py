"""Take orders from people and programs, hand each to its phone system once, and tell what came of it."""

from functools import partial

from sqlalchemy import Connection

from connector.banner.hub import Bus
from connector.calls import call_key
from connector.clock import SECOND, Clock
from connector.errors import NotNow, RequestError
from connector.metrics import Metrics
from connector.orders import book
from connector.orders.colleagues import Colleague, colleagues
from connector.orders.notifier import Notifier
from connector.orders.planning import NOTHING, Known, know, plan
from connector.orders.telephones import telephones
from connector.orders.values import Asker, Outcome, Request
from connector.store import Store, calls, orders
from connector.store.orders import Order, OrderState
from connector.store.phones import PhoneSystem

ANSWERS = {"dial": 60 * SECOND, "hang_up": 20 * SECOND, "transfer": 20 * SECOND}
"""How long after an order was fetched its outcome may come; a telephone rings for a while."""

REMEMBERED_FOR = 2 * SECOND
"""How long the team is taken from memory: a new extension or phone system counts after that."""

FETCHED_AT_A_TIME = 20
CLOSED_AT_A_TIME = 200


class Control:
    """The orders of all phone systems.

    An order is carried out at most once: whoever fetches it takes it first, in a commit, and nobody else
    is told to do it. What nobody fetches in time is never done.
    """

    def __init__(self, store: Store, bus: Bus, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._metrics = metrics
        self._notifier = Notifier()
        self._known = NOTHING
        self._known_until = 0

    async def give(self, asker: Asker, request: Request) -> Order:
        """Give an order, and answer how it stands: the same one where it was given before.

        A RequestError says in plain words why it cannot be given; that too is in the audit.
        """
        try:
            before = await self._store.read(partial(book.before, asker=asker, request=request))
            if before is not None:
                return before
            planned = await self._store.read(
                lambda connection: plan(connection, asker, request, self._clock())
            )
            given = await self._store.write(partial(book.accept, order=planned))
        except RequestError as problem:
            denied = partial(book.deny, asker=asker, request=request, now=self._clock(), why=problem.reason)
            await self._store.write(denied)
            self._metrics.orders.labels("denied").inc()
            raise
        if given.uid == planned.uid:
            self._metrics.orders.labels("given").inc()
        self._ring()
        return given

    async def order(
        self, asker: Asker, uid: str, wait_seconds: float = 0, unlike: OrderState | None = None
    ) -> Order:
        """Return how an order of the asker's stands; waits for so long at most until it is over.

        Or until it is in another state than `unlike`. Supervisors may see everybody's, and agents those for
        their own telephone, whoever gave them; NotFound otherwise.
        """

        async def look() -> Order | None:
            found = await self._store.read(partial(book.seen, asker=asker, uid=uid))
            is_news = not found.is_open if unlike is None else found.state != unlike
            return found if is_news else None

        settled = await self._notifier.until(look, wait_seconds)
        if settled is not None:
            return settled
        return await self._store.read(lambda connection: book.known(connection, uid))

    async def dials(self, user_id: int) -> bool:
        """Tell whether a user has a telephone that can be made to call."""
        known = await self._recall()
        return bool(telephones(known.team, user_id, known.phones))

    async def who_has(self, phone: PhoneSystem, word: str) -> str | None:
        """Return the name of whoever has an extension or login now, None where it is nobody's."""
        team = (await self._recall()).team
        user_id = team.user(phone.id, word)
        return None if user_id is None else team.names[user_id]

    async def colleagues(self, asker: Asker, call_id: int) -> list[Colleague]:
        """Return to whom a call can be handed over, by their names; NotFound if there is no such call."""
        return await self._store.read(partial(colleagues, asker=asker, call_id=call_id, now=self._clock()))

    async def waiting(self, phone: PhoneSystem, wait_seconds: float) -> list[Order]:
        """Return what a phone system shall do; waits for something for so long at most."""
        _check_takes_orders(phone)
        now = self._clock()
        await self._store.write(lambda connection: orders.note_taker(connection, phone.id, now))

        async def look() -> list[Order] | None:
            now = self._clock()
            found = await self._store.read(
                lambda connection: orders.waiting(connection, phone.id, now, FETCHED_AT_A_TIME)
            )
            return found or None

        return await self._notifier.until(look, wait_seconds) or []

    async def take(self, phone: PhoneSystem, uid: str, by: str) -> Order:
        """Hand an order to the one who fetches it, once; NotNow if it is too late or somebody else's."""
        _check_takes_orders(phone)
        now = self._clock()

        def change(connection: Connection) -> Order:
            order = book.own(connection, phone, uid)
            if orders.take(connection, uid, by, now, now + ANSWERS[order.kind]):
                if order.contact_id is not None:
                    key = (call_key(phone.uid, order.call_id), phone.id, order.call_id)
                    calls.choose_at_first(connection, key, order.contact_id, now)
                return book.known(connection, uid)
            if order.state == "taken" and order.taken_by == by:
                return order
            raise NotNow("This order is somebody else's by now, or too old: do not carry it out.")

        taken = await self._store.write(change)
        self._ring()
        return taken

    async def settle(self, phone: PhoneSystem, uid: str, by: str, outcome: Outcome) -> Order:
        """Note what came of an order, from the one who fetched it; told again, or late, changes no more.

        An outcome that comes after nobody expected it still counts.
        """
        now = self._clock()

        def change(connection: Connection) -> Order:
            order = book.own(connection, phone, uid)
            if order.taken_by != by:
                raise NotNow("This order has not been handed to you.")
            if order.state not in ("taken", "unknown"):
                return order
            return book.close(connection, order, outcome, now, f"phone system {phone.slug}")

        settled = await self._store.write(change)
        self._metrics.orders.labels(settled.state).inc()
        self._ring()
        return settled

    async def close_overdue(self) -> int:
        """End the orders whose time is up, and answer how many."""
        now = self._clock()
        late = await self._store.read(lambda c: orders.overdue(c, now, CLOSED_AT_A_TIME))
        for order in late:
            await self._store.write(partial(book.expire, order=order, now=now))
            self._metrics.orders.labels("expired" if order.state == "waiting" else "unknown").inc()
        if late:
            self._ring()
        return len(late)

    def wake(self) -> None:
        """Hear that another process has changed orders."""
        self._notifier.ring()

    def close(self) -> None:
        """Let go everybody who waits: the server is stopping."""
        self._notifier.close()

    async def _recall(self) -> Known:
        now = self._clock()
        if now >= self._known_until:
            self._known = await self._store.read(partial(know, now=now))
            self._known_until = now + REMEMBERED_FOR
        return self._known

    def _ring(self) -> None:
        self._notifier.ring()
        self._bus.tell_orders()


def _check_takes_orders(phone: PhoneSystem) -> None:
    if not phone.takes_orders:
        raise NotNow(
            f"The phone system {phone.slug} takes no orders: an administrator allows it with "
            f"connector phones control {phone.slug} on."
        )
