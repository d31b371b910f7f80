"""Tell which tickets of a contact are open."""

from collections.abc import Iterable

import msgspec

from connector.zoho import models

OPEN_AT_MOST = 5
"""Open tickets shown beside a caller."""

LOOKED_AT = 100
"""How many of a contact's newest tickets are gone through: one page, whose price is that of five."""


class OpenTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that is not closed; `number` is what people call it by, `url` leads to it in Desk."""

    id: str
    number: str
    subject: str
    status: str
    url: str = ""


def still_open(tickets: Iterable[models.Ticket], limit: int) -> tuple[OpenTicket, ...]:
    """Return those that are not closed, the newest first, at most `limit`.

    The status's type counts, not its name: a portal may call a closed ticket what it likes.
    """
    left = [ticket for ticket in tickets if (ticket.status_type or ticket.status) != "Closed"]
    left.sort(key=lambda ticket: (ticket.created_at or 0, len(ticket.id), ticket.id), reverse=True)
    return tuple(_shown(ticket) for ticket in left[:limit])


def _shown(ticket: models.Ticket) -> OpenTicket:
    return OpenTicket(
        id=str(ticket.id),
        number=str(ticket.number or ticket.id),
        subject=ticket.subject or "",
        status=ticket.status or ticket.status_type or "",
        url=ticket.url or "",
    )
