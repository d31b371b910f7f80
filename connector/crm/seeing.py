"""Leave of what is shown what a profile sees: fields of records, contacts, tickets; pure.

Whatever a contact or a ticket has is hidden unless the profile sees the field of that name: what is added to
them later is hidden from the start where fields were chosen one by one.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec

from connector.contacts import Contact, OpenTicket
from connector.crm.model import CrmObject, Field, ObjectName, Place
from connector.crm.profiles import Profile

AnyContact = TypeVar("AnyContact", bound=Contact)

_ALWAYS = {"id", "url", "name", "number", "modified_at"}
"""What goes with a record that is seen at all; a contact's name has rules of its own."""

_ELSEWHERE: Mapping[str, tuple[ObjectName, str]] = {"account": ("accounts", "accountName")}
_ABOUT_TICKETS = {"open_tickets", "last_at"}
_NAME = ("firstName", "lastName")


def seen_fields(
    profile: Profile, portal_id: int, crm_object: CrmObject, place: Place | None = None
) -> tuple[Field, ...]:
    """Return the fields of an object that a profile sees, in their order; of all places, or of one."""
    return tuple(
        field
        for field in crm_object.fields
        if (place is None or place in field.shown) and profile.sees(portal_id, crm_object.name, field.name)
    )


def seen_contacts(profile: Profile, portal_id: int, contacts: Sequence[AnyContact]) -> tuple[AnyContact, ...]:
    """Return what a profile sees of contacts, nothing where it sees none of them.

    Who has no name that may be shown is called by the id, as is who has none at all.
    """
    if profile.hides_nothing(portal_id):
        return tuple(contacts)
    if not profile.sees_object(portal_id, "contacts"):
        return ()
    return tuple(_seen_contact(profile, portal_id, each) for each in contacts)


def _seen_contact(profile: Profile, portal_id: int, contact: AnyContact) -> AnyContact:
    hidden = _hidden(profile, portal_id, "contacts", type(contact))
    stands_in = [field for field in ("phone", "mobile") if getattr(contact, field) == contact.name]
    is_shown = sees_name(profile, portal_id, contact.name) and all(
        profile.sees(portal_id, "contacts", field) for field in stands_in
    )
    name = contact.name if is_shown else contact.id
    return msgspec.structs.replace(contact, **hidden | {"name": name})


def sees_names(profile: Profile, portal_id: int) -> bool:
    """Tell whether a profile shows how contacts are called: their name is both fields in one text."""
    return all(profile.sees(portal_id, "contacts", field) for field in _NAME)


def sees_name(profile: Profile, portal_id: int, name: str) -> bool:
    """Tell whether a contact's name is shown; an e-mail address or a number may stand in for it."""
    needed = ["email"] if "@" in name else []
    if not any(letter.isalpha() for letter in name):
        needed = ["phone", "mobile"]
    return sees_names(profile, portal_id) and all(
        profile.sees(portal_id, "contacts", field) for field in needed
    )


def seen_tickets(
    profile: Profile, portal_id: int, tickets: Sequence[OpenTicket]
) -> tuple[OpenTicket, ...] | None:
    """Return what a profile sees of tickets, None where it sees none: numbers and links go with them."""
    if profile.hides_nothing(portal_id):
        return tuple(tickets)
    if not profile.sees_object(portal_id, "tickets"):
        return None
    hidden = _hidden(profile, portal_id, "tickets", OpenTicket)
    return tuple(msgspec.structs.replace(each, **hidden) for each in tickets)


def _hidden(profile: Profile, portal_id: int, name: ObjectName, kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return what stands in for each attribute of a record whose field a profile does not see."""
    return {
        attribute: empty
        for attribute, (whose, field, empty) in _attributes(name, kind).items()
        if not (
            profile.sees_object(portal_id, whose) if field == "" else profile.sees(portal_id, whose, field)
        )
    }


@cache
def _attributes(name: ObjectName, kind: type[msgspec.Struct]) -> Mapping[str, tuple[ObjectName, str, object]]:
    """Return of which object's field each attribute is, "" for any of them, and what it is when empty."""
    found: dict[str, tuple[ObjectName, str, object]] = {}
    for field in msgspec.structs.fields(kind):
        empty = "" if field.default is msgspec.NODEFAULT else field.default
        if field.name in _ABOUT_TICKETS:
            found[field.name] = ("tickets", "", empty)
        elif field.name not in _ALWAYS:
            whose, api_name = _ELSEWHERE.get(field.name, (name, _camel(field.name)))
            found[field.name] = (whose, api_name, empty)
    return found


def _camel(name: str) -> str:
    """Return the API name of an attribute: `owner_id` is `ownerId`."""
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)
