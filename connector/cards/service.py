"""Serve the card of a call to agents: one door for all that they may do with it."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from connector.banner.views import CallView
from connector.cards.editing import Change, Editing
from connector.cards.making import Making, NewContact
from connector.cards.reading import Reading
from connector.cards.seats import Seat, Seats
from connector.cards.shapes import AlreadyKnown, Card, CommentMade, Conflicts, TicketMade, Unknown
from connector.cards.tickets import NewComment, NewTicket, TicketDesk
from connector.contacts import Contact
from connector.contacts.cards import from_desk
from connector.errors import InvalidRequest, NotFound, OutcomeUnknown, RecordNotFound
from connector.portals import Portals
from connector.store import Store, contacts
from connector.store.calls import NOBODY
from connector.store.users import User

ID_AT_MOST = 20
"""Digits of the longest id of Desk's."""

Choose = Callable[[int, int, str | None, Contact | None], Awaitable[CallView]]
"""Notes whom a user says that a call is with, who may be none of those who were found."""


class Cards:
    """The cards of all calls, for the agents on whose banners these are."""

    def __init__(
        self,
        store: Store,
        portals: Portals,
        seats: Seats,
        reading: Reading,
        editing: Editing,
        making: Making,
        tickets: TicketDesk,
        *,
        choose: Choose,
        on_change: Callable[[Sequence[int]], None],
    ) -> None:
        self._store = store
        self._portals = portals
        self._seats = seats
        self._reading = reading
        self._editing = editing
        self._making = making
        self._tickets = tickets
        self._choose = choose
        self._on_change = on_change

    async def card(self, user: User, call_id: int, contact_id: str | None = None) -> Card:
        """Return the card of a call's contact, or of another contact before that one is chosen."""
        seat = await self._seats.of(user, call_id)
        return await self._reading.card(seat, None if contact_id is None else _checked_id(contact_id))

    async def edit(self, user: User, call_id: int, change: Change) -> Card | Conflicts | Unknown:
        """Change a record on the card and return the card; or what others have changed meanwhile."""
        seat = await self._seats.of(user, call_id)
        _checked_id(change.id)
        options = await self._reading.options(seat, change.object)
        try:
            conflicts = await self._editing.edit(seat, change, options)
        except OutcomeUnknown:
            return Unknown()
        if conflicts is not None:
            return conflicts
        return await self._reading.card(seat, change.id if change.object == "contacts" else None)

    async def make(self, user: User, call_id: int, asked: NewContact) -> Card | AlreadyKnown | Unknown:
        """Make a contact for a caller whom nobody knows, put the call on it, and return its card."""
        seat = await self._seats.of(user, call_id)
        options = await self._reading.options(seat, "contacts")
        try:
            made = await self._making.make(seat, asked, options)
        except OutcomeUnknown:
            return Unknown()
        if isinstance(made, AlreadyKnown):
            return made
        if seat.contact_id != made.id:
            await self._choose(user.id, call_id, made.id, _as_kept(made))
            seat = await self._seats.of(user, call_id)
        return await self._reading.card(seat, made.id)

    async def choose(self, user: User, call_id: int, contact_id: str | None) -> CallView:
        """Note with whom the call is: any contact that there is, NOBODY for none of the found ones.

        None takes a choice back.
        """
        seat = await self._seats_known(user, call_id, contact_id)
        contact = None if seat is None or contact_id is None else await self._contact(seat, contact_id)
        return await self._choose(user.id, call_id, contact_id, contact)

    async def _seats_known(self, user: User, call_id: int, contact_id: str | None) -> Seat | None:
        """Return the seat of one who chooses a contact that was not found for the call."""
        if contact_id in (None, NOBODY):
            return None
        seat = await self._seats.of(user, call_id)
        return None if contact_id in {each.id for each in seat.view.contacts} else seat

    async def _contact(self, seat: Seat, contact_id: str) -> Contact:
        known = await self._store.read(lambda c: contacts.by_ids(c, seat.portal_id, [contact_id]))
        if row := known.get(contact_id):
            told = {name: getattr(row, name) for name in ("name", "account", "url", "modified_at")}
            return Contact(id=contact_id, **told)
        missing = NotFound("Zoho Desk has no such contact any more: search once more.")
        desk = await self._portals.desk(seat.portal_id)
        try:
            found = await desk.get_contact(_checked_id(contact_id), live=True)
        except RecordNotFound as problem:
            raise missing from problem
        if found.is_gone:
            raise missing
        return _as_kept(from_desk(found))

    async def make_ticket(self, user: User, call_id: int, asked: NewTicket) -> TicketMade | Unknown:
        """Make a ticket of the call's contact, and assign the call to it."""
        seat = await self._seats.of(user, call_id)
        options = await self._reading.options(seat, "tickets")
        try:
            made = await self._tickets.make(seat, asked, options)
        except OutcomeUnknown:
            return Unknown()
        self._on_change([seat.call_id])
        return made

    async def assign(self, user: User, call_id: int, ticket_id: str | None) -> Card:
        """Assign the call to a ticket of its contact, or to none, and return the card."""
        seat = await self._seats.of(user, call_id)
        await self._tickets.assign(seat, None if ticket_id is None else _checked_id(ticket_id))
        self._on_change([seat.call_id])
        return await self._reading.card(seat)

    async def comment(
        self, user: User, call_id: int, ticket_id: str, asked: NewComment
    ) -> CommentMade | Unknown:
        """Comment on a ticket of the call's contact; its customer does not see that."""
        seat = await self._seats.of(user, call_id)
        try:
            return await self._tickets.comment(seat, _checked_id(ticket_id), asked)
        except OutcomeUnknown:
            return Unknown()


def _as_kept(contact: Contact) -> Contact:
    """Return what is kept of a contact with the call: no numbers, as of those whom a look-up finds."""
    return msgspec.structs.replace(contact, phone=None, mobile=None, owner_id=None)


def _checked_id(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) <= ID_AT_MOST):
        raise InvalidRequest("An id of Zoho Desk has digits only.")
    return text
