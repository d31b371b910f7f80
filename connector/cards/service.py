"""Serve the card of a call to agents: one door for all that they may do with it."""

from collections.abc import Awaitable, Callable, Sequence

from connector.banner.views import CallView
from connector.cards.editing import Change, Editing
from connector.cards.making import Making, NewContact
from connector.cards.reading import Reading
from connector.cards.seats import Seats
from connector.cards.shapes import AlreadyKnown, Card, CommentMade, Conflicts, TicketMade, Unknown
from connector.cards.tickets import NewComment, NewTicket, TicketDesk
from connector.errors import InvalidRequest, OutcomeUnknown
from connector.store.users import User

ID_AT_MOST = 20
"""Digits of the longest id of Desk's."""

Choose = Callable[[int, int, str | None], Awaitable[CallView]]
"""Notes with which contact a user says that a call is, found by its number or not."""


class Cards:
    """The cards of all calls, for the agents on whose banners these are."""

    def __init__(
        self,
        seats: Seats,
        reading: Reading,
        editing: Editing,
        making: Making,
        tickets: TicketDesk,
        *,
        choose: Choose,
        on_change: Callable[[Sequence[int]], None],
    ) -> None:
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
        return await self._reading.card(seat, change.id if change.object == "contacts" else None, anew=True)

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
            await self._choose(user.id, call_id, made.id)
            seat = await self._seats.of(user, call_id)
        return await self._reading.card(seat, made.id, anew=True)

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
        return await self._reading.card(seat, anew=True)

    async def comment(
        self, user: User, call_id: int, ticket_id: str, asked: NewComment
    ) -> CommentMade | Unknown:
        """Comment on a ticket of the call's contact; its customer does not see that."""
        seat = await self._seats.of(user, call_id)
        try:
            return await self._tickets.comment(seat, _checked_id(ticket_id), asked)
        except OutcomeUnknown:
            return Unknown()


def _checked_id(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) <= ID_AT_MOST):
        raise InvalidRequest("An id of Zoho Desk has digits only.")
    return text
