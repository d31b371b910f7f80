"""Read a card: our own tables first, Desk where they do not know enough, what there is where it is away."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from connector.aio import gather_or_cancel
from connector.cards.forms import MadeOf, Options, field_view
from connector.cards.past_calls import read_past_calls
from connector.cards.prefill import filled_in
from connector.cards.seats import Seat
from connector.cards.shapes import (
    AccountView,
    Assigned,
    Card,
    ContactView,
    FieldView,
    Named,
    NewRecord,
    TicketView,
)
from connector.cards.sources import Known, Source, Sources
from connector.clock import Clock
from connector.contacts.cards import LOOKED_AT
from connector.crm.desk_fields import DeskFields
from connector.crm.model import Field
from connector.store import Store, assignments
from connector.zoho import models
from connector.zoho.actions import NEW_CONTACTS, NEW_TICKETS
from connector.zoho.models import as_text

TICKETS_AT_MOST = 10


class Reading:
    """Read cards."""

    def __init__(self, store: Store, sources: Sources, desk_fields: DeskFields, clock: Clock) -> None:
        self._store = store
        self._sources = sources
        self._desk_fields = desk_fields
        self._clock = clock

    async def card(self, seat: Seat, contact_id: str | None = None, *, anew: bool = False) -> Card:
        """Return the card of a call's contact, or of another one before it is chosen.

        `anew` is for whoever has just changed something: what was asked before may not know of it.
        """
        contact_id = contact_id or seat.contact_id
        past, this_week = await self._store.read(partial(read_past_calls, seat=seat, now=self._clock()))
        found = await self._store.read(lambda c: assignments.get(c, seat.root_id))
        sees_ticket = seat.sees_object("contacts") and seat.sees_object("tickets")
        ticket_id = found.ticket_id if found is not None and sees_ticket else None
        assigned = Assigned(target="" if found is None else found.target, ticket_id=ticket_id)
        card = Card(call=seat.call_id, calls=past, calls_this_week=this_week, assigned=assigned)
        if contact_id is None:
            return msgspec.structs.replace(card, new=await self._new(seat))
        if not seat.sees_object("contacts"):
            return card
        source = await self._sources.open(seat.portal_id, anew=anew)
        return await self._with_contact(seat, card, contact_id, source)

    async def _new(self, seat: Seat) -> NewRecord | None:
        """Return the form for a new contact, for those who may make one; None if there is one to choose."""
        if seat.view.contacts and not seat.is_another:
            return None
        if not (seat.profile.access.may_create and NEW_CONTACTS in seat.features):
            return None
        return await self._form(seat, "contacts", seat.fields("contacts", "card"))

    async def _new_ticket(self, seat: Seat) -> NewRecord | None:
        """Return the form for a ticket of the call's contact, for those who may make one."""
        may = seat.profile.access.may_make_tickets and NEW_TICKETS in seat.features
        if not (may and seat.sees_object("tickets")):
            return None
        fields = [each for each in seat.fields("tickets") if each.editable or each.mandatory]
        return await self._form(seat, "tickets", fields)

    async def _form(self, seat: Seat, name: MadeOf, fields: Sequence[Field]) -> NewRecord:
        options, given = await self.options(seat, name), filled_in(seat, name)
        return NewRecord(
            fields=tuple(
                field_view(seat, name, field, given.get(field.name), options, is_new=True) for field in fields
            )
        )

    async def _with_contact(self, seat: Seat, card: Card, contact_id: str, source: Source) -> Card:
        read = await gather_or_cancel(
            [self._people_side(seat, source, contact_id), self._tickets(seat, source, contact_id)]
        )
        (contact, account, people), tickets = read
        return msgspec.structs.replace(
            card,
            contact=contact,
            account=account,
            people=people,
            tickets=tickets,
            new_ticket=await self._new_ticket(seat),
            problem=source.problem,
        )

    async def _people_side(self, seat: Seat, source: Source, contact_id: str) -> Any:
        """Return the contact, its account, and the others there."""
        wanted = {field.name for field in seat.fields("contacts", "card")}
        known = await source.contact(contact_id, wanted)
        contact = await self._contact(seat, known)
        if not known.account_id or not seat.sees_object("accounts"):
            return contact, None, ()
        account, people = await gather_or_cancel(
            [self._account(seat, source, known.account_id), self._people(seat, source, known)]
        )
        return contact, account, people

    async def _contact(self, seat: Seat, known: Known) -> ContactView:
        found = next((each for each in seat.view.contacts if each.id == known.id), None)
        return ContactView(
            id=known.id,
            name=_name(seat, known) or (found.name if found is not None and not known.values else known.id),
            url=known.url or (found.url if found else ""),
            account=_brief(seat, known),
            fields=await self._fields(seat, "contacts", known.values),
        )

    async def _account(self, seat: Seat, source: Source, account_id: str) -> AccountView | None:
        wanted = {field.name for field in seat.fields("accounts", "card")}
        known = await source.account(account_id, wanted)
        if known is None:
            return None
        name = _account_name(seat, known.values) or account_id
        fields = await self._fields(seat, "accounts", known.values)
        return AccountView(id=account_id, name=name, url=known.url, fields=fields)

    async def _people(self, seat: Seat, source: Source, known: Known) -> tuple[Named, ...]:
        if not all(seat.profile.sees(seat.portal_id, "contacts", each) for each in ("firstName", "lastName")):
            return ()
        found = await source.people(known.account_id or "")
        return tuple(Named(id=each.id, name=each.name, url=each.url) for each in found if each.id != known.id)

    async def _tickets(self, seat: Seat, source: Source, contact_id: str) -> tuple[TicketView, ...]:
        if not seat.sees_object("tickets"):
            return ()
        found = await source.tickets(contact_id, LOOKED_AT)
        still_open = [each for each in found if (each.status_type or each.status) != "Closed"]
        return tuple(ticket_view(seat, each, self._clock()) for each in still_open[:TICKETS_AT_MOST])

    async def _fields(self, seat: Seat, name: MadeOf, values: Mapping[str, Any]) -> tuple[FieldView, ...]:
        options = await self.options(seat, name)
        return tuple(
            field_view(seat, name, field, values.get(field.name), options)
            for field in seat.fields(name, "card")
        )

    async def options(self, seat: Seat, name: MadeOf) -> Options:
        """Return what may be chosen in the fields of an object, as far as Desk has told."""
        known = (await self._desk_fields.kept(seat.portal_id)).fields.get(name, {})
        return {each.name: each.options for each in known.values() if each.options}


def ticket_view(seat: Seat, ticket: models.Ticket, now: int) -> TicketView:
    """Return a ticket as the card shows it."""

    def shown(field: str, value: str | None) -> str:
        return (value or "") if seat.profile.sees(seat.portal_id, "tickets", field) else ""

    return TicketView(
        id=str(ticket.id),
        number=str(ticket.number or ticket.id),
        subject=shown("subject", ticket.subject),
        status=shown("status", ticket.status or ticket.status_type),
        priority=shown("priority", ticket.priority),
        escalated=bool(ticket.is_escalated) or (ticket.due_at or now) < now,
        created_at=ticket.created_at or 0,
        url=ticket.url or "",
    )


def _name(seat: Seat, known: Known) -> str:
    """Return how a contact is called, of what the profile shows."""
    names = ("firstName", "lastName")
    shown = (each for each in names if seat.profile.sees(seat.portal_id, "contacts", each))
    return " ".join(filter(None, (as_text(known.values.get(each)) for each in shown)))


def _account_name(seat: Seat, values: Mapping[str, Any]) -> str:
    is_seen = seat.profile.sees(seat.portal_id, "accounts", "accountName")
    return (as_text(values.get("accountName")) or "") if is_seen else ""


def _brief(seat: Seat, known: Known) -> Named | None:
    """Return the account of a contact as it is told with the contact."""
    if not known.account_id or not seat.sees_object("accounts"):
        return None
    name = _account_name(seat, known.account) or known.account_id
    return Named(id=known.account_id, name=name, url=known.account.get("webUrl") or "")
