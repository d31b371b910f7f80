"""Make tickets for agents, comment on them, and assign calls to them."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from connector.cards.forms import Options, at_the_field, check, values_of
from connector.cards.prefill import department_of, filled_in, values_at_ring
from connector.cards.reading import ticket_view
from connector.cards.seats import Seat
from connector.cards.shapes import Click, CommentMade, TicketMade
from connector.clock import Clock
from connector.delivery.tickets import (
    OURS,
    CommentRecord,
    TicketRecord,
    comment_content,
    encode,
    put_on_ticket,
    ticket_body,
)
from connector.errors import InvalidData, NotFound, NotNow, OutcomeUnknown, RecordNotFound
from connector.outbox.live import Live, Made, Order
from connector.outbox.send_once import Body
from connector.portals import Portals
from connector.store import Store, assignments, audit, outbox
from connector.store.outbox import Row, Wanted
from connector.store.outcomes import Stands
from connector.zoho import models
from connector.zoho.actions import NEW_TICKETS
from connector.zoho.client import Desk
from connector.zoho.fields import COMMENT_LENGTH


class NewTicket(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent has filled in for a new ticket; what is missing comes of the rules' templates."""

    key: Click
    fields: dict[str, Any] = {}


class NewComment(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent says of a ticket."""

    key: Click
    content: Annotated[str, Meta(min_length=1, max_length=COMMENT_LENGTH)]


class TicketDesk:
    """Make tickets, comment on them, and assign calls to them."""

    def __init__(self, store: Store, portals: Portals, live: Live, clock: Clock) -> None:
        self._store = store
        self._portals = portals
        self._live = live
        self._clock = clock

    async def make(self, seat: Seat, asked: NewTicket, options: Options) -> TicketMade:
        """Make a ticket of the call's contact, and assign the call to it in the commit that notes it.

        Raises InvalidValue with the field for what Desk does not take; NotAllowed, NotNow, any ZohoError.
        OutcomeUnknown says that the answer is lost: the ticket is looked for, and there once in any case.
        """
        seat.check_may(NEW_TICKETS)
        record = self._record(seat, asked, options)
        try:
            made = await self._live.post(self._order(seat, asked, record))
        except InvalidData as problem:
            raise at_the_field(problem, record.fields | {"subject": ""}, "fields") from problem
        if isinstance(made, Made):
            return TicketMade(ticket_view(seat, made.answer, self._clock()))
        desk = await self._portals.desk(seat.portal_id)
        ticket = await desk.get_ticket(_made_before(seat, made), live=True)
        return TicketMade(ticket_view(seat, ticket, self._clock()))

    def _record(self, seat: Seat, asked: NewTicket, options: Options) -> TicketRecord:
        department_id = department_of(seat)
        if seat.contact_id is None:
            raise NotNow("A ticket is somebody's: choose the call's contact first, or make one.")
        if department_id is None:
            raise NotNow(
                "Nobody has said to which department of Zoho Desk the call belongs: an administrator does, "
                "in the settings of the portal at /portals."
            )
        fields = seat.fields("tickets")
        shown = {field.name for field in fields}
        written = {name: value for name, value in filled_in(seat, "tickets").items() if name in shown}
        filled = {name: value for name, value in asked.fields.items() if value not in (None, "")}
        given = written | filled
        check(fields, given, "tickets", "fields", options, is_new=True)
        values = values_of(fields, given)
        subject = values.pop("subject", None) or values_at_ring(seat)["call.subject"]
        return TicketRecord(
            department_id=department_id,
            contact_id=seat.contact_id,
            subject=str(subject),
            fields={name: value for name, value in values.items() if name not in OURS},
            call_key=seat.record_key,
        )

    def _order(self, seat: Seat, asked: NewTicket, record: TicketRecord) -> Order[models.Ticket]:
        now, actor = self._clock(), seat.user.email

        def settled(connection: Connection, ticket: models.Ticket) -> None:
            now, chosen_by = self._clock(), seat.user.email
            put_on_ticket(connection, seat.root_id, str(ticket.id), now, chosen_by)
            audit.append(connection, now, actor, "ticket.made", str(ticket.id), f"call {seat.record_key}")

        return Order(
            wanted=Wanted(
                portal_id=seat.portal_id,
                kind="ticket",
                key=asked.key,
                call_id=seat.root_id,
                record=encode(record),
                due_at=now,
            ),
            body=ticket_body(record, asked.key),
            request=_create_ticket,
            stands=lambda ticket: Stands(desk_id=str(ticket.id), desk_url=ticket.url, revision=1),
            beside=lambda c: audit.append(c, now, actor, "ticket.asked", f"call {seat.record_key}"),
            settled=settled,
        )

    async def assign(self, seat: Seat, ticket_id: str | None) -> None:
        """Assign the call to a ticket of its contact, or to none; NotFound for somebody else's ticket."""
        seat.check_profile(NEW_TICKETS)
        if ticket_id is not None:
            await self._ticket(seat, ticket_id)
        now, actor = self._clock(), seat.user.email

        def write(connection: Connection) -> None:
            assignments.set_ticket(connection, seat.root_id, ticket_id, now, chosen_by=actor)
            outbox.retouch(connection, seat.root_id, now)
            said = "no ticket" if ticket_id is None else f"ticket {ticket_id}"
            audit.append(connection, now, actor, "call.assigned", f"call {seat.record_key}", said)

        await self._store.write(write)

    async def comment(self, seat: Seat, ticket_id: str, asked: NewComment) -> CommentMade:
        """Comment on a ticket of the call's contact; raises as `make` does, NotFound for another's."""
        seat.check_may(NEW_TICKETS)
        await self._ticket(seat, ticket_id)
        made = await self._live.post(self._comment_order(seat, ticket_id, asked))
        return CommentMade(str(made.answer.id) if isinstance(made, Made) else _made_before(seat, made))

    def _comment_order(self, seat: Seat, ticket_id: str, asked: NewComment) -> Order[models.TicketComment]:
        now, actor = self._clock(), seat.user.email
        record = CommentRecord(ticket_id=ticket_id, content=asked.content)

        async def create(desk: Desk, body: Body) -> models.TicketComment:
            return await desk.create_ticket_comment(ticket_id, str(body["content"]), live=True)

        return Order(
            wanted=Wanted(
                portal_id=seat.portal_id,
                kind="comment",
                key=asked.key,
                call_id=seat.root_id,
                record=encode(record),
                due_at=now,
            ),
            body={"content": comment_content(record, asked.key)},
            request=create,
            stands=lambda comment: Stands(desk_id=str(comment.id), desk_url=None, revision=1),
            beside=lambda c: audit.append(
                c, now, actor, "ticket.commented", ticket_id, f"call {seat.record_key}"
            ),
            settled=lambda _connection, _comment: None,
        )

    async def _ticket(self, seat: Seat, ticket_id: str) -> models.Ticket:
        """Return a ticket of the call's contact."""
        desk = await self._portals.desk(seat.portal_id)
        nowhere = NotFound("There is no such ticket of this contact: open the card again.")
        try:
            ticket = await desk.get_ticket(ticket_id, live=True)
        except RecordNotFound as problem:
            raise nowhere from problem
        if ticket.is_gone or seat.contact_id is None or ticket.contact_id != seat.contact_id:
            raise nowhere
        return ticket


def _made_before(seat: Seat, row: Row) -> str:
    """Return what another request of the same click has made, by id; OutcomeUnknown or NotNow for none.

    Whoever names a click that was made for another call is told nothing of what came of it.
    """
    if row.call_id != seat.root_id:
        raise NotNow("This click was for another call: open the form again.")
    if row.state == "done" and row.desk_id is not None:
        return row.desk_id
    if row.state in ("dead", "dropped"):
        raise NotNow(
            "Zoho Desk did not take this, and gave no answer at first: an administrator looks at delivery "
            f"{row.id} at /deliveries."
        )
    raise OutcomeUnknown("This is being made.")


async def _create_ticket(desk: Desk, body: Body) -> models.Ticket:
    return await desk.create_ticket(body, live=True)
