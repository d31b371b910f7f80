"""Find the ticket that a call's record names: the newest open one, or one that is made by a rule."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from connector.calls import CallRecord
from connector.clock import MINUTE, Clock
from connector.contacts.cards import LOOKED_AT, still_open
from connector.crm.values import Values
from connector.delivery import tickets
from connector.delivery.call_context import CallContext, department
from connector.delivery.routing import Route
from connector.delivery.templated import fields_of, notes_of
from connector.delivery.tickets import CONTACT_GONE, TicketRecord
from connector.errors import ZohoRefused
from connector.outbox.send_once import Delivery
from connector.store import Store, assignments, outbox
from connector.store.outbox import Row, Wanted
from connector.zoho.client import Desk

WAITS = 10 * MINUTE
"""How long a record waits for its ticket; then it is written, and names the ticket when that comes."""

NOT_THERE: Mapping[str, str] = {
    "dead": "the ticket was not made ({reason}): the record names it when it is made by hand",
    "dropped": "the ticket was given up by hand",
}
NOT_YET = "the ticket is not there yet ({reason}): the record names it when it is"


class OnTicket(msgspec.Struct, frozen=True):
    """A route with the ticket that a call is on, and why there is none that should be."""

    route: Route
    notes: Mapping[str, str] = {}


class CallTickets:
    """Know the tickets of calls, and have those made that rules want."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of_call(
        self,
        delivery: Delivery,
        desk: Desk,
        route: Route,
        contact_id: str,
        wanted: Callable[[], Awaitable[TicketRecord]],
    ) -> OnTicket | None:
        """Return the route of a call with its ticket; None where the record waits for that.

        `wanted` is the ticket that a rule would have.
        """
        if route.is_chosen or route.ticket_id:
            return OnTicket(route)
        if route.rule.target == "newest_ticket":
            return await self._newest(delivery, desk, route, contact_id)
        if route.rule.target == "new_ticket":
            return await self._made(delivery, route, await wanted())
        return OnTicket(route)

    async def standing(self, row: Row, route: Route) -> OnTicket:
        """Return the route of a call whose record is in Desk, and why it names no ticket that it should."""
        if route.ticket_id or route.is_chosen or route.rule.target != "new_ticket":
            return OnTicket(route)
        ticket = await self._store.read(lambda c: outbox.find(c, row.portal_id, "ticket", row.key))
        return _on(route, ticket) if ticket is not None else OnTicket(route)

    async def _newest(self, delivery: Delivery, desk: Desk, route: Route, contact_id: str) -> OnTicket:
        try:
            found = still_open(await desk.contact_tickets(contact_id, LOOKED_AT), 1)
        except ZohoRefused as problem:
            return OnTicket(
                route, {"ticketId": f"the contact's tickets are not to be seen ({problem.reason})"}
            )
        if not found:
            return OnTicket(route)
        call_id, ticket_id, now = delivery.row.call_id, found[0].id, self._clock()
        if call_id is not None:
            await self._store.write(lambda c: assignments.set_ticket(c, call_id, ticket_id, now))
        return OnTicket(msgspec.structs.replace(route, ticket_id=ticket_id))

    async def _made(self, delivery: Delivery, route: Route, record: TicketRecord) -> OnTicket | None:
        row = delivery.row
        wanted = Wanted(
            portal_id=row.portal_id,
            kind="ticket",
            key=row.key,
            call_id=row.call_id,
            record=tickets.encode(record),
            due_at=self._clock(),
        )
        found = await self._store.read(lambda c: outbox.find(c, row.portal_id, "ticket", row.key))
        if found is not None and _lost_its_contact(found, record):
            again, now = found, self._clock()
            await self._store.write(lambda c: outbox.want_instead(c, again, wanted.record, now))
        if found is None or found.state != "done":
            since = self._clock() if found is None else found.created_at
            found = await delivery.wait_for(wanted, until=since + WAITS)
        return None if delivery.is_settled else _on(route, found)


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A call whose record is due, or may be: what it says, what it is made with, and its id."""

    record: CallRecord
    context: CallContext
    call_id: int | None


def ticket_record(due: Due, route: Route, contact_id: str, values: Values) -> TicketRecord:
    """Return the ticket that a rule wants for a call, as the templates of tickets write it."""
    record, context = due.record, due.context
    texts = fields_of(route.object("tickets"), route.given("tickets", values, context))
    written = {text.name: text.value for text in texts if text.value is not None}
    return TicketRecord(
        department_id=department(record, context),
        contact_id=contact_id,
        subject=str(written.pop("subject", None) or values["call.subject"]),
        fields={name: value for name, value in written.items() if name not in tickets.OURS},
        call_key=record.key,
        started_at=record.started_at,
        notes="; ".join(f"{name}: {why}" for name, why in notes_of(texts).items()),
    )


def _lost_its_contact(row: Row, record: TicketRecord) -> bool:
    """Tell whether a ticket was refused because its contact is gone, and the call has another one by now."""
    is_lost = row.state == "dead" and row.reason == CONTACT_GONE
    return is_lost and tickets.read_ticket(row.wanted).contact_id != record.contact_id


def _on(route: Route, ticket: Row) -> OnTicket:
    if ticket.state == "done" and ticket.desk_id:
        return OnTicket(msgspec.structs.replace(route, ticket_id=ticket.desk_id))
    said = NOT_THERE.get(ticket.state, NOT_YET).format(reason=ticket.reason or ticket.state)
    return OnTicket(route, {"ticketId": said})
