"""Read a card: our own tables first, Desk where they do not know enough, what there is where it is away."""

import asyncio
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Any, TypeVar

import msgspec

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
from connector.clock import Clock
from connector.contacts import Contact
from connector.contacts.cards import LOOKED_AT
from connector.errors import ZohoError
from connector.portals import Portals
from connector.store import Store, assignments, contacts
from connector.store.contacts import Indexed
from connector.zoho import models
from connector.zoho.actions import NEW_CONTACTS
from connector.zoho.client import Desk
from connector.zoho.models import DeskRecord, as_id, as_object, as_text

T = TypeVar("T")

TIMEOUT_SECONDS = 4.0
"""How long an agent waits for what Desk says of a card; then it shows what we know ourselves."""

TICKETS_AT_MOST = 10
PEOPLE_AT_MOST = 20

INDEXED = {"phone": "phone", "mobile": "mobile"}
"""Fields of contacts that our own copy has, and how it calls them."""


class Sources(msgspec.Struct):
    """What came of asking Desk for one card: the reason of the first thing that failed."""

    problem: str = ""

    async def ask(self, asking: Awaitable[T]) -> T | None:
        """Return what Desk answers, None where it does not; then the card says why."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await asking
        except TimeoutError:
            self.problem = self.problem or "zoho_down"
        except ZohoError as problem:
            self.problem = self.problem or problem.reason
        return None


class Reading:
    """Read cards."""

    def __init__(self, store: Store, portals: Portals, clock: Clock) -> None:
        self._store = store
        self._portals = portals
        self._clock = clock

    async def card(self, seat: Seat, contact_id: str | None = None) -> Card:
        """Return the card of a call's contact, or of another one before it is chosen."""
        contact_id = contact_id or seat.contact_id
        past, this_week = await self._store.read(partial(read_past_calls, seat=seat, now=self._clock()))
        assigned = await self._store.read(lambda c: assignments.get(c, seat.root_id))
        card = Card(
            call=seat.call_id,
            calls=past,
            calls_this_week=this_week,
            assigned=Assigned()
            if assigned is None
            else Assigned(target=assigned.target, ticket_id=assigned.ticket_id),
        )
        if contact_id is None:
            return msgspec.structs.replace(card, new=await self._new(seat))
        if not seat.sees_object("contacts"):
            return card
        return await self._with_contact(seat, card, contact_id)

    async def _new(self, seat: Seat) -> NewRecord | None:
        """Return the form for a new contact, for those who may make one; None if there is one to choose."""
        if seat.view.contacts and not seat.is_another:
            return None
        if not (seat.profile.access.may_create and NEW_CONTACTS in seat.features):
            return None
        fields, options = seat.fields("contacts", "card"), await self.options(seat, "contacts")
        given = filled_in(seat, "contacts")
        return NewRecord(
            fields=tuple(
                field_view(seat, "contacts", field, given.get(field.name), options, is_new=True)
                for field in fields
            )
        )

    async def _with_contact(self, seat: Seat, card: Card, contact_id: str) -> Card:
        known = (await self._store.read(lambda c: contacts.by_ids(c, seat.portal_id, [contact_id]))).get(
            contact_id
        )
        sources = Sources()
        desk = await sources.ask(self._portals.desk(seat.portal_id))
        tickets = asyncio.create_task(self._tickets(seat, desk, sources, contact_id))
        record = await self._record(seat, desk, sources, contact_id, known)
        account_id = _account_id(record)
        account = await self._account(seat, desk, sources, account_id)
        people = await self._people(seat, desk, sources, account_id, contact_id)
        return msgspec.structs.replace(
            card,
            contact=await self._contact(seat, contact_id, record, known),
            account=account,
            tickets=await tickets,
            people=people,
            problem=sources.problem,
        )

    async def _record(
        self, seat: Seat, desk: Desk | None, sources: Sources, contact_id: str, known: Indexed | None
    ) -> DeskRecord | None:
        """Read the contact in Desk, unless our own copy has all that is shown of it."""
        names = {field.name for field in seat.fields("contacts", "card")}
        if desk is None or (known is not None and names <= INDEXED.keys()):
            return None
        return await sources.ask(desk.record("contacts", contact_id, live=True))

    async def _contact(
        self, seat: Seat, contact_id: str, record: DeskRecord | None, known: Indexed | None
    ) -> ContactView:
        values = _indexed(known) if record is None else record.values
        found = next((each for each in seat.view.contacts if each.id == contact_id), None)
        url = (
            (record.url if record else None) or (known.url if known else None) or (found.url if found else "")
        )
        return ContactView(
            id=contact_id,
            name=self._name(seat, contact_id, record, known, found),
            url=url or "",
            account=_brief(seat, record),
            fields=await self._fields(seat, "contacts", values),
        )

    def _name(
        self,
        seat: Seat,
        contact_id: str,
        record: DeskRecord | None,
        known: Indexed | None,
        found: Contact | None,
    ) -> str:
        """Return how a contact is called, of what the profile shows; the id where it shows no name."""
        shown = [field for field in ("firstName", "lastName") if self._sees(seat, field)]
        if record is not None:
            parts = (as_text(record.values.get(field)) for field in shown)
            return " ".join(filter(None, parts)) or contact_id
        if len(shown) < 2:
            return contact_id
        return (known.name if known else None) or (found.name if found else None) or contact_id

    @staticmethod
    def _sees(seat: Seat, field: str) -> bool:
        return seat.profile.sees(seat.portal_id, "contacts", field)

    async def _account(
        self, seat: Seat, desk: Desk | None, sources: Sources, account_id: str | None
    ) -> AccountView | None:
        if desk is None or account_id is None or not seat.sees_object("accounts"):
            return None
        record = await sources.ask(desk.record("accounts", account_id, live=True))
        if record is None:
            return None
        sees_name = seat.profile.sees(seat.portal_id, "accounts", "accountName")
        name = as_text(record.values.get("accountName")) if sees_name else None
        fields = await self._fields(seat, "accounts", record.values)
        return AccountView(id=account_id, name=name or account_id, url=record.url or "", fields=fields)

    async def _people(
        self, seat: Seat, desk: Desk | None, sources: Sources, account_id: str | None, contact_id: str
    ) -> tuple[Named, ...]:
        sees_names = self._sees(seat, "firstName") and self._sees(seat, "lastName")
        if desk is None or account_id is None or not (seat.sees_object("accounts") and sees_names):
            return ()
        found = await sources.ask(desk.contacts_of_account(account_id, live=True)) or []
        # Their names alone: Desk's e-mail address in the place of one may be hidden from this agent.
        named = [(each, each.full_name or each.last_name) for each in found if each.id != contact_id]
        people = [Named(id=each.id, name=name, url=each.url or "") for each, name in named if name]
        return tuple(people[:PEOPLE_AT_MOST])

    async def _tickets(
        self, seat: Seat, desk: Desk | None, sources: Sources, contact_id: str
    ) -> tuple[TicketView, ...]:
        if desk is None or not seat.sees_object("tickets"):
            return ()
        found = await sources.ask(desk.contact_tickets(contact_id, LOOKED_AT, live=True)) or []
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
        del seat, name
        return {}


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


def _indexed(known: Indexed | None) -> dict[str, Any]:
    return {} if known is None else {name: getattr(known, ours) for name, ours in INDEXED.items()}


def _account_id(record: DeskRecord | None) -> str | None:
    if record is None:
        return None
    account = as_object(record.values.get("account")) or {}
    return as_id(record.values.get("accountId")) or as_id(account.get("id"))


def _brief(seat: Seat, record: DeskRecord | None) -> Named | None:
    """Return the account of a contact as Desk tells it with the contact."""
    account_id = _account_id(record)
    if record is None or account_id is None or not seat.sees_object("accounts"):
        return None
    account = as_object(record.values.get("account")) or {}
    sees_name = seat.profile.sees(seat.portal_id, "accounts", "accountName")
    name = as_text(account.get("accountName")) if sees_name else None
    return Named(id=account_id, name=name or account_id, url=as_text(account.get("webUrl")) or "")
