"""Say what a contact is to somebody whose phone rings, and what several of them mean."""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from connector.contacts import spellings
from connector.zoho import models

MATCHES_AT_MOST = 20
"""Contacts shown for one number: beyond that it is a switchboard's, and nobody reads on."""


class Contact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A Desk contact as the banner and the delivery need it.

    `name` is never empty; `url` leads to the contact in Desk, and is empty where Desk does not tell.
    `modified_at` is 0 where Desk did not tell; `phone` and `mobile` are as somebody typed them;
    `owner_id` is the Desk agent who looks after them.
    """

    id: str
    name: str
    account: str | None = None
    url: str = ""
    modified_at: int = 0
    phone: str | None = None
    mobile: str | None = None
    owner_id: str | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a look-up came to: contacts, the most recently modified first, and who said so.

    `skipped` says that nobody was asked, because such a number is never looked up.
    """

    contacts: tuple[Contact, ...] = ()
    source: Literal["cache", "desk", "skipped"]


def from_desk(contact: models.Contact) -> Contact:
    """Take over what Desk says; a contact without a name is called by its number, else by its id."""
    return Contact(
        id=str(contact.id),
        name=contact.name or contact.phone or contact.mobile or str(contact.id),
        account=contact.account_name,
        url=contact.url or "",
        modified_at=int(contact.modified_at or 0),
        phone=contact.phone,
        mobile=contact.mobile,
        owner_id=contact.owner_id,
    )


def bearers(contacts: Iterable[models.Contact], e164: str, country: str) -> tuple[Contact, ...]:
    """Return those who really bear a number, each once, in the order of `sort`, at most 20.

    Desk's wildcards find more than was meant.
    """
    bearing = (contact for contact in contacts if _bears(contact, e164, country))
    each_once = {str(contact.id): from_desk(contact) for contact in bearing}
    return sort(each_once.values())[:MATCHES_AT_MOST]


def sort(contacts: Iterable[Contact]) -> tuple[Contact, ...]:
    """Put the most recently modified first; of two modified at once, the one with the older id."""
    return tuple(sorted(contacts, key=lambda contact: (-contact.modified_at, len(contact.id), contact.id)))


def pick(contacts: Sequence[Contact]) -> Contact | None:
    """Choose for the agent who did not: the most recently modified contact, None of none."""
    return sort(contacts)[0] if contacts else None


def _bears(contact: models.Contact, e164: str, country: str) -> bool:
    typed = (contact.phone, contact.mobile)
    return any(spellings.bears(text, e164, country) for text in typed if text)
