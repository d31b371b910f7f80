"""What is shown of a contact and of its open tickets to somebody whose phone rings; pure."""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from connector.zoho import models
from connector.zoho.models import as_id, as_object, as_text

MATCHES_AT_MOST = 20
"""Contacts shown for one number: beyond that it is a switchboard's, and nobody reads on."""

OPEN_AT_MOST = 5
"""Open tickets shown beside a caller."""

LOOKED_AT = 100
"""How many of a contact's newest tickets are gone through: one page, whose price is that of five."""


class Contact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A Desk contact as the banner and the delivery need it.

    `name` is never empty; `url` leads to the contact in Desk, and is empty where Desk does not tell.
    `modified_at` is 0 where Desk did not tell; `phone` and `mobile` are as somebody typed them;
    `owner_id` is the Desk agent who looks after them. Of what follows, "" is empty in Desk, and None is not
    known.
    """

    id: str
    name: str
    account: str | None = None
    url: str = ""
    modified_at: int = 0
    phone: str | None = None
    mobile: str | None = None
    owner_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    account_id: str | None = None
    created_at: int | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A Desk account; `url` leads to it in Desk, `phone` is as somebody typed it."""

    id: str
    name: str
    url: str = ""
    phone: str | None = None
    website: str | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a look-up came to: contacts, the most recently modified first, and who said so.

    `skipped` says that nobody was asked, because such a number is never looked up.
    """

    contacts: tuple[Contact, ...] = ()
    source: Literal["cache", "desk", "skipped"]


def from_desk(contact: models.Contact) -> Contact:
    """Return a contact as Desk tells it; a contact without a name is called by its number, else by its id."""
    return Contact(
        id=str(contact.id),
        name=contact.name or contact.phone or contact.mobile or str(contact.id),
        account=contact.account_name,
        url=contact.url or "",
        modified_at=int(contact.modified_at or 0),
        phone=contact.phone,
        mobile=contact.mobile,
        owner_id=contact.owner_id,
        first_name=contact.first_name or "",
        last_name=contact.last_name or "",
        email=contact.email or "",
        account_id=contact.account_id or as_id((contact.account_brief or {}).get("id")) or "",
        created_at=contact.created_at,
    )


def of_ticket(ticket: models.Ticket) -> Contact | None:
    """Return the contact of a ticket that a search found, as far as it is told there; None for none."""
    if ticket.contact_id is None:
        return None
    told = {name: as_text(value) for name, value in (ticket.contact_brief or {}).items()}
    names = (told.get("firstName"), told.get("lastName"))
    name = " ".join(filter(None, names)) or told.get("phone") or told.get("mobile") or ticket.contact_id
    account = as_object((ticket.contact_brief or {}).get("account")) or {}
    return Contact(
        id=ticket.contact_id,
        name=name,
        account=as_text(account.get("accountName")),
        phone=told.get("phone"),
        mobile=told.get("mobile"),
        first_name=told.get("firstName"),
        last_name=told.get("lastName"),
        email=told.get("email"),
        account_id=as_id(account.get("id")),
    )


def sort(contacts: Iterable[Contact]) -> tuple[Contact, ...]:
    """Return the most recently modified first; of two modified at once, the one with the older id."""
    return tuple(sorted(contacts, key=lambda contact: (-contact.modified_at, len(contact.id), contact.id)))


def pick(contacts: Sequence[Contact]) -> Contact | None:
    """Return the contact that counts where no agent has chosen: the most recently modified; None of none."""
    return sort(contacts)[0] if contacts else None


class OpenTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that is not closed; `number` is what people call it by, `url` leads to it in Desk."""

    id: str
    number: str
    subject: str
    status: str
    url: str = ""


class Tickets(msgspec.Struct, frozen=True):
    """A contact's open tickets, the newest first, and when the last ticket of all was made."""

    open: tuple[OpenTicket, ...]
    last_at: int | None


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
