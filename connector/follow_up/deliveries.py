"""See what has not reached Desk and why, try it again, or give it up: for pages, commands and programs."""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from sqlalchemy import Connection

from connector.clock import Clock
from connector.errors import InvalidValue, NotFound
from connector.follow_up.history import delivery_seen
from connector.follow_up.remedies import Remedy, remedy_of
from connector.follow_up.shapes import DeliverySeen
from connector.follow_up.viewers import COMMANDS
from connector.outbox import by_hand
from connector.store import Store, attempts, calls, outbox, portals
from connector.store.outbox import Counted, Row, Which

REASON_AT_MOST = 500
Position = tuple[int, int]


class DeliveryFound(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery whole: what Desk answered, what to do, what it waits for.

    `waits_for` is the delivery of its contact or ticket, where it waits for that; `call` its call's key.
    """

    row: Row
    seen: DeliverySeen
    remedy: Remedy
    portal_name: str
    portal_is_linked: bool
    waits_for: Row | None
    call: str | None


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the list; `next` is the position behind which it goes on, None at the end."""

    rows: tuple[Row, ...]
    next: Position | None


class Deliveries:
    """All deliveries.

    `on_change` is told the calls whose banners show something else now, `wake` that there is work.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        on_change: Callable[[Sequence[int]], None] = lambda _call_ids: None,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._on_change = on_change
        self._wake = wake

    async def page(self, which: Which, at_most: int) -> DeliveryPage:
        """Return deliveries in a state, the latest first."""
        found = await self._store.read(partial(outbox.page, which=which, at_most=at_most + 1))
        shown = found[:at_most]
        return DeliveryPage(
            rows=tuple(row for _, row in shown), next=shown[-1][0] if len(found) > len(shown) else None
        )

    async def counts(self) -> list[Counted]:
        """Count what is not in Desk, by state, portal and reason."""
        return await self._store.read(outbox.count_open)

    async def show(self, row_id: int) -> DeliveryFound:
        """Return a delivery whole; NotFound where there is none."""
        return await self._store.read(partial(_found, row_id=row_id))

    async def retry(self, row_id: int, *, absent: bool = False, actor: str) -> Row:
        """Try a delivery again; `absent`: a person has looked in Desk, and the record is not there.

        Raises NotFound, and NotNow for one that is being sent or is in Desk.
        """
        now = self._clock()
        changed = await self._store.write(lambda c: by_hand.retry(c, row_id, now, actor, absent=absent))
        return await self._changed(row_id, changed)

    async def retry_all(self, *, absent: bool = False, actor: str) -> int:
        """Try dead letters again, at most `by_hand.RETRIED_AT_MOST`, and return how many those were."""
        now = self._clock()
        count, changed = await self._store.write(lambda c: by_hand.retry_all(c, now, actor, absent=absent))
        self._tell(changed)
        return count

    async def drop(self, row_id: int, reason: str, *, actor: str) -> Row:
        """Give a delivery up for good, for a reason that the audit keeps; raises as `retry` does."""
        why, now = _checked(reason), self._clock()
        changed = await self._store.write(lambda c: by_hand.drop(c, row_id, now, actor, why))
        return await self._changed(row_id, changed)

    async def _changed(self, row_id: int, changed: Sequence[int]) -> Row:
        self._tell(changed)
        return await self._store.read(partial(_row, row_id=row_id))

    def _tell(self, changed: Sequence[int]) -> None:
        self._on_change(changed)
        self._wake()


def _checked(reason: str) -> str:
    why = " ".join(reason.split())
    if not why or len(why) > REASON_AT_MOST or not why.isprintable():
        raise InvalidValue(
            "A reason is missing: say in 1 to {most} characters why it shall never be in Desk.",
            "/reason",
            most=REASON_AT_MOST,
        )
    return why


def _row(connection: Connection, row_id: int) -> Row:
    row = outbox.get(connection, row_id)
    if row is None:
        raise NotFound(f"There is no delivery {row_id}.")
    return row


def _found(connection: Connection, row_id: int) -> DeliveryFound:
    row = _row(connection, row_id)
    portal = portals.get(connection, row.portal_id)
    kind, key = outbox.waited_for(row.step) if row.state == "due" else (None, None)
    return DeliveryFound(
        row=row,
        seen=delivery_seen(row, attempts.of_deliveries(connection, [row.id]), COMMANDS),
        remedy=remedy_of(row),
        portal_name="" if portal is None else portal.name,
        portal_is_linked=portal is not None and portal.state == "linked",
        waits_for=None if kind is None or key is None else outbox.find(connection, row.portal_id, kind, key),
        call=None if row.call_id is None else _key_of(connection, row.call_id),
    )


def _key_of(connection: Connection, call_id: int) -> str | None:
    return next((call.key for call in calls.by_ids(connection, [call_id])), None)
