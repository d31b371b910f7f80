"""Say what our own tables know of a caller while the phone waits: names, and who looks after them."""

import msgspec
from sqlalchemy import Connection, and_, bindparam, func, select

from connector.store import directory
from connector.store.tables import (
    ANY_PHONE_SYSTEM,
    contact_numbers,
    contacts,
    desk_agents,
    extensions,
    users,
)


class _Named(msgspec.Struct):
    name: str


_read = msgspec.json.Decoder(list[_Named]).decode

# Built once: these run while a phone rings, and building them takes longer than running them.
_THE_CALLERS = (
    select(contacts.c.name, contacts.c.owner_id)
    .join(
        contact_numbers,
        and_(
            contact_numbers.c.portal_id == contacts.c.portal_id,
            contact_numbers.c.contact_id == contacts.c.contact_id,
        ),
    )
    .where(contact_numbers.c.portal_id == bindparam("portal"), contact_numbers.c.number == bindparam("e164"))
    .order_by(contacts.c.modified_at.desc(), func.length(contacts.c.contact_id), contacts.c.contact_id)
    .limit(bindparam("at_most"))
)
_WORDS = (
    select(extensions.c.extension)
    .join(desk_agents, desk_agents.c.user_id == extensions.c.user_id)
    .join(users, users.c.id == extensions.c.user_id)
    .where(
        desk_agents.c.portal_id == bindparam("portal"),
        desk_agents.c.desk_agent_id == bindparam("owner"),
        extensions.c.phone_system_id.in_((bindparam("phone"), ANY_PHONE_SYSTEM)),
        users.c.active,
    )
    # Words of this very phone system first, and ANY_PHONE_SYSTEM is the smallest id.
    .order_by(extensions.c.phone_system_id.desc(), extensions.c.extension)
)


def names(connection: Connection, portal_id: int, e164: str, at_most: int) -> list[str]:
    """Return the names of the contacts with this number, the most recently modified first.

    The index is asked, and what Desk last said of the number where the index has nobody.
    """
    rows = connection.execute(_THE_CALLERS, {"portal": portal_id, "e164": e164, "at_most": at_most})
    if found := [row.name for row in rows]:
        return found
    entry = directory.get(connection, portal_id, e164)
    return [] if entry is None else [one.name for one in _read(entry.contacts)[:at_most]]


def owner_words(connection: Connection, portal_id: int, phone_id: int, e164: str) -> tuple[str, ...]:
    """Return what a phone system calls the agent who looks after the contact with this number."""
    rows = connection.execute(_THE_CALLERS, {"portal": portal_id, "e164": e164, "at_most": 1})
    owner_id = next((row.owner_id for row in rows), None)
    if owner_id is None:
        return ()
    asked = {"portal": portal_id, "owner": owner_id, "phone": phone_id}
    return tuple(connection.execute(_WORDS, asked).scalars())
