"""Take orders from people and programs, hand each to its phone system once, and tell what came of it."""

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from connector.aio import Notifier, TtlCache
from connector.calls import call_key
from connector.clock import SECOND, Clock
from connector.errors import NotNow, RequestError
from connector.metrics import Metrics
from connector.orders import registry
from connector.orders.planning import Colleague, Roster, colleagues, plan, read_roster
from connector.orders.registry import Asker, Outcome, Request
from connector.orders.telephones import telephones
from connector.store import Store, calls, orders
from connector.store.orders import Order, OrderState
from connector.store.phones import PhoneSystem

OUTCOME_WITHIN = {"dial": 60 * SECOND, "hang_up": 20 * SECOND, "transfer": 20 * SECOND}
"""How long after an order was fetched its outcome may come; a telephone rings for a while."""

ROSTER_REMEMBERED_FOR = 2 * SECOND
"""How long the team is taken from memory: a new extension or phone system counts after that."""

FETCHED_AT_A_TIME = 20
CLOSED_AT_A_TIME = 200


def _nobody() -> None:
    """Do nothing: there is no other process."""


class Orders:
    """The orders of all phone systems; `notify_others` tells other processes that some have changed.

    An order is carried out at most once: whoever fetches it takes it first, in a commit, and nobody else
    is told to do it. What nobody fetches in time is never done.
    """

    def __init__(
        self, store: Store, clock: Clock, metrics: Metrics, notify_others: Callable[[], None] = _nobody
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._notify_others = notify_others
        self._notifier = Notifier()
        # Read once for all who ask: a thousand banners may open together.
        self._roster: TtlCache[None, Roster] = TtlCache(self._read_roster, ROSTER_REMEMBERED_FOR, clock)

    async def give(self, asker: Asker, request: Request) -> Order:
        """Give an order, and return how it stands: the same one where it was given before.

        Raise a RequestError that says in plain words why it cannot be given; that too is in the audit.
        """
        try:
            key, digest = request.key, request.digest
            same = await self._store.read(lambda c: registry.same_key(c, asker.name, key, digest))
            if same is not None:
                return same
            planned = await self._store.read(
                lambda connection: plan(connection, asker, request, self._clock())
            )
            given = await self._store.write(partial(registry.accept, order=planned))
        except RequestError as problem:
            denied = partial(
                registry.deny, asker=asker, request=request, now=self._clock(), why=problem.reason
            )
            await self._store.write(denied)
            self._metrics.orders.labels("denied").inc()
            raise
        if given.uid == planned.uid:
            self._metrics.orders.labels("given").inc()
        self._notify()
        return given

    async def get(
        self, asker: Asker, uid: str, wait_seconds: float = 0, unlike: OrderState | None = None
    ) -> Order:
        """Return how an order of the asker's stands, once it is over or `wait_seconds` are.

        With `unlike`, once it is in another state. Supervisors may see everybody's, and agents those for
        their own telephone, whoever gave them; raise NotFound otherwise.
        """

        async def look() -> Order | None:
            found = await self._store.read(partial(registry.visible, asker=asker, uid=uid))
            is_changed = not found.is_open if unlike is None else found.state != unlike
            return found if is_changed else None

        settled = await self._notifier.until(look, wait_seconds)
        if settled is not None:
            return settled
        return await self._store.read(lambda connection: registry.get(connection, uid))

    async def can_dial(self, user_id: int) -> bool:
        """Tell whether a user has a telephone that can be made to call, by a program that has ever come."""
        roster = await self._roster.get(None)
        able = [phone for phone in roster.phones if phone.carries_orders_out]
        return bool(telephones(roster.team, user_id, able))

    async def name_of(self, phone: PhoneSystem, word: str) -> str | None:
        """Return the name of whoever has an extension or login now, None where it is nobody's."""
        team = (await self._roster.get(None)).team
        user_id = team.user(phone.id, word)
        return None if user_id is None else team.names[user_id]

    async def colleagues(self, asker: Asker, call_id: int) -> list[Colleague]:
        """Return to whom a call can be handed over, by name; raise NotFound if there is no such call."""
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
        """Hand an order to the one who fetches it, once; raise NotNow if it is too late or another's."""
        _check_takes_orders(phone)
        now = self._clock()

        def change(connection: Connection) -> Order:
            order = registry.of_phone_system(connection, phone, uid)
            if orders.take(connection, uid, by, now, now + OUTCOME_WITHIN[order.kind]):
                if order.contact_id is not None:
                    key = (call_key(phone.uid, order.call_id), phone.id, order.call_id)
                    calls.choose_at_first(connection, key, order.contact_id, now)
                return registry.get(connection, uid)
            if order.state == "taken" and order.taken_by == by:
                return order
            raise NotNow("This order is somebody else's by now, or too old: do not carry it out.")

        taken = await self._store.write(change)
        self._notify()
        return taken

    async def settle(self, phone: PhoneSystem, uid: str, by: str, outcome: Outcome) -> Order:
        """Note what came of an order, from the one who fetched it; told again, or late, changes no more.

        An outcome that comes after nobody expected it still counts.
        """
        now = self._clock()

        def change(connection: Connection) -> Order:
            order = registry.of_phone_system(connection, phone, uid)
            if order.taken_by != by:
                raise NotNow("This order has not been handed to you.")
            if order.state not in ("taken", "unknown"):
                return order
            return registry.close(connection, order, outcome, now, f"phone system {phone.slug}")

        settled = await self._store.write(change)
        self._metrics.orders.labels(settled.state).inc()
        self._notify()
        return settled

    async def close_overdue(self) -> int:
        """End the orders whose time is up, and return how many."""
        now = self._clock()
        late = await self._store.read(lambda c: orders.overdue(c, now, CLOSED_AT_A_TIME))
        for order in late:
            await self._store.write(partial(registry.expire, order=order, now=now))
            self._metrics.orders.labels("expired" if order.state == "waiting" else "unknown").inc()
        if late:
            self._notify()
        return len(late)

    def on_change(self) -> None:
        """Wake those who wait: another process has changed orders."""
        self._notifier.notify()

    def close(self) -> None:
        """Wake everybody who waits: the server is stopping."""
        self._notifier.close()

    async def _read_roster(self, _: None) -> Roster:
        return await self._store.read(partial(read_roster, now=self._clock()))

    def _notify(self) -> None:
        self._notifier.notify()
        self._notify_others()


def _check_takes_orders(phone: PhoneSystem) -> None:
    if not phone.takes_orders:
        raise NotNow(
            f"The phone system {phone.slug} takes no orders: an administrator allows it with "
            f"connector phones control {phone.slug} on."
        )
