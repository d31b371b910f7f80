"""Merge contacts, which people do in Desk and no operation of ours does.

The others are gone afterwards, also from single reads; their tickets and calls are the kept one's. Desk has
no event for it: the kept contact is modified, and nobody is told of the others.
"""

from collections.abc import Sequence

import msgspec

from connector.sandbox.desk.portal import Portal
from connector.sandbox.desk.records import Contact


def merge(portal: Portal, kept: Contact, others: Sequence[Contact], now: int) -> Contact:
    """Make contacts one, and answer it: what it lacks it takes over from the others."""
    gone = {other.id for other in others}
    for other in others:
        portal.contacts.put(msgspec.structs.replace(other, is_trashed=True, modified_at=now), now)
    portal.merged |= gone
    for ticket in [each for each in portal.tickets.everything() if each.contact_id in gone]:
        portal.tickets.put(msgspec.structs.replace(ticket, contact_id=kept.id), now)
    for call in [each for each in portal.calls.everything() if each.contact_id in gone]:
        portal.calls.put(msgspec.structs.replace(call, contact_id=kept.id), now)
    taken = {
        name: next((value for other in others if (value := getattr(other, name))), None)
        for name in ("first_name", "email", "phone", "mobile", "account_id")
        if getattr(kept, name) is None
    }
    return portal.contacts.put(msgspec.structs.replace(kept, modified_at=now, **taken), now)
